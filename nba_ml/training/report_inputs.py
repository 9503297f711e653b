"""What a report shows besides the backtest frame: rest before each game, and lines that were seen to move."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from nba_ml import calendar
from nba_ml.context import Context
from nba_ml.features import FeatureSet
from nba_ml.training import betting


@dataclass(frozen=True)
class Inputs:
    """Facts beside the frame; None = not known, and the report says so.

    Attributes
    ----------
    rest : DataFrame, optional
        game_id, player_id, rest_days.
    moves : DataFrame, optional
        See `betting.moves`.
    features : int, optional
        How many the model is fed.
    """

    rest: pl.DataFrame | None = None
    moves: pl.DataFrame | None = None
    features: int | None = None


def read(context: Context, rows: pl.DataFrame, until: date, features: FeatureSet) -> Inputs:
    """Read them from the feature set and rows of the backtest and from the quotes of the warehouse, as known at the end of `until`."""
    as_of = calendar.end_of(until)
    span = pl.col("game_date").is_between(rows["game_date"].min(), until)
    quotes = context.warehouse.read("nba_raw.prop_lines", as_of=as_of, undated=True).filter(span)
    tipoffs = context.warehouse.read("nba_raw.schedule", as_of=as_of).select("game_id", "tipoff_utc")
    return Inputs(rows.select("game_id", "player_id", "rest_days"), betting.moves(quotes, tipoffs), len(features.names))
