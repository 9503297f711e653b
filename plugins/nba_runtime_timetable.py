"""The timetable of a DAG that runs daily and tells, while it runs, which slates it did something for."""

from airflow.timetables.trigger import CronTriggerTimetable


class RuntimePartitionTimetable(CronTriggerTimetable):
    """A plain schedule whose tasks name partition keys themselves, by ``outlet_events[asset].add_partitions(...)``."""

    partitioned_at_runtime = True

    @property
    def summary(self) -> str:
        """What the Airflow UI shows as the schedule."""
        return f"{self._expression} {self._timezone.name}"
