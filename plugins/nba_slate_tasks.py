"""The tasks of a slate, for the DAGs that predict one: in the morning, and again before the first tip-off."""

from datetime import date
from typing import Any

from airflow.sdk import Param, task
from nba_assets import FEATURES, MODEL, PREDICTIONS, RESULTS
from nba_context import brief, open_context, report, slate, tell, today
from nba_defaults import optional_date
from nba_step import step

from nba_ml.calendar import day_before

STEPS = "nba_ml.slate.steps"


def slate_params() -> dict[str, Param]:
    """Return the parameters of a DAG that predicts a slate."""
    known = "Use only what was known then; empty = now for live, two hours before the first tip-off for a replay"
    return {
        "slate": optional_date("Slate", "Date of the games in New York; empty = today"),
        "mode": Param(
            "auto", enum=["auto", "live", "replay"], title="Mode", description="auto = live before the first tip-off, else a replay"
        ),
        "as_of": Param(None, type=["null", "string"], format="date-time", title="As of", description=known),
    }


def slate_tasks() -> Any:
    """Make the tasks of a slate, in their order; to be called inside a DAG."""

    @task(inlets=[RESULTS])
    def refresh(params: dict, partition_key: str | None = None) -> str:
        """Bring in what a live slate is predicted from: results of the day before, schedule, lines and reports; return the slate."""
        from nba_ml.ingest import ingest

        chosen = slate(params, partition_key) or today()
        if params["mode"] == "live" or (params["mode"] == "auto" and chosen >= today()):
            report(brief(ingest(open_context(), day_before(chosen), chosen, run=f"refresh:{chosen}")))
        return chosen.isoformat()

    @task(inlets=[MODEL])
    def open_slate(chosen: str, params: dict) -> dict:
        """Find the games, the moment that the slate is predicted from, and the released model."""
        from nba_ml.slate import steps

        return report(steps.open_slate(open_context(), date.fromisoformat(chosen), params["mode"], params["as_of"]))

    build_features = step(STEPS, "build_features", "Find the players and build their features.", outlets=[FEATURES])
    validate = step(STEPS, "validate", "Check features and lines; rows that break a row rule are kept out.")
    score = step(STEPS, "score", "Predict with all systems of the released version.")
    consensus = step(STEPS, "consensus", "Form the published number, with agreement and spread.")
    quality = step(STEPS, "quality", "Give each pick its tier and named reasons.")

    @task(outlets=[PREDICTIONS])
    def publish(ref: dict, outlet_events: Any = None) -> dict:
        """Check what is staged, and publish it in one transaction; then give a sign of life."""
        from nba_ml.monitoring.ping import after_slate
        from nba_ml.slate import steps

        context = open_context()
        done = steps.publish(context, ref)
        tell(outlet_events, PREDICTIONS, [done["slate_date"]])
        after_slate(context.settings, done)
        return report(done)

    return publish(quality(consensus(score(validate(build_features(open_slate(refresh())))))))
