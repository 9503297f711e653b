"""The timetable of the late update: one run a slate, 75 minutes before its first tip-off, whatever the clocks and the schedule do."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from nba_ml import calendar, slate_calendar
from nba_ml.calendar import NEW_YORK

pytestmark = pytest.mark.airflow

TIPS = {
    date(2025, 3, 8): datetime(2025, 3, 9, 0, 0, tzinfo=UTC),  # 19:00 in New York, on winter time
    date(2025, 3, 9): datetime(2025, 3, 9, 17, 0, tzinfo=UTC),  # 13:00, on summer time: the clocks changed at 02:00
    date(2025, 3, 10): None,
    date(2025, 3, 13): datetime(2025, 3, 13, 23, 30, tzinfo=UTC),
}


@pytest.fixture
def timetable(dag_bag, tmp_path, monkeypatch):
    from nba_tipoff_timetable import TipoffTimetable

    monkeypatch.setenv("NBA_ML_HOME", str(tmp_path))
    slate_calendar.save(tmp_path, TIPS)
    return TipoffTimetable(75)


def following(timetable, earliest, number):
    """Return the runs that the scheduler makes one after another."""
    from airflow.timetables.base import TimeRestriction

    restriction = TimeRestriction(earliest=earliest, latest=None, catchup=True)
    runs = [timetable.next_dagrun_info_v2(last_dagrun_info=None, restriction=restriction)]
    while len(runs) < number:
        runs.append(timetable.next_dagrun_info_v2(last_dagrun_info=runs[-1], restriction=restriction))
    return runs


def at(day, hour):
    return calendar.at_new_york(day, hour)


def test_each_slate_gets_its_run_before_its_own_first_tipoff(timetable):
    from pendulum import instance

    runs = following(timetable, instance(at(date(2025, 3, 8), time(0))), 4)
    assert [run.partition_key for run in runs] == [day.isoformat() for day in TIPS]
    assert [run.run_after.astimezone(NEW_YORK).strftime("%H:%M") for run in runs] == ["17:45", "11:45", "10:45", "18:15"]
    for run, tip in zip(runs, TIPS.values(), strict=True):
        assert tip is None or tip - run.run_after == timedelta(minutes=75)


def test_a_backfill_makes_exactly_the_slates(timetable):
    bounds = (datetime.combine(day, time.min, NEW_YORK) for day in (date(2025, 3, 8), date(2025, 3, 14)))
    found = [info.partition_key for info in timetable.iter_partition_dagrun_infos(**dict(zip(("earliest", "latest"), bounds, strict=True)))]
    assert found == [day.isoformat() for day in TIPS]


def test_a_typed_key_gets_the_date_of_the_scheduled_run_and_others_are_refused(timetable):
    from airflow.exceptions import InvalidPartitionKeyError

    assert timetable.resolve_partition_date("2025-03-09") == TIPS[date(2025, 3, 9)] - timedelta(minutes=75)
    with pytest.raises(InvalidPartitionKeyError, match="nearest slates are 2025-03-10 and 2025-03-13"):
        timetable.resolve_partition_date("2025-03-11")


def test_a_tipoff_that_is_moved_moves_the_run(timetable, tmp_path):
    slate_calendar.save(tmp_path, TIPS | {date(2025, 3, 13): datetime(2025, 3, 14, 1, 0, tzinfo=UTC)})
    assert timetable.resolve_partition_date("2025-03-13") == datetime(2025, 3, 13, 23, 45, tzinfo=UTC)


def test_a_tipoff_on_another_day_keeps_the_key(timetable, tmp_path):
    slate_calendar.save(tmp_path, TIPS | {date(2025, 3, 13): datetime(2025, 3, 13, 4, 30, tzinfo=UTC)})  # 00:30 in New York
    tick = timetable.resolve_partition_date("2025-03-13")
    assert tick.astimezone(NEW_YORK).date() == date(2025, 3, 13)


def test_the_summer_is_stepped_over(timetable, tmp_path):
    from pendulum import instance

    slate_calendar.save(tmp_path, {})
    (run,) = following(timetable, instance(at(date(2025, 7, 10), time(9))), 1)
    assert run.partition_key == calendar.opener(2025).isoformat()


def test_it_survives_serialization(timetable):
    again = type(timetable).deserialize(timetable.serialize())
    assert again.summary == timetable.summary == "slates, 75 min before the first tip-off"
    assert again.resolve_partition_date("2025-03-10") == timetable.resolve_partition_date("2025-03-10")
