"""Texts that read BigQuery."""

from datetime import UTC, date, datetime

import pytest

from nba_ml.warehouse.bigquery_names import Names, quoted
from nba_ml.warehouse.bigquery_select import analysts, select
from nba_ml.warehouse.schema import tables

NAMES = Names("project", "prefix_")
NOON = datetime(2024, 1, 5, 17, tzinfo=UTC)
DAY = date(2024, 1, 5)


def read(table: str, **more):
    spec = tables()[table]
    asked = {"as_of": NOON, "where": {}, "dates": None, "columns": ["id"], "staged": False, "undated": False} | more
    statement, parameters = select(NAMES, spec, **asked)
    return statement, {parameter.name: getattr(parameter, "value", None) for parameter in parameters}


@pytest.mark.parametrize("table", tables().values(), ids=lambda table: table.name)
def test_every_read_of_a_partitioned_table_has_a_condition_on_its_partition(table):
    spans = [{}, {"dates": (DAY, DAY)}, {"where": {table.partition: None}}, {"where": {table.key[0]: None}}]
    for more in spans if table.partition else []:
        statement, _ = read(table.name, **more)
        assert f"`{table.partition}` >= " in statement.partition(" WHERE ")[2]


def test_bounds_of_the_partition_come_from_dates_or_values():
    statement, bound = read("nba_raw.schedule", dates=(date(2024, 1, 1), DAY))
    assert "`game_date` >= @low AND `game_date` < @high" in statement
    assert (bound["low"], bound["high"]) == (date(2024, 1, 1), date(2024, 1, 6))
    statement, bound = read("nba_raw.schedule", where={"game_date": [DAY, date(2024, 1, 2)]})
    assert "`game_date` >= @low AND `game_date` <= @high" in statement
    assert (bound["low"], bound["high"]) == (date(2024, 1, 2), DAY)
    statement, _ = read("nba_ops.quarantine")
    assert "(`game_date` >= DATE '0001-01-01' OR `game_date` IS NULL)" in statement


def test_values_are_bound_and_never_written_into_the_text():
    statement, _ = read("nba_raw.schedule", where={"game_id": ["it's' OR TRUE --", None], "home_points": 3})
    assert "it's" not in statement
    assert "IN UNNEST(@list_0) OR `game_id` IS NULL" in statement
    with pytest.raises(ValueError, match="no name for a table"):
        quoted("project.a`; DROP TABLE b")


def test_an_analysts_query_is_brought_into_googlesql():
    sql = "SELECT '$a nba_raw.schedule' AS x, price$ FROM nba_raw.schedule -- $a\nWHERE game_id = $a AND season = \"$b\" AND nba_raw.other = $b"
    found = analysts(NAMES, sql, {"nba_raw"})
    assert found.startswith("SELECT '$a nba_raw.schedule' AS x, price$ FROM `project.prefix_nba_raw.schedule` -- $a\n")
    assert 'game_id = @a AND season = "$b"' in found
    assert found.endswith("= @b")
