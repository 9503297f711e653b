"""The timetable of a second run of each slate, shortly before its first tip-off."""

from datetime import date, timedelta
from typing import Any

from nba_slate_timetable import SlateTimetable
from pendulum import DateTime, instance

_DAY = timedelta(days=1)


class TipoffTimetable(SlateTimetable):
    """One run on each slate date, some minutes before the slate can't be predicted live any more: its first tip-off, else noon in New York.

    The tip-offs are those of the calendar that each ingest writes, so that a slate whose first tip-off is moved gets its run at the new hour.

    Parameters
    ----------
    minutes : int
        How long before.
    """

    def __init__(self, minutes: int) -> None:
        super().__init__("00:00")
        self._before = timedelta(minutes=minutes)

    @property
    def summary(self) -> str:
        """What the Airflow UI shows as the schedule."""
        return f"slates, {self._before // timedelta(minutes=1)} min before the first tip-off"

    def serialize(self) -> dict[str, Any]:
        """Return what `deserialize` needs."""
        return {"minutes": self._before // timedelta(minutes=1)}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> "TipoffTimetable":
        """Build the timetable again from what `serialize` returned."""
        return cls(data["minutes"])

    def _get_next(self, current: DateTime) -> DateTime:
        return self._walk(current, _DAY, lambda tick: tick > current)

    def _get_prev(self, current: DateTime) -> DateTime:
        return self._walk(current, -_DAY, lambda tick: tick < current)

    def _walk(self, current: DateTime, step: timedelta, fits: Any) -> DateTime:
        """Go from slate to slate, from the day of `current` on, until the tick of one fits."""
        slates = self._calendar()
        day = current.in_timezone(self._timezone).date()
        for _ in range(self.longest_gap_days):
            if slates.is_slate(day):
                tick = self._tick(day, slates.live_until(day))
                if fits(tick):
                    return tick
            day += step
        raise self._no_slate(current)

    def _tick(self, day: date, limit: Any) -> DateTime:
        """Return the tick of a slate; on its own day, so that its key is the slate date even where the tip-off is nonsense."""
        local = instance(limit - self._before).in_timezone(self._timezone)
        if local.date() != day:
            local = DateTime.create(day.year, day.month, day.day, tz=self._timezone).add(hours=12)
        return local.in_timezone("UTC")
