"""What gates measure: each metric of ``gates.toml`` as a function of the evidence for one model version."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from nba_ml.training import betting, metrics, probability, slices
from nba_ml.training.intervals import clustered_mean, wilson

Gate = Mapping[str, Any]

RELEASED, EXISTING = "released", "existing"
"""Rivals that are no systems of the backtest: the version in force, and the team's own graded predictions (one column a system of theirs)."""

ARTEFACT = ("golden", "packages", "megabytes", "seconds")
"""Metrics of the fitted model itself, not of its backtest."""

_UNOWNED = "this backtest belongs to no version"


@dataclass(frozen=True)
class Beside:
    """What a version is held against besides its own backtest.

    Attributes
    ----------
    numbers : DataFrame, optional
        slate_date, player_id and one column of predicted points a rival: `RELEASED`, and ``existing.<system>``.
    rest : DataFrame, optional
        game_id, player_id and `slices.BACK_TO_BACK`.
    artefact : mapping
        Metric of `ARTEFACT` → its value.
    names : mapping
        Rival → the version or table that it is, for people.
    absent : mapping
        Rival, slice or metric that there is nothing of → why. Gates on it are not applicable; what is neither here nor there is missing
        evidence, and blocks.
    """

    numbers: pl.DataFrame | None = None
    rest: pl.DataFrame | None = None
    artefact: Mapping[str, float] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys((RELEASED, EXISTING, slices.BACK_TO_BACK, *ARTEFACT), _UNOWNED))


@dataclass(frozen=True)
class Figure:
    """A measured figure: its value, 95 % interval and number of rows; None where there are no rows.

    `baseline` names the rival, where the gate left open which of several it is; `dates` counts those that the interval was drawn from.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    baseline: str | None = None
    dates: int | None = None


NO_FIGURE = Figure(None, None, None, 0)


@dataclass(frozen=True)
class Evidence:
    """A backtest frame, the wide frame of it with the rivals' numbers, and the fitted model's own figures."""

    frame: pl.DataFrame
    rows: pl.DataFrame
    artefact: Mapping[str, float]

    @classmethod
    def of(cls, frame: pl.DataFrame, beside: Beside) -> "Evidence":
        """Put a backtest in the contract's long format and what it is held against together."""
        rows = metrics.wide(frame)
        if beside.numbers is not None:
            rows = rows.join(beside.numbers, on=["slate_date", "player_id"], how="left", maintain_order="left")
        if beside.rest is not None:
            rows = rows.join(beside.rest, on=["game_id", "player_id"], how="left", maintain_order="left")
        return cls(frame, rows, beside.artefact)

    def long(self, gate: Gate) -> pl.DataFrame:
        """Return the gate's system and population of the backtest frame."""
        return metrics.population(self.frame.filter(pl.col("system_id") == gate["system"]), gate["population"])

    def wide(self, gate: Gate) -> pl.DataFrame:
        """Return the gate's population of the wide frame."""
        return metrics.population(self.rows, gate["population"])

    def rivals(self, gate: Gate) -> list[str]:
        """Return the columns that a gate's baseline stands for: itself, those of a list, or all systems of `EXISTING`."""
        named = gate.get("baseline", [])
        if named == EXISTING:
            return [name for name in self.rows.columns if name.startswith(f"{EXISTING}.")]
        return [name for name in ([named] if isinstance(named, str) else named) if name in self.rows.columns]


def measure(evidence: Evidence, gate: Gate) -> Figure:
    """Return the figure that a gate asks for."""
    return _MEASURES[gate["metric"]](evidence, gate)


def _from_interval(found: Mapping[str, Any]) -> Figure:
    return Figure(found["value"], found["low"], found["high"], found["n"], dates=found["dates"])


def _rows(evidence: Evidence, gate: Gate) -> Figure:
    rows = evidence.wide(gate).height
    return Figure(rows, None, None, rows)


def _against(compare: Callable[[pl.DataFrame, str, str], Mapping[str, Any]]) -> Callable[[Evidence, Gate], Figure]:
    """Compare with the rival that is hardest to be better than: the one with the highest upper end among those seen on enough rows."""

    def figure(evidence: Evidence, gate: Gate) -> Figure:
        rows, system, found = evidence.wide(gate), gate["system"], []
        for rival in evidence.rivals(gate):
            part = slices.cut(rows, gate["slice"], system, rival) if "slice" in gate else rows
            found.append(replace(_from_interval(compare(part, system, rival)), baseline=rival))
        enough = [one for one in found if one.n >= gate.get("least_rows", 0) and one.high is not None]
        return max(enough, key=lambda one: one.high or 0.0) if enough else max(found, key=lambda one: one.n, default=NO_FIGURE)

    return figure


def _abstained(evidence: Evidence, gate: Gate) -> Figure:
    rows = evidence.wide(gate)
    return Figure(metrics.abstention(rows, gate["system"]), None, None, rows.height)


def _mean_error(evidence: Evidence, gate: Gate) -> Figure:
    rows = evidence.wide(gate).drop_nulls(gate["system"])
    return _from_interval(clustered_mean(rows["slate_date"].to_numpy(), (rows[gate["system"]] - rows["actual_points"]).to_numpy()))


def _coverage(evidence: Evidence, gate: Gate) -> Figure:
    found = probability.coverage(evidence.long(gate)).get(gate["system"])
    return Figure(found["coverage"], None, None, found["n"]) if found else NO_FIGURE


def _ece(evidence: Evidence, gate: Gate) -> Figure:
    rows = probability.decided(evidence.long(gate), "p_over")
    found = probability.scores(rows["p_over"].to_numpy(), rows["over"].to_numpy())
    return Figure(found["ece"], None, None, rows.height)


def _log_loss(evidence: Evidence, gate: Gate) -> Figure:
    rows = probability.decided(evidence.long(gate), "p_over")
    loss = probability.log_losses(rows["p_over"].to_numpy(), rows["over"].to_numpy())
    return _from_interval(clustered_mean(rows["slate_date"].to_numpy(), loss - np.log(2)))


def _hit_rate(evidence: Evidence, gate: Gate) -> Figure:
    rows = betting.bets(evidence.long(gate), gate["system"]).filter("dated")
    won = int(rows["won"].sum())
    interval = wilson(won, rows.height)
    return Figure(won / rows.height, *interval, rows.height, dates=rows["slate_date"].n_unique()) if interval else NO_FIGURE


def _roi(evidence: Evidence, gate: Gate) -> Figure:
    rows = betting.bets(evidence.long(gate), gate["system"]).filter("dated").drop_nulls("profit")
    return _from_interval(clustered_mean(rows["slate_date"].to_numpy(), rows["profit"].to_numpy()))


def _of_artefact(evidence: Evidence, gate: Gate) -> Figure:
    return Figure(evidence.artefact.get(gate["metric"]), None, None, 0)


_MEASURES: dict[str, Callable[[Evidence, Gate], Figure]] = {
    "rows": _rows,
    "paired": _against(metrics.paired),
    "ratio": _against(metrics.ratio),
    "not_worse": _against(metrics.ratio),
    "abstained": _abstained,
    "mean_error": _mean_error,
    "coverage": _coverage,
    "ece": _ece,
    "calibration": _ece,
    "log_loss": _log_loss,
    "hit_rate": _hit_rate,
    "roi": _roi,
    **dict.fromkeys(ARTEFACT, _of_artefact),
}

WORDS = {
    "rows": "player-games",
    "paired": "difference of mean absolute errors, in points,",
    "ratio": "ratio of mean absolute errors",
    "not_worse": "ratio of mean absolute errors",
    "abstained": "share of rows without a number",
    "mean_error": "mean error, in points,",
    "coverage": "share of results inside the 80 % interval",
    "ece": "expected calibration error",
    "calibration": "expected calibration error",
    "log_loss": "log-loss above that of a coin",
    "hit_rate": "hit rate",
    "roi": "profit per unit",
    "golden": "largest difference, in points, of the stored model from the fitted one",
    "packages": "number of packages of another version than the project asks for",
    "megabytes": "size of the model's files in MB",
    "seconds": "time in seconds that one slate takes to score",
}
"""Metric → what it is, as the subject of a sentence."""
