"""GoogleSQL texts that write. Names come from the tables' YAML files and are checked; values are always bound.

Writers of a table take turns: a script first updates the one row of the table's turn. BigQuery cancels a transaction that updates a row which
another one has updated, while two that only insert may both commit, and would double rows (a MERGE that only inserts among them). That is why
an upsert is an UPDATE of changed rows and an INSERT of absent ones inside one transaction.
"""

from collections.abc import Sequence

from nba_ml.warehouse.bigquery_names import Names, column, quoted
from nba_ml.warehouse.schema import Table

LEASED = "a load has the turn"
"""What a writer is told while a load job, which no transaction can hold, has the turn for a while."""

FIRST = {"date": "DATE '0001-01-01'", "timestamp": "TIMESTAMP '0001-01-01 00:00:00+00'"}


def columns(names: Sequence[str], of: str = "") -> str:
    """Quote columns and join them with commas."""
    return ", ".join(f"{of}{column(name)}" for name in names)


def transaction(statements: Sequence[str]) -> str:
    """Write a script that does all statements or none."""
    return ";\n".join(("BEGIN TRANSACTION", *statements, "COMMIT TRANSACTION")) + ";"


def make_turn(turn: str) -> str:
    """Write the creation of a turn."""
    return (
        f"CREATE TABLE IF NOT EXISTS {quoted(turn)} OPTIONS (description = 'Writers of a table take turns: each updates this one row.') "
        "AS SELECT 0 AS turn, CAST(NULL AS STRING) AS holder, CAST(NULL AS TIMESTAMP) AS held_until"
    )


def take_turn(turn: str) -> str:
    """Write the statement that a transaction takes the turn with; it fails while a load has it."""
    return f"UPDATE {quoted(turn)} SET turn = IF(held_until > CURRENT_TIMESTAMP(), ERROR('{LEASED}'), turn + 1) WHERE TRUE"


def lease_turn(turn: str) -> str:
    """Write the statement that takes the turn for ``@seconds`` on behalf of ``@holder``; it changes no row while another holder has it."""
    return (
        f"UPDATE {quoted(turn)} SET turn = turn + 1, holder = @holder, "
        "held_until = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL @seconds SECOND) "
        "WHERE held_until IS NULL OR held_until <= CURRENT_TIMESTAMP() OR holder = @holder"
    )


def return_turn(turn: str) -> str:
    """Write the statement that gives the turn of ``@holder`` back."""
    return f"UPDATE {quoted(turn)} SET holder = NULL, held_until = NULL WHERE holder = @holder"


def within_partitions(table: Table) -> str:
    """Write the condition on the target ``kept`` that prunes a write to the partitions ``@low`` to ``@high`` of its rows.

    Only a table whose key holds the partition column has it: elsewhere a row with the same id may lie in another partition.
    """
    if not prunes(table):
        return "TRUE"
    part = f"kept.{column(str(table.partition))}"
    return f"{part} >= @low AND {part} <= @high"


def everywhere(table: Table) -> str:
    """Write a condition on ``kept`` that holds for every row and names the partition where BigQuery asks for that."""
    return f"kept.{column(str(table.partition))} >= {FIRST[str(table.type_of_partition)]}" if table.require_partition_filter else "TRUE"


def prunes(table: Table) -> bool:
    """Tell whether a row's id settles its partition."""
    return table.partition in table.key and any(item.required for item in table.columns if item.name == table.partition)


def any_kept(names: Names, table: Table) -> str:
    """Write the query whether the table has a row in the partitions of a write."""
    return f"SELECT EXISTS (SELECT 1 FROM {quoted(names.table(table.name))} AS kept WHERE {within_partitions(table)}) AS there"


def update_changed(names: Names, table: Table, load: str) -> str:
    """Write the update of those rows whose content in the load table differs; the stamp is no content, and one that is null becomes ``@now``."""
    content = [name for name in table.schema if name not in ("id", table.stamp)]
    differs = " OR ".join(f"kept.{column(name)} IS DISTINCT FROM incoming.{column(name)}" for name in content)
    sets = ", ".join(f"{column(name)} = {value}" for name, value in _values(table, "incoming.").items() if name != "id")
    return (
        f"UPDATE {quoted(names.table(table.name))} AS kept SET {sets} FROM {quoted(load)} AS incoming "
        f"WHERE kept.id = incoming.id AND {within_partitions(table)} AND ({differs})"
    )


def insert_absent(names: Names, table: Table, load: str) -> str:
    """Write the insertion of those rows of the load table whose id is not there yet."""
    target, values = quoted(names.table(table.name)), _values(table, "incoming.")
    return (
        f"INSERT INTO {target} ({columns(list(values))}) SELECT {', '.join(values.values())} FROM {quoted(load)} AS incoming "
        f"WHERE incoming.id NOT IN (SELECT kept.id FROM {target} AS kept WHERE {within_partitions(table)})"
    )


def delete_rest(names: Names, table: Table, load: str, whole: Sequence[str]) -> str:
    """Write the deletion of rows that share the columns `whole` with a row of the load table and are not in it."""

    # As text, so that nulls are equal and the subquery does not depend on the row, which BigQuery could not join.
    def group(of: str) -> str:
        return f"TO_JSON_STRING(STRUCT({columns(whole, of)}))"

    return (
        f"DELETE FROM {quoted(names.table(table.name))} AS kept WHERE {everywhere(table)} "
        f"AND kept.id NOT IN (SELECT incoming.id FROM {quoted(load)} AS incoming) "
        f"AND {group('kept.')} IN (SELECT {group('incoming.')} FROM {quoted(load)} AS incoming)"
    )


def run_condition(table: Table) -> str:
    """Write the condition that picks one run, bound as ``@run_<column>``."""
    return " AND ".join(f"{column(name)} = @run_{name}" for name in table.run)


def delete_staged(names: Names, table: Table) -> str:
    """Write the removal of one staged run."""
    return f"DELETE FROM {quoted(names.table(table.name, staged=True))} WHERE {run_condition(table)}"


def insert_staged(names: Names, table: Table, load: str) -> str:
    """Write the copy of the load table into the staging twin."""
    chosen = columns(list(table.schema))
    return f"INSERT INTO {quoted(names.table(table.name, staged=True))} ({chosen}) SELECT {chosen} FROM {quoted(load)}"


def delete_run(names: Names, table: Table) -> str:
    """Write the removal of one run from the table, where it is not the staged one (the stamp apart)."""
    target, condition = quoted(names.table(table.name)), run_condition(table)
    staged = quoted(names.table(table.name, staged=True))
    content = columns([name for name in table.schema if name != table.stamp])
    return (
        f"DELETE FROM {target} WHERE {condition} AND ("
        f"(SELECT COUNT(*) FROM {staged} WHERE {condition}) <> (SELECT COUNT(*) FROM {target} WHERE {condition}) OR EXISTS "
        f"(SELECT {content} FROM {staged} WHERE {condition} EXCEPT DISTINCT SELECT {content} FROM {target} WHERE {condition}))"
    )


def insert_run(names: Names, table: Table) -> str:
    """Write the copy of one staged run into the table, where it is not there already; a stamp that is null becomes ``@now``."""
    target, values = quoted(names.table(table.name)), _values(table, "staged.")
    return (
        f"INSERT INTO {target} ({columns(list(values))}) "
        f"SELECT {', '.join(values.values())} FROM {quoted(names.table(table.name, staged=True))} AS staged "
        f"WHERE {run_condition(table)} AND staged.id NOT IN (SELECT id FROM {target} WHERE {run_condition(table)})"
    )


def count_staged(names: Names, tables: Sequence[Table]) -> str:
    """Write the query for the number of a run's staged rows, one column a table."""
    counts = (f"(SELECT COUNT(*) FROM {quoted(names.table(table.name, staged=True))} WHERE {run_condition(table)})" for table in tables)
    return "SELECT " + ", ".join(f"{count} AS n{number}" for number, count in enumerate(counts))


def _values(table: Table, of: str) -> dict[str, str]:
    """Return column → what is written; a stamp that is null becomes ``@now``."""
    values = {name: f"{of}{column(name)}" for name in table.schema}
    if table.stamp:
        values[table.stamp] = f"COALESCE({values[table.stamp]}, @now)"
    return values
