"""GoogleSQL texts that read: point-in-time reads, counts, and an analyst's query brought into GoogleSQL."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from google.cloud import bigquery

from nba_ml.warehouse.bigquery_names import Names, column, quoted
from nba_ml.warehouse.bigquery_sql import FIRST, everywhere
from nba_ml.warehouse.bigquery_values import Parameter
from nba_ml.warehouse.rows import check_read, partition_bounds, same_type, several
from nba_ml.warehouse.schema import Column, Table

TYPES = {"string": "STRING", "int64": "INT64", "float64": "FLOAT64", "bool": "BOOL", "date": "DATE", "timestamp": "TIMESTAMP"}
"""A column's type in its YAML → in GoogleSQL."""

ORDER = "order_by_"
"""Begins the name of a key column that is read only to order rows by it."""

_LEFT_ALONE = r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`[^`]*`|--[^\n]*|\#[^\n]*|/\*.*?\*/"""


def bound(column: Column, name: str, value: Any) -> Parameter:
    """Build a parameter of a column's type."""
    return bigquery.ScalarQueryParameter(name, TYPES[column.type], value)


def select(
    names: Names,
    table: Table,
    *,
    as_of: datetime,
    where: Mapping[str, Any],
    dates: tuple[date, date] | None,
    columns: Sequence[str],
    staged: bool,
    undated: bool,
) -> tuple[str, list[Parameter]]:
    """Write a point-in-time read and its parameters.

    The columns of the key follow as ``order_by_<number>``: rows are ordered where they arrive, since BigQuery would order a result on one machine.
    Every read of a partitioned table names the partition column, with bounds from `dates` or `where` if there are any.
    """
    check_read(table, as_of, where, dates, columns)
    types = {item.name: item for item in table.columns}

    def visible(name: str) -> str:
        return f"CASE WHEN {column(table.masked[name])} <= @as_of THEN {column(name)} END" if name in table.masked else column(name)

    parameters: list[Parameter] = [bigquery.ScalarQueryParameter("as_of", "TIMESTAMP", as_of)]
    known = f"{column(table.known_at)} <= @as_of"
    if undated or (staged and table.known_at == table.stamp):
        known = f"({known} OR {column(table.known_at)} IS NULL)"
    conditions = [known]
    if table.partition:
        condition, more = _partition(types[table.partition], where, dates)
        conditions.append(condition)
        parameters += more
    for number, (name, wanted) in enumerate(where.items()):
        values = same_type(types[name], several(wanted))
        kept = values.drop_nulls().unique(maintain_order=True).to_list()
        parameters.append(bigquery.ArrayQueryParameter(f"list_{number}", TYPES[types[name].type], kept))
        condition = f"{visible(name)} IN UNNEST(@list_{number})"
        conditions.append(f"({condition} OR {visible(name)} IS NULL)" if values.null_count() else condition)
    chosen = [f"{visible(name)} AS {column(name)}" for name in columns]
    chosen += [f"{column(name)} AS {ORDER}{number}" for number, name in enumerate(table.key)]
    return f"SELECT {', '.join(chosen)} FROM {quoted(names.table(table.name, staged))} WHERE {' AND '.join(conditions)}", parameters


def _partition(part: Column, where: Mapping[str, Any], dates: tuple[date, date] | None) -> tuple[str, list[Parameter]]:
    """Write the condition on the partition column: constant bounds, which BigQuery prunes by."""
    name = column(part.name)
    if dates:
        low, high = partition_bounds(part, dates)
        return f"{name} >= @low AND {name} < @high", [bound(part, "low", low), bound(part, "high", high)]
    values = same_type(part, several(where.get(part.name, [])))
    if len(values) and not values.null_count():
        return f"{name} >= @low AND {name} <= @high", [bound(part, "low", values.min()), bound(part, "high", values.max())]
    everything = f"{name} >= {FIRST[part.type]}"
    return (everything if part.required else f"({everything} OR {name} IS NULL)"), []


def count(names: Names, tables: Sequence[Table]) -> str:
    """Write the query for the number of rows, one column a table."""
    counts = (f"(SELECT COUNT(*) FROM {quoted(names.table(table.name))} AS kept WHERE {everywhere(table)})" for table in tables)
    return "SELECT " + ", ".join(f"{text} AS n{number}" for number, text in enumerate(counts))


def analysts(names: Names, sql: str, datasets: Collection[str]) -> str:
    """Write a query for both warehouses in GoogleSQL: ``$name`` becomes ``@name``, and datasets get project and prefix."""

    def parameter(match: re.Match[str]) -> str:
        return f"@{match['name']}" if match["name"] else match[0]

    return names.rewrite(re.sub(rf"{_LEFT_ALONE}|\$(?P<name>[A-Za-z_]\w*)", parameter, sql, flags=re.DOTALL), datasets)
