"""Versions for the rehearsal of releases: trained by the platform's own steps, on data that may be spoilt the way real data is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl

from nba_ml import calendar
from nba_ml.context import Context
from nba_ml.features import store
from nba_ml.training import dataset, steps

LATE_GAMES = 20
MIXED_SHARE = 0.5

Spoil = Callable[[dataset.Dataset], dataset.Dataset]


def late(data: dataset.Dataset) -> dataset.Dataset:
    """Give each row the features of a game a month earlier: a feature store that stood still."""
    names = data.features.names
    return replace(data, rows=data.rows.with_columns(pl.col(names).shift(LATE_GAMES).over("player_id")))


def mixed_up(data: dataset.Dataset) -> dataset.Dataset:
    """Give every second game's rows the features of a team-mate: a join on the team in place of the player."""
    names = data.features.names
    rows = data.rows.with_columns(pl.col("game_id").hash(1).mod(100).lt(100 * MIXED_SHARE).alias("mixed"))
    other = rows.with_columns(pl.col(names).shuffle(seed=1).over("game_id", "team"))
    parts = [rows.filter(~pl.col("mixed")), other.filter("mixed")]
    return replace(data, rows=pl.concat(parts).drop("mixed").sort("game_date", "game_id", "player_id"))


def scattered(data: dataset.Dataset) -> dataset.Dataset:
    """Give each row the features of anybody."""
    return replace(data, rows=data.rows.with_columns(pl.col(data.features.names).shuffle(seed=2)))


def train(context: Context, day: date, *, fit: Spoil | None = None, everywhere: Spoil | None = None) -> dict[str, Any]:
    """Train as `nba-ml train` does, with the data spoilt in the fit alone, or everywhere; the version waits as a candidate.

    Raises
    ------
    GateRefused
        If its gates refuse it.
    """
    until = calendar.day_before(day)
    store.refresh(context, context.source.first_date(), until)
    data = dataset.load(context, until)
    planned = steps.plan(context, until, data=data)
    spoil = fit or everywhere
    if spoil:
        # Another version than the honest one of the same data.
        planned["version"] += f"-{spoil.__name__}"
    if everywhere:
        data = everywhere(data)
    steps.backtest(context, planned, data=data)
    steps.fit(context, planned, data=fit(data) if fit else data)
    steps.gate(context, planned, data=data)
    steps.publish(context, planned, data=data)
    return {"version": planned["version"]}
