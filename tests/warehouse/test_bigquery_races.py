"""Several processes write to the emulated BigQuery at once, and a publication breaks off between any two statements."""

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from nba_ml.errors import NbaMlError
from nba_ml.settings import Settings
from nba_ml.warehouse import bigquery_sql
from nba_ml.warehouse.bigquery import BigQueryWarehouse
from nba_ml.warehouse.bigquery_open import open_client
from nba_ml.warehouse.port import LATEST
from tests.conftest import FULL_RACES
from tests.contract.tables import NUMBERS, PICKS, make_table
from tests.contract.test_warehouse import RUN, picks

ROOT = Path(__file__).parents[2]
LEAN = make_table("nba_raw.lean", ["game", "points", "known_at"], ["game"])
UPSERTS = 50 if FULL_RACES else 8
TABLES = {table.name: table for table in (LEAN, PICKS, NUMBERS)}

SIDES = [(PICKS, "MAX(points)", "a"), (PICKS, "COUNT(*)", "b"), (NUMBERS, "MAX(points)", "c"), (NUMBERS, "COUNT(*)", "d")]

PRELUDE = """
import sys
from datetime import UTC, date, datetime
import polars as pl
from nba_ml.settings import Settings
from nba_ml.warehouse.bigquery import BigQueryWarehouse
from nba_ml.warehouse.bigquery_open import open_client
from tests.contract.test_warehouse import DAY, NOON, picks
from tests.warehouse.test_bigquery_races import LEAN, NUMBERS, PICKS, TABLES
project, prefix, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
warehouse = BigQueryWarehouse(open_client(Settings(project=project)), prefix, 300, tables=TABLES)
"""


@pytest.fixture
def warehouse(bigquery_names):
    opened = BigQueryWarehouse(open_client(Settings(project=bigquery_names.project)), bigquery_names.prefix, 60, tables=TABLES)
    opened.ensure()
    return opened


def race(warehouse: BigQueryWarehouse, code: str, processes: int) -> list[str]:
    """Run the code in processes of their own, at once; return what each printed last."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PRELUDE + code, warehouse.names.project, warehouse.names.prefix]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    workers = [subprocess.Popen([*command, str(number)], env=environment, **pipes) for number in range(processes)]
    answers = [worker.communicate(timeout=1700) for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * processes, [error[-2500:] for _, error in answers if error]
    return [out.splitlines()[-1] for out, _ in answers]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_eight_processes_lose_and_double_nothing(warehouse):
    code = (
        f"UPSERTS = {UPSERTS}"
        + """
new = 0
for turn in range(UPSERTS):
    games = [f"own {number} {turn}", f"shared {turn}"]
    new += warehouse.upsert(LEAN.name, pl.DataFrame({"game": games, "points": float(turn), "known_at": NOON}))
print(new)
"""
    )
    new = race(warehouse, code, 8)
    found = warehouse.read(LEAN.name, as_of=LATEST)
    expected = {f"own {worker} {turn}" for worker in range(8) for turn in range(UPSERTS)} | {f"shared {turn}" for turn in range(UPSERTS)}
    assert sorted(found["game"]) == sorted(expected)
    assert sum(map(int, new)) == len(expected)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_sixteen_publications_at_once_leave_each_run_whole(warehouse):
    code = """
run = {"day": DAY, "run_key": f"r{number // 2}"}
rows = picks(*(float(n) for n in range(20)), run_key=run["run_key"])
warehouse.stage(PICKS.name, rows, run)
warehouse.stage(NUMBERS.name, rows.drop("player"), run)
print(warehouse.publish([PICKS.name, NUMBERS.name], run) == {PICKS.name: 20, NUMBERS.name: 20})
"""
    assert race(warehouse, code, 16) == ["True"] * 16
    for table in (PICKS, NUMBERS):
        found = warehouse.read(table.name, as_of=LATEST)
        assert found["id"].is_unique().all()
        assert found.group_by("run_key").agg(pl.len(), pl.col("points").sum()).sort("run_key").rows() == [
            (f"r{number}", 20, 190.0) for number in range(8)
        ]
        assert found.group_by("run_key").agg(pl.col("published_at").n_unique())["published_at"].to_list() == [1] * 8


def test_a_publication_that_breaks_off_between_any_two_statements_leaves_the_old_slate_whole(warehouse, monkeypatch):
    for points in (1.0, 2.0):
        warehouse.stage(PICKS.name, picks(points), RUN)
        warehouse.stage(NUMBERS.name, picks(points, points).drop("player"), RUN)
        if points == 1.0:
            warehouse.publish([PICKS.name, NUMBERS.name], RUN)
    before = [warehouse.read(table.name, as_of=LATEST).to_dicts() for table in (PICKS, NUMBERS)]
    whole = bigquery_sql.transaction
    broken = "SELECT ERROR('broken off')"
    places = 6 + 1  # two turns, and DELETE and INSERT of two tables

    for place in range(places):

        def interrupted(statements, place=place):
            assert len(statements) == places - 1
            return whole([*statements[:place], broken, *statements[place:]])

        monkeypatch.setattr(bigquery_sql, "transaction", interrupted)
        with pytest.raises(NbaMlError, match="broken off"):
            warehouse.publish([PICKS.name, NUMBERS.name], RUN)
        assert [warehouse.read(table.name, as_of=LATEST).to_dicts() for table in (PICKS, NUMBERS)] == before
    monkeypatch.setattr(bigquery_sql, "transaction", whole)
    assert warehouse.publish([PICKS.name, NUMBERS.name], RUN) == {PICKS.name: 1, NUMBERS.name: 2}
    assert [warehouse.read(table.name, as_of=LATEST)["points"].to_list() for table in (PICKS, NUMBERS)] == [[2.0], [2.0, 2.0]]


@pytest.mark.slow
def test_a_process_that_is_killed_while_it_publishes_leaves_one_slate_or_the_other(warehouse):
    for points in (1.0, 2.0):
        warehouse.stage(PICKS.name, picks(points), RUN)
        warehouse.stage(NUMBERS.name, picks(points, points).drop("player"), RUN)
        if points == 1.0:
            warehouse.publish([PICKS.name, NUMBERS.name], RUN)
    code = """
import os
import threading
threading.Timer(number / 50, lambda: os.kill(os.getpid(), 9)).start()
warehouse.publish([PICKS.name, NUMBERS.name], {"day": DAY, "run_key": "r1"})
os.kill(os.getpid(), 9)
"""
    sides = (f"(SELECT {what} FROM {table.name}) AS {alias}" for table, what, alias in SIDES)  # noqa: S608
    slate = f"SELECT {', '.join(sides)}"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    for number in (0, 2, 4, 8, 16):
        command = [sys.executable, "-c", PRELUDE + code, warehouse.names.project, warehouse.names.prefix, str(number)]
        assert subprocess.run(command, env=environment, capture_output=True, check=False).returncode == -9
        # One query, and so one snapshot: the job of the killed process may still be at it.
        assert warehouse.query(slate).row(0) in ((1.0, 1, 1.0, 2), (2.0, 1, 2.0, 2))
    warehouse.publish([PICKS.name, NUMBERS.name], RUN)
    assert [warehouse.read(table.name, as_of=LATEST)["points"].to_list() for table in (PICKS, NUMBERS)] == [[2.0], [2.0, 2.0]]
