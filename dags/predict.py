"""# nba_predict: a slate's predictions.

**What.** Finds the games and players of one slate (a date in New York), builds their features, checks them, scores
them with all systems and the released model, forms the consensus, marks its quality, and publishes it to
`nba_predictions.player_prop_predictions`. Nothing is published before the last check has passed, and then in one
transaction.

**When.** At 09:00 in New York on every day with games: at least two hours before any first tip-off. The partition key
is the slate date. For another slate, give its date as partition key, or as `slate`: a past one is replayed as it would
have been predicted two hours before its first tip-off, and is marked as a replay; a backfill over a span makes exactly
its slates. Running a slate again with nothing new known changes nothing. A slate without games ends green, with no rows.

**When it fails**

- *refresh*: as in `nba_ingest`. A live slate starts from today's schedule, lines and reports, or not at all.
- *build_features* or *validate* with *GateRefused*: upstream is stale, inputs changed under way, or the features
  break a rule of `expectations/`. The message has figure, threshold and next step, usually `nba-ml ingest --from …
  --to …`; then clear the task. One stale team blocks its own players only.
- *score* with *ArtefactError*: the released model is missing, altered or made for other features. Nothing was
  published. `nba-ml release show`, then `nba-ml release rollback --reason …`.
- *Unavailable*: a lock or the network. Three tries are over: see who holds the lock, clear the task.

The same by hand: `nba-ml predict --slate 2025-01-05`.
"""

from datetime import date

from airflow.sdk import Param, dag, task
from nba_assets import FEATURES, MODEL, PREDICTIONS, RESULTS
from nba_context import brief, mode, open_context, report, slate, today
from nba_defaults import DAG_DEFAULTS
from nba_slate_timetable import SlateTimetable
from nba_step import step

from nba_ml.calendar import day_before

STEPS = "nba_ml.slate.steps"


@dag(
    dag_id="nba_predict",
    dag_display_name="NBA 3 · predict",
    description="Score, check and publish one slate",
    doc_md=__doc__,
    schedule=SlateTimetable("09:00"),
    tags=["nba", "prediction"],
    params={
        "slate": Param(
            None, type=["null", "string"], format="date", title="Slate", description="Date of the games in New York; empty = today"
        ),
        "mode": Param(
            "auto", enum=["auto", "live", "replay"], title="Mode", description="auto = a past slate is replayed, any other is live"
        ),
        "as_of": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="As of",
            description="Use only what was known then; empty = now for live, two hours before the first tip-off for a replay",
        ),
    },
    **DAG_DEFAULTS,
)
def nba_predict() -> None:
    """Build the DAG."""

    @task(inlets=[RESULTS])
    def refresh(params: dict, partition_key: str | None = None) -> str:
        """Bring in what a live slate is predicted from: results of the day before, schedule, lines and reports; return the slate."""
        from nba_ml.ingest import ingest

        chosen = slate(params, partition_key) or today()
        if mode(params, chosen) == "live":
            report(brief(ingest(open_context(), day_before(chosen), chosen, run=f"refresh:{chosen}")))
        return chosen.isoformat()

    @task(inlets=[MODEL])
    def open_slate(chosen: str, params: dict) -> dict:
        """Find the games, the moment that the slate is predicted from, and the released model."""
        from nba_ml.slate import steps

        slate_date = date.fromisoformat(chosen)
        return report(steps.open_slate(open_context(), slate_date, mode(params, slate_date), params["as_of"]))

    build_features = step(STEPS, "build_features", "Find the players and build their features.", outlets=[FEATURES])
    validate = step(STEPS, "validate", "Check features and lines; rows that break a row rule are kept out.")
    score = step(STEPS, "score", "Predict with all systems of the released version.")
    consensus = step(STEPS, "consensus", "Form the published number, with agreement and spread.")
    quality = step(STEPS, "quality", "Give each pick its tier and named reasons.")
    publish = step(STEPS, "publish", "Check what is staged, and publish it in one transaction.", outlets=[PREDICTIONS])

    publish(quality(consensus(score(validate(build_features(open_slate(refresh())))))))


nba_predict()
