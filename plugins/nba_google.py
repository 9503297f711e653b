"""Google clients with the credentials of the connection `google_cloud_default`, for tasks on BigQuery or GCS.

The provider is imported inside the function: it takes seconds, and the embedded default does without.
"""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nba_ml.clients import Clients
    from nba_ml.settings import Settings

CONNECTION = "google_cloud_default"


def open_clients(settings: "Settings") -> "Clients":
    """Open the clients that the settings need, from Airflow's hooks; inside a task only.

    Project, credentials and impersonation chain are the connection's; NBA_ML_PROJECT and NBA_ML_LOCATION come first.

    Raises
    ------
    UsageError
        If the connection is not there, or its credentials are no good.
    """
    from nba_ml.clients import APPLICATION_DEFAULT, Clients
    from nba_ml.errors import UsageError

    on_bigquery = settings.warehouse == "bigquery" or settings.source == "feature_store"
    on_gcs = settings.store_url.startswith("gs://")
    if not (on_bigquery or on_gcs):
        return APPLICATION_DEFAULT

    from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook
    from airflow.providers.google.cloud.hooks.gcs import GCSHook
    from airflow.sdk.exceptions import AirflowException
    from google.auth.exceptions import GoogleAuthError

    bigquery = reader = storage = None
    try:
        if on_bigquery:
            hook = BigQueryHook(gcp_conn_id=CONNECTION, location=settings.location, use_legacy_sql=False)
            bigquery = hook.get_client(project_id=settings.project or hook.project_id, location=settings.location)
            reader = _reader(hook)
        if on_gcs:
            storage = GCSHook(gcp_conn_id=CONNECTION).get_conn()
    except (AirflowException, GoogleAuthError, OSError, ValueError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise UsageError(f"the Airflow connection {CONNECTION} is no good: {reason}. Set it up as docs/google.md says") from error
    return Clients(bigquery, reader, storage, _labels())


def _reader(hook: Any) -> Any:
    """Return a client of the Storage Read API; None on an emulator, whose client is the platform's own."""
    from nba_ml.warehouse.bigquery_open import EMULATOR

    if os.environ.get(EMULATOR):
        return None
    from google.cloud.bigquery_storage_v1 import BigQueryReadClient

    return BigQueryReadClient(credentials=hook.get_credentials())


def _labels() -> dict[str, str]:
    """Return which DAG, task and slate this is; nothing in a callback, which runs in no task."""
    from airflow.sdk import get_current_context

    try:
        context = get_current_context()
    except RuntimeError:
        return {}
    slate = context.get("partition_key") or context["params"].get("slate")
    return {"dag": context["dag"].dag_id, "task": context["ti"].task_id} | ({"slate": str(slate)} if slate else {})
