"""# nba_predict: a slate's predictions.

**What.** Finds the games and players of one slate (a date in New York), builds their features, checks them, scores
them with all systems and the released model, forms the consensus, marks its quality, and publishes it to
`nba_predictions.player_prop_predictions`. Nothing is published before the last check has passed, and then in one
transaction.

**When.** At 09:00 in New York on every day with games: at least two hours before any first tip-off; `nba_update` does
it again shortly before. The partition key is the slate date. For another slate, give its date as partition key, or as
`slate`: a past one is replayed as it would have been predicted two hours before its first tip-off, and is marked as a
replay; a backfill over a span makes exactly its slates. Running a slate again with nothing new known changes nothing. A
slate without games ends green, with no rows. Live is what is written before the first tip-off: a run that comes later,
or is overtaken by it, becomes a replay by itself, and an alert says that the slate was missed live.

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

from airflow.sdk import dag
from nba_deadline import slate_due
from nba_defaults import DAG_DEFAULTS
from nba_slate_tasks import slate_params, slate_tasks
from nba_slate_timetable import SlateTimetable


@dag(
    dag_id="nba_predict",
    dag_display_name="NBA 3 · predict",
    description="Score, check and publish one slate",
    doc_md=__doc__,
    schedule=SlateTimetable("09:00"),
    deadline=slate_due("predict"),
    tags=["nba", "prediction"],
    params=slate_params(),
    **DAG_DEFAULTS,
)
def nba_predict() -> None:
    """Build the DAG."""
    slate_tasks()


nba_predict()
