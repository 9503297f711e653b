import json
import subprocess
import sys
from collections import Counter
from itertools import pairwise

import pytest

from nba_ml.errors import ArtefactError, GateRefused, UsageError
from nba_ml.registry import releases

LOG = "releases/points/dev/"
BY = {"actor": "test", "reason": "because"}


def put(store, version):
    return releases.release(store, "points", "dev", version, **BY)


def back(store, **options):
    return releases.rollback(store, "points", "dev", **BY, **options)


@pytest.fixture
def three(store, tiny):
    for version in ("v1", "v2", "v3"):
        tiny.publish(store, version)
    return store


def test_nothing_released(store):
    assert releases.current(store, "points", "dev") is None
    assert releases.history(store, "points", "dev") == []
    with pytest.raises(UsageError, match="nothing to go back to"):
        back(store)


def test_the_highest_entry_is_in_force_and_a_second_release_adds_none(three):
    first, second, again = put(three, "v1"), put(three, "v2"), put(three, "v2")
    assert (first.number, second.number, again) == (1, 2, second)
    assert (second.previous_version, second.previous_number, second.action) == ("v1", 1, "release")
    assert releases.current(three, "points", "dev") == second
    assert three.list(LOG) == [f"{LOG}00000001.json", f"{LOG}00000002.json"]
    assert releases.current(three, "points", "production") is None


def test_a_rollback_goes_back_further_each_time_and_never_forth(three):
    for version in ("v1", "v2", "v3"):
        put(three, version)
    assert back(three).version == "v2"
    assert back(three).version == "v1"
    with pytest.raises(UsageError, match="only version"):
        back(three)
    assert back(three, to="v3").version == "v3"
    entries = releases.history(three, "points", "dev")
    assert [entry.number for entry in entries] == [1, 2, 3, 4, 5, 6]
    assert back(three, to="v3").number == 6


def test_a_rollback_to_what_was_never_released_or_is_not_whole_is_refused(three):
    put(three, "v1")
    put(three, "v2")
    with pytest.raises(UsageError, match="never released"):
        back(three, to="v3")
    path = three.folder / "models/points/v1/model.ubj"
    path.write_bytes(path.read_bytes()[::-1])
    with pytest.raises(ArtefactError, match=r"v1/model\.ubj: sha256"):
        back(three)
    assert releases.current(three, "points", "dev").version == "v2"


def test_two_rollbacks_of_one_version_at_once_make_one_entry(three, monkeypatch):
    for version in ("v1", "v2", "v3"):
        put(three, version)
    create = three.create

    def other_was_first(name, data):
        monkeypatch.setattr(three, "create", create)
        assert back(three).version == "v2"
        return create(name, data)

    monkeypatch.setattr(three, "create", other_was_first)
    assert back(three).version == "v2"
    assert len(releases.history(three, "points", "dev")) == 4


def test_what_cannot_be_released(three, tiny):
    refused = {"hash": "g", "passed": False, "results": [{"id": "floor.x", "mode": "block", "passed": False}]}
    tiny.publish(three, "bad", gates=refused)
    with pytest.raises(GateRefused, match=r"floor\.x"):
        put(three, "bad")
    with pytest.raises(ArtefactError, match="does not exist"):
        put(three, "v9")
    with pytest.raises(UsageError, match="--reason"):
        releases.release(three, "points", "dev", "v1", actor="test", reason=" ")
    assert releases.history(three, "points", "dev") == []


def released_three(store):
    for version in ("v1", "v2", "v3"):
        put(store, version)
    return store.folder / LOG


def test_an_entry_cut_in_half_stops_every_reader(three):
    folder = released_three(three)
    last = folder / "00000003.json"
    whole = last.read_bytes()
    last.write_bytes(whole[: len(whole) // 2])
    for reader in (releases.current, releases.history):
        with pytest.raises(ArtefactError, match=r"00000003\.json.*cut short"):
            reader(three, "points", "dev")
    with pytest.raises(ArtefactError, match="cut short"):
        put(three, "v1")
    for place in range(0, len(whole), 7):
        last.write_bytes(whole[:place] + bytes([whole[place] ^ 2]) + whole[place + 1 :])
        with pytest.raises(ArtefactError):
            releases.current(three, "points", "dev")


def test_a_gap_stops_every_reader(three):
    folder = released_three(three)
    (folder / "00000002.json").unlink()
    for reader in (releases.current, releases.history):
        with pytest.raises(ArtefactError, match=r"00000002\.json is missing"):
            reader(three, "points", "dev")


def test_a_moved_entry_and_one_of_another_format_are_refused(three):
    folder = released_three(three)
    (folder / "00000004.json").write_bytes((folder / "00000001.json").read_bytes())
    with pytest.raises(ArtefactError, match="is entry 1 of points/dev, moved here"):
        releases.current(three, "points", "dev")
    from nba_ml.registry.sealed import seal

    document = json.loads((folder / "00000003.json").read_text())
    del document["checksum"]
    (folder / "00000004.json").write_bytes(seal(document | {"number": 4, "format": 2}))
    with pytest.raises(ArtefactError, match="entry format 2, this code reads 1"):
        releases.current(three, "points", "dev")
    (folder / "00000004.json").write_bytes(seal(document | {"number": 4, "unheard": 1}))
    with pytest.raises(ArtefactError, match="unheard"):
        releases.current(three, "points", "dev")


def test_an_entry_that_names_a_missing_version_stops_every_reader(three):
    released_three(three)
    (three.folder / "models/points/v3/manifest.json").unlink()
    for reader in (releases.current, releases.history):
        with pytest.raises(ArtefactError, match=r"00000003\.json: names version 'v3', which does not exist"):
            reader(three, "points", "dev")


RACER = """
import sys
from pathlib import Path
from nba_ml.registry import releases
from nba_ml.storage.local import LocalStore

folder, worker = sys.argv[1:]
store = LocalStore(Path(folder))
for turn in range(10):
    entry = releases.release(store, "points", "dev", f"w{worker}", actor=worker, reason=f"turn {turn}")
    assert entry.version == f"w{worker}"
"""


def test_eight_processes_release_at_once_gapless_and_one_winner_each(store, tiny):
    for worker in range(8):
        tiny.publish(store, f"w{worker}")
    processes = [subprocess.Popen([sys.executable, "-c", RACER, str(store.folder), str(worker)]) for worker in range(8)]
    assert [process.wait(timeout=60) for process in processes] == [0] * 8
    entries = releases.history(store, "points", "dev")
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
    assert all(entry.previous_version == before.version for before, entry in pairwise(entries))
    assert all(entry.previous_version != entry.version for entry in entries)
    made = Counter((entry.actor, entry.reason) for entry in entries)
    assert set(made.values()) == {1}
    assert {entry.actor for entry in entries} == {str(worker) for worker in range(8)}
