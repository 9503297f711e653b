"""# nba_train: a model version, if history allows.

**What.** Asks the coverage gate whether each season since 2021-22 is complete enough, refreshes the feature store,
checks the training set, backtests the systems walk-forward, fits the model, holds it to the gates, publishes an
immutable version to the object store, and releases it. Where a person approves releases (`NBA_ML_APPROVAL=person`),
the version is published and waits for a person: `nba_approve` asks, `nba-ml release approve` answers by hand.

**When.** Mondays at 11:00 in New York, after the week's results (`NBA_ML_RETRAIN=daily`: every day; `off`: by hand only),
and when `nba_monitor` asks for it: the cause goes into the model card and the release log. Trigger it with `until` to
train on history up to that date only. The same history gives the same version: a second run, and every run of the off
season, finds it published and changes nothing.

**When it fails**

- *coverage* with *GateRefused*: dates are missing. The message names them and the `nba-ml ingest` command that fills
  them. Nothing downstream has started. Run the command (or `nba_ingest` with that span), then clear the task.
- *validate* with *GateRefused*: the training set breaks a rule of `expectations/`, such as a constant feature. The
  log links the Data Docs.
- *gate* with *GateRefused*: the model is not better than what it must beat. The report in the log shows where. What
  is released stays released.
- *Unavailable*: a lock or the network. Three tries are over: see who holds the lock, clear the task.

The same by hand: `nba-ml train --until 2025-01-05`.
"""

from datetime import date, timedelta
from typing import Any

from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable, Param, dag, task
from nba_assets import FEATURES, MODEL, RESULTS, RETRAINING
from nba_context import brief, day, open_context, report
from nba_deadline import within
from nba_defaults import DAG_DEFAULTS, optional_date
from nba_step import step

from nba_ml.settings import load_settings

STEPS = "nba_ml.training.steps"
LONG = timedelta(hours=2)
HOURS = {"weekly": "0 11 * * 1", "daily": "0 11 * * *"}
HOUR = HOURS.get(load_settings().retrain)


@dag(
    dag_id="nba_train",
    dag_display_name="NBA 2 · train",
    description="Coverage gate, features, backtest, fit, gates, publish, release",
    doc_md=__doc__,
    schedule=AssetOrTimeSchedule(timetable=CronTriggerTimetable(HOUR, timezone="America/New_York"), assets=[RETRAINING]) if HOUR else None,
    deadline=within(timedelta(hours=2)),
    tags=["nba", "training"],
    params={
        "until": optional_date("Until", "Last game date to learn from; empty = the last one that has results"),
        "cause": Param(
            None,
            type=["null", "string"],
            minLength=1,
            title="Cause",
            description="Why; empty = what the monitor says where it asked for the run",
        ),
    },
    **DAG_DEFAULTS,
)
def nba_train() -> None:
    """Build the DAG."""

    @task(inlets=[RESULTS])
    def coverage(params: dict) -> str:
        """Refuse history that is too thin; return the last date to learn from."""
        from nba_ml.coverage import default_until, require

        context = open_context()
        until = day(params["until"]) or default_until(context)
        report(brief(require(context, until)))
        return until.isoformat()

    @task(outlets=[FEATURES])
    def features(until: str) -> dict:
        """Bring the feature store up to date."""
        from nba_ml.features import store

        context = open_context()
        return report(store.refresh(context, context.source.first_date(), date.fromisoformat(until)))

    @task
    def plan(until: str, params: dict, triggering_asset_events: Any = None) -> dict:
        """Name the version: a hash of the data, the code and the parameters; note why it is trained."""
        from nba_ml.training import steps

        asked = (triggering_asset_events or {}).get(RETRAINING, [])
        causes = [params["cause"], *(event.extra.get("cause") for event in asked)]
        return steps.plan(open_context(), date.fromisoformat(until), cause="; ".join(filter(None, causes)) or None)

    validate = step(STEPS, "validate", "Check the training set against its suite.")
    backtest = step(STEPS, "backtest", "Predict the last weeks walk-forward, each day from what came before it.", execution_timeout=LONG)
    fit = step(STEPS, "fit", "Fit all systems on the whole of history.", execution_timeout=LONG)
    gate = step(STEPS, "gate", "Hold the backtest to the gates.")
    publish = step(STEPS, "publish", "Write the version to the store, manifest last.")
    release = step(STEPS, "release", "Append the version to the release log, or leave it to a person.", outlets=[MODEL])

    until = coverage()
    planned = plan(until)
    (
        features(until)
        >> planned
        >> validate(planned)
        >> backtest(planned)
        >> fit(planned)
        >> gate(planned)
        >> publish(planned)
        >> release(planned)
    )


nba_train()
