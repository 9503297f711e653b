"""Transactions on BigQuery: writers of a table take turns, and who is cancelled for another's sake tries again."""

import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from google.cloud import bigquery

from nba_ml.errors import NbaMlError, Unavailable
from nba_ml.google_calls import REQUEST_SECONDS
from nba_ml.warehouse import bigquery_sql as sql
from nba_ml.warehouse.bigquery_client import JOB_SECONDS, NO_RETRY, BigQueryClient
from nba_ml.warehouse.bigquery_errors import Missing, WriteConflict, tried
from nba_ml.warehouse.bigquery_load import Content, load
from nba_ml.warehouse.bigquery_names import Names
from nba_ml.warehouse.bigquery_values import Parameter
from nba_ml.warehouse.schema import Table

log = logging.getLogger(__name__)
T = TypeVar("T")

LEASE_SECONDS = JOB_SECONDS + 60
"""How long a load may have the turn: longer than its job may run."""

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 3.0


@dataclass(frozen=True)
class Writer:
    """Writes to tables in turn.

    Attributes
    ----------
    client : BigQueryClient
    names : Names
    wait_seconds : float
        How long to try again while other writers are at it.
    """

    client: BigQueryClient
    names: Names
    wait_seconds: float

    def transact(
        self, what: str, turns: Sequence[str], statements: Sequence[str], parameters: Sequence[Parameter] = ()
    ) -> bigquery.QueryJob:
        """Run statements in one transaction that holds the `turns`; return the job.

        Raises
        ------
        WriteConflict
            If other writers did not let it through within `wait_seconds`; nothing was changed.
        """
        script = sql.transaction([*map(sql.take_turn, sorted(turns)), *statements])
        return self._in_turn(turns, lambda: self.client.run(script, parameters, what))

    def inserted(self, job: bigquery.QueryJob, what: str) -> int:
        """Return how many rows the statements of a finished transaction inserted."""

        def children() -> list[bigquery.QueryJob]:
            return list(self.client.client.list_jobs(parent_job=job.job_id, retry=NO_RETRY, timeout=REQUEST_SECONDS))

        return sum(child.dml_stats.inserted_row_count for child in tried(what, children) if child.dml_stats)

    def load_fresh(self, table: Table, content: Content, bounds: Sequence[Parameter]) -> bool:
        """Load rows straight into a table that has no row yet where they go; return False, with nothing done, where it has.

        A transaction can hold no load job. So the turn is leased meanwhile, in the name of the content: a task that is run again gets it too,
        and finds its own job. Where it is unknown what became of the job, the lease is left to run out.
        """
        what, turn, target = f"loading {table.name}", self.names.turn(table.name), self.names.table(table.name)
        holder = [bigquery.ScalarQueryParameter("holder", "STRING", content.key)]
        seconds = bigquery.ScalarQueryParameter("seconds", "INT64", LEASE_SECONDS)

        def lease() -> None:
            if not self.client.run(sql.lease_turn(turn), [*holder, seconds], what).num_dml_affected_rows:
                raise WriteConflict(f"BigQuery, {what}: {sql.LEASED}; nothing was changed. Run the same command again in a minute")

        def is_there() -> bool:
            return bool(self.client.query(sql.any_kept(self.names, table), bounds, what)["there"].item())

        self._in_turn([turn], lease)
        known = True
        try:
            fresh = not is_there()
            if fresh:
                known = False
                load(self.client, table, content, target, replace=False, is_there=is_there)
                known = True
        except NbaMlError as error:
            known = known or not isinstance(error, Unavailable)
            raise
        finally:
            if known:
                self._in_turn([turn], lambda: self.client.run(sql.return_turn(turn), holder, what))
            else:
                log.warning("BigQuery, %s: it is not known what became of it; writers of other rows may wait for %d s", what, LEASE_SECONDS)
        return fresh

    def _in_turn(self, turns: Sequence[str], write: Callable[[], T]) -> T:
        """Call `write` until no other writer is in its way; make the turns where they are not there yet."""
        deadline = time.monotonic() + self.wait_seconds
        pause = _FIRST_PAUSE_SECONDS
        to_make, made = False, False
        while True:
            try:
                if to_make:
                    # Others make them at the same moment: that too is a conflict to wait out.
                    for turn in turns:
                        self._make(turn)
                    to_make, made = False, True
                return write()
            except WriteConflict as conflict:
                if time.monotonic() >= deadline:
                    raise WriteConflict(
                        f"{conflict} (waited {self.wait_seconds:g} s; NBA_ML_LOCK_WAIT_SECONDS sets how long)"
                    ) from conflict
            except Missing as missing:
                if made or not any(turn.rpartition(".")[2] in str(missing) for turn in turns):
                    raise
                to_make = True
                continue
            # Jitter keeps writers from knocking in step.
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311
            pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)

    def _make(self, turn: str) -> None:
        what = f"making {turn}"
        self.client.run(sql.make_turn(turn), (), what)
        made = bigquery.Table(turn)
        made.expires = None  # else it goes when load tables go
        tried(what, lambda: self.client.client.update_table(made, ["expires"], retry=NO_RETRY, timeout=REQUEST_SECONDS))
