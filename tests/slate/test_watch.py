"""What a slate is published without: told where it is usual and late, and not else. The whole days are in tests/faults."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from nba_ml import alerts
from nba_ml.slate import watch

TIP = datetime(2024, 1, 13, 0, 0, tzinfo=UTC)
REF = {"slate_date": "2024-01-12", "mode": "live"}


@pytest.fixture
def look(context, clock):
    def run(*players, minutes_before=75, **same):
        clock(TIP - timedelta(minutes=minutes_before))
        columns = {
            "slate_date": date(2024, 1, 12),
            "tipoff_utc": TIP,
            "team": "BOS",
            "line": 10.5,
            "line_captured_at": TIP - timedelta(hours=3),
        }
        rows = [{**columns, "player_id": number, "player_name": name, **same} for number, name in enumerate(players)]
        found = watch.look(
            context, REF, pl.DataFrame(rows, schema_overrides={"line": pl.Float64, "line_captured_at": pl.Datetime("us", "UTC")})
        )
        return found, sorted(alerts.open_alerts(context)["cause"])

    return run


def test_where_nothing_is_usual_nothing_is_missed(look):
    assert look("A", "B", line=None, line_captured_at=None) == ([], [])


def test_lines_that_stand_still_are_told_in_the_last_hours_and_closed_when_they_move(look):
    old = TIP - timedelta(hours=20)
    assert look("A", minutes_before=600, line_captured_at=old) == ([], [])
    for _ in range(2):
        assert look("A", line_captured_at=old) == ([watch.FROZEN], [watch.FROZEN])
    assert look("A") == ([], [])


def test_one_name_under_two_ids_in_a_team_is_told_at_any_hour(look):
    assert look("Luka Dončić", "Luka Doncic Jr.", minutes_before=600) == ([watch.TWO_IDS], [watch.TWO_IDS])
    assert look("Luka Dončić", "Somebody Else", minutes_before=600) == ([], [])
