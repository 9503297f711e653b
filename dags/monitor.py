"""# nba_monitor: whether it is still as good as it was.

**What.** Marks in `nba_ops.expected_runs` what had to be done by now and was not, by what the tables show: a paused DAG,
a deleted schedule and an empty feed are missed runs, and an alert says so. Looks at the graded slates up to yesterday
and brings `nba_ops.performance_daily` up to date: errors of every system over the last 7, 14 and 30 slates, paired with
the line and with the moving average, with intervals; probabilities, intervals, closing-line value; who was accounted
for, lines and freshness. Looks whether features, points and errors of the last slate have drifted from what the
released version was made on (`nba_ops.drift_metrics`, docs/drift.md). Then does what `[[monitor]]` of gates.toml says:
warns, asks `nba_train` for a training, stops publication until a person lifts the stop, or takes the version out. On
Mondays it writes the report of the week to the store, and tells of it.

**When.** At a quarter past 10, 11, 13, 15, 17, 18 and 20 in New York: after what is due in the morning, and between the
hour at which predictions are due and the first tip-off, for every tip-off from noon to 22:00 (docs/rhythm.md). It looks
whether or not anything else ran, at what is graded by then, and waits for no other DAG, since a monitor that waits for
what has died says nothing. In the off season nothing is expected or graded, and it ends green.
When it is dead itself, `nba-ml heartbeat` says so. Trigger it with `until` to look at an earlier date. Running it again writes nothing.

**When it fails**

- *Unavailable*: a lock or the network. Three tries are over: see who holds the lock, clear the task.
- Green without windows: nothing of this season is graded up to that date. See `nba_grade`.
- *retrain* skipped: no training is asked for, or it was asked for already.
- *ArtefactError* in *drift*: the backtest of the released version is not the one that was published. The message names
  the command that goes back.
- Publication is stopped: `nba-ml alerts` lists the stop and why; `nba-ml alerts close CAUSE --reason TEXT` lifts it.

The same by hand: `nba-ml monitor`.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import CronTriggerTimetable, dag, task
from nba_assets import GRADES, RETRAINING
from nba_context import day, open_context, report
from nba_deadline import within
from nba_defaults import DAG_DEFAULTS, optional_date
from nba_step import step

STEPS = "nba_ml.monitoring.steps"


@dag(
    dag_id="nba_monitor",
    dag_display_name="NBA 6 · monitor",
    description="Missed runs, performance, drift, and what follows from them",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("15 10,11,13,15,17,18,20 * * *", timezone="America/New_York"),
    deadline=within(timedelta(hours=1)),
    tags=["nba", "monitoring"],
    params={
        "until": optional_date("Until", "Last slate to look at; empty = the last with results"),
    },
    **DAG_DEFAULTS,
)
def nba_monitor() -> None:
    """Build the DAG."""

    @task(inlets=[GRADES])
    def start(params: dict) -> dict:
        """Say up to which slate is looked."""
        from nba_ml.monitoring import steps

        return report(steps.start(open_context(), day(params["until"])))

    missed = step(STEPS, "missed", "Mark what had to be done by now and was not, and alert of it.")
    performance = step(STEPS, "performance", "Bring nba_ops.performance_daily up to date.")

    drift = step(STEPS, "drift", "Look at the last graded slate, and write nba_ops.drift_metrics.")
    consequences = step(STEPS, "consequences", "Warn, ask for a training, stop publication, or take the version out.")

    report_step = step(STEPS, "report", "On Mondays, write the report of the week and tell of it.")

    @task(outlets=[RETRAINING])
    def retrain(done: dict, run_id: str | None = None, outlet_events: Any = None) -> str:
        """Ask nba_train for a training, and say why: once for each opening of a cause."""
        from airflow.sdk.exceptions import AirflowSkipException

        from nba_ml.monitoring import requests

        cause = requests.take(open_context(), str(run_id)) if done["retrain"] else None
        if not cause:
            raise AirflowSkipException("no training is asked for, or another run has asked for it")
        outlet_events[RETRAINING].extra = {"cause": cause}
        return cause

    started = start()
    missed(started)
    done = consequences(drift(performance(started)))
    retrain(done)
    report_step(done)


nba_monitor()
