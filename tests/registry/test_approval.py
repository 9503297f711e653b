"""The question to a person and what comes of each answer."""

import pytest

from nba_ml.errors import GateRefused, UsageError
from nba_ml.registry import approval, steps
from nba_ml.registry.choices import Choice

ANN = {"actor": "ann", "reason": "looked at the report"}
FAILED = {"id": "floor.ridge", "mode": "warn", "passed": False, "value": 0.02, "threshold": 0.0, "reason": "Trees have to beat a line."}


def figures(mae):
    population = {
        "definition": "every player",
        "common_rows": 1234,
        "predictors": {"ensemble": {"mae": mae}, "xgboost": {"mae": mae + 0.01}},
    }
    return {"from": "2024-01-01", "to": "2024-03-31", "populations": {"A": population}}


@pytest.fixture
def asking(make_context, tiny):
    context = make_context(approval="person")
    tiny.publish(context.store, "v1", metrics=figures(4.5), parameters={"xgboost": {"depth": 4}})
    gates = {"hash": "g", "passed": True, "results": [FAILED]}
    tiny.publish(context.store, "v2", metrics=figures(4.4), parameters={"xgboost": {"depth": 5}}, trained_until="2024-04-21", gates=gates)
    steps.approve(context, "v1", **ANN)
    return context


def test_the_question_shows_figures_gates_differences_and_the_report(asking):
    asked = approval.question(asking)
    assert (asked["version"], asked["seen"]) == ("v2", 1)
    assert asked["subject"] == "Release v2 in dev?"
    for part in (
        "| A: every player | 1,234 | 4.400 | 4.410 | – | – |",
        "| A: every player | 1,234 | 4.500 | 4.510 | – | – |",
        "0 of 1 passed",
        "floor.ridge (warn): 0.02, asked is 0.0",
        "trained_until: 2024-04-14 → 2024-04-21",
        "constants of xgboost: {'depth': 4} → {'depth': 5}",
        "v2/report.html",
        "10 % of the rows",
        "nba-ml release approve v2 --reason TEXT",
    ):
        assert part in asked["body"]


def test_the_first_version_is_asked_about_as_one_that_takes_everything(make_context, tiny):
    context = make_context(approval="person")
    tiny.publish(context.store, "v1", metrics=figures(4.5))
    body = approval.question(context)["body"]
    assert "Nothing serves yet" in body
    assert "starts it at 100 %" in body


def test_nobody_is_asked_without_need(asking, make_context):
    assert approval.question(make_context(approval="auto")) == {}
    steps.reject(asking, "v2", **ANN)
    assert approval.question(asking) == {}
    assert approval.question(asking, "v2")["version"] == "v2"
    steps.approve(asking, "v2", **ANN)
    for running in ("v1", "v2"):
        assert approval.question(asking, running) == {}


@pytest.mark.parametrize(
    ("choice", "state", "share"), [(Choice.APPROVE, "10 %", 0.1), (Choice.SHADOW, "shadow", 0.0), (Choice.REJECT, "rejected", 0.0)]
)
def test_an_answer_is_one_entry_in_the_name_of_who_gave_it(asking, choice, state, share):
    done = approval.answer(asking, approval.question(asking), choice, actor="bob", note="the report convinces")
    assert (done["state"], done["share"], done["number"]) == (state, share, 2)
    last = steps.open_log(asking).entries[-1]
    assert (last.actor, last.reason, last.version) == ("bob", "the report convinces", "v2")


def test_no_answer_changes_nothing_and_says_how_to_go_on(asking):
    done = approval.answer(asking, approval.question(asking), "Not now", actor="nobody")
    assert (done["state"], done["number"], done["next"]) == ("candidate", 1, "nba-ml release approve v2 --reason TEXT")


def test_a_rejection_says_why(asking):
    with pytest.raises(UsageError, match="needs a note that says why: nba-ml release reject v2 --reason TEXT"):
        approval.answer(asking, approval.question(asking), Choice.REJECT, actor="bob", note=" ")
    assert len(steps.open_log(asking).entries) == 1


def test_a_late_answer_is_refused_by_name(asking):
    asked = approval.question(asking)
    steps.reject(asking, "v2", actor="ann", reason="too early")
    with pytest.raises(GateRefused, match=r"comes too late: ann decided first"):
        approval.answer(asking, asked, Choice.APPROVE, actor="bob")
    assert len(steps.open_log(asking).entries) == 2
