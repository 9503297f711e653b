"""What Slack is told of tasks, runs, deadlines and approvals, against a stand-in of Slack."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from nba_ml import alerts, calendar
from nba_ml.context import Context
from nba_ml.errors import GateRefused, UsageError
from nba_ml.notices import spool
from tests.command_lines import commands, parse
from tests.slack_stub import PATH, slack_stub

pytestmark = pytest.mark.airflow

TODAY = calendar.slate_date(calendar.now())
SLATE = TODAY.isoformat()


@pytest.fixture
def stub(monkeypatch, dag_bag):
    with slack_stub() as server:
        address, _, token = server.url.partition("/services/")
        connection = {"conn_type": "slackwebhook", "host": f"{address}/services", "password": token}
        monkeypatch.setenv("AIRFLOW_CONN_SLACK_WEBHOOK", json.dumps(connection))
        yield server
        assert server.refused == []


@pytest.fixture
def platform():
    context = Context()
    context.warehouse.ensure()
    return context


def tell(event, **context):
    from nba_slack import NbaNotifier

    NbaNotifier(event)(context)


def task(dag_id="nba_predict", task_id="score", try_number=1):
    log_url = f"http://localhost:8080/dags/{dag_id}/runs/r1/tasks/{task_id}?try_number={try_number}"
    return SimpleNamespace(dag_id=dag_id, task_id=task_id, run_id="r1", map_index=-1, try_number=try_number, log_url=log_url)


def fail(error, slate=SLATE, **changes):
    tell("task failed", ti=task(**changes), exception=error, partition_key=slate, params={})


def test_a_failed_task_is_told_with_slate_error_log_what_it_blocks_and_what_to_do(stub, platform):
    fail(RuntimeError("the file is broken: https://me:hunter2@host/x\nsecond line"))
    (text,) = stub.texts
    for part in (
        "Task score of nba_predict failed: RuntimeError: the file is broken",
        f"Slate of {TODAY:%A}",
        "Urgent",
        "The predictions of the slate are not published.",
        "tasks/score?try_number=1|Log>",
        f"nba-ml predict --slate {SLATE}",
        f"`task.nba_predict.score:{SLATE}`",
    ):
        assert part in text
    assert "hunter2" not in text
    assert "second line" not in text


def test_whatever_fails_is_done_by_hand_by_a_line_that_can_be_typed(dag_bag):
    import nba_slack

    assert set(nba_slack._DAGS) == set(dag_bag.dags)
    for slate in (None, TODAY):
        for dag_id in (*nba_slack._DAGS, "other"):
            step = nba_slack._alert("task", "what", dag_id, slate, "now", "link").next_step
            assert [parse(command) for command in commands(step)], step


def test_a_slate_that_is_over_is_no_emergency(stub, platform):
    fail(RuntimeError("x"), slate=str(TODAY - timedelta(days=1)))
    assert "Warning" in stub.texts[0]


def test_a_killed_process_has_no_error_and_is_told_all_the_same(stub, platform):
    tell("task failed", ti=task(), partition_key=SLATE, params={})
    assert "killed, or out of memory" in stub.texts[0]


def test_what_has_an_alert_of_its_own_is_told_once(stub, platform):
    refusal = GateRefused("burst.shift: 0.4")
    refusal.alerted = "burst.shift:v2"
    alerts.write(platform, alerts.Alert("burst.shift:v2", "urgent", "The slate is not published.", "nba-ml release show", "k"))
    fail(refusal)
    assert platform.warehouse.count([alerts.TABLE]) == {alerts.TABLE: 1}
    assert "The slate is not published." in stub.texts[0]


def test_recovery_is_told_when_a_run_for_the_slate_succeeds(stub, platform):
    fail(RuntimeError("x"))
    dag = SimpleNamespace(dag_id="nba_predict")
    tell("run succeeded", dag=dag, run_id="r0", partition_key=str(TODAY - timedelta(days=3)), reason="success")
    assert len(stub.taken) == 1
    tell("run succeeded", dag=dag, run_id="r1", partition_key=SLATE, reason="success")
    assert f"A run of nba_predict for the slate of {SLATE} succeeded." in stub.texts[1]
    assert alerts.open_alerts(platform).is_empty()
    tell("run succeeded", dag=dag, run_id="r2", partition_key=SLATE, reason="success")
    assert len(stub.taken) == 2


def test_a_run_that_failed_by_its_tasks_is_not_told_twice(stub, platform):
    fail(RuntimeError("x"))
    tell("run failed", dag=SimpleNamespace(dag_id="nba_predict"), run_id="r1", partition_key=SLATE, reason="task_failure")
    alerts.write(platform, alerts.Alert("burst.shift:v2", "urgent", "Not published.", "look", "k", slate_date=TODAY))
    tell("run failed", dag=SimpleNamespace(dag_id="nba_predict"), run_id="r2", partition_key=SLATE, reason="task_failure")
    assert not any("`run." in text for text in stub.texts)


def test_a_killed_task_tells_nothing_and_its_run_does(stub, platform, monkeypatch):
    monkeypatch.setattr("nba_slack._PATIENCE_SECONDS", 0)
    fail(RuntimeError("x"))
    tell("run failed", dag=SimpleNamespace(dag_id="nba_predict"), run_id="r2", partition_key=SLATE, reason="task_failure")
    assert "The run r2 of nba_predict failed: its process ended without a word: killed, or out of memory" in stub.texts[1]
    tell("run succeeded", dag=SimpleNamespace(dag_id="nba_predict"), run_id="r2", partition_key=SLATE, reason="success")
    assert alerts.open_alerts(platform).is_empty()


def test_a_killed_task_is_told_while_the_warehouse_is_locked(stub, platform, monkeypatch):
    monkeypatch.setattr("nba_slack._PATIENCE_SECONDS", 0)
    monkeypatch.setattr("nba_slack._SHORT_WAIT_SECONDS", 0.1)
    with platform.warehouse._file.open(write=True):
        tell("run failed", dag=SimpleNamespace(dag_id="nba_predict"), run_id="r1", partition_key=SLATE, reason="task_failure")
    assert "killed, or out of memory" in stub.texts[0]
    assert len(spool.files(platform)) == 1


def test_what_a_task_told_while_the_warehouse_was_locked_its_run_does_not_tell_again(stub, platform, monkeypatch):
    monkeypatch.setattr("nba_slack._PATIENCE_SECONDS", 0)
    monkeypatch.setattr("nba_slack._LOCK_WAIT_SECONDS", 0.1)
    with platform.warehouse._file.open(write=True):
        fail(RuntimeError("x"))
    tell("run failed", dag=SimpleNamespace(dag_id="nba_predict"), run_id="r1", partition_key=SLATE, reason="task_failure")
    assert len(stub.taken) == 1


def test_a_run_that_took_too_long_is_told(stub, platform):
    tell("run failed", dag=SimpleNamespace(dag_id="nba_train"), run_id="scheduled__x+00:00", reason="timed_out")
    assert "The run scheduled__x+00:00 of nba_train failed: timed out" in stub.texts[0]
    assert "runs/scheduled__x%2B00%3A00|Run>" in stub.texts[0]


def test_a_missed_deadline_is_told_from_what_the_triggerer_has(stub, platform):
    from airflow.sdk import AsyncCallback
    from airflow.triggers.callback import CallbackTrigger
    from nba_slack import NbaNotifier

    run = {"dag_id": "nba_predict", "dag_run_id": "slate__x", "partition_key": SLATE, "state": "running"}
    context = {"dag_run": run, "deadline": {"id": "1", "deadline_time": datetime(2024, 1, 5, 22, tzinfo=UTC)}}
    callback = AsyncCallback(NbaNotifier, kwargs={"event": "deadline missed"})
    trigger = CallbackTrigger(callback.path, callback.kwargs | {"context": context})

    async def events():
        return [event.payload["state"] async for event in trigger.run()]

    assert asyncio.run(events()) == ["running", "success"]
    assert f"nba_predict for the slate of {SLATE} was not done by 17:00 New York. It is running." in stub.texts[0]
    tell("run succeeded", dag=SimpleNamespace(dag_id="nba_predict"), run_id="x", partition_key=SLATE, reason="success")
    assert "Over after" in stub.texts[1]


def test_an_approval_that_is_wanted_is_told_with_where_to_answer(stub, platform):
    asked = {"version": "v2", "seen": 1, "subject": "Release v2 in production?", "body": "…"}
    ti = task("nba_approve", "ask")
    ti.xcom_pull = lambda task_ids: {"question": asked}[task_ids]
    operator = SimpleNamespace(
        generate_link_to_ui=lambda task_instance: f"{task_instance.log_url.partition('?')[0]}/required_actions?map_index=-1"
    )
    tell("approval wanted", ti=ti, task=operator, params={})
    for part in (
        "Release v2 in production?",
        "required_actions?map_index=-1|",
        "nba-ml release approve v2 --reason TEXT",
        "v2 does not run until",
    ):
        assert part in stub.texts[0]


def test_no_callback_raises_whatever_is_down(stub, platform, monkeypatch):
    stub.answers = [500]
    fail(RuntimeError("x"))
    assert stub.taken == []
    assert set(alerts.open_alerts(platform)["cause"]) == {f"task.nba_predict.score:{SLATE}", "slack:urgent"}
    monkeypatch.setenv("NBA_ML_WAREHOUSE", "no such thing")
    fail(RuntimeError("x"))
    tell("task failed")


def test_a_connection_of_google_that_is_no_good_keeps_nobody_from_being_told(stub, platform, monkeypatch):
    def no_good(settings):
        raise UsageError("the Airflow connection google_cloud_default is no good")

    monkeypatch.setattr("nba_google.open_clients", no_good)
    fail(UsageError("the Airflow connection google_cloud_default is no good"))
    assert "google_cloud_default is no good" in stub.texts[0]


def test_without_a_connection_the_setting_is_used_and_without_both_nothing_is_posted(stub, platform, monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_SLACK_WEBHOOK")
    fail(RuntimeError("x"))
    assert stub.requests == 0
    monkeypatch.setenv("NBA_ML_SLACK_WEBHOOK", stub.url)
    fail(RuntimeError("x"))
    assert len(stub.taken) == 1


def test_the_second_connection_takes_what_is_not_urgent(stub, platform, monkeypatch):
    with slack_stub() as quiet:
        monkeypatch.setenv("AIRFLOW_CONN_SLACK_WEBHOOK_NOTICES", json.dumps({"conn_type": "slackwebhook", "password": quiet.url}))
        fail(RuntimeError("x"))
        fail(RuntimeError("x"), dag_id="nba_grade", task_id="grade")
    assert [len(stub.taken), len(quiet.taken)] == [1, 1]


def test_a_dag_run_tells_of_its_failure_without_a_warehouse_too(stub, run_dag, caplog):
    done = run_dag("nba_grade", slate="2024-01-05")
    assert done.state == "failed"
    assert len(stub.taken) == 1
    assert "nba_grade failed: " in stub.texts[0]
    assert "could not be written" in stub.texts[0]
    assert PATH not in caplog.text
    platform = Context()
    platform.warehouse.ensure()
    assert len(spool.files(platform)) == 1


def test_a_dag_run_that_succeeds_closes_what_its_tasks_opened(stub, run_dag, platform):
    alerts.write(platform, alerts.Alert("task.nba_approve.question", "warning", "It failed.", "look", "r0"))
    assert run_dag("nba_approve").state == "success"
    assert alerts.open_alerts(platform).is_empty()
    assert "A run of nba_approve succeeded." in stub.texts[0]
