"""The steps of the monitor, in their order: missed, performance, drift, consequences, report.

Each is a function of the context and of a dict with "until", the last slate that is looked at, and returns the dict with what it found. Each
may be run again at any time, by whomever: what was found already is written and told once, what was done and not told is told, and a request for
a training stands until a run takes it on.
"""

from datetime import date
from typing import Any

from nba_ml import calendar
from nba_ml.context import Context
from nba_ml.coverage import default_until
from nba_ml.monitoring import consequences as gates
from nba_ml.monitoring import drift as metrics
from nba_ml.monitoring import expected, weekly
from nba_ml.monitoring import performance as windows
from nba_ml.monitoring.ping import ping

Ref = dict[str, Any]


def start(context: Context, until: date | None = None) -> Ref:
    """Return what the first step takes: the last slate to look at, by default the last one that can have results."""
    return {"until": (until or default_until(context)).isoformat()}


def missed(context: Context, ref: Ref) -> Ref:
    """Plan the next days in nba_ops.expected_runs, mark what is missing and alert of it once; give a sign of life where nothing is overdue."""
    found = expected.missed(context)
    if not found["overdue"]:
        ping(context.settings)
    return {**ref, "missed": found}


def performance(context: Context, ref: Ref) -> Ref:
    """Bring nba_ops.performance_daily up to date; see `performance.refresh` for what is added."""
    return {**ref, **windows.refresh(context, date.fromisoformat(ref["until"]))}


def drift(context: Context, ref: Ref) -> Ref:
    """Look at the last graded slate, and write nba_ops.drift_metrics; see `drift.refresh` for what is added. Nothing graded, nothing to look at."""
    if ref["slate_date"] is None:
        return {**ref, "version": None, "drift": {}, "drift_rows": 0}
    return {**ref, **metrics.refresh(context, date.fromisoformat(ref["slate_date"]), ref["mode"])}


def consequences(context: Context, ref: Ref) -> Ref:
    """Do what follows from both; see `consequences.follow` for what is added."""
    if ref["slate_date"] is None:
        return {**ref, "judged": [], "breached": [], "alerts": [], "resolved": [], "stopped": [], "retrain": None, "rolled_back": None}
    return {**ref, **gates.follow(context, date.fromisoformat(ref["slate_date"]), ref["mode"])}


def report(context: Context, ref: Ref) -> Ref:
    """On Mondays, write the report of the week and tell of it once; see `weekly.tell` for what is added."""
    if ref["slate_date"] is None:
        return {**ref, "week": None, "report": None}
    today = calendar.slate_date(calendar.now())
    return {**ref, **weekly.tell(context, date.fromisoformat(ref["slate_date"]), ref["mode"], today)}


STEPS = (missed, performance, drift, consequences, report)


def monitor(context: Context, until: date | None = None) -> Ref:
    """Run all steps: what `nba-ml monitor` does."""
    context.warehouse.ensure()
    ref = start(context, until)
    for step in STEPS:
        ref = step(context, ref)
    return ref
