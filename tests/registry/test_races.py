"""Many who decide at once: one winner for each number, no gap, whole entries for every reader, and never a mix of two histories."""

import json
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise
from threading import Barrier
from time import sleep

import pytest

from nba_ml.errors import UsageError
from nba_ml.registry import releases
from nba_ml.registry.log import ReleaseLog
from nba_ml.settings import Settings
from nba_ml.storage import open_store
from tests.conftest import FULL_RACES

PROCESSES, RELEASES = 8, 1000 if FULL_RACES else 200
BY = {"actor": "test", "reason": "because", "verify": lambda version: None}

RACER = """
import json, sys
from nba_ml.registry import releases
from nba_ml.registry.log import ReleaseLog
from nba_ml.settings import Settings
from nba_ml.storage import open_store

url, worker, turns = sys.argv[1:]
log = ReleaseLog(open_store(Settings(store=url)), "points", "dev")
won = []
for turn in range(int(turns)):
    version = f"w{worker}.{turn % 2}"
    entry = releases.release(log, version, share=1.0, actor=worker, reason=f"turn {turn}", verify=lambda version: None)
    assert (entry.version, entry.actor, entry.reason) == (version, worker, f"turn {turn}")
    won.append(entry.number)
print(json.dumps(won))
"""


@pytest.fixture(params=["folder", "gcs"])
def racing(request, tmp_path, tiny) -> str:
    """Return the address of a store in which each racer has two versions, one to take the place of the other."""
    address = f"file:{tmp_path / 'races'}" if request.param == "folder" else f"gs://{request.getfixturevalue('gcs_bucket')[1]}/races"
    store = open_store(Settings(store=address))
    for worker in range(PROCESSES):
        for turn in range(2):
            tiny.publish(store, f"w{worker}.{turn}")
    return address


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_releases_by_eight_processes_have_one_winner_each(racing):
    store = open_store(Settings(store=racing))
    turns = str(RELEASES // PROCESSES)
    racers = [
        subprocess.Popen([sys.executable, "-c", RACER, racing, str(worker), turns], stdout=subprocess.PIPE, text=True)
        for worker in range(PROCESSES)
    ]
    reader = ReleaseLog(store, "points", "dev")
    while any(racer.poll() is None for racer in racers):
        sleep(0.1)
        reader.refresh()
    told = [json.loads(racer.communicate()[0]) for racer in racers]
    assert [racer.returncode for racer in racers] == [0] * PROCESSES
    entries = ReleaseLog(store, "points", "dev").entries
    assert [entry.number for entry in entries] == list(range(1, RELEASES + 1))
    assert reader.entries == entries[: len(reader.entries)]
    assert sorted(number for won in told for number in won) == list(range(1, RELEASES + 1))
    assert all({entries[number - 1].actor for number in won} == {str(worker)} for worker, won in enumerate(told))
    assert set(Counter((entry.actor, entry.reason) for entry in entries).values()) == {1}
    assert all(entry.previous_version == before.version for before, entry in pairwise(entries))


def test_a_rollback_that_races_an_advance_gives_one_of_two_histories(racing, tiny):
    store = open_store(Settings(store=racing))
    for version in ("v1", "v2"):
        tiny.publish(store, version)
    found = Counter()
    with ThreadPoolExecutor(2) as pool:
        for turn in range(40):
            found[race(store, f"env{turn}", pool)] += 1
    assert set(found) <= {("advance", "rollback"), ("rollback",)}


def race(store, environment, pool) -> tuple[str, ...]:
    """Have one advance v2 from 50 % while another goes back; return what was done."""
    log = ReleaseLog(store, "points", environment)
    releases.release(log, "v1", **BY)
    releases.release(log, "v2", share=0.5, **BY)
    both = Barrier(2)

    def forward():
        own = ReleaseLog(store, "points", environment)
        both.wait()
        with suppress(UsageError):
            return releases.advance(own, own.rollout, "v2", **BY).action

    def back():
        own = ReleaseLog(store, "points", environment)
        both.wait()
        return releases.rollback(own, **BY).action

    told = {pool.submit(forward), pool.submit(back)}
    answers = {future.result() for future in told} - {None}
    log.refresh()
    done = tuple(entry.action for entry in log.entries[2:])
    assert set(done) == answers
    assert (log.rollout.serving, log.rollout.challenger, log.rollout.state_of("v2")) == ("v1", None, "rolled_back")
    return done
