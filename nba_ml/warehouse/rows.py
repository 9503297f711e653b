"""What both warehouses do to rows, runs and conditions before SQL sees them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl
from polars import selectors

from nba_ml.warehouse.schema import DTYPES, Column, Table


def prepare(spec: Table, rows: pl.DataFrame) -> pl.DataFrame:
    """Conform rows to the table; what is not a number becomes null."""
    floats = [name for name, dtype in spec.schema.items() if dtype == pl.Float64 and name in rows.columns]
    return spec.conform(rows.with_columns(pl.col(floats).cast(pl.Float64).fill_nan(None)))


def prepare_run(spec: Table, rows: pl.DataFrame, parameters: Mapping[str, Any]) -> pl.DataFrame:
    """Conform rows to stage, and refuse duplicates and rows of another run than the one of `run_parameters`."""
    incoming = prepare(spec, rows)
    refuse_duplicates(spec, incoming)
    for column in spec.run:
        wanted = parameters[f"run_{column}"]
        strangers = incoming.filter(pl.col(column) != wanted).height
        if strangers:
            raise ValueError(f"{spec.name}: {strangers} rows to stage have another {column} than the run's {wanted}")
    return incoming


def refuse_duplicates(spec: Table, incoming: pl.DataFrame) -> None:
    """Raise `ValueError` where rows to write share their key."""
    doubled = incoming.filter(pl.col("id").is_duplicated())
    if not doubled.is_empty():
        example = doubled.select(spec.key).row(0, named=True)
        raise ValueError(
            f"{spec.name}: {doubled.height} of {incoming.height} rows to write share their key, the first {example}: make them distinct"
        )


def require_run(spec: Table) -> None:
    """Raise `ValueError` for a table that is not written by runs."""
    if not spec.run:
        raise ValueError(f"{spec.name} is not written by runs: it has no staging twin")


def run_parameters(spec: Table, run: Mapping[str, Any]) -> dict[str, Any]:
    """Return what picks a run, by parameter: ``run_<column>`` → value.

    Raises
    ------
    ValueError
        If the run is not named by exactly the table's run columns.
    """
    require_run(spec)
    if set(run) != set(spec.run):
        raise ValueError(f"a run of {spec.name} is named by {', '.join(spec.run)}, not by {', '.join(run) or 'nothing'}")
    columns = {column.name: column for column in spec.columns}
    return {f"run_{name}": same_type(columns[name], [run[name]]).item() for name in spec.run}


def same_type(column: Column, values: Sequence[Any]) -> pl.Series:
    """Give values of a condition the column's type.

    Raises
    ------
    ValueError
        If a value is of another type, or a timestamp has no time zone.
    """
    if column.type == "timestamp" and any(isinstance(value, datetime) and value.tzinfo is None for value in values):
        raise ValueError(f"a value for {column.name} has no time zone")
    try:
        return pl.Series("value", list(values), dtype=DTYPES[column.type], strict=True)
    except (TypeError, OverflowError, pl.exceptions.PolarsError) as error:
        raise ValueError(f"a value for {column.name} is no {column.type}: {error}") from None


def several(wanted: Any) -> list[Any]:
    """Return the values that a condition names: one, or those of a list, tuple, set or Series."""
    return list(wanted) if isinstance(wanted, (list, tuple, set, frozenset, pl.Series)) else [wanted]


def check_read(table: Table, as_of: datetime, where: Mapping[str, Any], dates: tuple[date, date] | None, columns: Sequence[str]) -> None:
    """Raise `ValueError` for a read that makes no sense: unknown columns, a naive `as_of`, dates of a table without a partition."""
    unknown = sorted({*columns, *where} - set(table.schema))
    if unknown:
        raise ValueError(f"{table.name} has no column {', '.join(unknown)}")
    if as_of.tzinfo is None:
        raise ValueError(f"as_of={as_of} has no time zone: what was known can't be told from it")
    if dates and table.partition is None:
        raise ValueError(f"{table.name} has no partition column: read it without dates")


def plain_numbers(found: pl.DataFrame) -> pl.DataFrame:
    """Turn decimals of a query's result into integers, where they have no places, and into floats."""
    whole = [name for name, dtype in found.schema.items() if isinstance(dtype, pl.Decimal) and dtype.scale == 0]
    return found.with_columns(pl.col(whole).cast(pl.Int64), selectors.decimal().exclude(whole).cast(pl.Float64))


def partition_bounds(column: Column, dates: tuple[date, date]) -> tuple[date | datetime, date | datetime]:
    """Return the first value of a span of dates and the first one after it; days of timestamps are UTC days."""
    low, high = dates[0], dates[1] + timedelta(days=1)
    if column.type == "timestamp":
        return datetime.combine(low, time.min, UTC), datetime.combine(high, time.min, UTC)
    return low, high
