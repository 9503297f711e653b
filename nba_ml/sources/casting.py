"""Lossless casts of what a file holds to what a table holds: a value that would change on the way is refused, with its row."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import time

import polars as pl

from nba_ml.errors import BadInput

LEAGUE_ID_DIGITS = 10
"""The league's game ids have ten digits; a feed that stores them as numbers loses the leading zeros."""

_INTEGER_TEXT = r"^\s*[+-]?\d+\s*$"
_NUMBER_TEXT = r"^\s*[+-]?\d+(\.\d+)?\s*$"
_CLOCK_TEXT = r"^\s*(\d+):([0-5]\d)\s*$"


@dataclass(frozen=True)
class Kind:
    """A kind of value: how it is called in messages, and the cast, which leaves null where a value does not fit."""

    what: str
    cast: Callable[[pl.Series], pl.Series]


def cast(values: pl.Series, kind: str, where: Callable[[int], str]) -> pl.Series:
    """Cast a column to a kind.

    Parameters
    ----------
    values : Series
        As the file holds it; NaN counts as null.
    kind : str
        A key of `KINDS`.
    where : callable
        From a position in `values` to words that name file, row and field.

    Raises
    ------
    BadInput
        For the first value that does not fit.
    """
    if values.dtype.is_float():
        values = values.fill_nan(None)
    if values.dtype == pl.Null:
        values = values.cast(pl.String)
    if isinstance(values.dtype, pl.Categorical | pl.Enum):
        values = values.cast(pl.String)
    result = KINDS[kind].cast(values)
    lost = (result.is_null() & values.is_not_null()).arg_true()
    if len(lost):
        position = lost[0]
        others = f" ({len(lost) - 1} more rows like it)" if len(lost) > 1 else ""
        raise BadInput(
            f"{where(position)}: {values[position]!r} is not {KINDS[kind].what}{others}; correct it and run the same command again"
        )
    return result


def _none(values: pl.Series, dtype: pl.DataType) -> pl.Series:
    return pl.Series(values.name, [None] * len(values), dtype=dtype)


def _text(values: pl.Series) -> pl.Series:
    return values if values.dtype == pl.String else _none(values, pl.String())


def _game_id(values: pl.Series) -> pl.Series:
    if values.dtype.is_numeric():
        return _integer(values).cast(pl.String).str.zfill(LEAGUE_ID_DIGITS)
    return _text(values)


def _integer(values: pl.Series) -> pl.Series:
    if values.dtype == pl.String:
        return _where_text(values, _INTEGER_TEXT).cast(pl.Int64, strict=False)
    if values.dtype.is_float():
        values = values.to_frame().select(pl.when(pl.first() == pl.first().round()).then(pl.first())).to_series()
    return values.cast(pl.Int64, strict=False) if values.dtype.is_numeric() else _none(values, pl.Int64())


def _number(values: pl.Series) -> pl.Series:
    if values.dtype == pl.String:
        return _where_text(values, _NUMBER_TEXT).cast(pl.Float64, strict=False)
    if not values.dtype.is_numeric():
        return _none(values, pl.Float64())
    numbers = values.cast(pl.Float64)
    return numbers.to_frame().select(pl.when(pl.first().is_finite()).then(pl.first())).to_series()


def _minutes(values: pl.Series) -> pl.Series:
    if values.dtype != pl.String:
        return _number(values)
    minutes = values.str.extract(_CLOCK_TEXT, 1).cast(pl.Float64)
    seconds = values.str.extract(_CLOCK_TEXT, 2).cast(pl.Float64)
    return (minutes + seconds / 60).zip_with(values.str.contains(_CLOCK_TEXT).fill_null(value=False), _number(values))


def _flag(values: pl.Series) -> pl.Series:
    if values.dtype == pl.Boolean:
        return values
    if not values.dtype.is_numeric():
        return _none(values, pl.Boolean())
    return values.to_frame().select(pl.when(pl.first().is_in([0, 1])).then(pl.first() == 1)).to_series()


def _won(values: pl.Series) -> pl.Series:
    if values.dtype != pl.String:
        return _flag(values)
    return values.to_frame().select(pl.when(pl.first().is_in(["W", "L"])).then(pl.first() == "W")).to_series()


def _date(values: pl.Series) -> pl.Series:
    if values.dtype == pl.String:
        return values.str.to_date("%Y-%m-%d", strict=False)
    if isinstance(values.dtype, pl.Datetime):
        return values.to_frame().select(pl.when(pl.first().dt.time() == time(0)).then(pl.first().dt.date())).to_series()
    return values if values.dtype == pl.Date else _none(values, pl.Date())


def _moment(values: pl.Series) -> pl.Series:
    dtype = values.dtype
    if not isinstance(dtype, pl.Datetime):
        return _none(values, pl.Datetime("us", "UTC"))
    values = values.dt.cast_time_unit("us")
    return values.dt.replace_time_zone("UTC") if dtype.time_zone is None else values.dt.convert_time_zone("UTC")


def _where_text(values: pl.Series, pattern: str) -> pl.Series:
    stripped = values.str.strip_chars()
    return stripped.zip_with(stripped.str.contains(pattern).fill_null(value=False), _none(values, pl.String()))


KINDS: dict[str, Kind] = {
    "string": Kind("text", _text),
    "game_id": Kind("a game id, text or a whole number", _game_id),
    "int64": Kind("a whole number", _integer),
    "float64": Kind("a number", _number),
    "minutes": Kind("minutes: a number, or minutes and seconds as in 34:12", _minutes),
    "bool": Kind("true or false", _flag),
    "won": Kind("W or L", _won),
    "date": Kind("a calendar date without a time of day", _date),
    "timestamp": Kind("a timestamp (in UTC where it has no zone)", _moment),
}
