"""The commands predict and grade: JSON for machines, tables for people, and exit statuses."""

import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from nba_ml import context
from nba_ml.cli import app, slate
from nba_ml.errors import GateRefused, UsageError

SLATE = "2024-01-12"


@pytest.fixture
def run(loaded, released, suites, monkeypatch):
    monkeypatch.setattr(context, "Context", lambda: loaded)

    def command(*words: str) -> str:
        result = CliRunner().invoke(app, words, catch_exceptions=False)
        assert result.exit_code == 0
        return result.stdout

    return command


def test_predict_and_grade_speak_json(run):
    predicted = json.loads(run("predict", "--slate", SLATE, "--json"))
    assert {"slate_date", "mode", "as_of", "games", "population", "predicted", "abstained", "blocked", "published", "run_key"} <= set(
        predicted
    )
    assert (predicted["mode"], predicted["published"]) == ("replay", 70)
    graded = json.loads(run("grade", "--slate", SLATE, "--json"))
    assert (graded["graded"], graded["new"], graded["waiting"]) == (350, 350, [])
    assert {system["system_id"] for system in graded["systems"]} == {"moving_average", "matchup", "xgboost", "ensemble"}


def test_predict_and_grade_print_tables(run):
    shown = run("predict", "--slate", SLATE)
    assert "70 predicted" in shown
    assert "… and 30 more" in shown
    assert "ensemble" in run("grade", "--slate", SLATE)


def test_a_slate_without_games_says_so(run):
    assert "No games on 2024-07-01" in run("predict", "--slate", "2024-07-01")
    assert "never predicted" in run("grade", "--slate", "2024-07-01")


def test_live_for_a_past_slate_is_refused(run):
    with pytest.raises(GateRefused, match="--mode replay"):
        run("predict", "--slate", SLATE, "--mode", "live")


def test_times_are_new_yorks_unless_they_say_otherwise():
    assert slate.parse_time("2024-01-12T17:00").astimezone(UTC) == datetime(2024, 1, 12, 22, tzinfo=UTC)
    assert slate.parse_time("2024-01-12T17:00+00:00") == datetime(2024, 1, 12, 17, tzinfo=UTC)
    with pytest.raises(UsageError, match="2025-01-05T17:00"):
        slate.parse_time("five o'clock")
