"""Minutes on court as feeds write them: a number, or clock text such as "34:12"."""

import polars as pl

from nba_ml.errors import BadInput

_NUMBER = r"^\d{1,3}(\.\d+)?$"
_CLOCK = r"^(\d{1,3}):([0-5]\d)$"


def parse_minutes(values: pl.Series) -> pl.Series:
    """Read minutes into numbers.

    Parameters
    ----------
    values : Series
        Numbers, or text that is a number ("34", "34.2") or a clock ("34:12"). Null stays null.

    Returns
    -------
    Series
        Float64, in minutes; same name and length.

    Raises
    ------
    BadInput
        Naming the first row (counted from 0) and value that is neither, or is negative or not finite.
    """
    if values.dtype.is_numeric():
        numbers = values.cast(pl.Float64)
        bad = (~numbers.is_finite() | (numbers < 0)).fill_null(False)
    elif values.dtype in (pl.String, pl.Null):
        text = values.cast(pl.String).str.strip_chars()
        frame = pl.DataFrame({"text": text})
        clock = pl.col("text").str.extract(_CLOCK, 1).cast(pl.Float64) + pl.col("text").str.extract(_CLOCK, 2).cast(pl.Float64) / 60
        number = pl.when(pl.col("text").str.contains(_NUMBER)).then(pl.col("text")).cast(pl.Float64, strict=False)
        numbers = frame.select(pl.coalesce(number, clock).alias(values.name))[values.name]
        bad = numbers.is_null() & text.is_not_null()
    else:
        raise BadInput(f"column {values.name}: minutes are of type {values.dtype}; give numbers or text such as 34:12")
    if bad.any():
        row = int(bad.arg_true()[0])
        raise BadInput(
            f"column {values.name}, row {row}: {values[row]!r} is no number of minutes; {int(bad.sum())} such values in all. "
            "Give numbers or clock text such as 34:12"
        )
    return numbers
