"""A week lived through under a simulated clock: every day's steps, a kill at any of them, and numbers that the backtest makes again."""

import json
import shutil
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nba_ml import calendar
from nba_ml.errors import BadInput, GateRefused, UsageError
from nba_ml.ingest import ingest
from nba_ml.registry.steps import open_log
from nba_ml.replay import day, season, verify
from nba_ml.replay.journal import FILE, Journal
from nba_ml.rhythm import DAYS_AHEAD
from nba_ml.settings import Settings
from nba_ml.slate import steps as slates
from nba_ml.warehouse.port import LATEST
from tests.replay.conftest import FIRST, LAST, Killed, open_home

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

FRIDAY = date(2021, 11, 26)
MONDAY = date(2021, 11, 29)
ADDRESSES = ("url", "docs_url", "link")
"""Columns with addresses in the store, which differ where its folder does."""


def test_every_slate_is_predicted_and_all_but_the_last_one_graded(lived):
    _, told = lived
    assert told["slates"]["scheduled"] == told["slates"]["predicted"] == 5
    assert told["slates"]["graded"] == 4
    assert told["slates"]["not_predicted"] == {}
    assert list(told["slates"]["not_graded"]) == [LAST.isoformat()]
    rows = told["rows"]
    assert rows["population"] == rows["predicted"] + rows["abstained"]
    assert 0 < rows["graded"] < rows["population"]
    assert told["errors"]["n"] == rows["graded"]
    assert 0 < told["errors"]["lined_n"] < rows["graded"]
    assert sum(month["n"] for month in told["months"].values()) == rows["graded"]
    assert [(row["cause"], row["severity"]) for row in told["alerts"]] == [("monitor.report", "notice")]


def test_a_day_without_games_has_no_prediction_and_a_monday_one_training(lived):
    context, told = lived
    done = {(entry["day"], entry["step"]) for entry in Journal(context.settings.home_folder).entries}
    names = {name for when, name in done if when == FIRST.isoformat()}
    assert names == {"ingest", "guard", "release", "monitor at 10:15", "monitor at 20:15"}
    assert {when for when, name in done if name == "train"} == {MONDAY.isoformat()}
    assert told["trained"] == 1
    assert [(event["action"], event["share"], event["actor"]) for event in told["releases"]] == [
        ("release", 1.0, day.ACTOR),
        ("release", 0.1, day.ACTOR),
    ]


def test_everything_was_written_at_its_own_hour(lived):
    context, _ = lived
    picks = context.warehouse.read("nba_predictions.player_prop_predictions", as_of=LATEST)
    assert set(picks["mode"]) == {"live"}
    assert picks.filter(pl.col("published_at") >= pl.col("tipoff_utc")).is_empty()
    assert picks.filter(pl.col("published_at") != pl.col("as_of")).is_empty()
    assert picks.group_by("slate_date").agg(pl.col("run_key").n_unique())["run_key"].to_list() == [2] * 5
    raw = context.warehouse.read("nba_raw.schedule", as_of=LATEST)
    assert raw["game_date"].max() <= LAST + DAYS_AHEAD


def test_killed_anywhere_and_run_again_it_leaves_the_same_tables(lived, eve, tmp_path, monkeypatch):
    home = Path(shutil.copytree(eve, tmp_path / "home"))
    whole, _ = lived
    kills = iter([("publish", 1), ("grade", 1), ("_guard", 2), ("train", 1)])
    for name, times in kills:
        where = slates if name == "publish" else day.grading if name == "grade" else day if name == "_guard" else day.training
        with monkeypatch.context() as patch:
            patch.setattr(where, name, killing(getattr(where, name), times))
            with pytest.raises(Killed):
                season.replay(open_home(home), FIRST, LAST)
        with (home / FILE).open("ab") as journal:
            journal.write(b'{"at": "2021-11-')
    told = season.replay(open_home(home), FIRST, LAST)
    assert told["slates"] == lived[1]["slates"]
    for table in whole.warehouse.count():
        found, expected = (context.warehouse.read(table, as_of=LATEST, undated=True) for context in (open_home(home), whole))
        assert_frame_equal(*(frame.drop(ADDRESSES, strict=False) for frame in (found, expected)), check_exact=True)


def killing(real, times):
    """Return a step that does its work, and whose process is killed before anybody hears of it, the `times`-th time."""
    left = [times]

    def step(*arguments, **options):
        done = real(*arguments, **options)
        left[0] -= 1
        if not left[0]:
            raise Killed
        return done

    return step


def test_run_again_it_does_nothing_and_goes_on_where_it_ended(lived, monkeypatch):
    context, told = lived
    before = context.warehouse.count()
    with monkeypatch.context() as patch:
        patch.setattr(season, "_alert", lambda *_: pytest.fail("a step was done again"))
        again = season.replay(context, FIRST, LAST)
    assert context.warehouse.count() == before
    assert again == told
    with pytest.raises(UsageError, match=r"the clock of .* stood at 2021-1.*choose a later --from"):
        season.replay(context, FIRST - timedelta(days=3), LAST)


def test_the_backtests_path_makes_the_same_numbers(lived):
    context, _ = lived
    found = verify.verify(context, FIRST, LAST)
    assert found["slates"] == 4
    assert found["versions"] == 2
    assert found["rows"] > 4000
    assert found["not_in_backtest"] == 0
    assert found["largest_difference"] <= 1e-9
    assert found["largest_mae_difference"] <= 1e-9
    assert found["mae"] == pytest.approx(found["backtest_mae"], abs=1e-9)


def test_a_number_that_the_backtest_does_not_make_is_told(lived, monkeypatch):
    context, _ = lived
    real = verify._said

    def off(*arguments):
        own = pl.col("system_id") == "ensemble"
        return real(*arguments).with_columns(again=pl.when(own).then(pl.col("again") + 1e-8).otherwise("again"))

    monkeypatch.setattr(verify, "_said", off)
    with pytest.raises(GateRefused, match=r"differ from the backtest's by up to 1\.0*\d*e-08 points"):
        verify.verify(context, FRIDAY, FRIDAY)


def test_a_step_that_is_refused_is_an_alert_that_closes_when_it_goes_through(eve, tmp_path, monkeypatch):
    home = Path(shutil.copytree(eve, tmp_path / "home"))
    real = day.ingest

    def torn(context, first, last, *, run):
        if calendar.slate_date(calendar.now()) == FRIDAY:
            raise BadInput("a file is torn")
        return real(context, first, last, run=run)

    monkeypatch.setattr(day, "ingest", torn)
    told = season.replay(open_home(home), FRIDAY, FRIDAY + timedelta(days=1), retrain="never")
    assert {row["cause"]: (row["days"], row["resolved"]) for row in told["alerts"]} == {
        "failed:ingest": (["2021-11-26"], 1),
        "failed:predict": (["2021-11-26"], 1),
        "failed:update": (["2021-11-26"], 1),
        "missed.update": (["2021-11-26"], 1),
        "slate.not_live": (["2021-11-26"], 1),
    }
    assert told["slates"]["not_predicted"] == {"2021-11-26": "BadInput: a file is torn"}


def test_released_at_once_a_version_serves_everything_from_its_training_on(eve, tmp_path, monkeypatch):
    home = Path(shutil.copytree(eve, tmp_path / "home"))
    for name in ("_grade", "_guard", "_monitor", "_predict"):
        monkeypatch.setattr(day, name, lambda context, when: None)
    season.replay(open_home(home), MONDAY, MONDAY, release="at-once")
    log = open_log(open_home(home))
    assert [entry.share for entry in log.entries] == [1.0, 1.0]
    assert log.entries[-1].created_at.startswith("2021-11-29T16:00")


def test_what_would_pass_for_live_rows_is_refused(tmp_path, lived):
    with pytest.raises(UsageError, match="refused in staging"):
        season.replay(type(lived[0])(Settings(home=tmp_path, environment="staging", _env_file=None)), FIRST, LAST)
    with pytest.raises(UsageError, match="not past yet"):
        season.replay(open_home(tmp_path), FIRST, calendar.slate_date(calendar.now()))
    shutil.copytree(lived[0].settings.home_folder, tmp_path / "used")
    (tmp_path / "used" / FILE).unlink()
    with pytest.raises(UsageError, match=r"holds predictions and a released version and games up to .* that no replay made"):
        season.replay(open_home(tmp_path / "used"), FIRST, LAST)
    ahead = open_home(tmp_path / "ahead")
    ingest(ahead, FIRST, LAST, run="of another clock")
    with pytest.raises(UsageError, match=f"holds games up to {LAST} that no replay made"):
        season.replay(ahead, FIRST, LAST)


def test_a_journal_that_is_damaged_says_where(tmp_path):
    (tmp_path / FILE).write_text(json.dumps({"at": "2021-11-24T12:00:00+00:00", "day": "2021-11-24", "step": "ingest"}) + "\nnonsense\n")
    with pytest.raises(BadInput, match=r"replay\.jsonl line 2"):
        Journal(tmp_path)
