"""The command `nba-ml monitor` on a home with graded slates, and on one without."""

import json
from datetime import timedelta

from typer.testing import CliRunner

from nba_ml.cli import app
from nba_ml.context import Context
from tests.monitoring.graded_season import FIRST, VERSION, play
from tests.registry.conftest import publish_version


def run(*arguments: str):
    return CliRunner().invoke(app, ["monitor", *arguments])


def test_it_says_how_good_the_last_slates_were():
    context = Context()
    context.warehouse.ensure()
    publish_version(context.store, VERSION, trained_until="2023-10-31")
    play(context, 8)
    last = str(FIRST + timedelta(days=7))
    found = json.loads(run("--until", last, "--json").stdout)
    assert (found["until"], found["slate_date"], found["mode"], found["windows"]) == (last, last, "live", 24)
    assert {row["system_id"] for row in found["performance"]} == {"ensemble", "xgboost"}
    told = run("--until", last)
    assert told.exit_code == 0
    assert "live slates up to" in told.stdout
    assert "0 windows were made again" in told.stdout


def test_a_home_without_grades_is_told_the_next_step():
    told = run("--until", "2024-01-05")
    assert told.exit_code == 0
    assert "nba-ml grade --slate" in told.stdout
