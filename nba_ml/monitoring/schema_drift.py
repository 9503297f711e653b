"""Drift of the feature table itself: nulls where there were none, values that stand still, features that are gone.

A slate is held against slates, so that what one slate of some size may do by itself is known.
"""

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from nba_ml.monitoring.reference import CALENDAR, RECENT_DAYS, WINDOW_SLATES

LEAST_ROWS = 60
"""Smaller slates are not judged, and judge nothing."""

_SCHEMA = {"kind": pl.String, "name": pl.String, "value": pl.Float64, "n": pl.Int64, "reference_n": pl.Int64}


def absent(expected: Mapping[str, str], types: Mapping[str, str]) -> int:
    """Return how many features of a model the feature rows have not, or of another type.

    Parameters
    ----------
    expected, types : mapping
        Feature → type, of the model and of the rows.
    """
    return sum(types.get(name) != dtype for name, dtype in expected.items())


def check(rows: pl.DataFrame, slate: date, names: Sequence[str]) -> pl.DataFrame:
    """Compare the rows of a slate with those of slates before, the last `reference.WINDOW_SLATES` left out, and of earlier seasons' same weeks.

    Parameters
    ----------
    rows : DataFrame
        Feature rows of `reference.spans`, with regular and day, ordered by date.
    names : sequence of str
        Features; of those of `reference.CALENDAR`, the nulls alone are judged.

    Returns
    -------
    DataFrame
        kind, name, value, n, reference_n (slates): ``nulls``, how much more of the slate has no value than of any earlier one of the season (in
        its first days: of earlier seasons); ``constant``, 1 where all of the slate's values are one, and no other slate's were; ``frozen``, how
        much more of the slate's players have exactly the value of their game before than on any slate before. No rows for a small slate, or one
        without any to compare with.
    """
    now = rows.filter(pl.col("game_date") == slate)
    if now.height < LEAST_ROWS:
        return pl.DataFrame(schema=_SCHEMA)
    season, regular = now.select("season", "regular").row(0)
    same = rows.filter((pl.col("regular") == regular) & (pl.col("game_date") <= slate))
    lately = same.filter(pl.col("season") == season)["game_date"].unique().sort().tail(WINDOW_SLATES).to_list()
    moving = [name for name in names if name not in CALENDAR]
    found = [_spread(same, lately, season, names, moving)]
    own = same.filter((pl.col("season") == season) & ((slate - pl.col("game_date")).dt.total_days() <= RECENT_DAYS))
    found.append(_frozen(own, lately, moving))
    return pl.concat([part for part in found if part.height] or [pl.DataFrame(schema=_SCHEMA)])


def _spread(rows: pl.DataFrame, lately: Sequence[date], season: str, names: Sequence[str], moving: Sequence[str]) -> pl.DataFrame:
    by_slate = (
        _large(rows)
        .group_by("season", "game_date")
        .agg(
            *(pl.col(name).null_count().truediv(pl.len()).alias(f"nulls:{name}") for name in names),
            *((pl.col(name).drop_nulls().n_unique() == 1).cast(pl.Float64).alias(f"constant:{name}") for name in moving),
            n=pl.len(),
        )
    )
    # What an earlier season lacked says nothing of this one, once this one has slates of its own to compare with.
    own = by_slate.filter(pl.col("season") == season)
    near = own if own.height > len(lately) else by_slate
    constant = _above(by_slate, lately, [f"constant:{name}" for name in moving])
    return pl.concat([_above(near, lately, [f"nulls:{name}" for name in names]), constant])


def _frozen(rows: pl.DataFrame, lately: Sequence[date], names: Sequence[str]) -> pl.DataFrame:
    before = [(pl.col(name) == pl.col(name).shift(1).over("player_id")).alias(f"frozen:{name}") for name in names]
    pairs = rows.select("game_date", *before).filter(pl.any_horizontal(pl.col("^frozen:.*$").is_not_null()))
    large = _large(pairs)
    by_slate = large.group_by("game_date").agg(pl.col("^frozen:.*$").mean(), n=pl.len())
    return _above(by_slate, lately, [f"frozen:{name}" for name in names])


def _large(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.len().over("game_date") >= LEAST_ROWS)


def _above(by_slate: pl.DataFrame, lately: Sequence[date], columns: Sequence[str]) -> pl.DataFrame:
    """Return by how much the last slate lies above the largest of the others, those of `lately` left out, which may be ill of the same."""
    own, others = by_slate.filter(pl.col("game_date") == lately[-1]), by_slate.filter(~pl.col("game_date").is_in(list(lately)))
    if own.is_empty() or others.is_empty():
        return pl.DataFrame(schema=_SCHEMA)
    rows = []
    for column in columns:
        value, most = own[column].item(), others[column].max()
        if value is not None and most is not None:
            kind, _, name = column.partition(":")
            above = max(0.0, float(value) - float(most))  # type: ignore[arg-type]
            rows.append({"kind": kind, "name": name, "value": above, "n": own["n"].item(), "reference_n": others.height})
    return pl.DataFrame(rows, schema=_SCHEMA)
