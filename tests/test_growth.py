"""The figures of docs/growth.md: bytes counted by hand, and the arithmetic on them."""

from datetime import date

import growth
import polars as pl
import pytest
from growth_meter import Meter, size_of, sizes

from nba_ml.warehouse.duckdb import DuckDBWarehouse
from nba_ml.warehouse.port import LATEST
from nba_ml.warehouse.schema import table
from tests.warehouse.slates import filled

SCHEDULE = "nba_raw.schedule"
MIB = 2**20


def games(day: int, number: int) -> list[dict]:
    return [{"game_id": f"{day:02}{game}", "game_date": date(2024, 1, day), "home": "ABC"} for game in range(number)]


@pytest.fixture
def meter(tmp_path) -> Meter:
    warehouse = DuckDBWarehouse(tmp_path / "w.duckdb")
    warehouse.ensure()
    warehouse.upsert(SCHEDULE, filled(SCHEDULE, games(1, 3) + games(2, 1)))
    return Meter(warehouse)


# game_id 2 + 3, known_at 8, and of the three masked columns result_known_at 8; game_date 8 where dates are given
def test_a_read_is_billed_for_the_columns_it_names_in_the_partitions_it_asks_for(meter):
    meter.read(SCHEDULE, as_of=LATEST, columns=["home"])
    meter.read(SCHEDULE, as_of=LATEST, columns=["home"], dates=(date(2024, 1, 2), date(2024, 1, 2)))
    a_row = (2 + 3) + (2 + 3) + 8 + 8
    assert meter.statements == [{SCHEDULE: 4 * a_row}, {SCHEDULE: a_row + 8}]


def test_a_merge_is_billed_for_what_it_reads_and_for_the_partitions_it_changes(meter):
    rows = filled(SCHEDULE, games(2, 2))
    there = size_of(table(SCHEDULE), meter.unmetered.read(SCHEDULE, as_of=LATEST, dates=(date(2024, 1, 2), date(2024, 1, 2))))
    meter.upsert(SCHEDULE, rows)
    assert meter.statements == [{SCHEDULE: 2 * there, "load": size_of(table(SCHEDULE), rows)}]
    assert meter.count([SCHEDULE]) == {SCHEDULE: 5}


def test_sizes_by_rows_and_dates(meter):
    ((name, size),) = sizes(meter)
    stored = meter.unmetered.read(SCHEDULE, as_of=LATEST)
    assert (name, size.rows, size.rows_a_slate) == (SCHEDULE, 4, 2.0)
    assert size.bytes == size_of(table(SCHEDULE), stored) == 2 * size.bytes_a_slate


def test_nulls_take_nothing():
    rows = pl.DataFrame({"game_id": ["abc", None], "home_points": [None, 5], "neutral_site": [True, None]})
    assert size_of(table(SCHEDULE), rows) == (2 + 3) + 8 + 1


def test_every_table_of_a_statement_is_billed_ten_mebibytes_at_least():
    assert growth.billed([{"a": 1, "b": 30 * MIB}, {"a": 10 * MIB + 1}]) == 10 * MIB + 30 * MIB + 10 * MIB + 1


def test_a_day_is_made_of_leagues_markets_and_runs():
    steps = [
        {"dag": f"nba_{name}", "task": "t", "seconds": 1.0, "statements": [{"a": 20 * MIB}]}
        for name in ("ingest", "predict", "grade", "train")
    ]
    counts = {"steps": steps, "tables": {"nba_raw.schedule": {"bytes_a_slate": 5}, "x.prop_lines": {"bytes_a_slate": 7}}}
    day = growth.daily(counts, growth.Scenario("x", leagues=2, markets=3, runs=4))
    runs = 2 + 2 * 3 * (4 + 1 + 1 / 7)
    assert day == pytest.approx(
        {"bytes": runs * 20 * MIB, "statements": runs, "loads": 0, "tasks": runs, "seconds": runs, "stored": 2 * (5 + 3 * 7)}
    )


def test_the_scenarios_have_the_factors_that_they_are_called_by():
    assert [scenario.predictions // growth.SCENARIOS[0].predictions for scenario in growth.SCENARIOS] == [1, 10, 100, 1000]
