import json

import pytest

from nba_ml.errors import ArtefactError, GateRefused, UsageError
from nba_ml.registry import releases
from nba_ml.registry.log import ReleaseLog
from nba_ml.registry.sealed import seal

LOG = "releases/points/dev/"
WHO = {"actor": "test", "reason": "because"}
BY = WHO | {"verify": lambda version: None}


def log_of(store, environment="dev"):
    return ReleaseLog(store, "points", environment)


def put(store, version, share=1.0, **options):
    return releases.release(log_of(store), version, share=share, **BY, **options)


def back(store, **options):
    return releases.rollback(log_of(store), **BY, **options)


def up(store, version="v2"):
    log = log_of(store)
    return releases.advance(log, log.rollout, version, **BY)


@pytest.fixture
def three(store, tiny):
    for version in ("v1", "v2", "v3"):
        tiny.publish(store, version)
    return store


def test_nothing_released(store):
    assert log_of(store).rollout.serving is None
    assert log_of(store).entries == []
    with pytest.raises(UsageError, match="nothing to go back to"):
        back(store)


def test_the_highest_entry_is_in_force_and_a_second_release_adds_none(three):
    first, second, again = put(three, "v1"), put(three, "v2"), put(three, "v2")
    assert (first.number, second.number, again) == (1, 2, second)
    assert (second.previous_version, second.previous_number, second.action) == ("v1", 1, "release")
    assert log_of(three).entries[-1] == second
    assert three.list(LOG) == [f"{LOG}00000001.json", f"{LOG}00000002.json"]
    assert log_of(three, "production").rollout.serving is None


def test_a_rollback_goes_back_further_each_time_and_never_forth(three):
    for version in ("v1", "v2", "v3"):
        put(three, version)
    assert back(three).version == "v2"
    assert back(three).version == "v1"
    with pytest.raises(UsageError, match="only version"):
        back(three)
    assert back(three, to="v3").version == "v3"
    entries = log_of(three).entries
    assert [entry.number for entry in entries] == [1, 2, 3, 4, 5, 6]
    assert back(three, to="v3").number == 6


def test_a_rollback_to_what_was_never_released_or_is_not_whole_is_refused(three):
    put(three, "v1")
    put(three, "v2")
    with pytest.raises(UsageError, match="never at 100 %"):
        back(three, to="v3")
    path = three.folder / "models/points/v1/model.ubj"
    path.write_bytes(path.read_bytes()[::-1])
    with pytest.raises(ArtefactError, match=r"v1/model\.ubj: sha256"):
        back(three)
    assert log_of(three).rollout.serving == "v2"


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
    assert len(log_of(three).entries) == 4


def test_what_cannot_be_released(three, tiny):
    refused = {"hash": "g", "passed": False, "results": [{"id": "floor.x", "mode": "block", "passed": False}]}
    tiny.publish(three, "bad", gates=refused)
    with pytest.raises(GateRefused, match=r"floor\.x"):
        put(three, "bad")
    with pytest.raises(ArtefactError, match="does not exist"):
        put(three, "v9")
    with pytest.raises(UsageError, match="--reason"):
        releases.release(log_of(three), "v1", **BY | {"reason": " "})
    assert log_of(three).entries == []


def released_three(store):
    for version in ("v1", "v2", "v3"):
        put(store, version)
    return store.folder / LOG


def test_an_entry_cut_in_half_stops_every_reader(three):
    folder = released_three(three)
    last = folder / "00000003.json"
    whole = last.read_bytes()
    last.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ArtefactError, match=r"00000003\.json.*cut short"):
        log_of(three)
    with pytest.raises(ArtefactError, match="cut short"):
        put(three, "v1")
    for place in range(0, len(whole), 7):
        last.write_bytes(whole[:place] + bytes([whole[place] ^ 2]) + whole[place + 1 :])
        with pytest.raises(ArtefactError):
            log_of(three)


def test_a_gap_stops_every_reader(three):
    folder = released_three(three)
    (folder / "00000002.json").unlink()
    with pytest.raises(ArtefactError, match=r"00000002\.json is missing"):
        log_of(three)


def test_a_moved_entry_and_one_of_another_format_are_refused(three):
    folder = released_three(three)
    (folder / "00000004.json").write_bytes((folder / "00000001.json").read_bytes())
    with pytest.raises(ArtefactError, match="is entry 1 of points/dev, moved here"):
        log_of(three)
    document = json.loads((folder / "00000003.json").read_text())
    del document["checksum"]
    (folder / "00000004.json").write_bytes(seal(document | {"number": 4, "format": 1}))
    with pytest.raises(ArtefactError, match="entry format 1, this code reads 2"):
        log_of(three)
    (folder / "00000004.json").write_bytes(seal(document | {"number": 4, "unheard": 1}))
    with pytest.raises(ArtefactError, match="unheard"):
        log_of(three)


def test_a_version_that_is_lost_can_be_gone_back_from_but_not_to(three):
    released_three(three)
    for version, message in (("v3", None), ("v1", r"v1/manifest\.json does not exist")):
        (three.folder / f"models/points/{version}/manifest.json").unlink()
        if message is None:
            assert back(three).version == "v2"
        else:
            with pytest.raises(ArtefactError, match=message):
                back(three)
    assert log_of(three).rollout.serving == "v2"


def test_a_broken_chain_stops_every_reader(three):
    """An entry written again, whole and sealed, is told by the one that follows it."""
    folder = released_three(three)
    document = json.loads((folder / "00000002.json").read_text())
    del document["checksum"]
    (folder / "00000002.json").write_bytes(seal(document | {"reason": "another one"}))
    with pytest.raises(ArtefactError, match=r"00000003\.json: follows an entry with sha256 \w+, the one before it has \w+: the chain"):
        log_of(three)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": "v2"}, r"manifest of 'v2' with sha256 \w+, earlier"),
        ({"action": "advance"}, "does what was not allowed: advance of 'v3' is refused: it is candidate"),
        ({"share": 0.1}, "says that 'v3' is 100 %, which is 10 %"),
        ({"state": "earlier"}, "says that 'v3' is earlier, which is 100 %"),
    ],
)
def test_an_entry_that_lies_stops_every_reader(three, change, message):
    folder = released_three(three)
    document = json.loads((folder / "00000003.json").read_text())
    del document["checksum"]
    (folder / "00000003.json").write_bytes(seal(document | change))
    with pytest.raises(ArtefactError, match=rf"00000003\.json: {message}"):
        log_of(three)


def test_a_log_that_was_read_and_lost_its_end_is_refused(three):
    folder = released_three(three)
    log = log_of(three)
    (folder / "00000003.json").unlink()
    with pytest.raises(ArtefactError, match=r"00000003\.json is gone"):
        log.refresh()


def test_a_gradual_release_step_by_step(three):
    put(three, "v1")
    shares = [put(three, "v2", share=None), up(three), up(three)]
    assert [(entry.action, entry.state, entry.share, entry.previous_version) for entry in shares] == [
        ("release", "10 %", 0.1, "v1"),
        ("advance", "50 %", 0.5, "v1"),
        ("advance", "100 %", 1.0, "v1"),
    ]
    with pytest.raises(UsageError, match="'v2' is refused: it is 100 %"):
        up(three)


def test_two_who_advance_the_same_step_at_once_make_one_entry(three):
    put(three, "v1")
    put(three, "v2", share=0.1)
    log = log_of(three)
    first = up(three)
    assert releases.advance(log, log.rollout, "v2", **BY) == first
    assert len(log_of(three).entries) == 3


def test_evidence_for_one_rollout_does_not_advance_the_next(three):
    put(three, "v1")
    put(three, "v2", share=0.1)
    seen = log_of(three).rollout
    back(three)
    with pytest.raises(UsageError, match="it is rolled_back"):
        releases.advance(log_of(three), seen, "v2", **BY)
    put(three, "v2", share=0.1)
    with pytest.raises(GateRefused, match="released again while its step was judged"):
        releases.advance(log_of(three), seen, "v2", **BY)


def test_a_late_second_answer_is_refused_and_says_who_was_first(three):
    put(three, "v1")
    seen = log_of(three).rollout.number
    releases.reject(log_of(three), "v2", actor="ann", reason="slices", seen=seen)
    for late in (put, lambda store, version, seen: releases.shadow(log_of(store), version, seen=seen, **BY)):
        with pytest.raises(GateRefused, match=r"too late: ann decided first .reject, entry 2.*slices.*, and it is rejected"):
            late(three, "v2", seen=seen)
    assert releases.reject(log_of(three), "v2", seen=seen, **WHO).number == 2
    assert put(three, "v2", share=0.1).number == 3


def test_a_guard_takes_out_the_version_it_judged_and_no_other(three):
    put(three, "v1")
    put(three, "v2", share=0.1)
    tripped = releases.rollback(log_of(three), **BY | {"actor": "guard:evidence"}, only="v2")
    assert (tripped.actor, tripped.version, tripped.previous_version) == ("guard:evidence", "v1", "v2")
    put(three, "v3", share=0.1)
    assert releases.rollback(log_of(three), **BY, only="v2").number == 4
    assert log_of(three).rollout.challenger == "v3"


def test_pinned_versions_stay_and_can_be_gone_back_from(three):
    put(three, "v1")
    put(three, "v2")
    assert releases.pin(log_of(three), "v2", **WHO).state == "pinned"
    assert releases.pin(log_of(three), "v2", **WHO).number == 3
    with pytest.raises(GateRefused, match="pinned"):
        put(three, "v3")
    assert back(three).version == "v1"
    assert releases.unpin(log_of(three), **WHO).number == 5
    with pytest.raises(UsageError, match="nothing is pinned"):
        releases.unpin(log_of(three), **WHO)
    assert put(three, "v3", share=0.1).share == 0.1


def test_what_predicts_is_not_retired(three):
    put(three, "v1")
    put(three, "v2", share=0.1)
    for version in ("v1", "v2"):
        with pytest.raises(UsageError, match=f"retire of '{version}' is refused"):
            releases.retire(log_of(three), version, **WHO)
    releases.shadow(log_of(three), "v3", **BY)
    assert releases.retire(log_of(three), "v3", **WHO).state == "retired"
    assert releases.retire(log_of(three), "v3", **WHO).number == 4


def test_promotion_carries_the_same_bytes_to_an_approval_of_its_own(three):
    put(three, "v1")
    put(three, "v2", share=0.1)
    with pytest.raises(UsageError, match="it is 10 % in dev"):
        releases.promote(log_of(three), log_of(three, "staging"), "v2", **BY)
    with pytest.raises(UsageError, match="name another environment"):
        releases.promote(log_of(three), log_of(three), "v1", **BY)
    carried = releases.promote(log_of(three), log_of(three, "staging"), "v1", **BY)
    assert (carried.environment, carried.state, carried.share) == ("staging", "candidate", 0.0)
    assert carried.manifest_sha256 == log_of(three).rollout.manifests["v1"]
    assert log_of(three, "staging").rollout.serving is None
    assert releases.promote(log_of(three), log_of(three, "staging"), "v1", **BY) == carried
    released = releases.release(log_of(three, "staging"), "v1", **BY)
    assert (released.share, released.manifest_sha256) == (1.0, carried.manifest_sha256)
    with pytest.raises(UsageError, match="promote of 'v1' is refused: it is 100 %"):
        releases.promote(log_of(three), log_of(three, "staging"), "v1", **BY)


def test_other_bytes_under_a_promoted_name_are_refused(three, tiny):
    put(three, "v1")
    releases.promote(log_of(three), log_of(three, "staging"), "v1", **BY)
    for path in (three.folder / "models/points/v1").iterdir():
        path.unlink()
    tiny.publish(three, "v1", weights=(9, 9, 9))
    with pytest.raises(ArtefactError, match=r"manifest\.json: sha256 is"):
        releases.release(log_of(three, "staging"), "v1", **BY)
    assert log_of(three, "staging").rollout.serving is None
