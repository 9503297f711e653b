"""Faults of schedules and clocks."""

from datetime import time, timedelta

import duckdb
import polars as pl

from nba_ml.calendar import at_new_york
from nba_ml.monitoring.heartbeat import heartbeat, sentence
from tests.faults.machine import NEXT
from tests.faults.showing import shows


def test_deleted_schedule(fault, dawn, clean):
    with duckdb.connect(str(dawn.context().settings.duckdb_path)) as connection:
        connection.execute("DELETE FROM nba_raw.schedule")
    for _ in range(2):
        assert dawn.morning(NEXT).failed == "build_features"
    shows(fault, dawn, clean.morning[NEXT], dawn.picks(NEXT))


def test_paused_dag(fault, dawn, clean):
    dawn.monitor(NEXT, time(15, 15), time(17, 15))
    assert "predict" in sentence(heartbeat(dawn.context()))
    dawn.monitor(NEXT, time(17, 40))
    assert dawn.alerts()["resolved_at"].null_count() == 1
    dawn.update(NEXT)
    shows(fault, dawn, clean.update[NEXT], dawn.picks(NEXT))
    assert dawn.alerts()["resolved_at"].null_count() == 0
    assert heartbeat(dawn.context())["ok"]


def test_dead_scheduler(fault, dawn, clean):
    dawn.clock.moment = at_new_york(NEXT, time(17, 30))
    found = heartbeat(dawn.context())
    assert not found["ok"]
    assert "nba-ml predict" in sentence(found)
    shows(fault, dawn, clean.morning[NEXT], dawn.picks(NEXT), said=sentence(found))


def test_a_clock_jump(fault, dawn, clean):
    dawn.clock.moment = at_new_york(NEXT, time(9))
    *tasks, publish = dawn.slate_tasks(NEXT)

    def jumped(context, ref):
        dawn.clock.moment = dawn.tipoff(NEXT) + timedelta(hours=1)
        return publish[1](context, ref)

    assert dawn.run("nba_predict", [*tasks, ("publish", jumped)], NEXT).results["publish"]["mode"] == "replay"
    assert set(dawn.picks(NEXT)["mode"]) == {"replay"}
    dawn.morning(NEXT)
    shows(fault, dawn, clean.morning[NEXT], dawn.picks(NEXT))
    assert dawn.alerts()["resolved_at"].null_count() == 0


def test_wrong_season_config(fault, dawn, clean):
    for table in ("schedule", "player_box", "prop_lines", "game_lines"):
        dawn.feed.bend(table, lambda rows: rows.with_columns(season=pl.lit("2022-23")))
    for _ in range(2):
        assert dawn.morning(NEXT).failed == "refresh"
    shows(fault, dawn, clean.morning[NEXT], dawn.picks(NEXT))
    assert dawn.context().warehouse.count(["nba_raw.schedule"])["nba_raw.schedule"] > 0
