"""The warehouse of a Google project: BigQuery."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import polars as pl
from google.cloud import bigquery

from nba_ml import calendar
from nba_ml.errors import UsageError
from nba_ml.google_calls import REQUEST_SECONDS
from nba_ml.warehouse import bigquery_select
from nba_ml.warehouse import bigquery_sql as sql
from nba_ml.warehouse.bigquery_client import NO_RETRY, BigQueryClient
from nba_ml.warehouse.bigquery_ensure import ensure
from nba_ml.warehouse.bigquery_errors import BrokenStatement, tried
from nba_ml.warehouse.bigquery_load import Content, load_aside
from nba_ml.warehouse.bigquery_names import STAGING, Names
from nba_ml.warehouse.bigquery_select import bound
from nba_ml.warehouse.bigquery_values import Parameter
from nba_ml.warehouse.bigquery_write import Writer
from nba_ml.warehouse.catalogue import Catalogue
from nba_ml.warehouse.rows import prepare, prepare_run, refuse_duplicates, require_run, run_parameters
from nba_ml.warehouse.schema import Table
from nba_ml.warehouse.views import View

FRESH_ROWS = 10_000
"""From this many rows on, a write looks first whether it may be loaded straight into the table, which halves the work."""


class BigQueryWarehouse(Catalogue):
    """The Warehouse port over one Google project; see `nba_ml.warehouse.port.Warehouse` for what each method promises.

    Parameters
    ----------
    client : BigQueryClient
        Runs statements in the project; `nba_ml.warehouse.bigquery_open.open_client` opens one.
    dataset_prefix : str
        Stands before the name of each dataset.
    wait_seconds : float
        How long a write waits for other writers of its table.
    tables : mapping of str to Table, optional
        The tables by full name; those of ``nba_ml/warehouse/tables`` by default.
    views : sequence of View, optional
        The views, each after those that it reads; those of ``nba_ml/warehouse/views`` by default, none where `tables` is given.
    """

    def __init__(
        self,
        client: BigQueryClient,
        dataset_prefix: str = "",
        wait_seconds: float = 60,
        *,
        tables: Mapping[str, Table] | None = None,
        views: Sequence[View] | None = None,
    ) -> None:
        super().__init__(tables, views)
        self.client = client
        self.names = Names(client.project, dataset_prefix)
        self._writer = Writer(client, self.names, wait_seconds)
        self._is_there = False

    def ensure(self) -> list[str]:
        """Create or evolve all datasets, tables, their staging twins and all views."""
        return ensure(self.client, self.names, self.tables.values(), self.views)

    def append(self, table: str, rows: pl.DataFrame) -> int:
        """Add rows whose id is not there yet; the first of several with the same id counts."""
        spec = self._table(table)
        incoming = prepare(spec, rows).unique("id", keep="first", maintain_order=True)
        return self._write(spec, incoming, lambda load: [sql.insert_absent(self.names, spec, load)])

    def upsert(self, table: str, rows: pl.DataFrame, *, whole: Sequence[str] = ()) -> int:
        """Insert rows, or replace those with the same id and another content."""
        spec = self._table(table)
        incoming = prepare(spec, rows)
        refuse_duplicates(spec, incoming)

        def statements(load: str) -> list[str]:
            rest = [sql.delete_rest(self.names, spec, load, whole)] if whole else []
            return [*rest, sql.update_changed(self.names, spec, load), sql.insert_absent(self.names, spec, load)]

        return self._write(spec, incoming, statements)

    def stage(self, table: str, rows: pl.DataFrame, run: Mapping[str, Any]) -> int:
        """Replace the staged rows of one run."""
        spec = self._table(table)
        picked = run_parameters(spec, run)
        incoming = prepare_run(spec, rows, picked)
        statements = [sql.delete_staged(self.names, spec)]
        if incoming.height:
            statements.append(sql.insert_staged(self.names, spec, self._aside(spec, Content.of(incoming))))
        turns = [self.names.turn(table)]
        self._writer.transact(f"staging {table}", turns, statements, _run(spec, picked))
        return incoming.height

    def publish(self, tables: Sequence[str], run: Mapping[str, Any]) -> dict[str, int]:
        """Copy the staged rows of one run into the tables, in one transaction."""
        specs = [self._table(table) for table in tables]
        picked = {item.name: item for spec in specs for item in _run(spec, run_parameters(spec, run))}
        stamp = [bigquery.ScalarQueryParameter("now", "TIMESTAMP", calendar.now())] if any(spec.stamp for spec in specs) else []
        what = f"publishing {', '.join(tables)}"
        statements = [write(self.names, spec) for spec in specs for write in (sql.delete_run, sql.insert_run)]
        self._writer.transact(what, [self.names.turn(table) for table in tables], statements, [*picked.values(), *stamp])
        counts = self.client.query(sql.count_staged(self.names, specs), list(picked.values()), what)
        return dict(zip(tables, counts.row(0), strict=True))

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
        """Read rows that were known at `as_of`, ordered by the natural key with nulls first."""
        spec = self._table(table)
        if staged:
            require_run(spec)
        chosen = list(spec.schema if columns is None else columns)
        statement, parameters = bigquery_select.select(
            self.names, spec, as_of=as_of, where=where or {}, dates=dates, columns=chosen, staged=staged, undated=undated
        )
        found = self.client.query(statement, parameters, f"reading {table}")
        ordered = found.sort([f"{bigquery_select.ORDER}{number}" for number in range(len(spec.key))], nulls_last=False)
        return ordered.select(pl.col(column).cast(spec.schema[column]) for column in chosen)

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pl.DataFrame:
        """Run one SELECT or WITH statement; tables are named by dataset, without project and prefix, and parameters as ``$name``."""
        self._require()
        datasets = {name.partition(".")[0] for name in [*self.tables, *(view.name for view in self.views)]}
        statement = bigquery_select.analysts(self.names, sql, datasets)
        bindings = dict(parameters or {})
        try:
            kind = self.client.run(statement, bindings, "checking a query", dry_run=True).statement_type
        except BrokenStatement as error:
            raise UsageError(str(error)) from error
        if kind != "SELECT":
            raise UsageError("only one SELECT or WITH statement is allowed here: the warehouse is read only to queries")
        return self.client.query(statement, bindings, ordered=True)

    def count(self, tables: Iterable[str] | None = None) -> dict[str, int]:
        """Return the number of rows of each table."""
        chosen = list(self.tables if tables is None else tables)
        if not chosen:
            return {}
        counts = bigquery_select.count(self.names, [self._table(table) for table in chosen])
        return dict(zip(chosen, self.client.query(counts, (), "counting rows").row(0), strict=True))

    def _require(self) -> None:
        """Raise `Missing` where the platform's datasets are not there: a query that names none would not notice."""
        if not self._is_there:
            staging = self.names.dataset(STAGING)
            tried(f"reading {staging}", lambda: self.client.client.get_dataset(staging, retry=NO_RETRY, timeout=REQUEST_SECONDS))
            self._is_there = True

    def _aside(self, spec: Table, content: Content) -> str:
        load = self.names.load(spec.name, content.key)
        load_aside(self.client, spec, content, load)
        return load

    def _write(self, spec: Table, incoming: pl.DataFrame, statements: Any) -> int:
        """Bring rows to BigQuery and write them in one transaction; return how many ids are new."""
        if incoming.is_empty():
            return 0
        content, bindings = Content.of(incoming), _bounds(spec, incoming)
        if incoming.height >= FRESH_ROWS and spec.stamp is None and self._writer.load_fresh(spec, content, bindings):
            return incoming.height
        load = self._aside(spec, content)
        if spec.stamp:
            bindings = [*bindings, bigquery.ScalarQueryParameter("now", "TIMESTAMP", calendar.now())]
        what = f"writing {spec.name}"
        return self._writer.inserted(self._writer.transact(what, [self.names.turn(spec.name)], statements(load), bindings), what)


def _bounds(spec: Table, rows: pl.DataFrame) -> list[Parameter]:
    """Return the first and last partition of rows, where a write is pruned to them."""
    if not sql.prunes(spec):
        return []
    part = next(item for item in spec.columns if item.name == spec.partition)
    return [bound(part, "low", rows[part.name].min()), bound(part, "high", rows[part.name].max())]


def _run(spec: Table, picked: Mapping[str, Any]) -> list[Parameter]:
    columns = {item.name: item for item in spec.columns}
    return [bound(columns[name.removeprefix("run_")], name, value) for name, value in picked.items()]
