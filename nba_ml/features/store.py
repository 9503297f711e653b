"""The feature store: features written to and read from nba_predictions.ml_feature_store_v2."""

from datetime import date, datetime
from typing import Any

import polars as pl

from nba_ml import calendar
from nba_ml.context import Context
from nba_ml.errors import GateRefused
from nba_ml.features.build import FEATURE_TABLE, FEATURE_VERSION, REQUIRED, TARGET, build, feature_names, leads
from nba_ml.warehouse import Warehouse


def read_raw(warehouse: Warehouse, as_of: datetime) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return box scores and schedule as they were known at `as_of`."""
    return warehouse.read("nba_raw.player_box", as_of=as_of), warehouse.read("nba_raw.schedule", as_of=as_of)


def refresh(context: Context, first: date, last: date) -> dict[str, Any]:
    """Make the features of all finished player-games of a span and write them; running it again changes nothing.

    Returns
    -------
    dict
        "from", "to", "rows" (written), "new" (not there before), "feature_version", "features".
    """
    box, schedule = read_raw(context.warehouse, calendar.end_of(last))
    status = context.warehouse.read("nba_raw.player_status", as_of=calendar.end_of(last))
    frame = build(box, schedule, status=status).filter(pl.col("game_date").is_between(first, last))
    new = write(context.warehouse, frame, leads(schedule))
    return {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "rows": frame.height,
        "new": new,
        "feature_version": FEATURE_VERSION,
        "features": len(feature_names()),
    }


def write(warehouse: Warehouse, frame: pl.DataFrame, cutoffs: dict[date, datetime]) -> int:
    """Write feature rows; return how many were not there before.

    Parameters
    ----------
    frame : DataFrame
        As `build` returns it.
    cutoffs : dict of date to datetime
        Slate date → the moment that its rows were made as of.
    """
    values = [pl.col(name).is_null() for name in feature_names()]
    rows = frame.drop("upcoming").with_columns(
        feature_version=pl.lit(FEATURE_VERSION),
        as_of=pl.col("game_date").replace_strict(cutoffs, return_dtype=pl.Datetime("us", "UTC")),
        missing_features=pl.sum_horizontal(values).cast(pl.Int64),
        missing_required=pl.sum_horizontal([pl.col(name).is_null() for name in REQUIRED]).cast(pl.Int64),
    )
    return warehouse.upsert(FEATURE_TABLE, rows)


def finished(warehouse: Warehouse, as_of: datetime) -> pl.DataFrame:
    """Return game, player, date, points and minutes of all finished player-games known at `as_of`."""
    wanted = ["game_id", "player_id", "game_date", "points", "minutes"]
    return warehouse.read("nba_raw.player_box", as_of=as_of, columns=wanted).filter(pl.col("minutes") > 0)


def history(warehouse: Warehouse, as_of: datetime) -> pl.DataFrame:
    """Return the feature rows of all finished player-games known at `as_of`, with `actual_points` and `actual_minutes`.

    Returns
    -------
    DataFrame
        Columns of the feature store and the two outcomes, sorted by date, game and player.

    Raises
    ------
    GateRefused
        If a finished player-game has no feature row of the present version.
    """
    outcomes = finished(warehouse, as_of)
    features = warehouse.read(FEATURE_TABLE, as_of=as_of, where={"feature_version": FEATURE_VERSION})
    keyed = outcomes.select("game_date", "game_id", "player_id", **{TARGET: pl.col("points").cast(pl.Float64)}, actual_minutes="minutes")
    # By date too: a game that was moved keeps the rows that were made for its first date.
    key = ["game_date", "game_id", "player_id"]
    joined = features.join(keyed, on=key).sort(key)
    if joined.height < outcomes.height:
        lacking = outcomes.join(features, on=key, how="anti")["game_date"]
        raise GateRefused(
            f"{outcomes.height - joined.height:,} of {outcomes.height:,} finished player-games have no features of version {FEATURE_VERSION}, "
            f"dates {lacking.min()} to {lacking.max()}. Make them: `nba-ml features --from {lacking.min()} --to {lacking.max()}`"
        )
    return joined
