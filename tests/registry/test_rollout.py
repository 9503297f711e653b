"""The state machine: every state against every action, and what follows from each allowed step."""

from itertools import count

import pytest

from nba_ml.errors import GateRefused, UsageError
from nba_ml.registry import rollout as rules
from nba_ml.registry.entry import Entry
from nba_ml.registry.rollout import ACTIONS, allowed, check, follow, state
from nba_ml.registry.states import Rollout, State

MOVES = {
    State.CANDIDATE: [],
    State.SHADOW: [("shadow", "v", None)],
    State.TENTH: [("release", "v", 0.1)],
    State.HALF: [("release", "v", 0.1), ("advance", "v", 0.5)],
    State.FULL: [("release", "v", 1.0)],
    State.EARLIER: [("release", "v", 1.0), ("release", "w", 1.0)],
    State.ROLLED_BACK: [("release", "v", 1.0), ("rollback", "old", None)],
    State.REJECTED: [("reject", "v", None)],
    State.RETIRED: [("shadow", "v", None), ("retire", "v", None)],
}
"""State → how a version gets there where `old` serves."""

EXPECTED = {
    State.CANDIDATE: {"shadow", "release", "reject", "promote"},
    State.SHADOW: {"release", "advance", "retire"},
    State.TENTH: {"advance", "pin"},
    State.HALF: {"advance", "pin"},
    State.FULL: {"pin"},
    State.EARLIER: {"release", "rollback", "retire"},
    State.ROLLED_BACK: {"shadow", "release", "rollback", "retire", "promote"},
    State.REJECTED: {"shadow", "release", "retire", "promote"},
    State.RETIRED: {"shadow", "release", "promote"},
}


def run(*moves, start=None):
    rollout = start or Rollout()
    for action, version, share in moves:
        rollout = follow(rollout, entry(rollout, action, version, share))
    return rollout


def entry(rollout, action, version, share=None):
    given = rules.share_after(rollout, action, version) if share is None else share
    number = rollout.number + 1
    who = {"name": "points", "environment": "dev", "actor": "a", "reason": "r", "manifest_sha256": version, "gates_hash": "g"}
    before = {"previous_version": None, "previous_number": None, "previous_sha256": None}
    return Entry(number=number, action=action, version=version, state="", share=given, created_at=f"t{number}", **who, **before)


def serving(*moves):
    return run(("release", "old", 1.0), *moves)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("now", State)
def test_every_state_against_every_action(now, action):
    rollout = serving(*MOVES[now])
    assert rollout.state_of("v") == now
    assert allowed(rollout, action, "v") == (action in EXPECTED[now])
    if action not in EXPECTED[now]:
        with pytest.raises(UsageError, match=f"{action} of 'v' is refused"):
            check(rollout, action, "v")


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("now", State)
def test_a_pin_leaves_nothing_but_the_ways_back(now, action):
    rollout = run(("pin", serving(*MOVES[now]).serving, None), start=serving(*MOVES[now]))
    if now in (State.TENTH, State.HALF, State.FULL):
        assert allowed(rollout, "unpin", "v")
    assert not allowed(rollout, "release", "v")
    assert not allowed(rollout, "advance", "v")
    if action in EXPECTED[now] & {"release", "advance"}:
        with pytest.raises(GateRefused, match="nba-ml release unpin"):
            check(rollout, action, "v")
    elif action != "pin":
        assert allowed(rollout, action, "v") == (action in EXPECTED[now] or (action == "unpin" and rollout.share_of("v") > 0))


def test_the_first_version_of_an_environment_takes_everything():
    first = run(("release", "v", None))
    assert (first.serving, first.challenger, first.share_of("v"), first.state_of("v")) == ("v", None, 1.0, State.FULL)
    with pytest.raises(UsageError, match="nothing serves the other rows"):
        check(Rollout(), "release", "v", 0.1)
    assert not allowed(run(("shadow", "v", None)), "advance", "v")


def test_the_whole_way_up_and_what_each_step_says():
    shadow = serving(("shadow", "v", None))
    tenth, half, full = (run(*[("advance", "v", None)] * steps, start=shadow) for steps in (1, 2, 3))
    assert (shadow.shadows, shadow.in_play, shadow.share_of("v")) == (("v",), ("old", "v"), 0.0)
    assert (tenth.share, tenth.shadows, tenth.share_of("old"), tenth.share_number, tenth.share_since) == (0.1, (), 0.9, 3, "t3")
    assert (half.share, half.share_of("old"), half.share_number) == (0.5, 0.5, 4)
    assert (full.serving, full.challenger, full.state_of("old"), full.good) == ("v", None, State.EARLIER, ("old", "v"))
    assert (full.serving_number, full.serving_since, full.share_number) == (5, "t5", None)
    assert (half.serving, half.serving_number) == ("old", 1)


def test_one_challenger_at_a_time():
    rollout = serving(("shadow", "w", None), ("release", "v", None))
    for action in ("release", "advance"):
        with pytest.raises(UsageError, match="'v' is at 10 %"):
            check(rollout, action, "w")
    assert allowed(rollout, "shadow", "x")
    assert allowed(rollout, "release", "v", 1.0)
    assert not allowed(rollout, "release", "v", 0.1)


@pytest.mark.parametrize("share", [0.0, 0.2, 1.5, -0.1])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(UsageError, match=r"no share; choose 0\.1, 0\.5, 1"):
        check(serving(), "release", "v", share)


def test_no_step_is_skipped_by_advancing():
    with pytest.raises(UsageError, match=r"the next share is 0\.5"):
        check(serving(("release", "v", None)), "advance", "v", 1.0)


def test_going_back_takes_the_challenger_out_and_then_the_version_that_serves():
    rollout = serving(("release", "v", 1.0), ("release", "w", None))
    assert rules.loser(rollout, "rollback", "v") == "w"
    once = run(("rollback", "v", None), start=rollout)
    assert (once.serving, once.challenger, once.share, once.state_of("w"), once.serving_number) == ("v", None, 0.0, State.ROLLED_BACK, 2)
    twice = run(("rollback", "old", None), start=once)
    assert (twice.serving, twice.state_of("v"), twice.good) == ("old", State.ROLLED_BACK, ("old",))
    assert not allowed(twice, "rollback", "w")
    forth = run(("rollback", "v", None), start=twice)
    assert (forth.serving, forth.good, forth.state_of("old")) == ("v", ("old", "v"), State.EARLIER)


def test_going_back_far_leaves_all_behind_that_came_after():
    rollout = serving(("release", "v", 1.0), ("release", "w", 1.0), ("release", "x", None), ("rollback", "old", None))
    assert {name: rollout.state_of(name) for name in "vwx"} == dict.fromkeys("vwx", State.ROLLED_BACK)
    assert (rollout.good, rollout.full) == (("old",), {"old", "v", "w"})


def test_an_earlier_version_that_challenges_and_fails_is_no_longer_good():
    rollout = serving(("release", "v", 1.0), ("release", "old", None))
    assert (rollout.challenger, rollout.good) == ("old", ("v",))
    back = run(("rollback", "v", None), start=rollout)
    assert (back.state_of("old"), back.good, back.serving) == (State.ROLLED_BACK, ("v",), "v")


def test_what_is_retired_is_not_gone_back_to():
    rollout = serving(("release", "v", 1.0), ("release", "w", 1.0), ("retire", "v", None))
    assert rollout.good == ("old", "w")
    assert not allowed(rollout, "rollback", "v")


def test_a_pin_survives_a_rollback_and_records_its_state():
    rollout = serving(("release", "v", None), ("pin", "v", None))
    assert (rollout.pinned, rollout.share) == (True, 0.1)
    assert rules.state_after(serving(), entry(serving(), "pin", "old")) == "pinned"
    assert run(("rollback", "old", None), start=rollout).pinned
    assert not run(("unpin", "old", None), start=rollout).pinned


def test_somebody_always_serves_whatever_is_done():
    numbers = count()

    def explore(rollout, depth):
        next(numbers)
        assert rollout.serving is not None
        assert rollout.good[-1] == rollout.serving
        assert rollout.state_of(rollout.serving) == State.FULL
        assert (rollout.challenger is None) == (rollout.share == 0.0)
        assert sum(rollout.share_of(name) for name in rollout.states) == pytest.approx(1.0)
        if depth:
            for action in ACTIONS:
                for version in ("old", "v", "w"):
                    for share in (0.1, 1.0) if action == "release" else (None,):
                        if allowed(rollout, action, version, share):
                            explore(follow(rollout, entry(rollout, action, version, share)), depth - 1)

    explore(serving(), 4)
    assert next(numbers) > 1000


def test_a_log_is_replayed_whole_or_not_at_all():
    first = entry(Rollout(), "release", "v")
    assert state([first]).serving == "v"
    with pytest.raises(UsageError, match="rollback of 'w'"):
        state([first, entry(state([first]), "rollback", "w")])
    with pytest.raises(UsageError, match="'dance' is no action"):
        check(Rollout(), "dance", "v")
