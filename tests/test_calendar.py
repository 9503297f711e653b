"""Calendar: midnight, daylight saving time and the UTC rollover, openers, expected dates, windows."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_ml import calendar

DAYS = st.dates(date(2017, 1, 1), date(2035, 12, 31))
MOMENTS = st.builds(datetime.combine, DAYS, st.times(), st.just(UTC))


@pytest.mark.parametrize(
    ("moment", "slate"),
    [
        (datetime(2024, 1, 6, 0, 30, tzinfo=UTC), date(2024, 1, 5)),  # 19:30 in New York: the UTC date is a day ahead
        (datetime(2024, 1, 6, 4, 59, 59, tzinfo=UTC), date(2024, 1, 5)),
        (datetime(2024, 1, 6, 5, tzinfo=UTC), date(2024, 1, 6)),
        (datetime(2024, 6, 18, 3, 59, 59, tzinfo=UTC), date(2024, 6, 17)),  # daylight saving time
        (datetime(2024, 6, 18, 4, tzinfo=UTC), date(2024, 6, 18)),
        (datetime(2024, 3, 10, 4, 59, tzinfo=UTC), date(2024, 3, 9)),  # the clocks change on 10 March
        (datetime(2024, 3, 11, 4, tzinfo=UTC), date(2024, 3, 11)),
        (datetime(2024, 11, 4, 4, 59, tzinfo=UTC), date(2024, 11, 3)),
        (datetime(2023, 12, 31, 23, 59, tzinfo=ZoneInfo("America/Los_Angeles")), date(2024, 1, 1)),
    ],
)
def test_slate_date_is_new_yorks(moment, slate):
    assert calendar.slate_date(moment) == slate


def test_naive_moment_has_no_slate_date():
    with pytest.raises(ValueError, match="no time zone"):
        calendar.slate_date(datetime(2024, 1, 5, 12))  # noqa: DTZ001


@given(MOMENTS)
def test_slate_date_is_the_same_in_every_zone(moment):
    assert calendar.slate_date(moment) == calendar.slate_date(moment.astimezone(ZoneInfo("Asia/Tokyo")))


@given(DAYS)
def test_a_day_holds_all_its_hours_and_no_other(day):
    assert calendar.slate_date(calendar.at_new_york(day, time(0))) == day
    assert calendar.slate_date(calendar.at_new_york(day + timedelta(days=1), time(0)) - timedelta(microseconds=1)) == day


def test_wall_clock_follows_daylight_saving_time():
    assert calendar.results_known_at(date(2024, 1, 5)) == datetime(2024, 1, 6, 11, tzinfo=UTC)
    assert calendar.results_known_at(date(2024, 3, 9)) == datetime(2024, 3, 10, 10, tzinfo=UTC)
    assert calendar.results_known_at(date(2024, 11, 2)) == datetime(2024, 11, 3, 11, tzinfo=UTC)


@pytest.mark.parametrize("day", [date(2021, 10, 19), date(2022, 10, 18), date(2023, 10, 24), date(2024, 10, 22), date(2025, 10, 21)])
def test_known_openers(day):
    assert calendar.opener(day.year) == day
    assert calendar.season_year(day) == day.year
    assert calendar.season_year(day - timedelta(days=1)) == day.year - 1


@given(st.integers(2026, 2060))
def test_future_openers_are_tuesdays_of_18_to_24_october(year):
    opener = calendar.opener(year)
    assert opener.weekday() == 1
    assert date(year, 10, 18) <= opener <= date(year, 10, 24)


def test_rule_of_future_openers_holds_for_the_known_ones():
    assert [calendar.opener(year) for year in (2021, 2022, 2023, 2024, 2025)] == [
        date(year, 10, 18) + timedelta(days=(1 - date(year, 10, 18).weekday()) % 7) for year in (2021, 2022, 2023, 2024, 2025)
    ]


@pytest.mark.parametrize(
    ("day", "season"),
    [
        (date(2020, 10, 11), "2019-20"),
        (date(2020, 12, 22), "2020-21"),
        (date(2021, 7, 20), "2020-21"),
        (date(2021, 10, 19), "2021-22"),
        (date(2024, 8, 1), "2023-24"),
        (date(2025, 10, 20), "2024-25"),
        (date(2025, 10, 21), "2025-26"),
    ],
)
def test_season_of_a_day(day, season):
    assert calendar.season_of(day) == season


def test_century_turns():
    assert calendar.season_name(2099) == "2099-00"


@given(DAYS)
def test_seasons_follow_each_other_without_gap(day):
    year = calendar.season_year(day)
    assert calendar.opener(year) <= day < calendar.opener(year + 1)


@given(DAYS, st.sampled_from(["Regular Season", "PlayIn", "Playoffs", "Cup Final"]))
def test_games_are_known_before_they_are_played_and_results_after(day, season_type):
    noon = calendar.at_new_york(day, time(12))
    assert calendar.schedule_known_at(day, season_type) <= noon - timedelta(hours=24)
    assert calendar.results_known_at(day) > calendar.at_new_york(day, time(23, 59))
    assert calendar.results_known_at(day) < calendar.at_new_york(day + timedelta(days=1), time(12))


def test_playoff_pairings_are_not_known_before_the_results_that_make_them():
    day = date(2024, 4, 20)
    assert calendar.schedule_known_at(day, "Playoffs") >= calendar.results_known_at(day - timedelta(days=2))


@given(DAYS, st.times(time(12), time(23)))
def test_lead_is_two_hours_and_after_the_results_of_the_day_before(day, hour):
    tipoff = calendar.at_new_york(day, hour)
    as_of = calendar.lead_as_of(day, tipoff)
    assert tipoff - as_of == timedelta(hours=2)
    assert calendar.end_of(day - timedelta(days=1)) <= as_of < calendar.end_of(day)


def test_lead_without_tipoff_is_noon():
    assert calendar.lead_as_of(date(2024, 1, 5), None) == datetime(2024, 1, 5, 17, tzinfo=UTC)
    assert calendar.lead_as_of(date(2024, 6, 5), None) == datetime(2024, 6, 5, 16, tzinfo=UTC)


@given(DAYS, st.integers(-3, 400), st.integers(1, 60))
def test_windows_tile_the_span(first, length, days):
    last = first + timedelta(days=length)
    cuts = calendar.windows(first, last, days)
    covered = [start + timedelta(days=step) for start, end in cuts for step in range((end - start).days + 1)]
    assert covered == [first + timedelta(days=step) for step in range(length + 1)]
    assert all((end - start).days + 1 == days for start, end in cuts[:-1])


@given(DAYS, st.integers(0, 200), st.integers(1, 100), st.integers(1, 60))
def test_windows_do_not_depend_on_the_end_of_the_span(first, length, further, days):
    short = calendar.windows(first, first + timedelta(days=length), days)
    long = calendar.windows(first, first + timedelta(days=length + further), days)
    assert long[: len(short) - 1] == short[:-1]
    assert long[len(short) - 1][0] == short[-1][0]


def test_window_without_days_is_refused():
    with pytest.raises(ValueError, match="at least one day"):
        calendar.windows(date(2024, 1, 1), date(2024, 1, 2), 0)


@given(DAYS, st.integers(1, 100), st.integers(0, 99))
def test_every_day_of_a_window_of_the_calendar_has_the_same_start(day, days, further):
    start = calendar.window_start(day, days)
    assert timedelta() <= day - start < timedelta(days=days)
    assert calendar.window_start(start + timedelta(days=further % days), days) == start
    assert calendar.window_start(start + timedelta(days=days), days) == start + timedelta(days=days)
    assert days % 7 or start.weekday() == 0


@given(DAYS, st.integers(1, 100))
def test_days_back_counts_the_day_itself(day, days):
    assert (day - calendar.days_back(day, days)).days == days - 1


def season_dates(year: int, share: float = 1.0) -> list[date]:
    days = (calendar.regular_season_end(year) - calendar.opener(year)).days
    return [calendar.opener(year) + timedelta(days=step) for step in range(int(days * share) + 1)]


def test_bootstrap_days_are_not_expected():
    season = calendar.expected_seasons(season_dates(2021), date(2022, 6, 30))[0]
    assert season.season == "2021-22"
    assert season.dates[0] == date(2021, 11, 2)
    assert not season.short


def test_nothing_is_expected_before_the_bootstrap_is_over():
    assert calendar.expected_seasons(season_dates(2021), date(2021, 11, 1)) == []
    assert [season.dates for season in calendar.expected_seasons(season_dates(2021), date(2021, 11, 2))] == [(date(2021, 11, 2),)]


def test_dates_after_until_are_not_expected():
    season = calendar.expected_seasons(season_dates(2021), date(2021, 12, 1))[0]
    assert season.dates[-1] == date(2021, 12, 1)


def test_absent_and_thin_seasons_are_short():
    dates = season_dates(2021) + season_dates(2023, share=0.5)
    assert [(season.season, season.short) for season in calendar.expected_seasons(dates, date(2024, 6, 30))] == [
        ("2021-22", False),
        ("2022-23", True),
        ("2023-24", True),
    ]


def test_a_season_that_has_just_begun_is_not_judged_by_its_length():
    dates = [*season_dates(2021), date(2022, 11, 1)]
    seasons = calendar.expected_seasons(dates, date(2022, 11, 5))
    assert [(season.season, season.short) for season in seasons] == [("2021-22", False), ("2022-23", False)]


@given(st.lists(st.dates(date(2021, 10, 1), date(2024, 7, 1)), max_size=60), st.dates(date(2021, 10, 1), date(2024, 7, 1)))
def test_expected_dates_are_scheduled_distinct_ascending_and_of_their_season(scheduled, until):
    seasons = calendar.expected_seasons(scheduled + scheduled, until)
    for season in seasons:
        assert list(season.dates) == sorted(set(season.dates) & set(scheduled))
        assert all(calendar.season_of(day) == season.season and day <= until for day in season.dates)
        assert season.short or season.dates
    assert [season.season for season in seasons] == sorted({season.season for season in seasons})


def test_the_season_before():
    assert calendar.season_before("2021-22") == "2020-21"
    assert calendar.season_before("2000-01") == "1999-00"


def test_a_held_clock_stands_for_every_thread_and_runs_on_afterwards():
    moment = datetime(2023, 10, 24, 9, tzinfo=calendar.NEW_YORK)
    assert calendar.held() is None
    with calendar.clock_at(moment):
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(calendar.now).result() == calendar.held() == moment
        with pytest.raises(ZeroDivisionError), calendar.clock_at(moment + timedelta(days=1)):
            1 / 0  # noqa: B018
        assert calendar.now() == moment
        assert calendar.now().tzinfo is UTC
    assert abs(calendar.now() - datetime.now(UTC)) < timedelta(minutes=1)
    with pytest.raises(ValueError, match="no time zone"), calendar.clock_at(datetime(2023, 10, 24)):  # noqa: DTZ001
        pass
