"""# nba_update: a slate's predictions, once more before the first tip-off.

**What.** The tasks of `nba_predict`, with the lines, injuries and line-ups of the last hours. New inputs make a new run
beside the earlier ones, and the last one before the tip-off counts. With nothing new known it is the same run again, and
nothing changes. What was published when: `nba_predictions.v_pick_history`.

**When.** 75 minutes before the first tip-off of each slate, by the schedule as the last ingest saw it; where no tip-off
is known, 75 minutes before noon in New York. The partition key is the slate date. A run that comes after the first
tip-off becomes a replay by itself; an alert says so unless the morning's run was live.

**When it fails**

- The morning's predictions stay as they are, and count. Mend what the message names, as in `nba_predict`, and clear the
  task before the first tip-off; after it there is nothing to gain.
- *score* with *ArtefactError*: the released model is missing, altered or made for other features:
  `nba-ml release show`, then `nba-ml release rollback --reason …`.
- *Unavailable*: a lock or the network. Three tries are over: see who holds the lock, clear the task.

The same by hand: `nba-ml ingest --from D --to D`, then `nba-ml predict --slate D`.
"""

from airflow.sdk import dag
from nba_deadline import slate_due
from nba_defaults import DAG_DEFAULTS
from nba_slate_tasks import slate_params, slate_tasks
from nba_tipoff_timetable import TipoffTimetable

MINUTES_BEFORE = 75


@dag(
    dag_id="nba_update",
    dag_display_name="NBA 3b · update",
    description="Score a slate again with what is new before its first tip-off",
    doc_md=__doc__,
    schedule=TipoffTimetable(MINUTES_BEFORE),
    deadline=slate_due("update"),
    tags=["nba", "prediction"],
    params=slate_params(),
    **DAG_DEFAULTS,
)
def nba_update() -> None:
    """Build the DAG."""
    slate_tasks()


nba_update()
