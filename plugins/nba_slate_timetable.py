"""The timetable of daily DAGs about one slate: a run on each day with games, whose partition key is the slate date."""

from datetime import datetime
from typing import Any

from airflow._shared.timezones.timezone import coerce_datetime
from airflow.exceptions import InvalidPartitionKeyError
from airflow.timetables.trigger import CronPartitionTimetable
from pendulum import DateTime

from nba_ml import slate_calendar
from nba_ml.settings import load_settings
from nba_ml.slate_calendar import SlateCalendar


class SlateTimetable(CronPartitionTimetable):
    """One run on each slate date, at an hour of New York; summer, the All-Star break and other days without games are stepped over.

    Which dates are slates is read from the calendar that each ingest writes (`nba_ml.slate_calendar`); beyond it a rule decides.

    Parameters
    ----------
    at : str
        Time of day, as in ``09:00``.
    """

    longest_gap_days = 400

    def __init__(self, at: str) -> None:
        hour, minute = at.split(":")
        super().__init__(f"{int(minute)} {int(hour)} * * *", timezone="America/New_York", key_format="%Y-%m-%d")
        self._at = at

    @property
    def summary(self) -> str:
        """What the Airflow UI shows as the schedule."""
        return f"slates, {self._at} New York"

    def serialize(self) -> dict[str, Any]:
        """Return what `deserialize` needs."""
        return {"at": self._at}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> "SlateTimetable":
        """Build the timetable again from what `serialize` returned."""
        return cls(data["at"])

    def _calendar(self) -> SlateCalendar:
        return slate_calendar.load(load_settings().home_folder)

    def _get_next(self, current: DateTime) -> DateTime:
        return self._to_slate(super()._get_next(current), super()._get_next)

    def _get_prev(self, current: DateTime) -> DateTime:
        return self._to_slate(super()._get_prev(current), super()._get_prev)

    def _to_slate(self, tick: DateTime, step: Any) -> DateTime:
        """Step from tick to tick until one is on a slate date."""
        slates = self._calendar()
        for _ in range(self.longest_gap_days):
            if slates.is_slate(tick.in_timezone(self._timezone).date()):
                return tick
            tick = step(tick)
        raise self._no_slate(tick)

    def _no_slate(self, moment: DateTime) -> ValueError:
        return ValueError(f"no slate within {self.longest_gap_days} days of {moment}: see {slate_calendar.FILE} in NBA_ML_HOME")

    def _decode_partition_date(self, partition_key: str) -> datetime:
        """Return the tick of a slate, so that a hand-made run and a scheduled one of the same slate carry the same partition date.

        Raises
        ------
        InvalidPartitionKeyError
            If the key is no date, or there are no games on it; the message names the nearest slates.
        """
        try:
            midnight = coerce_datetime(super()._decode_partition_date(partition_key))
        except InvalidPartitionKeyError as error:
            raise InvalidPartitionKeyError(
                f"{partition_key!r} is not a slate date: write the date of its games in New York, as in 2025-01-05"
            ) from error
        day = midnight.in_timezone(self._timezone).date()
        if day.isoformat() != partition_key:
            raise InvalidPartitionKeyError(f"{partition_key!r} is not a slate date: write it as {day.isoformat()}")
        slates = self._calendar()
        if not slates.is_slate(day):
            before, after = slates.nearest(day)
            raise InvalidPartitionKeyError(f"there are no games on {partition_key}; the nearest slates are {before} and {after}")
        return self._align_to_next(midnight)
