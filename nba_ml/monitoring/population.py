"""Who was accounted for: of everyone who could be asked about, who has a number or a named reason for none; and how fresh the inputs were."""

from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from nba_ml.context import Context
from nba_ml.monitoring.graded_rows import RUN, in_force
from nba_ml.registry import graded
from nba_ml.warehouse.port import LATEST

_PLAYER = ("slate_date", "game_id", "player_id")
_BOX_DAYS = timedelta(days=40)
"""How far back the newest box score is looked for; beyond that lies an off season."""


def read(context: Context, first: date, last: date) -> pl.DataFrame:
    """Return one row per mode and player of a span: the published population of the runs in force, and all who got on court.

    Returns
    -------
    DataFrame
        mode, slate_date, game_id, player_id, listed (in the population), accounted, lined, as_of and line_captured_at (null for who was not
        listed). Who played counts with each mode that has picks of the slate.
    """
    columns = [*RUN, "player_id", "predicted_points", "reasons", "line", "as_of", "line_captured_at", "published_at"]
    picks = context.warehouse.read(graded.PICKS, as_of=LATEST, dates=(first, last), columns=columns)
    listed = picks.join(in_force(picks), on=RUN).select(
        "mode",
        *_PLAYER,
        "as_of",
        "line_captured_at",
        listed=pl.lit(value=True),
        accounted=pl.col("predicted_points").is_not_null() | pl.col("reasons").is_not_null(),
        lined=pl.col("line").is_not_null(),
    )
    box = context.warehouse.read(
        "nba_raw.player_box", as_of=LATEST, dates=(first, last), columns=["game_date", "game_id", "player_id", "minutes"]
    )
    played = box.filter(pl.col("minutes") > 0).select("game_id", "player_id", slate_date="game_date")
    played = played.join(listed.select("mode", "slate_date").unique(), on="slate_date")
    everyone = listed.join(played, on=["mode", *_PLAYER], how="full", coalesce=True)
    return everyone.with_columns(pl.col("listed", "accounted", "lined").fill_null(value=False)).sort("mode", *_PLAYER)


def figures(everyone: pl.DataFrame) -> dict[str, Any]:
    """Return the shares over rows of `read`, named as the columns of nba_ops.performance_daily."""
    listed = everyone.filter("listed")
    return {
        "everyone": everyone.height,
        "accounted": everyone["accounted"].mean(),
        "line_coverage": listed["lined"].mean(),
    }


def ages(context: Context, everyone: pl.DataFrame, slate: date) -> dict[str, float | None]:
    """Return how old the newest box score and the newest dated quote were, in hours, when a slate was predicted."""
    listed = everyone.filter(pl.col("listed") & (pl.col("slate_date") == slate))
    as_of = _newest(listed["as_of"])
    if as_of is None:
        return {"box_age_hours": None, "lines_age_hours": None}
    box = context.warehouse.read("nba_raw.player_box", as_of=as_of, dates=(slate - _BOX_DAYS, slate), columns=["known_at"])
    newest = {"box_age_hours": _newest(box["known_at"]), "lines_age_hours": _newest(listed["line_captured_at"])}
    return {name: None if moment is None else (as_of - moment).total_seconds() / 3600 for name, moment in newest.items()}


def _newest(moments: pl.Series) -> datetime | None:
    return max(moments.drop_nulls().to_list(), default=None)
