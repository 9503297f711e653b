"""Faults of machines: the post, locks, disks, processes."""

import fcntl
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import time
from pathlib import Path
from threading import Barrier

import polars as pl

from nba_ml.calendar import at_new_york
from nba_ml.slate import steps
from nba_ml.slate.publishing import PICKS, SYSTEMS
from nba_ml.sources.league import defects
from nba_ml.warehouse.port import LATEST
from tests.faults.machine import NEXT, SLATE, Platform
from tests.faults.showing import shows

ROOT = Path(__file__).parents[2]

_KILLED = """
import json, os, signal, sys
from datetime import datetime
from nba_ml import calendar
from nba_ml.context import Context
from nba_ml.slate import steps
calendar.now = lambda: datetime.fromisoformat(sys.argv[2])
steps.burst.require = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
steps.publish(Context(), json.loads(sys.argv[1]))
"""
"""The task publish, killed when it has read what is staged and is about to check it."""


def closed(platform: Platform) -> bool:
    return platform.alerts()["resolved_at"].null_count() == 0


def runs(platform: Platform) -> int:
    """Return how many runs of the next slate are published; each has one row a player, and five numbers for it."""
    picks, systems = (platform.context().warehouse.read(table, as_of=LATEST, dates=(NEXT, NEXT)) for table in (PICKS, SYSTEMS))
    assert not picks.select("run_key", "player_id").is_duplicated().any()
    assert systems.height == 5 * picks.height
    return picks["run_key"].n_unique()


def test_slack_down(fault, dawn, clean):
    dawn.slack.answers = [503] * 8
    dawn.feed.bend("player_box", lambda rows: defects.apply(["duplicated_feed"], "player_box", rows, SLATE))
    for _ in range(2):
        assert dawn.ingest(NEXT, time(8)).failed == "ingest"
    assert dawn.slack.taken == []
    dawn.slack.answers = []
    dawn.feed.mend()
    dawn.ingest(NEXT, time(8, 30))
    dawn.morning(NEXT)
    shows(fault, dawn, clean.morning[NEXT], dawn.picks(NEXT))
    assert closed(dawn)
    assert sum("task.nba_ingest.ingest" in text for text in dawn.slack.texts) == 1


@contextmanager
def held(platform: Platform) -> Iterator[None]:
    """Hold the warehouse as another process does."""
    with platform.context().settings.duckdb_path.with_suffix(".lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def test_warehouse_locked(fault, dawn, clean, monkeypatch):
    monkeypatch.setenv("NBA_ML_LOCK_WAIT_SECONDS", "0.1")
    with held(dawn):
        for _ in range(2):
            run = dawn.morning(NEXT)
            assert (run.failed, run.tries) == ("refresh", 3)
    assert sum("is held by" in text for text in dawn.slack.texts) >= 1
    monkeypatch.delenv("NBA_ML_LOCK_WAIT_SECONDS")
    dawn.morning(NEXT)
    shows(fault, dawn, clean.morning[NEXT], dawn.picks(NEXT))
    assert closed(dawn)


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process grow beyond 64 KiB, so that a large write fails as on a full disk (EFBIG, where that says ENOSPC)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_disk_full(fault, dawn, clean):
    dawn.clock.moment = at_new_york(NEXT, time(9))
    refresh, opened, (name, build), *_ = dawn.slate_tasks(NEXT)

    def on_a_full_disk(context, ref):
        with full_disk():
            return build(context, ref)

    for _ in range(2):
        run = dawn.run("nba_predict", [refresh, opened, (name, on_a_full_disk)], NEXT)
        assert run.failed == "build_features"
        assert "Free disk space" in str(run.error)
    assert dawn.picks(NEXT).height == 0
    dawn.morning(NEXT)
    shows(fault, dawn, clean.morning[NEXT], dawn.picks(NEXT))
    assert closed(dawn)


def test_task_killed(fault, dawn, clean):
    dawn.clock.moment = at_new_york(NEXT, time(9))
    *tasks, _ = dawn.slate_tasks(NEXT)
    ref = dawn.run("nba_predict", tasks, NEXT).results["quality"]
    command = [sys.executable, "-c", _KILLED, json.dumps(ref), dawn.clock.moment.isoformat()]
    killed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert killed.returncode == -9, killed.stderr
    assert dawn.picks(NEXT).height == 0
    dawn.told("task failed", "nba_predict", "publish", NEXT)
    assert "killed, or out of memory" in dawn.alerts()["what"].item()
    dawn.predict(NEXT)
    shows(fault, dawn, clean.morning[NEXT], dawn.picks(NEXT))
    assert closed(dawn)
    assert runs(dawn) == 1


def test_scheduler_restarted_in_mid_slate(fault, dawn, clean):
    dawn.clock.moment = at_new_york(NEXT, time(9))
    tasks = dawn.slate_tasks(NEXT)
    done = [name for name, _ in tasks].index("score") + 1
    ref = dawn.run("nba_predict", tasks[:done], NEXT).results["validate"]
    again = tasks[done - 1 :]
    for _ in range(2):
        dawn.run("nba_predict", [("score", lambda context, _: again[0][1](context, ref)), *again[1:]], NEXT)
    dawn.predict(NEXT)
    shows(fault, dawn, clean.morning[NEXT], dawn.picks(NEXT))
    assert runs(dawn) == 1


def test_two_runs_of_one_slate_at_once(fault, dawn, clean):
    dawn.clock.moment = at_new_york(NEXT, time(9))
    *tasks, publish = dawn.slate_tasks(NEXT)
    refs = [dawn.run("nba_predict", tasks, NEXT).results["quality"] for _ in range(2)]
    together = Barrier(2)

    def finish(ref):
        context = dawn.context()
        together.wait()
        return steps.publish(context, ref)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(finish, refs)
    assert publish[0] == "publish"
    assert first["run_key"] == second["run_key"]
    shows(fault, dawn, clean.morning[NEXT], dawn.picks(NEXT))
    assert runs(dawn) == 1
    assert pl.Series(dawn.picks(NEXT)["published_at"]).n_unique() == 1
