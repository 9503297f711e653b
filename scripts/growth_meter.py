"""A warehouse that counts what BigQuery would read: for each statement, the bytes of each table, by BigQuery's sizes of values.

A statement reads the columns that it names, in the partitions that its dates leave; clusters, which leave out more, are not counted. A MERGE,
UPDATE or DELETE reads, besides, all columns of the partitions that it changes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from nba_ml.warehouse.port import Warehouse
from nba_ml.warehouse.schema import Column, Table, tables

FIXED = {"int64": 8, "float64": 8, "date": 8, "timestamp": 8, "bool": 1}
"""Bytes of a value; a text has 2 and its UTF-8, a null none."""


@dataclass(frozen=True)
class Size:
    """How large a table is, and what one slate adds."""

    rows: int
    bytes: int
    rows_a_slate: float
    bytes_a_slate: float


class Meter:
    """Passes every call on, and notes its statements in `statements`."""

    def __init__(self, inner: Warehouse) -> None:
        self.unmetered = inner
        self.statements: list[dict[str, int]] = []

    def ensure(self) -> list[str]:
        """Pass on; tables and views cost nothing."""
        return self.unmetered.ensure()

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pl.DataFrame:
        """Pass on: only analysts call it."""
        return self.unmetered.query(sql, parameters)

    def count(self, tables: Iterable[str] | None = None) -> dict[str, int]:
        """Pass on; a count of rows reads no bytes."""
        return self.unmetered.count(tables)

    def read(self, table: str, **options: Any) -> pl.DataFrame:
        """Count the columns that the statement names: those asked for, those of conditions and of the order."""
        spec = tables()[table]
        dates = options.get("dates")
        asked = (
            set(options.get("columns") or spec.schema) | set(options.get("where") or ()) | {*spec.key, spec.known_at, *spec.masked.values()}
        )
        if options.get("staged"):
            found = self.unmetered.read(table, **options)
            self.statements.append({f"staged {table}": size_of(spec, found)})
            return found
        self.statements.append({table: self._bytes(spec, asked | ({spec.partition} if dates and spec.partition else set()), dates)})
        return self.unmetered.read(table, **options)

    def append(self, table: str, rows: pl.DataFrame) -> int:
        """Count an INSERT of the rows whose id is not there."""
        if rows.height:
            spec = tables()[table]
            self.statements.append({table: self._bytes(spec, {"id"}, span(spec, rows)), "load": size_of(spec, rows)})
        return self.unmetered.append(table, rows)

    def upsert(self, table: str, rows: pl.DataFrame, *, whole: Sequence[str] = ()) -> int:
        """Count a MERGE, and with `whole` the DELETE before it."""
        if rows.height:
            spec = tables()[table]
            there, load = self._bytes(spec, set(spec.schema), span(spec, rows)), size_of(spec, rows)
            self.statements += [{table: 2 * there, "load": load}] * (2 if whole else 1)
        return self.unmetered.upsert(table, rows, whole=whole)

    def stage(self, table: str, rows: pl.DataFrame, run: Mapping[str, Any]) -> int:
        """Count the DELETE of what was staged, and the INSERT."""
        staged = size_of(tables()[table], rows)
        self.statements += [{f"staged {table}": 2 * staged}, {"load": staged}]
        return self.unmetered.stage(table, rows, run)

    def publish(self, tables_: Sequence[str], run: Mapping[str, Any]) -> dict[str, int]:
        """Count, for each table, the comparison with the staged run, the DELETE and the INSERT."""
        for table in tables_:
            spec = tables()[table]
            day = run[spec.partition] if spec.partition else None
            there = self._bytes(spec, set(spec.schema), (day, day) if day else None)
            staged = size_of(spec, self.unmetered.read(table, as_of=datetime.max.replace(tzinfo=UTC), where=run, staged=True, undated=True))
            self.statements += [{table: there, f"staged {table}": staged}, {table: 2 * there}, {f"staged {table}": staged}]
        return self.unmetered.publish(tables_, run)

    def _bytes(self, spec: Table, columns: Iterable[str], dates: tuple[date, date] | None) -> int:
        """Return the bytes of columns in the partitions of a span of dates."""
        chosen = " + ".join(_bytes_of(column) for column in spec.columns if column.name in set(columns))
        where = ""
        if dates and spec.partition:
            where = f" WHERE CAST({spec.partition} AS DATE) BETWEEN $low AND $high"
        parameters = {"low": dates[0], "high": dates[1]} if where and dates else {}
        return int(self.unmetered.query(f"SELECT COALESCE({chosen}, 0) AS n FROM {spec.name}{where}", parameters)["n"].item())  # noqa: S608


def _bytes_of(column: Column) -> str:
    if column.type == "string":
        return f'COUNT("{column.name}") * 2 + COALESCE(SUM(STRLEN("{column.name}")), 0)'
    return f'COUNT("{column.name}") * {FIXED[column.type]}'


def size_of(spec: Table, rows: pl.DataFrame) -> int:
    """Return the bytes of rows that are to be written."""
    total = 0
    for column in (column for column in spec.columns if column.name in rows.columns):
        values = rows[column.name].drop_nulls()
        total += int(values.str.len_bytes().sum()) + 2 * len(values) if column.type == "string" else len(values) * FIXED[column.type]
    return total


def span(spec: Table, rows: pl.DataFrame) -> tuple[date, date] | None:
    """Return the first and last partition of rows."""
    if spec.partition is None or rows[spec.partition].drop_nulls().is_empty():
        return None
    days = rows[spec.partition].cast(pl.Date)
    return days.min(), days.max()  # type: ignore[return-value]


def sizes(meter: Meter) -> Iterator[tuple[str, Size]]:
    """Yield each table that has rows, with its size; a slate adds its share of all dates."""
    for name, spec in tables().items():
        rows = meter.count([name])[name]
        if not rows:
            continue
        all_bytes = meter._bytes(spec, spec.schema, None)
        days = meter.query(f"SELECT COUNT(DISTINCT CAST({spec.partition} AS DATE)) AS n FROM {name}")["n"].item()  # noqa: S608
        yield name, Size(rows, all_bytes, rows / days, all_bytes / days)
