"""Sides against the line: hit rate and return, with the refusal to judge too few bets.

Only lines that can be shown, or are labelled, to be from before tip-off count; undated ones are figured apart.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from nba_ml import lines
from nba_ml.training.intervals import LEAST_DATES, LEVEL, clustered_mean, wilson

BREAK_EVEN = 110 / 210
"""Hit rate at which bets at -110 neither win nor lose."""

LEAST_BETS = 1400
"""Bets that it takes to tell 55 %, the most that an honest model was seen to reach, from break-even; no verdict on fewer."""

EDGES = (0.0, 1.0, 2.0, 3.0)
"""Least distance of prediction and line, in points, of the bets that are figured together."""

UNDATED = "undated"
NO_VERDICT = "no verdict"
_LEAST_REAL_ODDS = 100


def undated() -> pl.Expr:
    """Tell which rows have a line whose quotes have no time and no label that says closing."""
    return pl.col("line_kind").fill_null(UNDATED).str.contains(UNDATED)


def bets(frame: pl.DataFrame, system: str) -> pl.DataFrame:
    """Return one row per player-game on which a system takes a side and the line is not hit exactly.

    Returns
    -------
    DataFrame
        slate_date, edge (points, absolute), won (bool), dated (bool), profit (units per unit bet at the offered price; null without a
        real one).
    """
    rows = frame.filter((pl.col("system_id") == system) & (pl.col("predicted_points") != pl.col("line")))
    rows = rows.filter(pl.col("actual_points") != pl.col("line"))
    over = pl.col("predicted_points") > pl.col("line")
    odds = pl.when(over).then(pl.col("over_odds")).otherwise(pl.col("under_odds")).cast(pl.Float64)
    real = pl.col("p_over_market").is_not_null() & (odds.abs() >= _LEAST_REAL_ODDS)
    gain = pl.when(odds > 0).then(odds / 100).otherwise(-100 / odds)
    won = over == (pl.col("actual_points") > pl.col("line"))
    return rows.select(
        "slate_date",
        edge=(pl.col("predicted_points") - pl.col("line")).abs(),
        won=won,
        dated=~undated(),
        profit=pl.when(real).then(pl.when(won).then(gain).otherwise(-1.0)),
    )


def judge(won: int, n: int, looks: int = 1) -> dict[str, Any]:
    """Return hit rate, Wilson interval and verdict of `n` bets.

    Parameters
    ----------
    looks : int
        How many such sets of bets are looked at together: the verdict's interval is that much wider (Bonferroni), since the best of many is
        good by luck.

    Returns
    -------
    dict
        "n", "hit_rate", "low", "high" (95 %), "verdict": "above break-even", "below break-even" or "no verdict" (fewer than `LEAST_BETS`, or
        a verdict's interval that holds `BREAK_EVEN`: 54 % takes about 3,700 bets to tell, 53 % about 25,000).
    """
    interval = wilson(won, n)
    if interval is None:
        return {"n": 0, "hit_rate": None, "low": None, "high": None, "verdict": NO_VERDICT}
    low, high = interval
    surely = wilson(won, n, 1 - (1 - LEVEL) / looks)
    answer = NO_VERDICT
    if surely and n >= LEAST_BETS and surely[0] > BREAK_EVEN:
        answer = "above break-even"
    elif surely and n >= LEAST_BETS and surely[1] < BREAK_EVEN:
        answer = "below break-even"
    return {"n": n, "hit_rate": won / n, "low": low, "high": high, "verdict": answer}


def summary(frame: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Return, per system, one row per kind of line ("dated": true or false) and least edge: `judge`, and "roi" with its interval.

    "roi" is {"value", "low", "high", "n", "verdict"}: mean profit per unit, on the bets with a real price, clustered by date; its verdict
    is "profit", "loss" or "no verdict" (fewer than `LEAST_BETS`, or an interval that holds 0).
    """
    answer = {}
    for system in ("ensemble", "xgboost"):
        rows = bets(frame, system)
        found = []
        for dated in (True, False):
            for edge in EDGES:
                own = rows.filter((pl.col("dated") == dated) & (pl.col("edge") >= edge))
                if own.height:
                    priced = own.drop_nulls("profit")
                    roi = clustered_mean(priced["slate_date"].to_numpy(), priced["profit"].to_numpy())
                    if priced["slate_date"].n_unique() < LEAST_DATES:
                        roi |= {"low": None, "high": None}
                    judged = roi | {"verdict": verdict(roi, "profit", "loss") if roi["n"] >= LEAST_BETS else NO_VERDICT}  # type: ignore[operator]
                    found.append({"dated": dated, "edge": edge} | judge(int(own["won"].sum()), own.height, len(EDGES)) | {"roi": judged})
        answer[system] = found
    return answer


def verdict(found: Mapping[str, Any], above: str, below: str) -> str:
    """Return `above` or `below` where the whole interval of a mean lies on one side of 0, else "no verdict"."""
    if found["low"] is None or found["low"] <= 0 <= found["high"]:
        return NO_VERDICT
    return above if found["low"] > 0 else below


def moves(quotes: pl.DataFrame, tipoffs: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return the earlier and the closing line of each player and date for whom the same books were seen at two moments before tip-off.

    Quotes without a time of capture don't count: an opening or closing label alone does not say when a bet could have been placed.

    Parameters
    ----------
    quotes, tipoffs : DataFrame
        As in `nba_ml.lines.consensus`.

    Returns
    -------
    DataFrame
        game_date, player_id, early_line, closing_line.
    """
    book = [*lines.KEY, "bookmaker"]
    dated = quotes.filter(pl.col("captured_at").is_not_null())
    first, last = pl.col("captured_at").min().over(book), pl.col("captured_at").max().over(book)
    seen_twice = dated.with_columns(first=first).filter(first < last)
    early = lines.consensus(seen_twice.filter(pl.col("captured_at") == pl.col("first")).drop("first"), tipoffs=tipoffs)
    late = lines.consensus(seen_twice.drop("first"), tipoffs=tipoffs)
    facts = [*lines.KEY, "line", "line_captured_at"]
    both = early.select(facts).join(late.select(facts), on=lines.KEY, suffix="_late")
    both = both.filter(pl.col("line_captured_at") < pl.col("line_captured_at_late"))
    return both.select(*lines.KEY, early_line="line", closing_line="line_late").sort(lines.KEY)


def closing_value(frame: pl.DataFrame, system: str, moved: pl.DataFrame) -> dict[str, Any]:
    """Return how far lines moved, after a bet on the earlier one, towards the system's side: the closing-line value, in points.

    It says sooner than profit whether a side is worth something, since it does not wait for the outcome.

    Parameters
    ----------
    moved : DataFrame
        See `moves`.

    Returns
    -------
    dict
        "value", "low", "high", "n", "dates" (see `intervals.clustered_ratio`), "towards", "away" (shares of lines), "verdict": "towards",
        "away" or "no verdict" (fewer than `LEAST_BETS`, or an interval that holds 0).
    """
    pairs = moved.rename({"game_date": "slate_date"})
    own = frame.filter(pl.col("system_id") == system).join(pairs, on=["slate_date", "player_id"])
    own = own.filter(pl.col("predicted_points") != pl.col("early_line")).sort("slate_date", "game_id", "player_id")
    over = pl.col("predicted_points") > pl.col("early_line")
    move = pl.col("closing_line") - pl.col("early_line")
    gained = own.select("slate_date", gain=pl.when(over).then(move).otherwise(-move))
    found = clustered_mean(gained["slate_date"].to_numpy(), gained["gain"].to_numpy())
    return found | {
        "towards": (gained["gain"] > 0).mean(),
        "away": (gained["gain"] < 0).mean(),
        "verdict": verdict(found, "towards", "away") if gained.height >= LEAST_BETS else NO_VERDICT,
    }


def line_kinds(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Return, for each kind of line, rows, MAE of the line and of line − 0.5, in points, and whether it counts as from before tip-off."""
    lined = rows.drop_nulls("line").with_columns(pl.col("line_kind").fill_null("unknown"), dated=~undated())
    error = pl.col("line") - pl.col("actual_points")
    found = lined.group_by("line_kind", "dated").agg(
        pl.len().alias("n"), error.abs().mean().alias("mae"), (error - 0.5).abs().mean().alias("mae_minus_half")
    )
    return found.sort("n", "line_kind", descending=[True, False]).to_dicts()
