"""The embedded warehouse: a DuckDB file."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from nba_ml import calendar
from nba_ml.errors import UsageError
from nba_ml.warehouse import duckdb_sql as sql
from nba_ml.warehouse.catalogue import Catalogue
from nba_ml.warehouse.duckdb_ensure import ensure
from nba_ml.warehouse.duckdb_file import DuckDBFile
from nba_ml.warehouse.rows import plain_numbers, prepare, prepare_run, refuse_duplicates, require_run, run_parameters
from nba_ml.warehouse.schema import Table
from nba_ml.warehouse.views import View


class DuckDBWarehouse(Catalogue):
    """The Warehouse port over one DuckDB file; see `nba_ml.warehouse.port.Warehouse` for what each method promises.

    Parameters
    ----------
    path : Path
        The file; `ensure` creates it.
    lock_wait_seconds : float
        How long an operation waits for another process or thread that holds the file.
    tables : mapping of str to Table, optional
        The tables by full name; those of ``nba_ml/warehouse/tables`` by default.
    views : sequence of View, optional
        The views, each after those that it reads; those of ``nba_ml/warehouse/views`` by default, none where `tables` is given.
    """

    def __init__(
        self,
        path: Path,
        lock_wait_seconds: float = 60,
        *,
        tables: Mapping[str, Table] | None = None,
        views: Sequence[View] | None = None,
    ) -> None:
        super().__init__(tables, views)
        self.path = Path(path)
        self._file = DuckDBFile(self.path, lock_wait_seconds)

    def ensure(self) -> list[str]:
        """Create or evolve all tables, their staging twins and all views."""
        with self._file.open(write=True, create=True) as connection:
            return ensure(connection, self.tables.values(), self.views, self.path)

    def append(self, table: str, rows: pl.DataFrame) -> int:
        """Add rows whose id is not there yet; the first of several with the same id counts."""
        spec = self._table(table)
        incoming = prepare(spec, rows).unique("id", keep="first", maintain_order=True)
        return self._write(spec, sql.append(spec), incoming)

    def upsert(self, table: str, rows: pl.DataFrame, *, whole: Sequence[str] = ()) -> int:
        """Insert rows, or replace those with the same id and another content."""
        spec = self._table(table)
        incoming = prepare(spec, rows)
        refuse_duplicates(spec, incoming)
        return self._write(spec, sql.merge(spec), incoming, sql.delete_rest(spec, whole) if whole else None)

    def stage(self, table: str, rows: pl.DataFrame, run: Mapping[str, Any]) -> int:
        """Replace the staged rows of one run."""
        spec = self._table(table)
        parameters = run_parameters(spec, run)
        incoming = prepare_run(spec, rows, parameters)
        with self._operation(write=True) as connection:
            connection.execute(sql.delete_run(spec, staged=True), parameters)
            connection.register("incoming", incoming.to_arrow())
            connection.execute(sql.insert_staged(spec))
        return incoming.height

    def publish(self, tables: Sequence[str], run: Mapping[str, Any]) -> dict[str, int]:
        """Copy the staged rows of one run into the tables, in one transaction."""
        specs = [self._table(table) for table in tables]
        parameters = {spec.name: run_parameters(spec, run) for spec in specs}
        published = {}
        with self._operation(write=True) as connection:
            now = calendar.now()  # once the file is held: a stamp from before the wait would be too early
            for spec in specs:
                bound = parameters[spec.name]
                staged, there, differing = _only_row(connection.execute(sql.compare_run(spec), bound))
                published[spec.name] = staged
                if staged == there and not differing:
                    continue
                connection.execute(sql.delete_run(spec, staged=False), bound)
                connection.execute(sql.insert_run(spec), bound | ({"now": now} if spec.stamp else {}))
        return published

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
        statement, parameters, lists = sql.select(
            spec, as_of=as_of, where=where or {}, dates=dates, columns=chosen, staged=staged, undated=undated
        )
        with self._operation(write=False) as connection:
            for name, values in lists.items():
                connection.register(name, values.to_arrow())
            found = _frame(connection.sql(statement, params=parameters))
        return found.select(pl.col(column).cast(spec.schema[column]) for column in chosen)

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pl.DataFrame:
        """Run one read-only statement (SELECT, WITH, SHOW, DESCRIBE); decimals come as integers or floats."""
        try:
            statements = duckdb.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise UsageError("only one SELECT, WITH, SHOW or DESCRIBE statement is allowed here: the warehouse is read only to queries")
            with self._file.open(write=False) as connection:
                found = _frame(connection.sql(sql, params=dict(parameters or {})))
        except duckdb.Error as error:
            raise UsageError(f"{error}\nCorrect the statement; docs/tables.md lists tables, views and columns") from error
        except pl.exceptions.PolarsError as error:
            raise UsageError(f"a column of the result has a type that can't be handed on ({error}): CAST it to VARCHAR") from error
        return plain_numbers(found)

    def count(self, tables: Iterable[str] | None = None) -> dict[str, int]:
        """Return the number of rows of each table."""
        chosen = list(self.tables if tables is None else tables)
        if not chosen:
            return {}
        counts = ", ".join(f"(SELECT COUNT(*) FROM {sql.qualified(self._table(table).name)})" for table in chosen)
        with self._operation(write=False) as connection:
            return dict(zip(chosen, _only_row(connection.execute(f"SELECT {counts}")), strict=True))

    @contextmanager
    def _operation(self, *, write: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the file for one operation on tables that `ensure` has made."""
        try:
            with self._file.open(write=write) as connection:
                yield connection
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise UsageError(f"{self.path} lacks a table or column of this version ({error}): run `nba-ml init`") from error

    def _write(self, spec: Table, statement: str, incoming: pl.DataFrame, earlier: str | None = None) -> int:
        """Run one writing statement, after an `earlier` one, over the view ``incoming``; return how many rows it added."""
        if incoming.is_empty():
            return 0
        size = f"SELECT COUNT(*) FROM {sql.qualified(spec.name)}"
        with self._operation(write=True) as connection:
            connection.register("incoming", incoming.to_arrow())
            if earlier:
                connection.execute(earlier)
            (before,) = _only_row(connection.execute(size))
            connection.execute(statement, {"now": calendar.now()} if spec.stamp else None)
            (after,) = _only_row(connection.execute(size))
        return after - before


def _only_row(result: duckdb.DuckDBPyConnection) -> tuple[Any, ...]:
    (row,) = result.fetchall()
    return row


def _frame(relation: duckdb.DuckDBPyRelation) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(relation.to_arrow_table()))
