"""The panel: all systems of one model version, fitted together, with the ensemble's weights and the calibration of their numbers."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import polars as pl

from nba_ml.systems.base import Numbers, System, column, matrix
from nba_ml.systems.calibration import Calibration
from nba_ml.systems.ensemble import Ensemble
from nba_ml.systems.matchup import Matchup
from nba_ml.systems.moving_average import MovingAverage
from nba_ml.systems.ridge import Ridge
from nba_ml.systems.similarity import Similarity
from nba_ml.systems.two_stage import TwoStage
from nba_ml.systems.xgboost import XGBoost

log = logging.getLogger(__name__)

MODEL = "xgboost"
"""The system whose failure fails a run; another system's failure is its abstention."""

CALIBRATED = (MODEL, "ensemble")

KEY = ("game_date", "game_id", "player_id")


def new_members(names: Sequence[str], seed: int) -> dict[str, System]:
    """Return all systems below the ensemble, not fitted yet; those that learn are fed the features `names`."""
    members: list[System] = [MovingAverage(), Matchup(), Similarity(), Ridge(names), TwoStage(names, seed), XGBoost(names, seed)]
    return {member.system_id: member for member in members}


@dataclass(frozen=True)
class Combination:
    """What is learned from out-of-fold numbers: the ensemble, and the calibration of it and of the model."""

    ensemble: Ensemble
    calibrations: dict[str, Calibration]

    @classmethod
    def fit(cls, numbers: Mapping[str, Numbers], actual: np.ndarray, line: np.ndarray, market: np.ndarray) -> "Combination":
        """Fit on out-of-fold numbers of every member (system → points), the points scored, lines and market probabilities (NaN = none)."""
        ensemble = Ensemble.fit(numbers, actual)
        numbered = {MODEL: numbers[MODEL], "ensemble": ensemble.combine(numbers)}
        return cls(ensemble, {name: Calibration.fit(numbered[name], actual, line, market) for name in CALIBRATED})

    def complete(self, numbers: Mapping[str, Numbers], line: np.ndarray, market: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
        """Add the ensemble, quantiles and probabilities to the members' numbers; return system → column → values."""
        everyone = {**numbers, "ensemble": self.ensemble.combine(numbers)}
        result: dict[str, dict[str, np.ndarray]] = {}
        for name, number in everyone.items():
            result[name] = {"predicted_points": number}
            if name in self.calibrations:
                by = self.calibrations[name]
                result[name] |= {"predicted_points_with_line": by.beyond_line(number, line), "p_over": by.over(number, line, market)}
                result[name] |= {f"q{percent}": by.quantile(number, percent / 100) for percent in (10, 50, 90)}
        return result


COLUMNS = ("predicted_points", "predicted_points_with_line", "q10", "q50", "q90", "p_over")


class Panel:
    """Fitted systems of one version."""

    def __init__(self, members: Mapping[str, System], combination: Combination) -> None:
        self.members = dict(members)
        self.combination = combination

    @property
    def model(self) -> XGBoost:
        """The trained model."""
        model = self.members[MODEL]
        assert isinstance(model, XGBoost)  # noqa: S101
        return model

    def predict(self, rows: pl.DataFrame, history: pl.DataFrame, lines: pl.DataFrame | None = None) -> pl.DataFrame:
        """Predict the rows of a slate with every system.

        Parameters
        ----------
        rows : DataFrame
            Feature rows.
        history : DataFrame
            Earlier feature rows with `actual_points`.
        lines : DataFrame, optional
            Columns `line` and `p_over_market` by game_date and player_id.

        Returns
        -------
        DataFrame
            One row per row and system: slate_date, game_id, player_id, system_id, `COLUMNS` (null = none) and abstain_reason.

        Raises
        ------
        Exception
            Whatever the trained model raises. An error of another system is logged and becomes its abstention.
        """
        numbers, reasons = member_numbers(self.members, rows, history)
        line, market = (quoted(rows, lines, name) for name in ("line", "p_over_market"))
        return long_frame(rows, self.combination.complete(numbers, line, market), reasons)

    def predict_model(self, rows: pl.DataFrame) -> Numbers:
        """Predict with the trained model alone, for golden vectors."""
        return self.model.predict_matrix(matrix(rows, self.model.names))

    def to_files(self) -> dict[str, bytes]:
        """Return the panel as named files: what trees say in UBJ, the rest in JSON."""
        ridge, two_stage = self.members["ridge"], self.members["two_stage"]
        assert isinstance(ridge, Ridge)  # noqa: S101
        assert isinstance(two_stage, TwoStage)  # noqa: S101
        calibrations = {name: asdict(value) for name, value in self.combination.calibrations.items()}
        return {
            "model.ubj": self.model.to_bytes(),
            "ridge.json": ridge.to_bytes(),
            **two_stage.to_files(),
            "ensemble.json": json.dumps(asdict(self.combination.ensemble)).encode(),
            "calibration.json": json.dumps(calibrations).encode(),
        }

    @classmethod
    def from_files(cls, files: Mapping[str, bytes], names: Sequence[str]) -> "Panel":
        """Read what `to_files` wrote of a panel of these features; whoever calls has checked every sha256."""
        members = new_members(names, seed=0)
        members[MODEL] = XGBoost.from_bytes(files["model.ubj"], names)
        members["ridge"] = Ridge.from_bytes(files["ridge.json"], names)
        members["two_stage"] = TwoStage.from_files(files, names)
        ensemble = json.loads(files["ensemble.json"])
        learned = json.loads(files["calibration.json"])
        # Null: so few prices were seen that the number alone speaks, whatever the market says.
        markets = {name: value["market"] or (*value["platt"], 0.0) for name, value in learned.items()}
        calibrations = {name: Calibration(**value | {"market": markets[name]}) for name, value in learned.items()}
        return cls(members, Combination(Ensemble(ensemble["weights"], tuple(ensemble["shift"]), tuple(ensemble["share"])), calibrations))


def member_numbers(members: Mapping[str, System], rows: pl.DataFrame, history: pl.DataFrame) -> tuple[dict[str, Numbers], dict[str, str]]:
    """Return each member's numbers, and the reason of each that failed as a whole.

    Raises
    ------
    Exception
        Whatever the trained model raises.
    """
    numbers, reasons = {}, {}
    for name, member in members.items():
        try:
            numbers[name] = member.predict(rows, history)
        except Exception as error:
            if name == MODEL:
                raise
            log.exception("system %s failed and abstains", name)
            numbers[name] = np.full(rows.height, np.nan)
            reasons[name] = f"failed: {type(error).__name__}"
    return numbers, reasons


def quoted(rows: pl.DataFrame, lines: pl.DataFrame | None, name: str) -> np.ndarray:
    """Return a column of the lines for each row, NaN without one."""
    if lines is None or not lines.height:
        return np.full(rows.height, np.nan)
    key = ["game_date", "player_id"]
    return column(rows.select(key).join(lines.select(*key, name), on=key, how="left", maintain_order="left"), name)


def long_frame(
    rows: pl.DataFrame,
    completed: Mapping[str, Mapping[str, np.ndarray]],
    reasons: Mapping[str, str],
    names: Sequence[str] = COLUMNS,
) -> pl.DataFrame:
    """Stack system → column → values under each other, NaN as null; `names` are the columns that are kept."""
    identity = rows.select(slate_date="game_date", game_id="game_id", player_id="player_id")
    parts = []
    for name, values in completed.items():
        columns = [pl.Series(column_name, values.get(column_name, np.full(rows.height, np.nan))).fill_nan(None) for column_name in names]
        part = identity.with_columns(*columns, system_id=pl.lit(name))
        reason = pl.when(pl.col("predicted_points").is_null()).then(pl.lit(reasons.get(name, "too little history")))
        parts.append(part.with_columns(abstain_reason=reason))
    return pl.concat(parts).select("slate_date", "game_id", "player_id", "system_id", *names, "abstain_reason")
