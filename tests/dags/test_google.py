"""DAG runs on emulated Google services: the clients are those of Airflow's hooks, and no key leaves the connection."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from nba_ml.clients import APPLICATION_DEFAULT
from nba_ml.context import Context
from nba_ml.errors import UsageError
from nba_ml.settings import Settings

pytestmark = pytest.mark.airflow

KEY = "a-private-key-that-nobody-may-see"
VARIABLE = "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT"


def connection(**extra) -> str:
    return json.dumps({"conn_type": "google_cloud_platform", "password": KEY, "extra": extra})


def service_account() -> dict[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "type": "service_account",
        "project_id": "of-the-key",
        "private_key_id": "1",
        "private_key": key.decode(),
        "client_email": "airflow@of-the-key.iam.gserviceaccount.com",
        "token_uri": "https://oauth2.example/token",
    }


@pytest.fixture
def hooks(monkeypatch):
    """Note each client that a hook opens."""
    from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook
    from airflow.providers.google.cloud.hooks.gcs import GCSHook

    opened = []

    def note(hook, name):
        honest = getattr(hook, name)

        def noted(self, *arguments, **more):
            client = honest(self, *arguments, **more)
            opened.append((hook.__name__, self.gcp_conn_id))
            return client

        monkeypatch.setattr(hook, name, noted)

    note(BigQueryHook, "get_client")
    note(GCSHook, "get_conn")
    return opened


def test_a_run_works_with_the_clients_of_the_hooks_and_shows_no_key(run_dag, bigquery_names, gcs_bucket, hooks, monkeypatch, caplog):
    client, bucket = gcs_bucket
    monkeypatch.setenv(VARIABLE, connection(project=bigquery_names.project, is_anonymous=True, token=KEY))
    monkeypatch.setenv("NBA_ML_WAREHOUSE", "bigquery")
    monkeypatch.setenv("NBA_ML_DATASET_PREFIX", bigquery_names.prefix)
    monkeypatch.setenv("NBA_ML_STORE", f"gs://{bucket}/team")
    with caplog.at_level(logging.DEBUG):
        done = run_dag("nba_ingest", **{"from": "2024-01-05", "to": "2024-01-06"})
    assert done.state == "success", caplog.text[-3000:]
    assert set(hooks) == {("BigQueryHook", "google_cloud_default"), ("GCSHook", "google_cloud_default")}
    assert [blob.name for blob in client.list_blobs(bucket, prefix="team/")]
    settings = Settings(warehouse="bigquery", project=bigquery_names.project, dataset_prefix=bigquery_names.prefix)
    warehouse = Context(settings).warehouse
    assert warehouse.count(["nba_raw.player_box"])["nba_raw.player_box"] > 100
    labels = [job.labels for job in warehouse.client.client.list_jobs(max_results=200)]
    assert {"dag": "nba_ingest", "task": "ingest"} in labels
    assert KEY not in caplog.text
    assert KEY not in json.dumps(done.results, default=str)


def test_the_embedded_default_needs_no_hook_and_no_provider():
    program = """
import sys
sys.path.insert(0, "plugins")
from nba_google import open_clients
from nba_ml.settings import Settings
assert not open_clients(Settings()).labels
assert not [name for name in sys.modules if name.startswith(("airflow.", "google.cloud.", "google.auth"))]
"""
    subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], check=True)


@pytest.fixture
def task(monkeypatch):
    import nba_google

    monkeypatch.setattr(nba_google, "_labels", lambda: {"dag": "nba_predict"})
    return nba_google.open_clients


def test_project_location_and_impersonation_chain_are_those_of_the_connection(dag_bag, task, monkeypatch):
    from google.auth import impersonated_credentials

    key = service_account()
    monkeypatch.setenv(
        VARIABLE, connection(project="of-the-connection", keyfile_dict=json.dumps(key), impersonation_chain="a@x.iam,b@x.iam")
    )
    clients = task(Settings(warehouse="bigquery", store="gs://bucket/prefix", location="EU"))
    assert clients.labels == {"dag": "nba_predict"}
    assert (clients.bigquery.project, clients.bigquery.location, clients.storage.project) == (
        "of-the-connection",
        "EU",
        "of-the-connection",
    )
    assert clients.reader is not None
    for client in (clients.bigquery, clients.storage):
        assert isinstance(client._credentials, impersonated_credentials.Credentials)
        assert client._credentials.service_account_email == "b@x.iam"
    assert task(Settings(warehouse="bigquery", project="of-the-settings")).bigquery.project == "of-the-settings"


@pytest.mark.parametrize("extra", [None, {"keyfile_dict": "no json"}, {"key_path": "/nowhere/key.json"}])
def test_a_connection_that_is_no_good_is_one_line(dag_bag, task, monkeypatch, extra):
    if extra is not None:
        monkeypatch.setenv(VARIABLE, connection(**extra))
    with pytest.raises(UsageError, match=r"google_cloud_default is no good.*docs/google\.md") as refusal:
        task(Settings(store="gs://bucket/prefix"))
    assert "\n" not in str(refusal.value)


def test_duckdb_and_a_folder_open_nothing(dag_bag, task):
    assert task(Settings()) is APPLICATION_DEFAULT
