"""Values on their way into BigQuery and out of it: query parameters and Arrow."""

from datetime import date, datetime
from typing import Any

import polars as pl
import pyarrow as pa
from google.cloud import bigquery

from nba_ml.errors import UsageError
from nba_ml.warehouse.rows import plain_numbers

_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "BOOL"),
    (int, "INT64"),
    (float, "FLOAT64"),
    (str, "STRING"),
    (datetime, "TIMESTAMP"),
    (date, "DATE"),
)
Parameter = bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter
"""What a statement binds."""


def parameter(name: str, value: Any, type_: str | None = None) -> Parameter:
    """Build one query parameter; a list, tuple, set or Series becomes an array, which may be empty but holds no null.

    Parameters
    ----------
    name : str
    value : bool, int, float, str, date, aware datetime, None, or several of them
    type_ : str, optional
        BigQuery type of the value or of the array's elements; told from the value by default, STRING where there is none.
    """
    if isinstance(value, (list, tuple, set, frozenset, pl.Series)):
        values = list(value)
        return bigquery.ArrayQueryParameter(name, type_ or _type_of(values[0] if values else None), values)
    return bigquery.ScalarQueryParameter(name, type_ or _type_of(value), value)


def _type_of(value: Any) -> str:
    if value is None:
        return "STRING"
    for python, type_ in _TYPES:
        if isinstance(value, python):
            return type_
    raise UsageError(f"{value!r} can't be a query parameter: give a number, text, truth value, date or aware time")


def frame(table: pa.Table) -> pl.DataFrame:
    """Turn Arrow into polars; timestamps are UTC in microseconds, decimals integers or floats."""
    found = plain_numbers(pl.DataFrame(pl.from_arrow(table)))
    moments = [name for name, dtype in found.schema.items() if isinstance(dtype, pl.Datetime) and dtype.time_zone]
    return found.with_columns(pl.col(moments).cast(pl.Datetime("us", "UTC")))
