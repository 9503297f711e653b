"""Opens a BigQuery project: with Application Default Credentials, with ready clients, or on an emulator with none."""

import os
from collections.abc import Mapping

from google.auth import default as application_default
from google.auth.credentials import AnonymousCredentials, Credentials
from google.cloud import bigquery
from google.cloud.bigquery_storage_v1 import BigQueryReadClient

from nba_ml.errors import UsageError
from nba_ml.settings import Settings
from nba_ml.warehouse.bigquery_client import BigQueryClient
from nba_ml.warehouse.bigquery_errors import tried

EMULATOR = "BIGQUERY_EMULATOR_HOST"
"""Variable with an emulator's address, as Google's client library reads it."""

STORAGE_EMULATOR = "BIGQUERY_STORAGE_EMULATOR_HOST"
"""Variable with the host:port of an emulator's Storage Read API; without it, rows of an emulator are read over REST."""

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def open_client(
    settings: Settings,
    *,
    client: bigquery.Client | None = None,
    reader: BigQueryReadClient | None = None,
    labels: Mapping[str, str] | None = None,
) -> BigQueryClient:
    """Open the project that the settings name, with Application Default Credentials, or on an emulator with none.

    Parameters
    ----------
    client, reader : optional
        Ready clients, as from Airflow's hooks; a `client` without a `reader` reads over REST, save on an emulator that has a Storage Read API.
    labels : mapping of str to str, optional
        See `BigQueryClient`; any text is brought into BigQuery's form.

    Raises
    ------
    UsageError
        If no project is named, or there are no credentials.
    """
    emulated = os.environ.get(EMULATOR)
    credentials: Credentials = AnonymousCredentials()
    if client is None:
        project = settings.project
        if emulated:
            project = project or os.environ.get("GOOGLE_CLOUD_PROJECT")
        else:
            credentials, found = tried("looking for credentials", lambda: application_default(scopes=[_SCOPE]))
            project = project or found
        if not project:
            raise UsageError("no project is named: set NBA_ML_PROJECT to the id of a Google project, as in `gcloud projects list`")
        client = bigquery.Client(project=project, credentials=credentials, location=settings.location)
        reader = reader or (None if emulated else BigQueryReadClient(credentials=credentials))
    if reader is None and emulated:
        reader = _emulated_reader()
    return BigQueryClient(client, reader, settings.maximum_bytes_billed, dict(labels or {}))


def _emulated_reader() -> BigQueryReadClient | None:
    address = os.environ.get(STORAGE_EMULATOR)
    if not address:
        return None
    import grpc
    from google.cloud.bigquery_storage_v1.services.big_query_read.transports import BigQueryReadGrpcTransport

    unlimited = [("grpc.max_receive_message_length", -1)]
    return BigQueryReadClient(transport=BigQueryReadGrpcTransport(channel=grpc.insecure_channel(address, options=unlimited)))
