"""What `nba-ml doctor` tries on Google: each permission by itself, with the command that grants it."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from nba_ml import calendar
from nba_ml.context import Context
from nba_ml.errors import NbaMlError, PermissionMissing

if TYPE_CHECKING:
    from nba_ml.warehouse.bigquery import BigQueryWarehouse

_EDITOR = "roles/bigquery.dataEditor"


@dataclass(frozen=True)
class Trial:
    """One permission.

    Attributes
    ----------
    check : str
        Its name in the doctor's answer.
    look : callable
        Tries it and says what it found; raises where the permission is missing.
    grant : str
        The command that gives the smallest role that holds it.
    opens : bool
        Whether the trials that follow can't be made where this one fails.
    """

    check: str
    look: Callable[[], str]
    grant: str
    opens: bool = False


def trials(context: Context) -> dict[str, Iterator[Trial]]:
    """Return what is to be tried of each service that the settings name, in the order in which one trial rests on another."""
    found: dict[str, Iterator[Trial]] = {}
    if context.settings.warehouse == "bigquery":
        found["bigquery"] = _bigquery(context)
    if context.settings.store_url.startswith("gs://"):
        found["gcs"] = _gcs(context)
    return found


def _bigquery(context: Context) -> Iterator[Trial]:
    """Yield the trials of BigQuery; a table of their own holds one row, and goes with the last, or by itself after an hour."""
    from nba_ml.warehouse.bigquery_names import STAGING

    def opened() -> "BigQueryWarehouse":
        return cast("BigQueryWarehouse", context.warehouse)

    yield Trial("bigquery: credentials", lambda: f"jobs are billed to the project {opened().client.project}", "", opens=True)
    warehouse = opened()
    client, dataset = warehouse.client, warehouse.names.dataset(STAGING)
    table = f"`{dataset}.doctor_{uuid.uuid4().hex}`"
    row = f"SELECT one FROM {table}"  # noqa: S608  the name is made here

    def on_project(role: str) -> str:
        return f"gcloud projects add-iam-policy-binding {client.project} --member=serviceAccount:… --role={role} --condition=None"

    def job() -> str:
        client.run("SELECT 1 AS one", what="running a job")
        return f"jobs run in {client.project}"

    def create() -> str:
        hour = "OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 HOUR))"
        client.run(f"CREATE TABLE {table} (one INT64) {hour}", what=f"creating a table in {dataset}")
        return f"tables can be created in {dataset}"

    def write() -> str:
        client.run(f"INSERT INTO {table} (one) VALUES (1)", what=f"writing to {dataset}")  # noqa: S608  the name is made here
        return f"rows can be written to {dataset}"

    def read() -> str:
        replace(client, reader=None).query(row, what=f"reading {dataset}")
        return f"rows can be read from {dataset}"

    def read_streams() -> str:
        if client.reader is None:
            return "this service has no Storage Read API: results come over REST"
        own = replace(client)
        own.query(row, what="reading through the Storage Read API")
        if own.reader is None:
            raise PermissionMissing(
                f"BigQuery, reading through the Storage Read API in {client.project}: permission denied. Results come over REST, slower, "
                "until the account has roles/bigquery.readSessionUser"
            )
        return "results can be read through the Storage Read API"

    def drop() -> str:
        client.run(f"DROP TABLE {table}", what=f"dropping a table of {dataset}")
        return f"tables can be dropped in {dataset}"

    editor = f"bq query --use_legacy_sql=false \"GRANT \\`{_EDITOR}\\` ON SCHEMA \\`{dataset}\\` TO 'serviceAccount:…'\""
    yield Trial("bigquery: run a job", job, on_project("roles/bigquery.jobUser"), opens=True)
    yield Trial("bigquery: create a table", create, editor, opens=True)
    yield Trial("bigquery: write", write, editor)
    yield Trial("bigquery: read", read, editor)
    yield Trial("bigquery: storage read", read_streams, on_project("roles/bigquery.readSessionUser"))
    yield Trial("bigquery: drop a table", drop, editor)


def _gcs(context: Context) -> Iterator[Trial]:
    """Yield the trials of Cloud Storage, on the object of the day that tries every store."""
    from nba_ml.storage.gcs_errors import PERMISSIONS, grant_of

    yield Trial("gcs: credentials", lambda: f"the store is {context.store.url}", "", opens=True)
    store = context.store
    name, data = f"doctor/{calendar.now():%Y-%m-%d}.txt", b"Written by `nba-ml doctor` to try the store.\n"

    def create() -> str:
        store.create(name, data)
        return f"objects can be created in {store.url}"

    def read() -> str:
        if store.read(name) != data:
            raise NbaMlError(f"{store.url_of(name)} reads back other than it was written: delete it by hand")
        return f"objects can be read from {store.url}"

    def names() -> str:
        store.list("doctor/")
        return f"objects can be listed in {store.url}"

    bucket = "/".join(store.url.split("/")[:3])
    yield Trial("gcs: list", names, grant_of(bucket, PERMISSIONS["listing"][1]))
    yield Trial("gcs: create", create, grant_of(bucket, PERMISSIONS["creating"][1]))
    yield Trial("gcs: read", read, grant_of(bucket, PERMISSIONS["reading"][1]))
