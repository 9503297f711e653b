"""# nba_ingest: raw data in.

**What.** Reads schedule, box scores, betting lines and player status of a span of dates from the source that
`NBA_ML_SOURCE` names, checks all of it, and only then writes it to `nba_raw`. Nothing is half-loaded: what fails a
check leaves the tables as they were.

**When.** Daily at 07:30 in New York, in the off season too: yesterday's results, what the league has corrected in those
of the week before, and the schedule and lines of today and the next two days; after an outage from where the box scores
end. For a backfill, trigger it with `from` and `to`; the span may be years long, and loading dates again changes
nothing. Each slate that was predicted, and whose results are new, corrected or not all graded yet, is told to
`nba_grade` as a partition of `nba_results`.

**When it fails**

- *BadInput*: the message names file, row and field. Mend the source and clear the task. Rows that break a row rule do
  not fail the run: they are in `nba_ops.quarantine`, counted in the log.
- *GateRefused*: a table-wide rule of `expectations/` said stop; the log links the Data Docs, which show the rows.
- *Unavailable*: the warehouse was locked or the network did not answer. It has been tried three times: see who holds
  the lock, clear the task.
- Scheduled games without rows are no failure. They are listed as `games_without_rows`; `nba-ml coverage` says whether
  they matter.

The same by hand: `nba-ml ingest --from 2024-01-01 --to 2024-01-31`.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import dag, task
from nba_assets import RESULTS
from nba_context import brief, day, open_context, report, tell, today
from nba_deadline import slate_due
from nba_defaults import DAG_DEFAULTS, optional_date
from nba_runtime_timetable import RuntimePartitionTimetable


@dag(
    dag_id="nba_ingest",
    dag_display_name="NBA 1 · ingest",
    description="Schedule, box scores and lines of a span of dates into nba_raw",
    doc_md=__doc__,
    schedule=RuntimePartitionTimetable("30 7 * * *", timezone="America/New_York"),
    deadline=slate_due("ingest"),
    tags=["nba", "ingest"],
    params={
        "from": optional_date("From", "First game date; empty = eight days ago, or where the box scores end"),
        "to": optional_date("To", "Last game date; empty = the day after tomorrow"),
    },
    **DAG_DEFAULTS,
)
def nba_ingest() -> None:
    """Build the DAG."""

    @task(outlets=[RESULTS], execution_timeout=timedelta(hours=1))
    def ingest(params: dict, outlet_events: Any = None) -> dict:
        """Read, check and write all raw tables of the span; tell which slates there is something to grade of."""
        from nba_ml.grading import due
        from nba_ml.ingest import daily_span
        from nba_ml.ingest import ingest as run

        context = open_context()
        usual = daily_span(context, today())
        first, last = day(params["from"]) or usual[0], day(params["to"]) or usual[1]
        done = run(context, first, last, run=f"ingest:{first}:{last}")
        tell(outlet_events, RESULTS, due(context, first, last, done["changed"]))
        return report(brief(done))

    ingest()


nba_ingest()
