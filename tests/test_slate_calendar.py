"""Slate dates: what the schedule says where it reaches, the rule where it does not, and the file in between."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_ml import calendar, slate_calendar
from nba_ml.errors import BadInput
from nba_ml.slate_calendar import SlateCalendar, is_season_day, load, save

TIP = datetime(2025, 1, 5, 20, 30, tzinfo=UTC)


def known(*days: date) -> SlateCalendar:
    return SlateCalendar(dict.fromkeys(days))


@pytest.mark.parametrize(
    "day",
    [
        date(2024, 10, 21),  # the day before the opener
        date(2024, 11, 28),  # Thanksgiving
        date(2025, 11, 27),
        date(2024, 12, 24),
        date(2025, 2, 14),  # All-Star Friday, Sunday and Tuesday
        date(2025, 2, 16),
        date(2025, 2, 18),
        date(2025, 7, 10),
        date(2025, 9, 1),
    ],
)
def test_days_without_games(day):
    assert not is_season_day(day)


@pytest.mark.parametrize(
    "day", [date(2024, 10, 22), date(2024, 11, 27), date(2024, 12, 25), date(2025, 2, 13), date(2025, 2, 20), date(2025, 6, 22)]
)
def test_days_with_games(day):
    assert is_season_day(day)


def test_within_the_scheduled_span_of_a_season_the_schedule_decides():
    calendar_ = known(date(2025, 1, 3), date(2025, 1, 6))
    assert [calendar_.is_slate(date(2025, 1, day)) for day in (2, 3, 4, 5, 6, 7)] == [True, True, False, False, True, True]
    assert not calendar_.is_slate(date(2024, 11, 28))
    assert calendar_.is_slate(date(2023, 1, 4))  # another season: its schedule is not known


def test_three_days_without_a_game_where_games_are_usual_are_a_hole():
    first, last = date(2025, 1, 3), date(2025, 1, 20)
    every = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    for length in (1, 2, 3, 9):
        lost = every[5 : 5 + length]
        left = [day for day in every if day not in lost]
        assert slate_calendar.holes(left) == (lost if length >= slate_calendar.HOLE_DAYS else [])
        assert [day for day in every if not known(*left).is_slate(day)] == ([] if length >= slate_calendar.HOLE_DAYS else lost)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (date(2025, 2, 13), date(2025, 2, 19)),  # All-Star break
        (date(2024, 11, 27), date(2024, 11, 29)),  # Thanksgiving
        (date(2025, 5, 31), date(2025, 6, 5)),  # before the finals
        (date(2025, 6, 22), date(2025, 10, 21)),  # summer
        (date(2021, 3, 4), date(2021, 3, 10)),  # a season that nothing is expected of
    ],
)
def test_what_has_no_games_by_itself_is_no_hole(before, after):
    assert slate_calendar.holes([before, after]) == []


@pytest.mark.real_data
def test_real_schedules_have_no_hole(files_dir):
    import polars as pl

    assert slate_calendar.holes(pl.read_parquet(files_dir / "schedule.parquet")["game_date"].cast(pl.Date)) == []


def test_the_nearest_slates_step_over_the_summer():
    calendar_ = known(date(2025, 6, 22))
    assert calendar_.nearest(date(2025, 6, 22))[0] == date(2025, 6, 21)
    assert known(*(date(2025, 6, 5) + timedelta(days=number) for number in (0, 3))).nearest(date(2025, 6, 6)) == (
        date(2025, 6, 5),
        date(2025, 6, 8),
    )
    assert calendar_.nearest(date(2025, 8, 1))[1] == calendar.opener(2025)


@given(st.dates(date(2021, 1, 1), date(2032, 12, 31)))
def test_every_day_has_a_next_slate_and_no_slate_lies_between(day):
    after = SlateCalendar().nearest(day)[1]
    assert after is not None
    assert after > day
    between = ((day + timedelta(days=number)) for number in range(1, (after - day).days))
    assert not any(is_season_day(other) for other in between)


def test_the_file_keeps_dates_and_first_tipoffs(tmp_path):
    assert load(tmp_path).tipoffs == {}
    save(tmp_path / "home", {date(2025, 1, 5): TIP, date(2025, 1, 7): None})
    assert load(tmp_path / "home").tipoffs == {date(2025, 1, 5): TIP, date(2025, 1, 7): None}
    assert load(tmp_path / "home").first_tipoff(date(2025, 1, 5)) == TIP
    assert load(tmp_path / "home").first_tipoff(date(2025, 1, 6)) is None
    assert [path.name for path in (tmp_path / "home").iterdir()] == [slate_calendar.FILE]


@pytest.mark.parametrize("text", ["", "[]", '{"2025-13-01": null}', '{"2025-01-05": "soon"}'])
def test_a_broken_file_is_refused_with_the_next_step(tmp_path, text):
    (tmp_path / slate_calendar.FILE).write_text(text)
    with pytest.raises(BadInput, match="nba-ml ingest"):
        load(tmp_path)
