"""What Slack is told while Airflow's own processes run: a scheduler, an executor and a triggerer, and a stand-in of Slack at their other end."""

import json
import os
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest

from nba_ml import alerts, calendar, slate_calendar
from nba_ml.context import Context
from nba_ml.settings import Settings
from tests.registry.conftest import publish_version
from tests.registry.test_approval import figures
from tests.slack_stub import slack_stub

pytestmark = [pytest.mark.airflow, pytest.mark.slow, pytest.mark.timeout(600)]

PATIENCE_SECONDS = 180
DUE_IN_SECONDS = 30


@pytest.fixture(scope="module")
def stub():
    with slack_stub() as server:
        yield server
        assert server.refused == []


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with a version that nobody has decided on."""
    folder = tmp_path_factory.mktemp("slack") / "home"
    context = Context(Settings(home=folder))
    context.warehouse.ensure()
    publish_version(context.store, "v1", metrics=figures(4.5))
    return folder


@pytest.fixture(scope="module")
def airflow(home, stub, running_airflow):
    address, _, token = stub.url.partition("/services/")
    connection = {"conn_type": "slackwebhook", "host": f"{address}/services", "password": token}
    variables = os.environ | {"AIRFLOW_CONN_SLACK_WEBHOOK": json.dumps(connection), "NBA_ML_APPROVAL": "person"}
    with running_airflow(home, variables) as running:
        running.log_in()
        yield running


def told(stub, *parts):
    """Wait for a message with all the parts."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        for text in stub.texts:
            if all(part in text for part in parts):
                return text
        time.sleep(0.5)
    pytest.fail(f"no message says {parts} among {stub.texts}")


def open_causes(home):
    return set(alerts.open_alerts(Context(Settings(home=home)))["cause"])


def test_a_failure_is_told_with_the_log_and_its_end_too(airflow, stub, home):
    run = airflow.trigger("nba_release", conf={"action": "advance", "reason": "try it"})
    assert airflow.state_at_the_end("nba_release", run) == "failed"
    text = told(stub, "Task decide of nba_release failed", "UsageError")
    assert f"{airflow.answer['address']}/dags/nba_release/runs/{run}/tasks/decide" in unquote(text)
    assert "task.nba_release.decide" in open_causes(home)


def test_a_wanted_decision_is_told_and_that_it_was_taken(airflow, stub, home):
    run = airflow.trigger("nba_approve")
    told(stub, "approval:v1", "nba_approve")
    # An answer before the task waits for it is asked for again.
    airflow.wait_for("nba_approve", run, "ask", "awaiting_input")
    answer = {"chosen_options": ["Reject"], "params_input": {"note": "tried"}}
    airflow.client.patch(f"/api/v2/dags/nba_approve/dagRuns/{run}/taskInstances/ask/-1/hitlDetails", json=answer).raise_for_status()
    assert airflow.state_at_the_end("nba_approve", run) == "success"
    told(stub, "Over", "approval:v1")
    assert "approval:v1" not in open_causes(home)


def test_a_missed_deadline_is_told_while_the_run_still_waits(airflow, stub, home):
    today = calendar.slate_date(calendar.now())
    slate_calendar.save(home, {today: datetime.now(UTC) + timedelta(hours=2, seconds=DUE_IN_SECONDS)})
    no_slots = {"pool": "default_pool", "slots": 0}
    airflow.client.patch("/api/v2/pools/default_pool", params={"update_mask": "slots"}, json=no_slots).raise_for_status()
    airflow.trigger("nba_predict", partition_key=str(today))
    text = told(stub, f"deadline.nba_predict:{today}")
    assert "Urgent" in text
