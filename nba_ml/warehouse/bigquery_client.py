"""One BigQuery project as the platform uses it: opens the clients, runs one statement at a time, and hands out Arrow.

Statements carry labels and a cap on bytes billed; requests are repeated within bounds under one job id, so that an answer that is lost on the way
never runs a statement twice.
"""

import logging
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import pyarrow as pa
from google.api_core import exceptions
from google.cloud import bigquery
from google.cloud.bigquery_storage_v1 import BigQueryReadClient, types

from nba_ml.errors import Unavailable, UsageError
from nba_ml.google_calls import REQUEST_SECONDS
from nba_ml.warehouse.bigquery_errors import explained, transient, tried
from nba_ml.warehouse.bigquery_values import Parameter, frame, parameter

log = logging.getLogger(__name__)

JOB_SECONDS = 600
"""Longest run of one statement; BigQuery stops it then."""

JOB_TRIES = 3
"""How often a statement is started anew that BigQuery itself gave up with an internal error."""

NO_RETRY: Any = None
"""For Google's clients, which would repeat a request for ten minutes: `tried` repeats it in their place."""

STREAMS = 4
"""Streams that one result is read in at most, where its order does not matter."""

_LABEL_LENGTH = 63


def labels_of(labels: Mapping[str, str]) -> dict[str, str]:
    """Write labels as BigQuery takes them: lower-case letters, digits, ``_`` and ``-``, at most 63 characters, a letter first in a key."""

    def clean(text: str) -> str:
        return re.sub(r"[^a-z0-9_-]", "_", str(text).lower())[:_LABEL_LENGTH]

    return {re.sub(r"^[^a-z]+", "", clean(key)): clean(value) for key, value in labels.items() if re.search(r"[a-z]", clean(key))}


@dataclass
class BigQueryClient:
    """Statements on one project.

    Attributes
    ----------
    client : google.cloud.bigquery.Client
        Jobs run in its project and location.
    reader : BigQueryReadClient or None
        Reads results through the Storage Read API; None reads them over REST.
    maximum_bytes_billed : int
        A statement that would read more is refused.
    labels : dict of str to str
        On every job, for the bill and the audit log: dag, task, slate.
    """

    client: bigquery.Client
    reader: BigQueryReadClient | None
    maximum_bytes_billed: int
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def project(self) -> str:
        """Project that jobs run in and are billed to."""
        return str(self.client.project)

    def query(
        self, sql: str, parameters: Mapping[str, Any] | Sequence[Parameter] = (), what: str = "running a query", *, ordered: bool = False
    ) -> pl.DataFrame:
        """Run one query and return its rows.

        Parameters
        ----------
        sql : str
            GoogleSQL with ``@name`` for parameters and tables in full, as in ``FROM `project.dataset.table` ``.
        parameters : mapping of str to value, or sequence of query parameters
            See `parameter`; give ready ones where a type cannot be told from the value.
        what : str
            The call, for error messages.
        ordered : bool
            Whether the rows have to come in the order of the statement's ORDER BY, which several streams would mix.

        Raises
        ------
        BrokenStatement, Missing, UsageError
            If the statement, a table, a permission or a setting is wrong; the message has the next step.
        Unavailable
            If BigQuery did not answer in time. It is never an empty answer.
        """
        return frame(self.read(self.run(sql, parameters, what), what, streams=1 if ordered else STREAMS))

    def run(
        self,
        sql: str,
        parameters: Mapping[str, Any] | Sequence[Parameter] = (),
        what: str = "running a statement",
        *,
        dry_run: bool = False,
    ) -> bigquery.QueryJob:
        """Run one statement or script to its end and return the job; raises as `query` does.

        With `dry_run`, BigQuery only checks it and says what kind of statement it is and what it would read.
        """
        if isinstance(parameters, Mapping):
            parameters = [parameter(name, value) for name, value in parameters.items()]
        config = bigquery.QueryJobConfig(
            query_parameters=list(parameters),
            labels=labels_of(self.labels),
            maximum_bytes_billed=self.maximum_bytes_billed,
            use_legacy_sql=False,
            dry_run=dry_run,
            job_timeout_ms=JOB_SECONDS * 1000,
        )
        for number in range(1, JOB_TRIES + 1):
            id_ = f"nba_ml_{uuid.uuid4().hex}"

            def start(id_: str = id_) -> bigquery.QueryJob:
                return self.client.query(sql, config, job_id=id_, retry=NO_RETRY, job_retry=NO_RETRY, timeout=REQUEST_SECONDS)

            if dry_run:
                return tried(what, start)
            job = self.finish(self.joined(what, id_, start), what)
            failure = failure_of(job)
            if failure is None:
                return job
            if number == JOB_TRIES or not transient(failure):
                raise explained(failure, what, number, 0) from failure
        raise AssertionError("the last try returns or raises")

    def joined(self, what: str, id_: str, start: Any) -> Any:
        """Start a job, or join the one that has its id already: an earlier try of the same request whose answer was lost."""

        def once() -> Any:
            try:
                return start()
            except exceptions.Conflict as error:
                if "already exists: job" not in str(error).lower():
                    raise
                return self.client.get_job(id_, location=self.client.location, retry=NO_RETRY, timeout=REQUEST_SECONDS)

        return tried(what, once)

    def finish(self, job: Any, what: str) -> Any:
        """Wait until a job is done, whether it succeeded or failed.

        Raises
        ------
        Unavailable
            If it is not done after `JOB_SECONDS`.
        """
        deadline = time.monotonic() + JOB_SECONDS + REQUEST_SECONDS
        pause = 0.05
        while not tried(what, lambda: job.done(retry=NO_RETRY, timeout=REQUEST_SECONDS)):
            if time.monotonic() > deadline:
                raise Unavailable(f"BigQuery, {what}: the job {job.job_id} is not done after {JOB_SECONDS} s; look at it, then run again")
            time.sleep(pause)
            pause = min(pause * 1.5, 1.0)
        return job

    def read(self, job: bigquery.QueryJob, what: str = "reading a result", streams: int = STREAMS) -> pa.Table:
        """Return all rows of a finished query; only with one stream do they keep their order."""
        if self.reader is None:
            return tried(what, lambda: self._read_pages(job))
        try:
            return self._read_streams(self.reader, job, what, streams)
        except UsageError as error:
            if not isinstance(error.__cause__, exceptions.PermissionDenied):
                raise
            log.warning("BigQuery, %s: no permission for the Storage Read API, so REST it is; ask for roles/bigquery.readSessionUser", what)
            self.reader = None
            return self.read(job, what, streams)

    def _read_pages(self, job: bigquery.QueryJob) -> pa.Table:
        # Not `job.result`, which waits two minutes for an answer whatever it is told.
        pages = self.client.list_rows(job.destination, retry=NO_RETRY, timeout=REQUEST_SECONDS)
        return pages.to_arrow(create_bqstorage_client=False)

    def _read_streams(self, reader: BigQueryReadClient, job: bigquery.QueryJob, what: str, streams: int) -> pa.Table:
        table = job.destination
        wanted = types.ReadSession(
            table=f"projects/{table.project}/datasets/{table.dataset_id}/tables/{table.table_id}", data_format=types.DataFormat.ARROW
        )

        def session() -> types.ReadSession:
            return reader.create_read_session(
                parent=f"projects/{self.project}", read_session=wanted, max_stream_count=streams, retry=NO_RETRY, timeout=REQUEST_SECONDS
            )

        opened = tried(what, session)
        schema = pa.ipc.read_schema(pa.py_buffer(opened.arrow_schema.serialized_schema))

        def batches(name: str) -> list[pa.RecordBatch]:
            messages = reader.read_rows(name, retry=NO_RETRY, timeout=JOB_SECONDS)
            return [pa.ipc.read_record_batch(message.arrow_record_batch.serialized_record_batch, schema) for message in messages]

        with ThreadPoolExecutor(max(len(opened.streams), 1)) as pool:
            parts = pool.map(lambda stream: tried(what, lambda: batches(stream.name)), opened.streams)
            return pa.Table.from_batches([batch for part in parts for batch in part], schema)


def failure_of(job: Any) -> exceptions.GoogleAPICallError | None:
    """Return why a finished job failed, or None if it did not."""
    error = job.exception(timeout=REQUEST_SECONDS)
    return error if isinstance(error, exceptions.GoogleAPICallError) else None
