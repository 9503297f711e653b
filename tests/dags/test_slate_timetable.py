"""The slate timetable: exactly the days with games, in New York's hours, and keys that are slates."""

from datetime import date, datetime, timedelta

import pytest

from nba_ml import slate_calendar
from nba_ml.calendar import NEW_YORK

pytestmark = pytest.mark.airflow

DAYS = [date(2025, 3, 6), date(2025, 3, 8), date(2025, 3, 9), date(2025, 3, 10), date(2025, 3, 13)]
"""The clocks change on 9 March."""


@pytest.fixture
def timetable(dag_bag, tmp_path, monkeypatch):
    from nba_slate_timetable import SlateTimetable

    monkeypatch.setenv("NBA_ML_HOME", str(tmp_path))
    slate_calendar.save(tmp_path, dict.fromkeys(DAYS))
    return SlateTimetable("09:00")


def keys(timetable, first, last):
    bounds = (datetime.combine(day, datetime.min.time(), NEW_YORK) for day in (first, last))
    earliest, latest = bounds
    return [info.partition_key for info in timetable.iter_partition_dagrun_infos(earliest=earliest, latest=latest)]


def test_a_backfill_makes_exactly_the_slates(timetable):
    assert keys(timetable, DAYS[0], DAYS[-1] + timedelta(days=1)) == [day.isoformat() for day in DAYS]


def test_runs_follow_each_other_from_slate_to_slate_at_new_yorks_hour(timetable):
    from airflow.timetables.base import TimeRestriction

    restriction = TimeRestriction(earliest=None, latest=None, catchup=True)
    info = timetable.next_dagrun_info_v2(
        last_dagrun_info=None, restriction=restriction._replace(earliest=timetable.resolve_partition_date(DAYS[0].isoformat()))
    )
    ticks = [info]
    for _ in DAYS[1:]:
        ticks.append(timetable.next_dagrun_info_v2(last_dagrun_info=ticks[-1], restriction=restriction))
    assert [tick.partition_key for tick in ticks] == [day.isoformat() for day in DAYS]
    assert [tick.run_after.astimezone(NEW_YORK).replace(tzinfo=None) for tick in ticks] == [
        datetime.combine(day, datetime.min.time()).replace(hour=9) for day in DAYS
    ]


def test_a_typed_key_gets_the_date_of_the_scheduled_run(timetable):
    for day in DAYS:
        assert timetable.resolve_partition_date(day.isoformat()).astimezone(NEW_YORK).hour == 9


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("2025-03-07", "nearest slates are 2025-03-06 and 2025-03-08"),
        ("2025-3-8", "2025-03-08"),
        ("tomorrow", "'tomorrow' is not a slate date: write the date of its games in New York"),
        ("2025-02-30", "'2025-02-30' is not a slate date"),
        ("", "'' is not a slate date"),
    ],
)
def test_a_key_that_is_no_slate_is_refused_with_a_sentence(timetable, key, words):
    from airflow.exceptions import InvalidPartitionKeyError

    with pytest.raises(InvalidPartitionKeyError, match=words):
        timetable.resolve_partition_date(key)


def test_a_new_schedule_counts_at_once(timetable, tmp_path):
    slate_calendar.save(tmp_path, dict.fromkeys([*DAYS, date(2025, 3, 12)]))
    assert "2025-03-12" in keys(timetable, DAYS[0], DAYS[-1])


def test_it_survives_serialization(timetable):
    again = type(timetable).deserialize(timetable.serialize())
    assert again.summary == timetable.summary == "slates, 09:00 New York"
    assert keys(again, DAYS[0], DAYS[-1]) == keys(timetable, DAYS[0], DAYS[-1])


@pytest.mark.parametrize(
    ("first", "last", "slates"),
    [
        (date(2025, 3, 8), date(2025, 3, 10), ["2025-03-08", "2025-03-09", "2025-03-10"]),  # to summer time on the 9th
        (date(2025, 11, 1), date(2025, 11, 3), ["2025-11-01", "2025-11-02", "2025-11-03"]),  # and back on the 2nd
        (date(2025, 11, 26), date(2025, 11, 28), ["2025-11-26", "2025-11-28"]),  # Thanksgiving
        (date(2025, 2, 12), date(2025, 2, 20), ["2025-02-12", "2025-02-13", "2025-02-19", "2025-02-20"]),  # All-Star
        (date(2025, 6, 29), date(2025, 10, 22), ["2025-10-21", "2025-10-22"]),  # off season
    ],
)
def test_by_the_rule_alone_every_tick_is_at_nine_and_odd_days_have_none(timetable, tmp_path, first, last, slates):
    slate_calendar.save(tmp_path, {})
    bounds = (datetime.combine(day, datetime.min.time(), NEW_YORK) for day in (first, last + timedelta(days=1)))
    infos = list(timetable.iter_partition_dagrun_infos(**dict(zip(("earliest", "latest"), bounds, strict=True))))
    assert [info.partition_key for info in infos] == slates
    assert {info.run_after.astimezone(NEW_YORK).strftime("%H:%M") for info in infos} == {"09:00"}
