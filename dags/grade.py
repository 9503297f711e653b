"""# nba_grade: predictions against results.

**What.** Compares every prediction of a slate, blocked ones too and each system apart, with the result and with two
lines: the one that the prediction saw and the closing one. Writes `nba_predictions.prediction_accuracy`. A result
equal to the line is a push. A moved or postponed game, and a player who was traded, ruled out or did not play, are void,
with the reason in `void_reason`. Neither counts in a hit rate. Then the guards compare
each version in play with the one that serves, on the same rows: a challenger that is surely worse is rolled back, and
an alert says so (`nba_ops.alerts`).

**When.** For each slate whose predictions (`nba_predict`, `nba_update`) or results (`nba_ingest`) are new. Before its
results are due, at 06:00 in New York the morning after, it is skipped. By hand, trigger it with `slate`. A correction of a
box score makes a new revision of the grade; grading again with nothing changed writes nothing, and no grade ever changes
a prediction.

**When it fails**

- *GateRefused*: results of the slate are not in yet, or not complete. `nba-ml ingest --from … --to …` for that date,
  then clear the task.
- *Unavailable*: a lock or the network. Three tries are over: see who holds the lock, clear the task.
- Green with nothing graded: the slate was never predicted. Trigger `nba_predict` for it; its replay is graded apart
  from live.

The same by hand: `nba-ml grade --slate 2025-01-05`, `nba-ml release judge`.
"""

from typing import Any

from airflow.sdk import PartitionedAssetTimetable, dag, task
from nba_assets import GRADES, PREDICTIONS, RESULTS
from nba_context import open_context, report, slate, tell, today
from nba_deadline import slate_due
from nba_defaults import DAG_DEFAULTS, optional_date

from nba_ml.calendar import day_before


@dag(
    dag_id="nba_grade",
    dag_display_name="NBA 4 · grade",
    description="Grade one slate against results and lines",
    doc_md=__doc__,
    schedule=PartitionedAssetTimetable(assets=RESULTS | PREDICTIONS),
    deadline=slate_due("grade"),
    tags=["nba", "grading"],
    params={
        "slate": optional_date("Slate", "Date of the games in New York; empty = yesterday"),
    },
    **DAG_DEFAULTS,
)
def nba_grade() -> None:
    """Build the DAG."""

    @task(inlets=[PREDICTIONS], outlets=[GRADES])
    def grade(params: dict, partition_key: str | None = None, outlet_events: Any = None) -> dict:
        """Grade every prediction of the slate; skipped before its results are due."""
        from airflow.sdk.exceptions import AirflowSkipException

        from nba_ml.calendar import now, results_known_at
        from nba_ml.grading import grade as run

        chosen = slate(params, partition_key) or day_before(today())
        if now() < results_known_at(chosen):
            raise AirflowSkipException(f"the results of {chosen} are due at {results_known_at(chosen).isoformat()}")
        done = run(open_context(), chosen)
        tell(outlet_events, GRADES, [done["slate_date"]])
        return report(done)

    @task
    def guard() -> dict:
        """Let the guards look at each version beside the one that serves; one that is surely worse is rolled back."""
        from nba_ml.registry.guards import judge

        done = judge(open_context())
        return report({name: done[name] for name in ("serving", "challenger", "rolled_back", "entry", "alerts")})

    grade() >> guard()


nba_grade()
