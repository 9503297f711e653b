"""A released version that is a formula of every feature, so that an input that is wrong anywhere shows in a number."""

import polars as pl

from nba_ml.features import feature_names
from nba_ml.registry.in_force import InForce, Released
from nba_ml.registry.states import Rollout
from nba_ml.systems.panel import COLUMNS

_FAINT = 0.002
_LIMIT = 30.0


class Formula:
    """Recent form, and a little of all other features."""

    def predict(self, rows: pl.DataFrame, history: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
        """Return numbers as `nba_ml.systems.panel.Panel.predict` does; `history` and `lines` have to be those of the slate."""
        assert history["actual_points"].null_count() == 0
        others = pl.sum_horizontal(pl.col(name).cast(pl.Float64).fill_null(-1.0).clip(-_LIMIT, _LIMIT) for name in feature_names())
        form = pl.col("points_ewm_8")
        base = rows.select(slate_date="game_date", game_id="game_id", player_id="player_id", form=form, all=form + _FAINT * others)
        base = base.join(lines.select("player_id", "line"), on="player_id", how="left", maintain_order="left")
        systems = {
            "moving_average": pl.col("form"),
            "matchup": pl.col("form") + 0.4,
            "similarity": pl.col("form") - 0.4,
            "xgboost": pl.col("all"),
            "ensemble": pl.col("all"),
        }
        return pl.concat(self._part(base, name, number) for name, number in systems.items())

    def _part(self, base: pl.DataFrame, system: str, number: pl.Expr) -> pl.DataFrame:
        values: dict[str, pl.Expr] = dict.fromkeys(COLUMNS, pl.lit(None, pl.Float64)) | {"predicted_points": number}
        if system == "ensemble":
            chance = pl.when(pl.col("line").is_not_null()).then((0.5 + 0.02 * (number - pl.col("line"))).clip(0.05, 0.95))
            values |= {"q10": number - 6, "q50": number, "q90": number + 6, "p_over": chance}
        reason = pl.when(number.is_null()).then(pl.lit("too little history"))
        part = base.with_columns(**values).with_columns(system_id=pl.lit(system), abstain_reason=reason)
        return part.select("slate_date", "game_id", "player_id", "system_id", *COLUMNS, "abstain_reason")


_SCHEMA = [{"name": name, "dtype": "float64"} for name in feature_names()]
_VERSION = Released("formula", {"feature_schema": _SCHEMA}, Formula(), "sha256 of the formula")  # type: ignore[arg-type]


def load_released(_: object) -> InForce:
    """Return the formula as the version in force."""
    return InForce(Rollout(number=1, in_force=1, serving="formula"), _VERSION, None, (), {})
