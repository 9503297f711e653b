"""By when what is due: the hours of ordinary and odd days, and nothing on days without games."""

from datetime import UTC, date, datetime, time, timedelta

import polars as pl
import pytest

from nba_ml import calendar, rhythm
from nba_ml.slate_calendar import SlateCalendar

SLATE = date(2025, 1, 7)  # a Tuesday
TIP = datetime(2025, 1, 8, 0, 0, tzinfo=UTC)


def kinds(slates, first, last):
    return [(due.kind, due.slate_date) for due in rhythm.expected(slates, first, last)]


def test_a_slate_has_its_hours():
    slates = SlateCalendar({date(2025, 1, 6): None, SLATE: TIP})
    found = {due.kind: due.due_at for due in rhythm.expected(slates, SLATE, SLATE)}
    day_after = SLATE + timedelta(days=1)
    assert found == {
        "predict": TIP - timedelta(hours=2),
        "update": TIP - timedelta(minutes=30),
        "ingest": calendar.at_new_york(day_after, time(10)),
        "grade": calendar.at_new_york(day_after, time(12)),
        "monitor": calendar.at_new_york(day_after, time(15)),
    }
    monday = date(2025, 1, 13)
    trained = [due.due_at for due in rhythm.expected(slates, monday, monday) if due.kind == "train"]
    assert trained == [calendar.at_new_york(monday, time(20))]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2025, 7, 1), date(2025, 10, 20)),  # off season
        (date(2024, 11, 28), date(2024, 11, 28)),  # Thanksgiving
        (date(2025, 2, 14), date(2025, 2, 16)),  # All-Star
        (date(2025, 12, 24), date(2025, 12, 24)),
    ],
)
def test_nothing_is_expected_of_days_without_games(first, last):
    assert kinds(SlateCalendar(), first, last) == []


def test_training_is_expected_in_weeks_with_slates_alone():
    slates = SlateCalendar()
    assert ("train", date(2025, 2, 17)) in kinds(slates, date(2025, 2, 17), date(2025, 2, 17))  # slates on the 12th and 13th
    assert kinds(slates, date(2025, 7, 1), date(2025, 7, 31)) == []


def test_in_the_playoffs_scheduled_days_alone_are_expected():
    finals = date(2025, 6, 8)
    assert not rhythm.is_expected(SlateCalendar(), finals + timedelta(days=1))
    assert rhythm.is_expected(SlateCalendar({finals: TIP}), finals)


def test_a_schedule_that_stopped_to_come_is_missed_in_the_regular_season():
    slates = SlateCalendar({SLATE: TIP})
    assert rhythm.is_expected(slates, SLATE + timedelta(days=3))


@pytest.mark.parametrize("day", [date(2025, 3, 8), date(2025, 3, 9), date(2025, 11, 1), date(2025, 11, 2)])
def test_hours_of_new_york_hold_when_the_clocks_change(day):
    moment = rhythm.due_at("ingest", day, TIP).astimezone(calendar.NEW_YORK)
    assert (moment.date(), moment.time()) == (day + timedelta(days=1), time(10))
    assert rhythm.due_at("predict", day, calendar.live_until(day, None)).astimezone(calendar.NEW_YORK).time() == time(10)


@pytest.mark.real_data
@pytest.mark.parametrize("year", [2021, 2022, 2023, 2024])
def test_of_real_seasons_exactly_the_slates_are_expected_with_the_schedule_known_two_days_ahead(files_dir, year):
    schedule = pl.read_parquet(files_dir / "schedule.parquet", columns=["game_date"])
    real = {day for day in schedule["game_date"].cast(pl.Date).unique().to_list() if calendar.season_year(day) == year}
    days = [calendar.opener(year) + timedelta(days=number) for number in range(-30, 335)]
    found = {
        day for day in days if rhythm.is_expected(SlateCalendar({known: None for known in real if known <= day + timedelta(days=2)}), day)
    }
    assert len(real) > 200
    assert found == real
