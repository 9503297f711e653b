"""What people are told of versions."""

import pytest

from nba_ml import alerts
from nba_ml.alerts import Alert
from nba_ml.errors import Unavailable
from nba_ml.registry import approval, guards, steps, telling
from nba_ml.registry.choices import NOBODY, Choice
from nba_ml.warehouse.port import LATEST

ANN = {"actor": "ann", "reason": "looked at the report"}


@pytest.fixture
def asking(make_context, tiny):
    context = make_context(approval="person")
    del context.__dict__["warehouse"]
    context.warehouse.ensure()
    for version in ("v1", "v2"):
        tiny.publish(context.store, version)
    return context


def ask(context, version):
    asked = {"version": version, "seen": steps.open_log(context).rollout.number, "subject": f"Release {version} in dev?"}
    alerts.write(context, telling.wanted(asked, "run1", "https://example.com/required_actions"))
    return asked


def open_causes(context):
    return alerts.open_alerts(context)["cause"].to_list()


@pytest.mark.parametrize("decide", [steps.approve, steps.shadow, steps.reject])
def test_a_question_is_open_until_somebody_decides_by_whatever_way(asking, decide):
    ask(asking, "v1")
    ask(asking, "v2")
    decide(asking, "v2", **ANN)
    assert open_causes(asking) == ["approval:v1"]


def test_nobody_answering_is_a_reminder_and_not_now_is_none(asking):
    asked = ask(asking, "v1")
    approval.answer(asking, asked, Choice.LATER, actor="ann")
    assert alerts.open_alerts(asking)["count"].to_list() == [1]
    approval.answer(asking, asked, Choice.LATER, actor=NOBODY)
    assert alerts.open_alerts(asking)["count"].to_list() == [2]


def test_what_ended_takes_the_findings_of_its_guards_along(asking):
    steps.approve(asking, "v1", **ANN)
    steps.shadow(asking, "v2", **ANN)
    for cause in ("guard.worse:v2", "burst.shift:v2", "guard.worse:v1", "drift.v2"):
        alerts.write(asking, Alert(cause, "warning", "x", "y", "1"))
    steps.retire(asking, "v2", **ANN)
    assert set(open_causes(asking)) == {"drift.v2", "guard.worse:v1"}


def test_a_rollback_by_a_person_is_told_and_needs_nobody(asking):
    steps.approve(asking, "v1", **ANN)
    steps.approve(asking, "v2", **ANN)
    steps.rollback(asking, actor="ann", reason="it looks wrong")
    assert open_causes(asking) == []
    (row,) = asking.warehouse.read(alerts.TABLE, as_of=LATEST).to_dicts()
    assert (row["what"], row["severity"], row["resolution"]) == ("ann went back to v1: it looks wrong", "notice", None)


def test_a_rollback_that_the_warehouse_did_not_take_is_told_by_the_next_look_and_once(asking, monkeypatch):
    steps.approve(asking, "v1", **ANN)
    steps.approve(asking, "v2", **ANN)
    with monkeypatch.context() as busy:
        busy.setattr(asking.warehouse, "upsert", locked)
        steps.rollback(asking, actor="ann", reason="it looks wrong")
    assert asking.warehouse.count([alerts.TABLE]) == {alerts.TABLE: 0}
    (row,) = guards.judge(asking)["alerts"]
    assert (row["cause"], row["what"], row["severity"]) == ("release.rollback", "ann went back to v1: it looks wrong", "notice")
    assert guards.judge(asking)["alerts"] == []
    assert open_causes(asking) == []


def test_that_a_guard_took_a_version_out_is_told_as_over_where_the_version_ended_meanwhile(asking, monkeypatch):
    steps.approve(asking, "v1", **ANN)
    steps.approve(asking, "v2", **ANN)
    with monkeypatch.context() as busy:
        busy.setattr(asking.warehouse, "upsert", locked)
        monkeypatch.setattr(guards, "verified_panel", lambda version: None)
        guards.take_out(asking, steps.open_log(asking), "v2", guard="guard.worse", reason="it is surely worse")
    steps.retire(asking, "v2", **ANN)
    assert [row["cause"] for row in guards.judge(asking)["alerts"]] == ["guard.worse:v2"]
    assert open_causes(asking) == []


def locked(*_):
    raise Unavailable("another process has the file")


def test_a_decision_stands_where_the_warehouse_takes_nothing(make_context, tiny):
    context = make_context(approval="person")
    tiny.publish(context.store, "v1")
    del context.__dict__["warehouse"]
    assert steps.approve(context, "v1", **ANN)["state"] == "100 %"
