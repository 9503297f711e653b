"""What a report shows besides the backtest frame: rest before each game, and lines that were seen to move."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from nba_ml import calendar
from nba_ml.context import Context
from nba_ml.features import REPORTED_PREFIX, FeatureSet
from nba_ml.registry import versions
from nba_ml.systems.xgboost import XGBoost
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


def notes(context: Context, rows: pl.DataFrame) -> list[str]:
    """Return what a reader has to know of the data: whose games they are, and for how many of the backtest's rows an injury report was known."""
    name = context.source.name
    whose = (
        "The games are simulated: no figure here says anything of the real league."
        if name == "simulated"
        else f"Source of the data: {name}."
    )
    reported = [column for column in rows.columns if column.startswith(REPORTED_PREFIX)]
    known = rows.select(pl.any_horizontal(pl.col(reported).is_not_null()).sum()).item() if reported else 0
    heard = (
        f"For {known:,} of {rows.height:,} player-games an injury report was known that was seen before the slate's cut-off; for the others, who is "
        "out was guessed from absences."
    )
    return [whose, heard]


def gains(context: Context, version: str, names: Sequence[str]) -> dict[str, float]:
    """Return each feature's gain in a version's model, whose fit has just been stored."""
    model = context.store.read(versions.folder(versions.MODEL, version) + "model.ubj")
    return XGBoost.from_bytes(model, names).importance()
