"""The tables behind the plots of a backtest report."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from nba_ml.training import betting, metrics, probability
from nba_ml.training.intervals import wilson
from nba_ml.training.slices import STARTER_MINUTES

SIMPLE = metrics.BASELINE


RIVALS = (("B", "B", SIMPLE), ("last_10", "B", metrics.LAST_10), ("ridge", "B", "ridge"), ("C", "C", metrics.LINE_MINUS_HALF))
"""What a month is compared with: name, population and predictor."""

MINUTES = (0.0, 10.0, 15.0, 20.0, 25.0, 30.0)
"""Lower bounds, in minutes a game this season before this one, of the bands of a player's role."""

REST = {0.0: "1: back-to-back", 2.0: "2", 3.0: "3", 4.0: "4–6", 7.0: "7 and more"}
"""Lower bound → name of the bands of days since a player's last game."""


def months(rows: pl.DataFrame, system: str) -> list[dict[str, Any]]:
    """Return, per month, the figures of one system beside the simple rules and ridge on population B and beside line − 0.5 on C.

    Returns
    -------
    list of dict
        "month" (YYYY-MM), and under "B" (weighted mean), "last_10", "ridge" and "C": {"n", "ours", "theirs" (MAE on the same rows), "difference":
        `metrics.paired`, "lost": the system's error was not the smaller one}, or None without rows.
    """
    found = []
    for (month,), group in rows.with_columns(month=pl.col("slate_date").dt.strftime("%Y-%m")).group_by("month", maintain_order=True):
        row: dict[str, Any] = {"month": month}
        for name, population, rival in RIVALS:
            row[name] = _beside(metrics.population(group, population), system, rival)
        found.append(row)
    return found


def _beside(rows: pl.DataFrame, system: str, rival: str) -> dict[str, Any] | None:
    if rival not in rows.columns:
        return None
    same = metrics.common_rows(rows, (system, rival))
    if same.is_empty():
        return None
    ours, theirs = (float((same[name] - same["actual_points"]).abs().mean()) for name in (system, rival))  # type: ignore[arg-type]
    return {"n": same.height, "ours": ours, "theirs": theirs, "difference": metrics.paired(same, system, rival), "lost": ours >= theirs}


def seasons(frame: pl.DataFrame, rows: pl.DataFrame, system: str) -> list[dict[str, Any]]:
    """Return, per season, the figures on regulars (B): error beside each rival, and what the 80 % interval held.

    Returns
    -------
    list of dict
        "season", "n", "mae", "rivals" {predictor: {"ratio": `metrics.ratio`, "difference": `metrics.paired`}}, "coverage" (0..1 or None),
        "crps" {system: points}.
    """
    found = []
    for (season,), group in metrics.population(rows, "B").group_by("season", maintain_order=True):
        rivals = [name for name in (SIMPLE, metrics.LAST_10, "ridge") if name in rows.columns]
        everyone = metrics.population(frame.filter(pl.col("season") == season), "B")
        held = probability.coverage(everyone.filter(pl.col("system_id") == system)).get(system)
        found.append(
            {
                "season": season,
                "n": group.height,
                "mae": metrics.errors(group, system)["mae"],
                "rivals": {
                    name: {"ratio": metrics.ratio(group, system, name), "difference": metrics.paired(group, system, name)}
                    for name in rivals
                },
                "coverage": held["coverage"] if held else None,
                "crps": {name: score["value"] for name, score in probability.crps(everyone).items()},
            }
        )
    return found


def markets(frame: pl.DataFrame, system: str) -> list[dict[str, Any]]:
    """Return `probability.against_market` per season, and under the season "all" of all of them where there are several."""
    found = []
    for season in frame["season"].unique().sort():
        row = probability.against_market(frame.filter(pl.col("season") == season), system)
        if row["difference"]["n"]:
            found.append({"season": season} | row)
    if len(found) > 1:
        found.append({"season": "all"} | probability.against_market(frame, system))
    return found


def systems(rows: pl.DataFrame, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return, for each system, the ratio of its error to the simple rule's on the regulars (B) on whom it has a number."""
    regulars = metrics.population(rows, "B")
    return {name: metrics.ratio(regulars, name, SIMPLE) for name in names} if SIMPLE in rows.columns else {}


def levels(rows: pl.DataFrame, system: str) -> list[dict[str, Any]]:
    """Return, per band of predicted points, rows, MAE and mean error of a system and of the simple rule on the same rows."""
    return _banded(rows, system, pl.col(system), probability.BANDS)


def roles(rows: pl.DataFrame, system: str) -> list[dict[str, Any]]:
    """Return the figures of `levels` per band of a player's minutes a game, known before the game."""
    return _banded(rows, system, pl.col("season_avg_minutes"), MINUTES)


def starters(rows: pl.DataFrame, system: str) -> list[dict[str, Any]]:
    """Return the figures of `levels` for those who play half a game or more, and for the bench."""
    half = f"{STARTER_MINUTES:.0f} minutes"
    names = {0.0: f"bench: under {half}", STARTER_MINUTES: f"starters: {half} and more"}
    return _named(_banded(rows, system, pl.col("season_avg_minutes"), tuple(names)), names)


def rests(rows: pl.DataFrame, rest: pl.DataFrame | None, system: str) -> list[dict[str, Any]]:
    """Return the figures of `levels` per band of days since the player's last game; empty where rest is not known."""
    if rest is None:
        return []
    joined = rows.join(rest.select("game_id", "player_id", "rest_days"), on=["game_id", "player_id"], how="left")
    return _named(_banded(joined, system, pl.col("rest_days"), tuple(REST)), REST)


def _named(bands: Sequence[dict[str, Any]], names: Mapping[float, str]) -> list[dict[str, Any]]:
    return [band | {"name": names[band["low"]]} for band in bands]


def _banded(rows: pl.DataFrame, system: str, value: pl.Expr, lows: Sequence[float]) -> list[dict[str, Any]]:
    if SIMPLE not in rows.columns:
        return []
    same = metrics.common_rows(rows, (system, SIMPLE)).sort(metrics.KEY)
    found = []
    for low, high in zip(lows, (*lows[1:], None), strict=True):
        above = value >= low if low else value.is_not_null()
        part = same.filter(above & (value < high if high is not None else pl.lit(value=True)))
        if part.height:
            found.append(
                {
                    "low": low,
                    "high": high,
                    "ours": metrics.errors(part, system),
                    "theirs": metrics.errors(part, SIMPLE),
                    "difference": metrics.paired(part, system, SIMPLE),
                }
            )
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
    """Return ten groups of a system's p_over, and of the market's where it has a price, each with Wilson bounds of its share of overs."""
    own = frame.filter(pl.col("system_id") == system)
    answer = {}
    for column in ("p_over", "p_over_market"):
        rows = probability.decided(own, column).sort("slate_date", "game_id", "player_id")
        bins = probability.groups(rows[column].to_numpy(), rows["over"].to_numpy())
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
