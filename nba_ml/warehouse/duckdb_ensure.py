"""Creation and evolution of a DuckDB warehouse's tables and views: only what adds, never what destroys."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from nba_ml.errors import UsageError
from nba_ml.warehouse import duckdb_sql as sql
from nba_ml.warehouse.schema import Column, Table
from nba_ml.warehouse.views import View


@dataclass(frozen=True)
class _Found:
    """A column as the warehouse has it."""

    type: str
    nullable: bool
    comment: str | None


def ensure(connection: duckdb.DuckDBPyConnection, tables: Iterable[Table], views: Iterable[View], path: Path) -> list[str]:
    """Create or evolve tables, staging twins and views inside the open transaction; return what was done.

    Raises
    ------
    UsageError
        If a table could only be brought to its YAML by losing something; the message has the statements to run by hand.
    """
    tables = list(tables)
    names = [table.name for table in tables] + [view.name for view in views]
    for dataset in sorted({name.partition(".")[0] for name in names} | {sql.STAGING}):
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {sql.name(dataset)}")
    found = _columns(connection)
    comments = _comments(connection)
    places = [(table, staged) for table in tables for staged in ((False, True) if table.run else (False,))]
    changes = [(place, change) for place in places for change in _differences(*place, found.get(_where(*place)))]
    refused = "; ".join(statement for _, (statement, sentence) in changes if sentence is None)
    if refused:
        raise UsageError(
            f"{path}: tables differ from nba_ml/warehouse/tables in a way that would lose data, so nothing was changed. "
            "If the loss is meant, run "
            f"""python -c 'import duckdb; duckdb.connect("{path}").execute(\"\"\"{refused}; \"\"\")' """
            "and then `nba-ml init`"
        )
    done = []
    for place, (statement, sentence) in changes:
        connection.execute(statement)
        done.append(f"{_where(*place)}: {sentence}")
    for place in places:
        described = _describe_table(connection, *place, comments.get(_where(*place)), found.get(_where(*place), {}))
        if described and _where(*place) in found:
            done.append(f"{_where(*place)}: described {', '.join(described)}")
    return done + [sentence for view in views for sentence in _ensure_view(connection, view)]


def _where(table: Table, staged: bool) -> str:
    return sql.qualified(table.name, staged).replace('"', "")


def _columns(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, _Found]]:
    """Columns of all tables and views: full name → column → what it is."""
    rows = connection.execute(
        "SELECT schema_name || '.' || table_name, column_name, data_type, is_nullable, comment FROM duckdb_columns() "
        "WHERE NOT internal ORDER BY column_index"
    ).fetchall()
    found: dict[str, dict[str, _Found]] = {}
    for where, column, type_, nullable, comment in rows:
        found.setdefault(where, {})[column] = _Found(type_, nullable, comment)
    return found


def _comments(connection: duckdb.DuckDBPyConnection) -> dict[str, str | None]:
    """Comments of all tables by full name."""
    return dict(connection.execute("SELECT schema_name || '.' || table_name, comment FROM duckdb_tables() WHERE NOT internal").fetchall())


def _differences(table: Table, staged: bool, found: dict[str, _Found] | None) -> Iterator[tuple[str, str | None]]:
    """Yield statements with what they do; None in place of a sentence marks a statement that a person has to run."""
    if found is None:
        yield sql.create_table(table, staged), "created the table"
        return
    alter = f"ALTER TABLE {sql.qualified(table.name, staged)}"
    for column in table.columns:
        quoted = sql.name(column.name)
        if column.name not in found:
            if column.required:
                filled = f"{alter} ADD COLUMN {quoted} {sql.TYPES[column.type]} DEFAULT <value>; {alter} ALTER COLUMN {quoted} SET NOT NULL"
                yield filled, None
            else:
                yield f"{alter} ADD COLUMN {sql.column_definition(column)}", f"added column {column.name}"
            continue
        there = found[column.name]
        if there.type != sql.TYPES[column.type]:
            yield f"{alter} ALTER COLUMN {quoted} SET DATA TYPE {sql.TYPES[column.type]}", None
        if column.required and there.nullable:
            yield f"{alter} ALTER COLUMN {quoted} SET NOT NULL", None
        if not column.required and not there.nullable:
            yield f"{alter} ALTER COLUMN {quoted} DROP NOT NULL", f"column {column.name} may be null now"
    for name in found:
        if name not in table.schema:
            yield f"{alter} DROP COLUMN {sql.name(name)}", None


def _describe_table(
    connection: duckdb.DuckDBPyConnection, table: Table, staged: bool, comment: str | None, found: dict[str, _Found]
) -> list[str]:
    """Bring the comments up to date; return what was described."""
    described = []
    where = sql.qualified(table.name, staged)
    wanted = f"{table.description} Grain: {table.grain}."
    if staged:
        wanted = f"Staged runs of {table.name}, checked before they are published. {wanted}"
    if comment != wanted:
        connection.execute(f"COMMENT ON TABLE {where} IS {sql.text(wanted)}")
        described.append("the table")
    for column in table.columns:
        if column.name not in found or found[column.name].comment != column.description:
            _comment_on_column(connection, where, column)
            described.append(column.name)
    return described


def _comment_on_column(connection: duckdb.DuckDBPyConnection, where: str, column: Column) -> None:
    connection.execute(f"COMMENT ON COLUMN {where}.{sql.name(column.name)} IS {sql.text(column.description)}")


def _ensure_view(connection: duckdb.DuckDBPyConnection, view: View) -> list[str]:
    """Create or replace one view with its comments; return what that changed."""
    quoted = sql.qualified(view.name)
    before = _view_state(connection, view)
    connection.execute(f"CREATE OR REPLACE VIEW {quoted} AS {view.sql}")
    view.check(list(_columns(connection)[view.name]))
    connection.execute(f"COMMENT ON VIEW {quoted} IS {sql.text(f'{view.description} Grain: {view.grain}.')}")
    for column, description in view.columns.items():
        connection.execute(f"COMMENT ON COLUMN {quoted}.{sql.name(column)} IS {sql.text(description)}")
    if before is None:
        return [f"{view.name}: created the view"]
    return [f"{view.name}: replaced the view"] if before != _view_state(connection, view) else []


def _view_state(connection: duckdb.DuckDBPyConnection, view: View) -> object:
    dataset, _, short = view.name.partition(".")
    rows = connection.execute(
        "SELECT sql, comment FROM duckdb_views() WHERE schema_name = $1 AND view_name = $2", [dataset, short]
    ).fetchall()
    return (rows, _columns(connection)[view.name]) if rows else None
