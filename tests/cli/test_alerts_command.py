"""The command `nba-ml alerts`."""

import json

import pytest
from typer.testing import CliRunner

from nba_ml import alerts
from nba_ml.cli import app
from nba_ml.context import Context
from nba_ml.errors import UsageError
from tests.slack_stub import PATH, slack_stub


def run(*arguments: str):
    return CliRunner().invoke(app, ["alerts", *arguments])


@pytest.fixture(autouse=True)
def context():
    context = Context()
    context.warehouse.ensure()
    for cause, severity in (("guard.worse:v2", "warning"), ("burst.shift:v2", "urgent"), ("late:v1", "warning")):
        alerts.write(context, alerts.Alert(cause, severity, f"what of {cause}", f"next of {cause}", "1", blocks="the slate"))
    alerts.resolve(context, "late:v1", "on time again")
    return context


def test_it_lists_what_is_open_with_the_next_step():
    told = run()
    assert told.exit_code == 0
    assert told.stdout.index("burst.shift:v2") < told.stdout.index("guard.worse:v2")
    for part in ("urgent", "what of burst.shift:v2", "next of burst.shift:v2", "the slate", "3 are still to be told", "No Slack webhook"):
        assert part in told.stdout
    assert "late:v1" not in told.stdout
    assert [row["cause"] for row in json.loads(run("--json").stdout)["alerts"]] == ["burst.shift:v2", "guard.worse:v2"]


def test_all_lists_what_is_over_too():
    told = run("--all")
    assert "on time again" in told.stdout
    assert "next of late:v1" not in told.stdout
    assert [row["cause"] for row in json.loads(run("--all", "--json").stdout)["alerts"]][-1] == "late:v1"


def test_send_tells_slack_and_fails_where_slack_is_down(monkeypatch):
    with slack_stub() as stub:
        monkeypatch.setenv("NBA_ML_SLACK_WEBHOOK", stub.url)
        stub.answers = [500]
        failed = run("send")
        assert failed.exit_code == 1
        assert "it answered 500" in failed.stdout
        assert PATH not in failed.stdout + failed.stderr
        assert "did not take a message" in run().stdout
        done = json.loads(run("send", "--json").stdout)
        assert (done["waiting"], done["failed"]) == (0, {})
        assert run("send").stdout == "0 alerts were told in 0 messages; 0 are still to be told.\n"


def test_close_ends_an_alert_and_refuses_one_that_is_not_open(context):
    assert run("close", "guard.worse:v2", "--reason", "retired").exit_code == 0
    assert alerts.open_alerts(context)["cause"].to_list() == ["burst.shift:v2"]
    assert isinstance(run("close", "guard.worse:v2", "--reason", "retired").exception, UsageError)


def test_an_address_that_is_none_is_refused(monkeypatch):
    monkeypatch.setenv("NBA_ML_SLACK_WEBHOOK", "T0/B0/secret")
    refused = run()
    assert "NBA_ML_SLACK_WEBHOOK" in str(refused.exception)
    assert "secret" not in str(refused.exception)
