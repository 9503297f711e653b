"""A DuckDB file under several processes and threads, and after one of them is killed."""

import json
import os
import shlex
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from nba_ml.errors import NbaMlError, Unavailable, UsageError
from nba_ml.warehouse.duckdb import DuckDBWarehouse
from nba_ml.warehouse.port import LATEST
from tests.contract.tables import NUMBERS, PICKS, make_table

ROOT = Path(__file__).parents[2]
NOON = datetime(2024, 1, 5, 17, tzinfo=UTC)
TABLE = make_table("nba_raw.lean", ["game", "points", "known_at"], ["game"])
TABLES = {TABLE.name: TABLE}
RUN = {"day": NOON.date(), "run_key": "r1"}

PRELUDE = """
import os, sys
from datetime import UTC, date, datetime
from pathlib import Path
import polars as pl
from nba_ml.warehouse import duckdb_sql
from nba_ml.warehouse.duckdb import DuckDBWarehouse
from tests.contract.tables import NUMBERS, PICKS, make_table
NOON = datetime(2024, 1, 5, 17, tzinfo=UTC)
TABLE = make_table("nba_raw.lean", ["game", "points", "known_at"], ["game"])
"""


def start(code: str, *arguments: object) -> subprocess.Popen:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PRELUDE + code, *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def rows(*games: str, points: float = 1.0) -> pl.DataFrame:
    return pl.DataFrame({"game": games, "points": points, "known_at": NOON})


@pytest.fixture
def path(tmp_path) -> Path:
    path = tmp_path / "warehouse.duckdb"
    DuckDBWarehouse(path, tables=TABLES).ensure()
    return path


def hold(path: Path) -> subprocess.Popen:
    """Start a process that holds the file until its input ends."""
    holder = start("import duckdb\nc = duckdb.connect(sys.argv[1])\nprint('held', flush=True)\nsys.stdin.read()", path)
    assert holder.stdout.readline() == "held\n"
    return holder


@pytest.mark.slow
def test_eight_processes_lose_and_double_nothing(path):
    code = """
warehouse = DuckDBWarehouse(Path(sys.argv[1]), 120, tables={TABLE.name: TABLE})
new = 0
for number in range(50):
    games = [f"own {sys.argv[2]} {number}", f"shared {number}"]
    new += warehouse.upsert(TABLE.name, pl.DataFrame({"game": games, "points": float(number), "known_at": NOON}))
print(new)
"""
    workers = [start(code, path, worker) for worker in range(8)]
    answers = [worker.communicate(timeout=200) for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * 8, answers
    found = DuckDBWarehouse(path, tables=TABLES).read(TABLE.name, as_of=LATEST)
    expected = {f"own {worker} {number}" for worker in range(8) for number in range(50)} | {f"shared {number}" for number in range(50)}
    assert sorted(found["game"]) == sorted(expected)
    assert sum(int(out) for out, _ in answers) == len(expected)


def test_four_processes_may_create_the_warehouse_at_once(tmp_path):
    code = "DuckDBWarehouse(Path(sys.argv[1]), 60, tables={TABLE.name: TABLE}).ensure()"
    workers = [start(code, tmp_path / "home" / "w.duckdb") for _ in range(4)]
    answers = [worker.communicate(timeout=100) for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * 4, answers
    assert DuckDBWarehouse(tmp_path / "home" / "w.duckdb", tables=TABLES).count() == {TABLE.name: 0}


def test_the_wait_for_another_process_is_bounded_and_names_it(path):
    holder = hold(path)
    try:
        began = time.monotonic()
        with pytest.raises(Unavailable) as refusal:
            DuckDBWarehouse(path, 0.3, tables=TABLES).upsert(TABLE.name, rows("g1"))
        assert 0.3 <= time.monotonic() - began < 5
        assert f"process {holder.pid} (" in str(refusal.value)
        assert "python" in str(refusal.value)
        assert refusal.value.retryable
        with pytest.raises(Unavailable):
            DuckDBWarehouse(path, 0.1, tables=TABLES).query("SELECT 1")
    finally:
        holder.communicate("")
    assert DuckDBWarehouse(path, 0.3, tables=TABLES).upsert(TABLE.name, rows("g1")) == 1


def test_a_wait_that_ends_in_time_goes_on(path):
    holder = hold(path)
    timer = threading.Timer(0.5, holder.stdin.close)
    timer.start()
    assert DuckDBWarehouse(path, 30, tables=TABLES).upsert(TABLE.name, rows("g1")) == 1
    timer.join()
    holder.wait(10)


def test_readers_of_several_processes_share_the_file(path):
    with duckdb.connect(str(path), read_only=True):
        reader = start("print(DuckDBWarehouse(Path(sys.argv[1]), 5, tables={TABLE.name: TABLE}).count())", path)
        assert reader.communicate(timeout=60)[0] == "{'nba_raw.lean': 0}\n"


def test_threads_of_one_process_take_turns(path):
    warehouse = DuckDBWarehouse(path, tables=TABLES)
    failures = []

    def work(worker: int) -> None:
        try:
            for number in range(5):
                warehouse.upsert(TABLE.name, rows(f"own {worker} {number}", f"shared {number}"))
                DuckDBWarehouse(path, tables=TABLES).read(TABLE.name, as_of=LATEST)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert warehouse.count() == {TABLE.name: 4 * 5 + 5}


@pytest.mark.parametrize("victim", ["delete_run", "insert_run"])
def test_a_publication_that_is_killed_changes_nothing_and_can_be_repeated(tmp_path, victim):
    tables = {table.name: table for table in (PICKS, NUMBERS)}
    warehouse = DuckDBWarehouse(tmp_path / "w.duckdb", tables=tables)
    warehouse.ensure()
    frame = pl.DataFrame({"day": [NOON.date()], "run_key": "r1", "game": "g", "player": 1, "points": 1.0})
    for points in (1.0, 2.0):
        warehouse.stage(PICKS.name, frame.with_columns(points=pl.lit(points)), RUN)
        warehouse.stage(NUMBERS.name, frame.drop("player").with_columns(points=pl.lit(points)), RUN)
        if points == 1.0:
            warehouse.publish(list(tables), RUN)
    before = [warehouse.read(name, as_of=LATEST).to_dicts() for name in tables]
    code = """
written = getattr(duckdb_sql, sys.argv[2])
def statement(table, **more):
    if table.name == NUMBERS.name:
        os.kill(os.getpid(), 9)
    return written(table, **more)
setattr(duckdb_sql, sys.argv[2], statement)
tables = {table.name: table for table in (PICKS, NUMBERS)}
DuckDBWarehouse(Path(sys.argv[1]), tables=tables).publish(list(tables), {"day": NOON.date(), "run_key": "r1"})
"""
    worker = start(code, tmp_path / "w.duckdb", victim)
    worker.communicate(timeout=60)
    assert worker.returncode == -9
    assert [warehouse.read(name, as_of=LATEST).to_dicts() for name in tables] == before
    assert warehouse.publish(list(tables), RUN) == {PICKS.name: 1, NUMBERS.name: 1}
    assert [warehouse.read(name, as_of=LATEST)["points"].to_list() for name in tables] == [[2.0], [2.0]]


def test_what_a_killed_writer_committed_is_read(path):
    code = """
import duckdb
connection = duckdb.connect(sys.argv[1])
connection.execute("INSERT INTO nba_raw.lean (id, game, known_at) VALUES ('a', 'g1', now())")
os.kill(os.getpid(), 9)
"""
    start(code, path).communicate(timeout=60)
    assert path.with_name(path.name + ".wal").exists()
    assert DuckDBWarehouse(path, tables=TABLES).read(TABLE.name, as_of=LATEST)["game"].to_list() == ["g1"]


def test_the_statement_of_a_refusal_can_be_typed(path):
    wide = make_table(TABLE.name, ["game", "known_at"], ["game"])
    warehouse = DuckDBWarehouse(path, tables={wide.name: wide})
    with pytest.raises(UsageError) as refusal:
        warehouse.ensure()
    command = str(refusal.value).partition("run python ")[2].partition(" and then ")[0]
    subprocess.run([sys.executable, *shlex.split(command)], check=True)
    assert warehouse.ensure() == []


def test_a_query_reaches_neither_files_nor_variables_of_the_process(path):
    secret = pl.DataFrame({"a": [1]})
    assert secret.height == 1
    warehouse = DuckDBWarehouse(path, tables=TABLES)
    for statement in ("SELECT * FROM read_text('pyproject.toml')", "SELECT * FROM secret", "SELECT * FROM glob('/*')"):
        with pytest.raises(UsageError):
            warehouse.query(statement)


def test_a_file_that_is_no_warehouse_is_said_to_be_none(tmp_path):
    (tmp_path / "w.duckdb").write_bytes(b"x" * 20_000)
    with pytest.raises(NbaMlError, match=r"w\.duckdb.*not a valid DuckDB"):
        DuckDBWarehouse(tmp_path / "w.duckdb", tables=TABLES).ensure()


def test_types_of_a_query_can_be_written_as_json(path):
    found = DuckDBWarehouse(path, tables=TABLES).query(
        "SELECT SUM(x) AS s, 1.5 AS d, AVG(x) AS a, COUNT(*) AS n FROM (VALUES (1), (2)) AS t (x)"
    )
    assert json.loads(json.dumps(found.to_dicts())) == [{"s": 3, "d": 1.5, "a": 1.5, "n": 2}]
