"""Decisions from a form."""

import pytest

from nba_ml.errors import UsageError
from nba_ml.registry import steps
from nba_ml.registry.decisions import decide

BOB = {"actor": "bob", "reason": "as agreed"}


@pytest.fixture
def three(context, tiny):
    for version in ("v1", "v2", "v3"):
        tiny.publish(context.store, version)
    return context


def test_a_life_by_form(three, evidence):
    taken = [
        ("approve", "v1", None, "100 %"),
        ("shadow", "v2", None, "shadow"),
        ("advance", None, None, "10 %"),
        ("advance", "v2", None, "50 %"),
        ("pin", None, None, "100 %"),
        ("unpin", None, None, "100 %"),
        ("advance", None, None, "100 %"),
        ("promote", "v2", "staging", "candidate"),
        ("rollback", None, None, "100 %"),
        ("retire", "v2", None, "retired"),
        ("reject", "v3", None, "rejected"),
    ]
    for action, version, to, state in taken:
        assert decide(three, action, version, to, **BOB)["state"] == state, action
    assert steps.open_log(three).rollout.serving == "v1"
    assert {entry.actor for entry in steps.open_log(three).entries} == {"bob"}


@pytest.mark.parametrize(
    ("action", "version", "to", "words"),
    [
        ("approve", None, None, "approve needs a version"),
        ("promote", "v1", None, "promote needs `to`"),
        ("advance", "v1", "production", "goes to no environment"),
        ("unpin", "v1", None, "leave `version` empty"),
        ("delete", "v1", None, "no action"),
    ],
)
def test_what_makes_no_sense_is_refused(three, action, version, to, words):
    with pytest.raises(UsageError, match=words):
        decide(three, action, version, to, **BOB)
    assert steps.open_log(three).entries == []
