"""What has to be done by when, for each slate: the deadlines that Airflow's DAGs, the monitor and the heartbeat share.

Light to import: the scheduler asks it too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from nba_ml import calendar
from nba_ml.gates import load_gates
from nba_ml.slate_calendar import SlateCalendar

INGEST, PREDICT, UPDATE, GRADE, MONITOR, TRAIN = KINDS = ("ingest", "predict", "update", "grade", "monitor", "train")
"""What is expected of a slate, in the order of the day; `TRAIN` of each training day after slates."""

DAYS_BACK = 8
"""Yesterday and the week before it, which a day's ingest reads: the league corrects box scores, and a postponed game is given up on the sixth day."""

DAYS_AHEAD = timedelta(days=2)
"""It reads schedule, lines and reports up to the day after tomorrow."""

_DAY = timedelta(days=1)
_WEEK = 7


@dataclass(frozen=True)
class Due:
    """One thing that has to be done.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    slate_date : date
        The slate that it is about; for `TRAIN` the day itself.
    due_at : datetime
        By when, in UTC.
    """

    kind: str
    slate_date: date
    due_at: datetime


def due_at(kind: str, day: date, live_until: datetime) -> datetime:
    """Return by when something has to be done.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    day : date
        Slate date; for `TRAIN` the day itself.
    live_until : datetime
        When the slate can't be predicted live any more.
    """
    if kind in (PREDICT, UPDATE):
        return live_until - _lead(kind)
    return calendar.at_new_york(day if kind == TRAIN else day + _DAY, time.fromisoformat(load_gates()["expected"][f"{kind}_by"]))


def live_until(kind: str, due: datetime) -> datetime:
    """Return until when a slate can be live of which `PREDICT` or `UPDATE` is due at `due`."""
    return due + _lead(kind)


def _lead(kind: str) -> timedelta:
    return timedelta(minutes=load_gates()["expected"][f"{kind}_minutes_before"])


def is_expected(slates: SlateCalendar, day: date) -> bool:
    """Tell whether there must be games on a date.

    In the playoffs that holds of scheduled dates alone: who plays when is known a day or two ahead, and not every day has games. In the regular
    season the calendar's rule counts where the schedule does not reach, so that a schedule that stopped to come is missed.
    """
    if not slates.is_slate(day):
        return False
    return day in slates.tipoffs or day <= calendar.regular_season_end(calendar.season_year(day))


def expected(slates: SlateCalendar, first: date, last: date) -> Iterator[Due]:
    """Yield what is expected of a span of dates; nothing of the off season, the All-Star break and other days without games."""
    for offset in range((last - first).days + 1):
        day = first + offset * _DAY
        if is_expected(slates, day):
            for kind in (INGEST, PREDICT, UPDATE, GRADE, MONITOR):
                yield Due(kind, day, due_at(kind, day, slates.live_until(day)))
        if day.weekday() == load_gates()["expected"]["train_weekday"] and _slates_before(slates, day):
            yield Due(TRAIN, day, due_at(TRAIN, day, slates.live_until(day)))


def last_slate_before(slates: SlateCalendar, day: date) -> date | None:
    """Return the last slate of the week before a date, None if it had none."""
    found = _slates_before(slates, day)
    return found[-1] if found else None


def _slates_before(slates: SlateCalendar, day: date) -> list[date]:
    return [before for before in (day - number * _DAY for number in range(_WEEK, 0, -1)) if is_expected(slates, before)]
