"""The feature store: written once, complete or refused, and true to a schedule that changes."""

from datetime import date, timedelta
from types import SimpleNamespace

import polars as pl
import pytest

from nba_ml import calendar
from nba_ml.errors import GateRefused
from nba_ml.features import FEATURE_TABLE, TARGET, store
from nba_ml.features.sources import NEEDS, not_in_source
from nba_ml.warehouse import LATEST
from nba_ml.warehouse.duckdb import DuckDBWarehouse
from nba_ml.warehouse.schema import table


@pytest.fixture
def context(games, tmp_path):
    warehouse = DuckDBWarehouse(tmp_path / "w.duckdb")
    warehouse.ensure()
    put(warehouse, *games)
    return SimpleNamespace(warehouse=warehouse)


def put(warehouse, box: pl.DataFrame, schedule: pl.DataFrame) -> None:
    known = {day: calendar.results_known_at(day) for day in schedule["game_date"].unique()}
    result = pl.col("game_date").replace_strict(known, return_dtype=pl.Datetime("us", "UTC"))
    early = pl.lit(calendar.at_new_york(date(2021, 1, 1), calendar.time(12)))
    warehouse.upsert("nba_raw.player_box", box.with_columns(known_at=result, source=pl.lit("made up")))
    warehouse.upsert("nba_raw.schedule", schedule.with_columns(known_at=early, result_known_at=result, source=pl.lit("made up")))


def test_features_are_written_once_and_read_with_their_outcome(context, games):
    box = games[0].filter(pl.col("minutes") > 0)
    first, last = box["game_date"].min(), box["game_date"].max()
    report = store.refresh(context, first, last)
    assert (report["rows"], report["new"]) == (box.height, box.height)
    assert store.refresh(context, first, last)["new"] == 0
    rows = store.history(context.warehouse, LATEST)
    assert rows[TARGET].sum() == box["points"].sum()
    assert rows["game_date"].is_sorted()
    earlier = store.history(context.warehouse, calendar.end_of(first))
    assert set(earlier["game_date"]) == {first}


def test_a_missing_row_refuses_with_the_command_that_makes_it(context, games):
    days = games[1]["game_date"].unique().sort()
    store.refresh(context, days[0], days[-2])
    with pytest.raises(GateRefused, match=f"nba-ml features --from {days[-1]} --to {days[-1]}"):
        store.history(context.warehouse, LATEST)


def test_a_game_that_is_moved_counts_once(context, games):
    box, schedule = games
    day = schedule["game_date"].max()
    store.refresh(context, schedule["game_date"].min(), day)
    moved = pl.when(pl.col("game_date") == day).then(pl.lit(day + timedelta(days=3))).otherwise("game_date").alias("game_date")
    put(context.warehouse, box.with_columns(moved), schedule.with_columns(moved))
    store.refresh(context, schedule["game_date"].min(), day + timedelta(days=3))
    rows = store.history(context.warehouse, LATEST)
    assert rows.height == box.filter(pl.col("minutes") > 0).height
    assert rows.select("game_id", "player_id").is_duplicated().sum() == 0
    assert day not in rows["game_date"]


def test_a_source_without_a_statistic_is_told_apart_from_a_broken_join(games):
    box = games[0]
    assert not_in_source(box) == []
    assert set(not_in_source(box.with_columns(fga=pl.lit(None, pl.Int64)))) >= {"fga_rate", "usage_rate", "team_pace", "is_shooter"}
    half = box.with_columns(fga=pl.when(pl.col("player_id") > 300).then("fga"))
    assert not_in_source(half) == []
    assert set(NEEDS) <= set(table(FEATURE_TABLE).features)
