"""The figures of a set of graded rows: errors, what they are compared with, sides, probabilities, intervals."""

from typing import Any

import numpy as np
import polars as pl

from nba_ml.training import probability
from nba_ml.training.intervals import clustered_mean, wilson


def figures(rows: pl.DataFrame, *, lined: bool) -> dict[str, Any]:
    """Return the figures of one system over rows of `graded_rows.read`, named as the columns of nba_ops.performance_daily.

    Parameters
    ----------
    lined : bool
        Whether the rows all have a line, so that it can be compared with on the same rows.
    """
    played = rows.drop_nulls(["predicted_points", "actual_points"])
    error = (played["predicted_points"] - played["actual_points"]).to_numpy()
    both = played.drop_nulls("simple")
    value = played["closing_line_value"].drop_nulls()
    return {
        "n": played.height,
        "mae": _mean(np.abs(error)),
        "rmse": float(np.sqrt(np.mean(error**2))) if len(error) else None,
        "mean_error": _mean(error),
        "baseline_n": both.height,
        "baseline_mae": _mean(_off(both, "simple")),
        **_paired(both, "simple", "vs_baseline"),
        "line_mae": _mean(_off(played, "line")) if lined else None,
        **(_paired(played, "line", "vs_line") if lined else {}),
        **_sides(played),
        "closing_n": len(value),
        "closing_line_value": _mean(value.to_numpy()),
        **_probabilities(played),
        **_intervals(played),
    }


def _off(rows: pl.DataFrame, number: str) -> np.ndarray:
    return (rows[number] - rows["actual_points"]).abs().to_numpy()


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None


def _paired(rows: pl.DataFrame, rival: str, name: str) -> dict[str, Any]:
    found = clustered_mean(rows["slate_date"].to_numpy(), _off(rows, "predicted_points") - _off(rows, rival))
    return {name: found["value"], f"{name}_low": found["low"], f"{name}_high": found["high"]}


def _sides(rows: pl.DataFrame) -> dict[str, Any]:
    won, lost = (int((rows["outcome"] == outcome).sum()) for outcome in ("win", "loss"))
    low, high = wilson(won, won + lost) or (None, None)
    rate = won / (won + lost) if won + lost else None
    return {"sides": won + lost, "hit_rate": rate, "hit_rate_low": low, "hit_rate_high": high}


def _probabilities(rows: pl.DataFrame) -> dict[str, Any]:
    decided = probability.decided(rows, "p_over")
    found = probability.scores(decided["p_over"].to_numpy(), decided["over"].to_numpy())
    return {"probabilities": found["n"], "log_loss": found["log_loss"], "ece": found["ece"]}


def _intervals(rows: pl.DataFrame) -> dict[str, Any]:
    given = rows.drop_nulls(["q10", "q90"])
    inside = given.select(pl.col("actual_points").is_between("q10", "q90").mean()).item()
    return {"intervals": given.height, "inside": inside}
