"""Rows on their way into BigQuery: parquet load jobs under ids that stand for their content.

A task that is run again finds the job that it started before, and waits for it instead of starting another.
"""

import hashlib
import io
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl
from google.cloud import bigquery

from nba_ml import calendar
from nba_ml.errors import NbaMlError
from nba_ml.google_calls import REQUEST_SECONDS
from nba_ml.warehouse.bigquery_client import JOB_SECONDS, NO_RETRY, BigQueryClient, failure_of, labels_of
from nba_ml.warehouse.bigquery_errors import Missing, explained, transient, tried
from nba_ml.warehouse.bigquery_select import TYPES
from nba_ml.warehouse.schema import Table

ATTEMPTS = 50
"""How often one content may be loaded into one table on one day before something is taken to be wrong."""

FAILURES = 3
"""How often a load is started anew that BigQuery itself gave up with an internal error."""


@dataclass(frozen=True)
class Content:
    """Rows as parquet, and the hash that names them."""

    parquet: bytes
    key: str

    @classmethod
    def of(cls, rows: pl.DataFrame) -> "Content":
        """Write rows as parquet. The hash holds the day of loading: a load table lives for two days, so one of today is there for a day more."""
        buffer = io.BytesIO()
        rows.write_parquet(buffer, compression="snappy", statistics=False)
        return cls(buffer.getvalue(), f"{calendar.now():%Y%m%d}_{hashlib.sha256(buffer.getvalue()).hexdigest()[:32]}")


def schema_of(table: Table) -> list[bigquery.SchemaField]:
    """Return a table's columns as BigQuery describes them."""
    return [
        bigquery.SchemaField(item.name, TYPES[item.type], mode="REQUIRED" if item.required else "NULLABLE", description=item.description)
        for item in table.columns
    ]


def load(client: BigQueryClient, table: Table, content: Content, target: str, *, replace: bool, is_there: Callable[[], bool]) -> None:
    """Load rows into a table.

    Parameters
    ----------
    target : str
        Full name of the table.
    replace : bool
        Put the rows in the place of what the table has; else add them.
    is_there : callable
        Whether the rows are in the target; asked where an earlier job with this content has ended well, since its rows may be gone again.
    """
    what = f"loading {table.name}"
    own = uuid.uuid4().hex
    config = bigquery.LoadJobConfig(
        schema=schema_of(table),
        source_format=bigquery.SourceFormat.PARQUET,
        write_disposition="WRITE_TRUNCATE" if replace else "WRITE_APPEND",
        labels=labels_of(client.labels) | {"attempt": own},
        job_timeout_ms=JOB_SECONDS * 1000,
    )
    dataset, _, short = target.rpartition(".")
    failures = 0
    for number in range(ATTEMPTS):
        id_ = f"nba_ml_load_{dataset.rpartition('.')[2]}_{short}_{content.key}_{number}"

        def start(id_: str = id_) -> Any:
            return client.client.load_table_from_file(
                io.BytesIO(content.parquet),
                target,
                size=len(content.parquet),
                num_retries=0,
                job_id=id_,
                job_config=config,
                timeout=REQUEST_SECONDS,
            )

        job = client.joined(what, id_, start)
        earlier = (job.labels or {}).get("attempt") != own and job.state == "DONE"
        failure = failure_of(client.finish(job, what))
        if failure is None and (not earlier or is_there()):
            return
        if failure is None or earlier:
            continue
        failures += 1
        if failures == FAILURES or not transient(failure):
            raise explained(failure, what, failures, 0) from failure
    raise NbaMlError(f"BigQuery, {what}: these rows were loaded {ATTEMPTS} times today and are gone again; look at {target}")


def load_aside(client: BigQueryClient, table: Table, content: Content, target: str) -> None:
    """Load rows into a load table of their own; one that holds them already is taken as it is."""

    def is_there() -> bool:
        try:
            tried(f"reading {target}", lambda: client.client.get_table(target, retry=NO_RETRY, timeout=REQUEST_SECONDS))
        except Missing:
            return False
        return True

    load(client, table, content, target, replace=True, is_there=is_there)
