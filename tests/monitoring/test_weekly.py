"""The weekly report: what it shows, that it is told once, and the command that writes it."""

import json
import re
from datetime import date, timedelta

import pytest
from typer.testing import CliRunner

from nba_ml import alerts
from nba_ml.cli import app
from nba_ml.monitoring import steps, weekly
from tests.monitoring.conftest import LAST


@pytest.fixture
def watched(played):
    steps.monitor(played, LAST)
    return played


def page(context):
    (name,) = context.store.list(weekly.FOLDER)
    return context.store.read(name).decode()


def test_it_shows_figures_plots_and_what_was_told(watched):
    alerts.write(watched, alerts.Alert("slack:down", "urgent", "Slack <takes> nothing.", "nba-ml doctor", occasion="1"))
    done = weekly.write(watched, LAST, "live")
    assert done["week"] == "2023-W46"
    text = page(watched)
    assert done["report"].endswith(".html")
    assert text.count("<svg ") == 3
    assert "Nothing is out of order." in text
    assert "Slack &lt;takes&gt; nothing." in text
    assert not re.search(r"https?://(?!www\.w3\.org)|<script|<link", text)
    assert weekly.write(watched, LAST, "live") == done


def test_it_is_told_on_mondays_once(watched):
    monday = LAST + timedelta(days=2)
    assert monday.weekday() == 0
    assert weekly.tell(watched, LAST, "live", monday - timedelta(days=1))["report"] is None
    done = weekly.tell(watched, LAST, "live", monday)
    (told,) = alerts.all_alerts(watched).to_dicts()
    assert (told["cause"], told["severity"], told["link"]) == (weekly.CAUSE, "notice", done["report"])
    assert weekly.tell(watched, LAST, "live", monday)["report"] is None
    assert weekly.tell(watched, LAST, "live", monday + timedelta(days=7))["report"] is None
    assert alerts.open_alerts(watched).is_empty()


def test_the_command_writes_it(watched, monkeypatch):
    monkeypatch.setenv("NBA_ML_HOME", str(watched.settings.home))
    told = CliRunner().invoke(app, ["monitor", "--until", str(LAST), "--report", "--json"])
    assert json.loads(told.stdout)["week"] == weekly.week_of(LAST)
    assert "2023-W46" in page(watched)


def test_a_week_belongs_to_its_iso_year():
    assert weekly.week_of(date(2024, 12, 30)) == "2025-W01"
