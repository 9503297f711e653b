"""The tables behind the plots of a backtest report."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from nba_ml.training import betting, metrics, probability
from nba_ml.training.intervals import wilson

SIMPLE = metrics.BASELINE


def months(rows: pl.DataFrame, system: str) -> list[dict[str, Any]]:
    """Return, per month, the figures of one system beside the simple rule on population B and beside line − 0.5 on C.

    Returns
    -------
    list of dict
        "month" (YYYY-MM), and under "B" and "C": {"n", "ours", "theirs" (MAE on the same rows), "difference": `metrics.paired`, "lost": the
        system's error was not the smaller one}, or None without rows.
    """
    found = []
    for (month,), group in rows.with_columns(month=pl.col("slate_date").dt.strftime("%Y-%m")).group_by("month", maintain_order=True):
        row: dict[str, Any] = {"month": month}
        for name, rival in (("B", SIMPLE), ("C", metrics.LINE_MINUS_HALF)):
            row[name] = _beside(metrics.population(group, name), system, rival)
        found.append(row)
    return found


def _beside(rows: pl.DataFrame, system: str, rival: str) -> dict[str, Any] | None:
    same = metrics.common_rows(rows, (system, rival))
    if same.is_empty():
        return None
    ours, theirs = (float((same[name] - same["actual_points"]).abs().mean()) for name in (system, rival))  # type: ignore[arg-type]
    return {"n": same.height, "ours": ours, "theirs": theirs, "difference": metrics.paired(same, system, rival), "lost": ours >= theirs}


def levels(rows: pl.DataFrame, system: str) -> list[dict[str, Any]]:
    """Return, per band of predicted points, rows, MAE and mean error of a system and of the simple rule on the same rows."""
    lows = probability.BANDS
    same = metrics.common_rows(rows, (system, SIMPLE))
    found = []
    for low, high in zip(lows, (*lows[1:], None), strict=True):
        inside = pl.col(system) >= low if low else pl.lit(value=True)
        band = same.filter(inside & (pl.col(system) < high if high is not None else pl.lit(value=True)))
        if band.height:
            found.append({"low": low, "high": high, "ours": metrics.errors(band, system), "theirs": metrics.errors(band, SIMPLE)})
    return found


def folds(frame: pl.DataFrame, system: str) -> list[dict[str, Any]]:
    """Return the folds of the walk: one per `trained_until`, with first and last date, rows, and MAE of a system and of the simple rule."""
    until = frame.filter(pl.col("system_id") == system).select(*metrics.KEY, "trained_until")
    rows = metrics.wide(frame).join(until, on=metrics.KEY, how="left").sort("trained_until", *metrics.KEY)
    found = []
    for (trained_until,), group in rows.group_by("trained_until", maintain_order=True):
        found.append(
            {
                "from": str(group["slate_date"].min()),
                "to": str(group["slate_date"].max()),
                "trained_until": str(trained_until),
                "rows": group.height,
                "A": _beside(group, system, SIMPLE),
                "B": _beside(metrics.population(group, "B"), system, SIMPLE),
            }
        )
    return found


def reliability(frame: pl.DataFrame, system: str) -> dict[str, list[dict[str, Any]]]:
    """Return reliability bins of a system's p_over, and of the market's where it has a price, each bin with Wilson bounds of its share."""
    own = frame.filter(pl.col("system_id") == system)
    answer = {}
    for column in ("p_over", "p_over_market"):
        rows = probability.decided(own, column)
        bins = probability.reliability(rows[column].to_numpy(), rows["over"].to_numpy())
        for row in bins:
            row["bounds"] = wilson(round(row["observed"] * row["n"]), int(row["n"]))  # type: ignore[assignment]
        answer[column] = bins
    return answer


def lines(rows: pl.DataFrame, system: str) -> list[dict[str, Any]]:
    """Return `betting.line_kinds` with the system's MAE on the same rows."""
    found = []
    for kind in betting.line_kinds(rows):
        same = rows.filter(pl.col("line").is_not_null() & (pl.col("line_kind").fill_null("unknown") == kind["line_kind"]))
        found.append(kind | {"ours": metrics.errors(same, system)["mae"]})
    return found


def importance(gain: Mapping[str, float], most: int = 20) -> list[tuple[str, float]]:
    """Return the features of largest gain, largest first, each with its share of all gain (0..1)."""
    total = float(np.sum(list(gain.values()))) or 1.0
    ordered = sorted(gain.items(), key=lambda item: (-item[1], item[0]))
    return [(name, value / total) for name, value in ordered[:most]]
