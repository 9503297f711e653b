"""Seasons, slate dates and the hours that decide what was known: all date arithmetic about slates is here.

A slate date is the calendar date of the games in America/New_York, whatever the clock says in UTC.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")

FIRST_SEASON = 2021
"""The backfill that the coverage gate asks for starts with the season that opened in this year."""

BOOTSTRAP_DAYS = 14
"""First days of a season that no coverage is expected of: rosters and feeds still settle."""

LEAD = timedelta(hours=2)
"""A live slate is predicted this long before its first tip-off; replays and backtests look from the same hour."""

_OPENERS = {
    2017: date(2017, 10, 17),
    2018: date(2018, 10, 16),
    2019: date(2019, 10, 22),
    2020: date(2020, 12, 22),
    2021: date(2021, 10, 19),
    2022: date(2022, 10, 18),
    2023: date(2023, 10, 24),
    2024: date(2024, 10, 22),
    2025: date(2025, 10, 21),
}

_REGULAR_SEASON_DAYS = 172
_NO_TIPOFF_HOUR = time(12)
"""No game of any season tips off earlier in New York."""

_RESULTS_HOUR = time(6)
_LEAST_SCHEDULED_SHARE = 0.75
_LEAST_DAYS_TO_JUDGE_A_SCHEDULE = 21


def opener(season_year: int) -> date:
    """Return the first game date of the season that opens in `season_year`.

    Known openers are listed; others fall on the Tuesday of 18 to 24 October, the rule that the listed ordinary seasons since 2019 follow.
    """
    if season_year in _OPENERS:
        return _OPENERS[season_year]
    earliest = date(season_year, 10, 18)
    return earliest + timedelta(days=(1 - earliest.weekday()) % 7)


def season_year(day: date) -> int:
    """Return the year of the opener of the season that `day` belongs to; the off season belongs to the season before it."""
    return day.year if day >= opener(day.year) else day.year - 1


def season_name(year: int) -> str:
    """Write the season that opens in `year` as in ``2021-22``."""
    return f"{year}-{(year + 1) % 100:02d}"


def season_before(season: str) -> str:
    """Return the name of the season before one that is written as in ``2021-22``."""
    return season_name(int(season[:4]) - 1)


def season_of(day: date) -> str:
    """Return the name of the season that `day` belongs to."""
    return season_name(season_year(day))


def regular_season_end(year: int) -> date:
    """Return the day by which the regular season that opens in `year` is over: the length of an ordinary one."""
    return opener(year) + timedelta(days=_REGULAR_SEASON_DAYS)


def slate_date(moment: datetime) -> date:
    """Return the slate date at `moment`.

    Raises
    ------
    ValueError
        If `moment` carries no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone: a slate date can't be told from it")
    return moment.astimezone(NEW_YORK).date()


_held: datetime | None = None


def now() -> datetime:
    """Return the present moment, in UTC; the simulated one inside of `clock_at`."""
    return _held or datetime.now(UTC)


def held() -> datetime | None:
    """Return the moment that the clock is held at by `clock_at`, in UTC; None where it runs."""
    return _held


@contextmanager
def clock_at(moment: datetime) -> Iterator[None]:
    """Hold the clock at a moment, for all threads of this process: a season can be lived through in an hour.

    Raises
    ------
    ValueError
        If `moment` carries no time zone.
    """
    global _held
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone: the clock can't be held there")
    before, _held = _held, moment.astimezone(UTC)
    try:
        yield
    finally:
        _held = before


def at_new_york(day: date, hour: time) -> datetime:
    """Return the moment of a New York wall-clock time, in UTC."""
    return datetime.combine(day, hour, NEW_YORK).astimezone(UTC)


def results_known_at(game_date: date) -> datetime:
    """Return when the results of a game date count as known: 06:00 the next morning in New York.

    No game is still going then, and no slate's cut-off is earlier than that.
    """
    return at_new_york(game_date + timedelta(days=1), _RESULTS_HOUR)


def schedule_known_at(game_date: date, season_type: str) -> datetime:
    """Return when a scheduled game counts as known.

    The regular season is published before it opens. Who plays a play-in, playoff or cup final game is known the day before;
    reading it earlier would leak results.
    """
    if season_type == "Regular Season":
        return at_new_york(opener(season_year(game_date)) - timedelta(days=30), _NO_TIPOFF_HOUR)
    return results_known_at(game_date - timedelta(days=2))


def lead_as_of(slate: date, first_tipoff: datetime | None) -> datetime:
    """Return the moment that a slate is predicted from: two hours before its first tip-off, or noon in New York where that is unknown."""
    if first_tipoff is None:
        return at_new_york(slate, _NO_TIPOFF_HOUR)
    return first_tipoff.astimezone(UTC) - LEAD


def live_until(slate: date, first_tipoff: datetime | None) -> datetime:
    """Return the moment from which a slate can't be predicted live: its first tip-off, or noon in New York where that is unknown."""
    return at_new_york(slate, _NO_TIPOFF_HOUR) if first_tipoff is None else first_tipoff.astimezone(UTC)


def end_of(day: date) -> datetime:
    """Return the first moment at which all results up to and including `day` are known."""
    return results_known_at(day)


def day_before(day: date) -> date:
    """Return the date before `day`: the last one whose results a prediction for `day` may use."""
    return day - timedelta(days=1)


def days_back(day: date, days: int) -> date:
    """Return the first date of the `days` days that end with `day`."""
    return day - timedelta(days=days - 1)


def windows(first: date, last: date, days: int) -> list[tuple[date, date]]:
    """Cut a span into windows of `days` days anchored at `first`; the last one may be shorter.

    Anchored at the start, so that no window depends on where the span ends.
    """
    if days < 1:
        raise ValueError(f"a window has at least one day, not {days}")
    cuts = []
    start = first
    while start <= last:
        cuts.append((start, min(start + timedelta(days=days - 1), last)))
        start += timedelta(days=days)
    return cuts


def window_start(day: date, days: int) -> date:
    """Return the first day of the window that holds `day`, where the calendar is cut into windows of `days` days once and for all.

    The first of them began on Monday 0001-01-01, so windows of whole weeks begin on a Monday.
    """
    return day - timedelta(days=(day.toordinal() - 1) % days)


@dataclass(frozen=True)
class ExpectedSeason:
    """What the coverage gate expects of one season.

    Attributes
    ----------
    season : str
        As in ``2021-22``.
    dates : tuple of date
        Expected game dates, ascending.
    short : bool
        The opener is past, and the schedule is absent or too thin to be a season's: coverage counts as 0.
    """

    season: str
    dates: tuple[date, ...]
    short: bool


def expected_seasons(scheduled: Iterable[date], until: date) -> list[ExpectedSeason]:
    """Return the expected game dates of every season since `FIRST_SEASON` that has expected dates by `until`.

    Parameters
    ----------
    scheduled : iterable of date
        Dates of all scheduled games (regular season, play-in, playoffs, cup final).
    until : date
        Last date that is looked at.

    Notes
    -----
    Expected are the distinct scheduled dates outside the first `BOOTSTRAP_DAYS` days of the season. A real schedule has games on nine of ten
    days of a regular season; one with fewer than three of four is short.
    """
    distinct = sorted({day for day in scheduled if day <= until})
    seasons = []
    for year in range(FIRST_SEASON, season_year(until) + 1):
        first = opener(year) + timedelta(days=BOOTSTRAP_DAYS)
        if first > until:
            continue
        last_regular = min(until, regular_season_end(year))
        days = (last_regular - first).days + 1
        dates = tuple(day for day in distinct if first <= day < opener(year + 1))
        regular = sum(day <= last_regular for day in dates)
        thin = days >= _LEAST_DAYS_TO_JUDGE_A_SCHEDULE and regular < _LEAST_SCHEDULED_SHARE * days
        seasons.append(ExpectedSeason(season_name(year), dates, short=thin or not dates))
    return seasons
