"""The Warehouse port: all that the platform asks of a warehouse. Adapters: DuckDB (embedded) and BigQuery."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Protocol

import polars as pl

LATEST = datetime.max.replace(tzinfo=UTC)
"""An `as_of` that hides nothing: for commands that report on what is stored, never for a feature, a line or a status.

Rows known at no particular time need `undated=True` all the same.
"""


class Warehouse(Protocol):
    """A warehouse.

    Rows go in and come out as polars frames over Arrow. Every write is one transaction and safe to repeat. A failing query raises;
    it is never an empty answer. A lock or network that stays busy raises `nba_ml.errors.Unavailable`. What is not a number (NaN) is written
    as null. A stamp that is null is filled in when its row is written to the table (for staged rows: when they are published).
    """

    def ensure(self) -> list[str]:
        """Create or evolve all tables, their staging twins and all views; return what was done, one sentence each.

        A new nullable column or a changed description is applied. A destructive difference (a dropped column, another type, a column
        that became required) raises `UsageError` with the statement to run by hand.
        """

    def append(self, table: str, rows: pl.DataFrame) -> int:
        """Add rows whose id is not there yet, the first of several with one id; return how many were added. For logs of events."""

    def upsert(self, table: str, rows: pl.DataFrame, *, whole: Sequence[str] = ()) -> int:
        """Insert rows, or replace those with the same id; return how many ids are new. Duplicate ids among `rows` raise `ValueError`.

        A row that is already there with the same content (the stamp column apart) is left untouched. With `whole`, `rows` are all there is
        of each combination of these columns that they hold, and other rows of the table with such a combination are deleted.
        """

    def stage(self, table: str, rows: pl.DataFrame, run: Mapping[str, Any]) -> int:
        """Replace the staged rows of one run by `rows`; return their number. `run` gives a value for each of the table's run columns.

        Rows of another run and duplicate ids raise `ValueError`.
        """

    def publish(self, tables: Sequence[str], run: Mapping[str, Any]) -> dict[str, int]:
        """Copy the staged rows of one run into `tables`, in one transaction that replaces only that run; return rows per table.

        A table that already has the run with the same content (the stamp column apart) is left untouched. The staged rows stay, so that a
        publication can be repeated; no staged rows remove what the table has of the run.
        """

    def read(
        self,
        table: str,
        *,
        as_of: datetime,
        where: Mapping[str, Any] | None = None,
        dates: tuple[date, date] | None = None,
        columns: Sequence[str] | None = None,
        staged: bool = False,
        undated: bool = False,
    ) -> pl.DataFrame:
        """Read rows that were known at `as_of`.

        Parameters
        ----------
        table : str
            As in ``nba_raw.schedule``.
        as_of : datetime
            Rows whose `known_at` column is later are absent, and masked columns whose own time is later are null.
        where : mapping, optional
            Column → value, or a list, tuple or set of values, that it must equal; None stands for null. Masked columns are compared as they
            are seen at `as_of`.
        dates : (date, date), optional
            First and last value of the table's partition column, both included; days of timestamps are UTC days.
        columns : sequence of str, optional
            Columns to return; all by default.
        staged : bool
            Read the staging twin in place of the table; rows that wait for their stamp are returned.
        undated : bool
            Also return rows whose `known_at` is null: facts that cannot be shown to have been known. The caller labels them.

        Returns
        -------
        DataFrame
            With the YAML's types, ordered by the natural key, nulls first.
        """

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pl.DataFrame:
        """Run one read-only statement of an analyst, with named parameters (``$name``); one that writes or fails raises `UsageError`."""

    def count(self, tables: Iterable[str] | None = None) -> dict[str, int]:
        """Return the number of rows of each table (all by default)."""
