"""Delivery: told once, kept while Slack or the warehouse is down, and told later exactly once."""

import json
import threading
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from nba_ml import alerts, calendar
from nba_ml.alerts import Alert
from nba_ml.context import Context
from nba_ml.errors import Unavailable
from nba_ml.notices import delivery, kept, outbox, slack, spool
from nba_ml.notices.health import health
from nba_ml.notices.tellings import LEASE
from nba_ml.settings import Settings
from nba_ml.warehouse import schema
from nba_ml.warehouse.port import LATEST
from tests.slack_stub import PATH, slack_stub

ALERT = Alert("burst.shift:v2", "urgent", "The slate is not published.", "nba-ml release show", "run1", 0.4, 0.8, date(2024, 1, 5))
WARNING = Alert("guard.worse:v2", "warning", "v2 is worse.", "nba-ml release show", "9 slates")


@pytest.fixture
def stub():
    with slack_stub() as server:
        yield server


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        moment = datetime(2024, 1, 5, 12, tzinfo=UTC)

        def passes(self, **span):
            self.moment += timedelta(**span)

    ticking = Clock()
    monkeypatch.setattr(calendar, "now", lambda: ticking.moment)
    return ticking


def make(home, **webhooks):
    context = Context(Settings(home=home, lock_wait_seconds=0.3, _env_file=None, **webhooks))
    context.warehouse.ensure()
    return context


@pytest.fixture
def context(tmp_path, stub, clock):
    return make(tmp_path, slack_webhook=stub.url)


def deliveries(context):
    return context.warehouse.read(outbox.TABLE, as_of=LATEST).to_dicts()


def test_everything_is_told_in_one_message_and_only_once(context, stub):
    alerts.write(context, ALERT)
    alerts.write(context, WARNING)
    done = delivery.deliver(context)
    assert done == {"configured": True, "taken_in": 0, "messages": 1, "told": 2, "refused": 0, "failed": {}, "waiting": 0}
    assert delivery.deliver(context)["messages"] == 0
    alerts.write(context, ALERT)
    assert delivery.deliver(context)["messages"] == 0
    assert len(stub.taken) == 1
    assert stub.refused == []


def test_recurrence_is_a_count_and_recovery_is_told(context, stub, clock):
    alerts.write(context, ALERT)
    delivery.deliver(context)
    for run in range(2, 8):
        alerts.write(context, replace(ALERT, occasion=f"run{run}"))
        delivery.deliver(context)
    assert [text.count(" times*") for text in stub.texts] == [0, 1, 1]
    clock.passes(hours=2)
    alerts.resolve(context, ALERT.cause, "Published.")
    delivery.deliver(context)
    assert "Over after 2 h 0 min" in stub.texts[-1]
    alerts.write(context, ALERT)
    delivery.deliver(context)
    assert len(stub.taken) == 5


def test_severity_decides_the_channel(tmp_path, stub, clock):
    with slack_stub() as quiet:
        context = make(tmp_path, slack_webhook=stub.url, slack_webhook_notices=quiet.url)
        for alert in (ALERT, WARNING, replace(WARNING, cause="approval:v3", severity="notice")):
            alerts.write(context, alert)
        assert delivery.deliver(context)["messages"] == 2
    assert ALERT.cause in stub.texts[0]
    assert WARNING.cause not in stub.texts[0]
    assert WARNING.cause in quiet.texts[0]
    assert "approval:v3" in quiet.texts[0]


def test_one_webhook_of_either_kind_takes_all(tmp_path, stub, clock):
    context = make(tmp_path, slack_webhook_notices=stub.url)
    alerts.write(context, ALERT)
    alerts.write(context, WARNING)
    assert delivery.deliver(context)["messages"] == 1


@pytest.mark.parametrize("answer", [500, 503, 404, 403, (429, {"Retry-After": "30"}), (429, {}), "reset", "slow"])
def test_what_slack_does_not_take_is_kept_said_and_told_later_exactly_once(answer, context, stub, clock, monkeypatch):
    monkeypatch.setattr(slack, "TIMEOUT_SECONDS", 0.3)
    stub.answers = [answer]
    alerts.write(context, ALERT)
    done = delivery.deliver(context)
    assert (done["messages"], done["told"]) == (0, 0)
    assert set(done["failed"]) == {"urgent", "notices"}
    assert done["waiting"] == 2
    down = alerts.open_alerts(context).filter(cause="slack:urgent").row(0, named=True)
    assert down["next_step"] == "nba-ml alerts send"
    assert (deliveries(context)[0]["failure"], deliveries(context)[0]["delivered_at"]) == (done["failed"]["urgent"], None)
    assert PATH not in json.dumps([done, down, deliveries(context)], default=str)
    clock.passes(minutes=2)
    later = delivery.deliver(context)
    assert (later["failed"], later["messages"], later["waiting"]) == ({}, 1, 0)
    assert sum(ALERT.cause in text for text in stub.texts) == 1
    assert "Slack takes messages again." in stub.texts[-1]
    assert alerts.open_alerts(context)["cause"].to_list() == [ALERT.cause]
    before = stub.requests
    clock.passes(days=1)
    assert delivery.deliver(context)["messages"] == 0
    assert stub.requests == before


def test_slack_is_left_alone_as_long_as_it_asks(context, stub, clock):
    stub.answers = [(429, {"retry-after": "120"})]
    alerts.write(context, ALERT)
    delivery.deliver(context)
    clock.passes(seconds=90)
    assert delivery.deliver(context)["waiting"] == 2
    assert stub.requests == 1
    clock.passes(seconds=30)
    assert delivery.deliver(context)["waiting"] == 0
    assert sum(ALERT.cause in text for text in stub.texts) == 1


def test_while_slack_stays_down_nothing_is_forgotten_or_doubled(context, stub, clock):
    alerts.write(context, ALERT)
    stub.answers = [500] * 5
    for _ in range(5):
        delivery.deliver(context)
        clock.passes(hours=7)
    assert stub.requests == 5
    assert delivery.deliver(context) == {
        "configured": True,
        "taken_in": 0,
        "messages": 1,
        "told": 2,
        "refused": 0,
        "failed": {},
        "waiting": 0,
    }
    assert delivery.deliver(context)["messages"] == 0
    assert "Over after 1 d 11 h" in stub.texts[0]
    assert "told 1 d 11 h late" in stub.texts[0]


def test_that_one_channel_is_down_is_told_in_the_other(tmp_path, stub, clock):
    with slack_stub() as quiet:
        context = make(tmp_path, slack_webhook=stub.url, slack_webhook_notices=quiet.url)
        quiet.answers = [404] * 3
        alerts.write(context, WARNING)
        done = delivery.deliver(context)
    assert list(done["failed"]) == ["notices"]
    assert "slack:notices" in stub.texts[-1]
    assert "make a new one" in stub.texts[-1]


def test_a_message_that_slack_refuses_holds_up_no_other_and_is_not_tried_again(context, stub, clock):
    stub.dislikes = ALERT.cause
    for alert in (ALERT, WARNING, replace(WARNING, cause="late:v1")):
        alerts.write(context, alert)
    done = delivery.deliver(context)
    assert (done["told"], done["refused"], done["failed"], done["waiting"]) == (2, 1, {}, 0)
    assert [sum(cause in text for text in stub.texts) for cause in (ALERT.cause, WARNING.cause, "late:v1")] == [0, 1, 1]
    assert "refused 1 alerts" in stub.texts[-1]
    (refused,) = [row for row in deliveries(context) if row["cause"] == ALERT.cause]
    assert (refused["delivered_at"], refused["failure"]) == (None, "refused: it answered 400 (invalid_blocks)")
    assert health(context)["refused"] == {ALERT.cause: refused["failure"]}
    before = stub.requests
    assert delivery.deliver(context)["waiting"] == 0
    assert stub.requests == before
    stub.dislikes = None
    alerts.resolve(context, ALERT.cause, "Published.")
    assert delivery.deliver(context)["told"] == 1
    assert health(context)["refused"] == {}


def test_a_webhook_that_refuses_everything_is_down_and_nothing_is_set_aside(context, stub, clock):
    stub.answers = [400] * 4
    alerts.write(context, ALERT)
    alerts.write(context, WARNING)
    done = delivery.deliver(context)
    assert (done["told"], done["refused"], done["waiting"]) == (0, 0, 3)
    assert delivery.deliver(context)["told"] == 3


def test_slack_that_asks_for_patience_between_single_messages_gets_it(context, stub, clock):
    stub.answers = [400, 200, (429, {"retry-after": "60"})]
    for cause in ("a", "b", "c"):
        alerts.write(context, replace(WARNING, cause=cause))
    done = delivery.deliver(context)
    assert (done["told"], done["waiting"], stub.requests) == (1, 3, 3)
    clock.passes(seconds=61)
    assert delivery.deliver(context)["waiting"] == 0
    assert [sum(f"`{cause}`" in text for text in stub.texts) for cause in ("a", "b", "c")] == [1, 1, 1]


def test_a_lost_answer_is_told_twice_rather_than_never(context, stub, clock):
    stub.answers = ["took, then reset"]
    alerts.write(context, ALERT)
    delivery.deliver(context)
    delivery.deliver(context)
    assert sum(ALERT.cause in text for text in stub.texts) == 2


def test_deliverers_at_once_post_once(context, stub):
    alerts.write(context, ALERT)
    alerts.write(context, WARNING)
    start = threading.Barrier(4)
    failures = []

    def deliver():
        own = Context(context.settings.model_copy(update={"lock_wait_seconds": 30.0}))
        start.wait()
        try:
            delivery.deliver(own)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=deliver) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [sum(cause in text for text in stub.texts) for cause in (ALERT.cause, WARNING.cause)] == [1, 1]


def test_what_a_dead_process_claimed_is_told_by_another(context, stub, clock, monkeypatch):
    class Killed(BaseException):
        """Nothing of the platform runs after it, as after a kill."""

    def die(*_):
        raise Killed

    alerts.write(context, ALERT)
    with monkeypatch.context() as patch:
        patch.setattr(slack, "post", die)
        with pytest.raises(Killed):
            delivery.deliver(context)
    assert delivery.deliver(context)["messages"] == 0
    clock.passes(seconds=LEASE.total_seconds())
    assert delivery.deliver(context)["told"] == 1


def test_without_a_webhook_nothing_is_posted_and_all_is_kept(tmp_path, clock):
    context = make(tmp_path)
    alerts.write(context, ALERT)
    done = delivery.deliver(context)
    assert (done["configured"], done["messages"], done["waiting"]) == (False, 0, 1)
    assert deliveries(context) == []


def test_a_locked_warehouse_keeps_nobody_from_being_told(context, stub, clock, monkeypatch):
    with monkeypatch.context() as patch:
        for method in ("read", "upsert", "append"):
            patch.setattr(context.warehouse, method, _busy)
        assert delivery.announce(context, ALERT) == {"spooled": True}
        assert delivery.announce(context, ALERT) == {"spooled": True}
    assert len(stub.taken) == 1
    assert "could not be written" in stub.texts[0]
    seen_at = calendar.now()
    clock.passes(hours=1)
    done = delivery.deliver(context)
    assert (done["taken_in"], done["messages"], done["waiting"]) == (1, 0, 0)
    row = alerts.open_alerts(context).row(0, named=True)
    assert (row["cause"], row["count"], row["opened_at"], row["slate_date"]) == (ALERT.cause, 1, seen_at, date(2024, 1, 5))
    assert spool.files(context) == []


def test_with_warehouse_and_slack_down_it_is_told_when_both_are_back(context, stub, monkeypatch):
    stub.answers = [500]
    with monkeypatch.context() as patch:
        patch.setattr(context.warehouse, "upsert", _busy)
        delivery.announce(context, ALERT)
        delivery.announce_over(context, ["guard"], "better again")
    assert stub.taken == []
    assert delivery.deliver(context)["told"] == 1
    assert len(stub.taken) == 1


def test_recovery_during_a_lock_is_not_forgotten(context, stub, clock, monkeypatch):
    delivery.announce(context, replace(ALERT, cause="task.nba_predict.score:2024-01-05"))
    with monkeypatch.context() as patch:
        patch.setattr(context.warehouse, "upsert", _busy)
        patch.setattr(context.warehouse, "read", _busy)
        assert delivery.announce_over(context, ["task.nba_predict"], "It ran.", date(2024, 1, 5)) == {"spooled": True}
    at = calendar.now()
    clock.passes(hours=1)
    assert delivery.deliver(context)["told"] == 1
    assert alerts.open_alerts(context).is_empty()
    assert context.warehouse.read(alerts.TABLE, as_of=LATEST)["resolved_at"].to_list() == [at]


def test_what_was_told_but_could_not_be_noted_is_not_told_twice(context, stub, clock, monkeypatch):
    alerts.write(context, ALERT)
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "record", _busy)
        delivery.deliver(context)
    assert len(stub.taken) == 1
    clock.passes(seconds=LEASE.total_seconds() + 1)
    assert delivery.deliver(context)["taken_in"] == 1
    assert len(stub.taken) == 1
    assert deliveries(context)[0]["delivered_at"] is not None


def test_a_file_that_cannot_be_read_is_set_aside(context, caplog):
    path = spool.path_of(context, "alert", "x")
    spool.keep(path, {})
    path.write_text("{")
    assert delivery.deliver(context)["taken_in"] == 0
    assert path.with_suffix(".unreadable").exists()
    assert "set aside" in caplog.text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("alert-x", "{}"),
        ("alert-x", "[]"),
        (
            "alert-x",
            json.dumps({"alert": asdict(ALERT) | {"severity": "loud"}, "at": "2024-01-05T12:00:00+00:00", "told_in": None}, default=str),
        ),
        ("alert-x", json.dumps({"alert": asdict(ALERT), "at": "2024-01-05T12:00:00+00:00", "told_in": "radio"}, default=str)),
        ("over-x", "{}"),
        ("told-x", '{"rows": [{}]}'),
        ("told-x", '{"rows": []}'),
        ("other-x", "{}"),
        ("x", "{}"),
    ],
)
def test_a_file_of_which_nothing_can_be_made_stops_nothing_else(name, content, context, stub, clock, caplog):
    path = spool.folder(context) / f"{name}.json"
    spool.keep(path, {})
    path.write_text(content)
    kept.keep_alert(context, ALERT, calendar.now(), None)
    alerts.write(context, WARNING)
    done = delivery.deliver(context)
    assert (done["taken_in"], done["told"], done["waiting"]) == (1, 2, 0)
    assert [aside.name for aside in spool.unreadable(context)] == [f"{name}.unreadable"]
    assert path.name in caplog.text
    assert health(context)["unreadable"] == [str(path.with_suffix(".unreadable"))]


def test_a_broken_file_keeps_nobody_from_being_told_around_the_warehouse(context, stub, clock, monkeypatch):
    for path, content in ((spool.path_of(context, "alert", "x"), "{"), (spool.path_of(context, "alert", "y"), "{}")):
        spool.keep(path, {})
        path.write_text(content)
    monkeypatch.setattr(context.warehouse, "read", _busy)
    assert delivery.announce(context, ALERT) == {"spooled": True}
    assert delivery.announce(context, ALERT) == {"spooled": True}
    assert len(stub.taken) == 1


def test_a_warehouse_that_cannot_be_written_costs_no_file(context, stub, clock, monkeypatch):
    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    kept.keep_alert(context, ALERT, calendar.now(), None)
    with monkeypatch.context() as patch:
        patch.setattr(context.warehouse, "read", denied)
        with pytest.raises(PermissionError):
            delivery.deliver(context)
    assert delivery.deliver(context)["told"] == 1


def test_what_is_over_closes_what_is_about_the_slate_or_none(context):
    for cause, slate in (
        ("task.nba_predict.score:a", date(2024, 1, 5)),
        ("task.nba_predict.score:b", date(2024, 1, 6)),
        ("task.nba_predict.publish", None),
        ("task.nba_predictor.score", None),
        ("run.nba_predict", None),
    ):
        alerts.write(context, replace(ALERT, cause=cause, slate_date=slate))
    done = delivery.announce_over(context, ["task.nba_predict", "run.nba_predict"], "It ran.", date(2024, 1, 5))
    assert sorted(done["over"]) == ["run.nba_predict", "task.nba_predict.publish", "task.nba_predict.score:a"]
    assert delivery.announce_over(context, ["task.nba_predict"], "It ran.")["over"] == []


def test_announcing_never_raises_even_where_nothing_can_be_kept(context, monkeypatch, stub):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(context.warehouse, "read", _busy)
    monkeypatch.setattr(spool, "keep", full)
    assert delivery.announce(context, ALERT) == {"spooled": False}
    assert len(stub.taken) == 1
    assert delivery.announce_over(context, ["task"], "It ran.") == {"spooled": False}
    monkeypatch.setattr(slack, "webhooks", full)
    assert delivery.announce(context, ALERT) == {"spooled": False}


def _busy(*_, **__):
    raise Unavailable("the file is held by another process")


def test_on_bigquery_it_is_claimed_told_and_closed_alike(bigquery_names, stub, clock, monkeypatch, tmp_path):
    known = {name: table for name, table in schema.tables().items() if name in (alerts.TABLE, outbox.TABLE)}
    monkeypatch.setattr("nba_ml.warehouse.schema.tables", lambda: known)
    monkeypatch.setattr("nba_ml.warehouse.catalogue.views", lambda: ())
    settings = {"warehouse": "bigquery", "project": bigquery_names.project, "dataset_prefix": bigquery_names.prefix}
    context = make(tmp_path, slack_webhook=stub.url, **settings)
    stub.answers = [500]
    alerts.write(context, ALERT)
    assert delivery.deliver(context)["waiting"] == 2
    alerts.write(context, WARNING)
    done = delivery.deliver(context)
    assert (done["told"], done["messages"], done["waiting"]) == (3, 1, 0)
    assert delivery.announce_over(context, ["burst.shift"], "Published.", date(2024, 1, 5))["told"] == 1
    assert alerts.open_alerts(context)["cause"].to_list() == [WARNING.cause]
    assert len(stub.taken) == 2
