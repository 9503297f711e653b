"""The team's tables as frames: which columns are there is asked of BigQuery first, then each table is one statement."""

from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from nba_ml.clients import APPLICATION_DEFAULT, Clients
from nba_ml.settings import Settings
from nba_ml.sources.feature_store import columns
from nba_ml.sources.feature_store.columns import Wanted
from nba_ml.warehouse.given_tables import GivenTables, given_tables

if TYPE_CHECKING:
    from nba_ml.warehouse.bigquery_client import BigQueryClient

_LEGACY = {"FLOAT": "FLOAT64", "INTEGER": "INT64", "BOOLEAN": "BOOL", "DECIMAL": "NUMERIC"}
"""Types as BigQuery's metadata writes them → as GoogleSQL does."""

_EARLIEST, _LATEST = date(1946, 1, 1), date(2999, 12, 31)


class Reader:
    """Reads the tables that the settings name.

    Parameters
    ----------
    settings : Settings
    clients : Clients
        Ready clients of Google's services, if any.
    """

    def __init__(self, settings: Settings, clients: Clients = APPLICATION_DEFAULT) -> None:
        self._settings = settings
        self._clients = clients
        self._columns: dict[str, dict[str, str]] = {}

    @cached_property
    def tables(self) -> GivenTables:
        """Names of the team's tables."""
        return given_tables(self._settings)

    @cached_property
    def _client(self) -> "BigQueryClient":
        from nba_ml.warehouse.bigquery_open import open_client

        # Jobs run, and are billed, in our own project; where none is named, in the team's.
        project = self._settings.project or self.tables.project
        ready = self._clients
        return open_client(
            self._settings.model_copy(update={"project": project}),
            client=ready.bigquery,
            reader=ready.reader,
            labels={**ready.labels, "source": "feature_store"},
        )

    def columns(self, table: str) -> dict[str, str]:
        """Return a table's columns with their GoogleSQL types; a repeated one is an ARRAY.

        Raises
        ------
        UsageError
            If there is no such table, or it may not be read.
        """
        if table not in self._columns:
            from nba_ml.google_calls import REQUEST_SECONDS
            from nba_ml.warehouse.bigquery_client import NO_RETRY
            from nba_ml.warehouse.bigquery_errors import tried

            def ask() -> dict[str, str]:
                found = self._client.client.get_table(table, retry=NO_RETRY, timeout=REQUEST_SECONDS)
                types = {field.name: _LEGACY.get(field.field_type, field.field_type) for field in found.schema}
                repeated = {field.name for field in found.schema if field.mode == "REPEATED"}
                return {name: f"ARRAY<{type_}>" if name in repeated else type_ for name, type_ in types.items()}

            self._columns[table] = tried(f"reading the columns of {table}", ask)
        return self._columns[table]

    def rows(self, table: str, wanted: Sequence[Wanted], span: tuple[date, date] | None) -> pl.DataFrame:
        """Return the wanted columns that a table has, of a span of dates or (None) of the whole table."""
        expressions = columns.chosen(wanted, self.columns(table), table)
        sql = columns.statement(table, expressions, dated=span is not None)
        return self._client.query(sql, {"first": span[0], "last": span[1]} if span else {}, f"reading {table}")

    def edge(self, table: str, function: str, condition: str = "TRUE") -> date | None:
        """Return the first (MIN) or last (MAX) game date of a table."""
        found = self._client.query(
            columns.edge(table, function, condition), {"first": _EARLIEST, "last": _LATEST}, f"reading the dates of {table}"
        )
        value: date | None = found["edge"].item()
        return value
