"""By when a run has to be done, as Airflow's deadlines: the hours are those of `nba_ml.rhythm`, and a run of the past has none."""

import logging
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from airflow.sdk import AsyncCallback, BaseDeadlineReference, DeadlineAlert, DeadlineReference, deadline_reference
from nba_slack import NbaNotifier

log = logging.getLogger(__name__)


@deadline_reference()
@dataclass(eq=False)
class SlateDue(BaseDeadlineReference):
    """The hour at which something is due for the slate of a run; none for backfills, for runs without a slate, and where it is past.

    The slate is the run's partition key; a scheduled run without one, as of nba_ingest, is about the day before.

    Parameters
    ----------
    kind : str
        One of `nba_ml.rhythm.KINDS`.
    """

    kind: str = "predict"

    required_kwargs = frozenset({"dag_id", "run_id"})

    def serialize_reference(self) -> dict[str, Any]:
        """Return what `deserialize_reference` needs."""
        return super().serialize_reference() | {"kind": self.kind}

    @classmethod
    def deserialize_reference(cls, reference_data: dict[str, Any]) -> "SlateDue":
        """Build the reference again from what `serialize_reference` returned."""
        return cls(reference_data["kind"])

    def _evaluate_with(self, *, session: Any, dag_id: str, run_id: str) -> datetime | None:
        """Return the hour, asked by whatever makes the run: the scheduler must go on whatever the calendar's file holds."""
        from airflow.models import DagRun
        from sqlalchemy import select

        try:
            run = session.scalar(select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))
            return None if run is None else deadline_of(self.kind, str(run.run_type), run.partition_key, run.run_after)
        except Exception:
            log.exception("the deadline of %s of %s is not known: it has none", run_id, dag_id)
            return None


def deadline_of(kind: str, run_type: str, partition_key: str | None, run_after: datetime) -> datetime | None:
    """Return when something is due for a run's slate, see `SlateDue`."""
    from airflow.utils.types import DagRunType

    from nba_ml import calendar, rhythm, slate_calendar
    from nba_ml.settings import load_settings

    if run_type == DagRunType.BACKFILL_JOB.value:
        return None
    if partition_key:
        slate = date.fromisoformat(partition_key)
    elif run_type == DagRunType.SCHEDULED.value:
        slate = calendar.day_before(calendar.slate_date(run_after))
    else:
        return None
    slates = slate_calendar.load(load_settings().home_folder)
    due = rhythm.due_at(kind, slate, slates.live_until(slate))
    return due if due > calendar.now() else None


def slate_due(kind: str) -> DeadlineAlert:
    """Return the deadline of a DAG's runs: when `kind` is due for their slate."""
    return DeadlineAlert(reference=SlateDue(kind), interval=timedelta(0), callback=_tell(), name=f"{kind} is due")


def within(longest: timedelta) -> DeadlineAlert:
    """Return the deadline of runs that have to be done so long after they were queued."""
    return DeadlineAlert(reference=DeadlineReference.DAGRUN_QUEUED_AT, interval=longest, callback=_tell(), name=f"within {longest}")


def _tell() -> AsyncCallback:
    return AsyncCallback(NbaNotifier, kwargs={"event": "deadline missed"})
