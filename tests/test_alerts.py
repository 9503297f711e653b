from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from nba_ml import alerts, calendar
from nba_ml.context import Context
from nba_ml.settings import Settings
from nba_ml.warehouse.port import LATEST

FIRST = datetime(2024, 1, 5, 12, tzinfo=UTC)
ALERT = alerts.Alert("guard.worse:v2", "urgent", "v2 is worse than v1.", "nba-ml release show", "2024-01-05", 0.2, 0.0, date(2024, 1, 5))


@pytest.fixture
def context(tmp_path, monkeypatch):
    context = Context(Settings(home=tmp_path, _env_file=None))
    context.warehouse.ensure()
    monkeypatch.setattr(calendar, "now", lambda: FIRST)
    return context


def rows(context):
    return context.warehouse.read(alerts.TABLE, as_of=LATEST).drop("id").to_dicts()


def test_the_same_cause_is_one_row_that_counts_its_occasions(context, monkeypatch):
    first = alerts.write(context, ALERT)
    assert (first["new"], first["count"], first["slate_date"]) == (True, 1, "2024-01-05")
    for day in (1, 2):
        monkeypatch.setattr(calendar, "now", lambda day=day: FIRST + timedelta(days=day))
        for new in (True, False):
            again = alerts.Alert(**{**ALERT.__dict__, "occasion": f"2024-01-0{5 + day}", "figure": 0.2 + day})
            assert alerts.write(context, again)["new"] is new
    (row,) = rows(context)
    assert (row["count"], row["first_at"], row["last_at"], row["figure"]) == (3, FIRST, FIRST + timedelta(days=2), 2.2)


def test_an_occasion_counts_once_whatever_came_between(context):
    for occasion in ("r1", "r2", "r1", "r2", "r3", "r1"):
        row = alerts.write(context, replace(ALERT, occasion=occasion))
    assert (row["count"], row["new"], row["occasion"]) == (3, False, "r1")


def test_what_is_over_is_closed_once_and_opens_again_from_one(context, monkeypatch):
    later = FIRST + timedelta(hours=1)
    assert alerts.resolve(context, ALERT.cause, "never was") is None
    alerts.write(context, replace(ALERT, occasion="another"))
    alerts.write(context, ALERT)
    monkeypatch.setattr(calendar, "now", lambda: later)
    over = alerts.resolve(context, ALERT.cause, "v2 was taken out")
    assert (over["resolved_at"], over["resolution"]) == (later.isoformat(), "v2 was taken out")
    assert alerts.resolve(context, ALERT.cause, "again") is None
    assert alerts.open_alerts(context).is_empty()
    again = alerts.write(context, ALERT)
    assert (again["new"], again["count"], again["first_at"], again["opened_at"]) == (True, 1, FIRST.isoformat(), later.isoformat())
    assert rows(context)[0]["resolved_at"] is rows(context)[0]["resolution"] is None


def test_open_alerts_come_urgent_first_of_this_environment_alone(context):
    for cause, severity in (("a", "notice"), ("b", "warning"), ("c", "urgent"), ("d", "warning")):
        alerts.write(context, replace(ALERT, cause=cause, severity=severity))
    alerts.resolve(context, "d", "over")
    elsewhere = Context(context.settings.model_copy(update={"environment": "staging"}))
    alerts.write(elsewhere, replace(ALERT, cause="e"))
    assert alerts.open_alerts(context)["cause"].to_list() == ["c", "b", "a"]


def test_a_row_of_an_earlier_version_counts_on(context):
    old = {
        **{
            name: getattr(ALERT, name)
            for name in ("cause", "severity", "what", "next_step", "occasion", "figure", "threshold", "slate_date")
        },
        **{"environment": "dev", "count": 4, "first_at": FIRST, "last_at": FIRST},
    }
    context.warehouse.upsert(alerts.TABLE, pl.DataFrame([old]))
    assert alerts.open_alerts(context)["opened_at"].to_list() == [FIRST]
    assert alerts.write(context, ALERT)["count"] == 4
    assert alerts.write(context, replace(ALERT, occasion="r9"))["count"] == 5


def test_no_secret_is_stored(context):
    alerts.write(
        context, replace(ALERT, what="POST https://hooks.slack.com/services/T01AB/B02CD/s3cr3t failed", link="https://me:pw@host/x")
    )
    alerts.resolve(context, ALERT.cause, "password=hunter2 works again")
    (row,) = rows(context)
    assert row["what"] == "POST https://hooks.slack.com/******** failed"
    assert row["link"] == "https://********@host/x"
    assert row["resolution"] == "password=******** works again"


def test_another_cause_is_another_row(context):
    alerts.write(context, ALERT)
    alerts.write(context, alerts.Alert("burst.shift:v2", "urgent", "v2 is low.", "look", "r1"))
    assert [row["cause"] for row in rows(context)] == ["burst.shift:v2", "guard.worse:v2"]
