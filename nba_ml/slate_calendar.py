"""Which dates are slates, for whoever plans runs and can't ask the warehouse: Airflow's scheduler reads a small file that each ingest writes.

The file repeats nba_raw.schedule and decides nothing else: deleted, it comes back with the next ingest.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path

from nba_ml import atomic, calendar
from nba_ml.errors import BadInput

FILE = "slates.json"

_PLAYOFF_DAYS = 76
"""The finals are over by then, counted from the end of the regular season (longest since 2021: 74 days)."""

_SEARCH_DAYS = 200

HOLE_DAYS = 3
"""So many days in a row without a game, where games are usual and earlier and later ones are known, are a hole in what was ingested. No regular
season since 2021-22 had two such days in a row."""


def is_season_day(day: date) -> bool:
    """Tell whether games are usual on a date: the rule where the schedule does not reach.

    Off season, Thanksgiving, Christmas Eve, and Friday to Tuesday around the All-Star Sunday (the third of February) have none.
    """
    year = calendar.season_year(day)
    if day > calendar.regular_season_end(year) + timedelta(days=_PLAYOFF_DAYS):
        return False
    if day == _weekday_of_month(day.year, 11, 3, 4) or (day.month, day.day) == (12, 24):
        return False
    return abs((day - _weekday_of_month(day.year, 2, 6, 3)).days) > 2


def _weekday_of_month(year: int, month: int, weekday: int, number: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def holes(scheduled: Iterable[date]) -> list[date]:
    """Return the days of regular seasons that are missing between dates with games: see `HOLE_DAYS`."""
    found: list[date] = []
    days = sorted(set(scheduled))
    for before, after in pairwise(days):
        year = calendar.season_year(before)
        if year < calendar.FIRST_SEASON or year != calendar.season_year(after) or after > calendar.regular_season_end(year):
            continue
        between = (before + timedelta(days=number) for number in range(1, (after - before).days))
        usual = [day for day in between if is_season_day(day)]
        found += usual if len(usual) >= HOLE_DAYS else []
    return found


@dataclass(frozen=True)
class SlateCalendar:
    """Scheduled dates with their first tip-offs.

    Attributes
    ----------
    tipoffs : dict of date to datetime or None
        Every scheduled game date → its first tip-off in UTC, None where no tip-off is known.
    """

    tipoffs: Mapping[date, datetime | None] = field(default_factory=dict)

    def is_slate(self, day: date) -> bool:
        """Tell whether there are games on a date.

        Between the first and the last scheduled date of a season its schedule decides; outside of them, in a season without one, and in a
        hole of the schedule (`holes`), the rule of `is_season_day` does.
        """
        known = self._spans.get(calendar.season_year(day))
        if known and known[0] <= day <= known[1]:
            return day in self.tipoffs or self.is_hole(day)
        return is_season_day(day)

    def is_hole(self, day: date) -> bool:
        """Tell whether a date is one of those that are missing in the schedule."""
        return day in self._holes

    def first_tipoff(self, day: date) -> datetime | None:
        """Return the first tip-off of a date in UTC, None where it is not known."""
        return self.tipoffs.get(day)

    def live_until(self, day: date) -> datetime:
        """Return when a date can't be predicted live any more, see `nba_ml.calendar.live_until`."""
        return calendar.live_until(day, self.first_tipoff(day))

    def nearest(self, day: date) -> tuple[date | None, date | None]:
        """Return the last slate before a date and the first one after it."""
        reach = [timedelta(days=days) for days in range(1, _SEARCH_DAYS)]
        before = next((day - step for step in reach if self.is_slate(day - step)), None)
        return before, next((day + step for step in reach if self.is_slate(day + step)), None)

    @cached_property
    def _holes(self) -> frozenset[date]:
        return frozenset(holes(self.tipoffs))

    @cached_property
    def _spans(self) -> dict[int, tuple[date, date]]:
        """The first and last scheduled date of each season, by the year of its opener."""
        spans: dict[int, tuple[date, date]] = {}
        for day in sorted(self.tipoffs):
            year = calendar.season_year(day)
            spans[year] = (spans.get(year, (day, day))[0], day)
        return spans


def save(home: Path, tipoffs: Mapping[date, datetime | None]) -> None:
    """Write the calendar of a home, whole or not at all."""
    document = {day.isoformat(): moment and moment.astimezone(UTC).isoformat() for day, moment in sorted(tipoffs.items())}
    with atomic.whole(home / FILE) as aside:
        aside.write_text(json.dumps(document, indent=0) + "\n", "utf-8")


def load(home: Path) -> SlateCalendar:
    """Read the calendar of a home; empty where nothing was ingested yet.

    Raises
    ------
    BadInput
        If the file is not what `save` writes.
    """
    path = home / FILE
    try:
        return _parse(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return SlateCalendar()


@lru_cache(maxsize=4)
def _parse(path: Path, _modified: int) -> SlateCalendar:
    try:
        document = json.loads(path.read_text("utf-8"))
        return SlateCalendar(
            {date.fromisoformat(day): datetime.fromisoformat(moment) if moment else None for day, moment in document.items()}
        )
    except (ValueError, AttributeError, TypeError) as error:
        raise BadInput(f"{path}: {error}. Delete the file: the next `nba-ml ingest` writes it again") from error
