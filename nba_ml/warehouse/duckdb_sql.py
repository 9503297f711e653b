"""DuckDB's SQL texts. Names come from the tables' YAML files and are checked; values are always bound."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import polars as pl

from nba_ml.warehouse.dataset_names import require_identifier
from nba_ml.warehouse.rows import check_read, partition_bounds, same_type, several
from nba_ml.warehouse.schema import Column, Table

STAGING = "nba_staging"

TYPES = {
    "string": "VARCHAR",
    "int64": "BIGINT",
    "float64": "DOUBLE",
    "bool": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
}


def name(identifier: str) -> str:
    """Quote one identifier.

    Raises
    ------
    ValueError
        If it is not made of letters, digits and underscores.
    """
    return f'"{require_identifier(identifier)}"'


def names(identifiers: Iterable[str], prefix: str = "") -> str:
    """Quote identifiers and join them with commas."""
    return ", ".join(prefix + name(identifier) for identifier in identifiers)


def qualified(table: str, staged: bool = False) -> str:
    """Quote a table's full name, or its staging twin's."""
    dataset, _, short = table.partition(".")
    if staged:
        return f"{name(STAGING)}.{name(f'{dataset}__{short}')}"
    return f"{name(dataset)}.{name(short)}"


def text(value: str) -> str:
    """Write a string literal, for statements that take no bound values."""
    return "'" + value.replace("'", "''") + "'"


def column_definition(column: Column) -> str:
    """Write one column of a CREATE TABLE."""
    return f"{name(column.name)} {TYPES[column.type]}{' NOT NULL' if column.required else ''}"


def create_table(table: Table, staged: bool) -> str:
    """Write the CREATE TABLE of a table or its twin. A twin's stamp is filled at publication."""
    return f"CREATE TABLE {qualified(table.name, staged)} ({', '.join(map(column_definition, table.columns))})"


def merge(table: Table) -> str:
    """Write the upsert of the view ``incoming`` by id.

    A row whose content is the same stays as it is; the stamp is no content, and one that is null becomes ``$now``.
    """
    content = [column for column in table.schema if column not in ("id", table.stamp)]
    differs = " OR ".join(f"kept.{name(column)} IS DISTINCT FROM incoming.{name(column)}" for column in content)
    values = {column: f"incoming.{name(column)}" for column in table.schema}
    if table.stamp:
        values[table.stamp] = f"COALESCE(incoming.{name(table.stamp)}, $now)"
    sets = ", ".join(f"{name(column)} = {value}" for column, value in values.items() if column != "id")
    return (
        f"MERGE INTO {qualified(table.name)} AS kept USING incoming ON kept.id = incoming.id "
        f"WHEN MATCHED AND ({differs}) THEN UPDATE SET {sets} "
        f"WHEN NOT MATCHED THEN INSERT ({names(values)}) VALUES ({', '.join(values.values())})"
    )


def delete_rest(table: Table, whole: Sequence[str]) -> str:
    """Write the deletion of rows that share the columns `whole` with a row of the view ``incoming`` and are not in it."""
    same = " AND ".join(f"kept.{name(column)} IS NOT DISTINCT FROM incoming.{name(column)}" for column in whole)
    return (
        f"DELETE FROM {qualified(table.name)} AS kept WHERE kept.id NOT IN (SELECT id FROM incoming) "
        f"AND EXISTS (SELECT 1 FROM (SELECT DISTINCT {names(whole)} FROM incoming) AS incoming WHERE {same})"
    )


def append(table: Table) -> str:
    """Write the insertion of those rows of the view ``incoming`` whose id is not there yet."""
    values = {column: name(column) for column in table.schema}
    if table.stamp:
        values[table.stamp] = f"COALESCE({name(table.stamp)}, $now)"
    target = qualified(table.name)
    return (
        f"INSERT INTO {target} ({names(values)}) SELECT {', '.join(values.values())} FROM incoming "
        f"WHERE id NOT IN (SELECT id FROM {target})"
    )


def run_condition(table: Table) -> str:
    """Write the condition that picks one run, bound as ``$run_<column>``."""
    return " AND ".join(f"{name(column)} = $run_{column}" for column in table.run)


def delete_run(table: Table, staged: bool) -> str:
    """Write the removal of one run."""
    return f"DELETE FROM {qualified(table.name, staged)} WHERE {run_condition(table)}"


def insert_staged(table: Table) -> str:
    """Write the insertion of the view ``incoming`` into the staging twin."""
    return f"INSERT INTO {qualified(table.name, staged=True)} ({names(table.schema)}) SELECT {names(table.schema)} FROM incoming"


def insert_run(table: Table) -> str:
    """Write the copy of one staged run into the table; a stamp that is null becomes ``$now``."""
    values = {column: name(column) for column in table.schema}
    if table.stamp:
        values[table.stamp] = f"COALESCE({name(table.stamp)}, $now)"
    return (
        f"INSERT INTO {qualified(table.name)} ({names(values)}) "
        f"SELECT {', '.join(values.values())} FROM {qualified(table.name, staged=True)} WHERE {run_condition(table)}"
    )


def compare_run(table: Table) -> str:
    """Write the query for a run's staged rows, published rows, and staged rows that are not published as they are (the stamp apart)."""
    content = names(column for column in table.schema if column != table.stamp)
    staged = f"SELECT {content} FROM {qualified(table.name, staged=True)} WHERE {run_condition(table)}"
    published = f"SELECT {content} FROM {qualified(table.name)} WHERE {run_condition(table)}"
    unlike = f"{staged} EXCEPT {published}"
    return "SELECT " + ", ".join(f"(SELECT COUNT(*) FROM ({rows}))" for rows in (staged, published, unlike))


def select(
    table: Table,
    *,
    as_of: datetime,
    where: Mapping[str, Any],
    dates: tuple[date, date] | None,
    columns: Sequence[str],
    staged: bool,
    undated: bool,
) -> tuple[str, dict[str, Any], dict[str, pl.DataFrame]]:
    """Write a point-in-time read.

    Returns
    -------
    sql : str
    parameters : dict
        Bound values.
    lists : dict of str to DataFrame
        Views with the one column ``value`` to register: the lists of `where`.
    """
    check_read(table, as_of, where, dates, columns)
    types = {column.name: column for column in table.columns}

    def visible(column: str) -> str:
        if column in table.masked:
            return f"CASE WHEN {name(table.masked[column])} <= $as_of THEN {name(column)} END"
        return name(column)

    parameters: dict[str, Any] = {"as_of": as_of}
    lists: dict[str, pl.DataFrame] = {}
    conditions = [f"{name(table.known_at)} <= $as_of"]
    if undated or (staged and table.known_at == table.stamp):
        conditions = [f"({conditions[0]} OR {name(table.known_at)} IS NULL)"]
    if dates and table.partition:
        low, high = partition_bounds(types[table.partition], dates)
        parameters |= {"low": low, "high": high}
        conditions.append(f"{name(table.partition)} >= $low AND {name(table.partition)} < $high")
    for number, (column, wanted) in enumerate(where.items()):
        values = same_type(types[column], several(wanted))
        lists[f"list_{number}"] = values.drop_nulls().unique().to_frame()
        condition = f"{visible(column)} IN (SELECT value FROM list_{number})"
        conditions.append(f"({condition} OR {visible(column)} IS NULL)" if values.null_count() else condition)
    order = ", ".join(f"{qualified(table.name, staged)}.{name(column)} NULLS FIRST" for column in table.key)
    chosen = ", ".join(f"{visible(column)} AS {name(column)}" for column in columns)
    sql = f"SELECT {chosen} FROM {qualified(table.name, staged)} WHERE {' AND '.join(conditions)} ORDER BY {order}"
    return sql, parameters, lists
