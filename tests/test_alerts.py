from datetime import UTC, date, datetime, timedelta

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


def test_another_cause_is_another_row(context):
    alerts.write(context, ALERT)
    alerts.write(context, alerts.Alert("burst.shift:v2", "urgent", "v2 is low.", "look", "r1"))
    assert [row["cause"] for row in rows(context)] == ["burst.shift:v2", "guard.worse:v2"]
