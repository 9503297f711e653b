"""Sides against the line: hit rate and return, with the refusal to judge too few bets.

Only lines that can be shown, or are labelled, to be from before tip-off count; undated ones are figured apart.
"""

from typing import Any

import polars as pl

from nba_ml.training.intervals import clustered_mean, wilson

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


def judge(won: int, n: int) -> dict[str, Any]:
    """Return hit rate, Wilson interval and verdict of `n` bets.

    Returns
    -------
    dict
        "n", "hit_rate", "low", "high", "verdict": "above break-even", "below break-even" or "no verdict" (fewer than `LEAST_BETS`, or an
        interval that holds `BREAK_EVEN`: 54 % takes about 3,700 bets to tell, 53 % about 25,000).
    """
    interval = wilson(won, n)
    if interval is None:
        return {"n": 0, "hit_rate": None, "low": None, "high": None, "verdict": NO_VERDICT}
    low, high = interval
    verdict = NO_VERDICT
    if n >= LEAST_BETS and low > BREAK_EVEN:
        verdict = "above break-even"
    elif n >= LEAST_BETS and high < BREAK_EVEN:
        verdict = "below break-even"
    return {"n": n, "hit_rate": won / n, "low": low, "high": high, "verdict": verdict}


def summary(frame: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Return, per system, one row per kind of line ("dated": true or false) and least edge: `judge`, and "roi" with its interval.

    "roi" is {"value", "low", "high", "n"}: mean profit per unit, on the bets with a real price, clustered by date.
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
                    found.append({"dated": dated, "edge": edge} | judge(int(own["won"].sum()), own.height) | {"roi": roi})
        answer[system] = found
    return answer


def line_kinds(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Return, for each kind of line, rows, MAE of the line and of line − 0.5, in points, and whether it counts as from before tip-off."""
    lined = rows.drop_nulls("line").with_columns(pl.col("line_kind").fill_null("unknown"), dated=~undated())
    error = pl.col("line") - pl.col("actual_points")
    found = lined.group_by("line_kind", "dated").agg(
        pl.len().alias("n"), error.abs().mean().alias("mae"), (error - 0.5).abs().mean().alias("mae_minus_half")
    )
    return found.sort("n", "line_kind", descending=[True, False]).to_dicts()
