"""BigQuery and GCS for the demo: those that the environment names, else emulators that run for as long as the demo does."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import emulators
from rich.console import Console

from nba_ml.google_calls import REQUEST_SECONDS, tried
from nba_ml.settings import load_settings
from nba_ml.storage.gcs_errors import explained, transient

STORE = "gs://nba-ml/demo"
CONNECTION = "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT"


@contextmanager
def google(source: str, screen: Console) -> Iterator[None]:
    """Lead this process to BigQuery and GCS, and Airflow's hooks with it.

    Emulators that the variables *_EMULATOR_HOST name are used; else the project that NBA_ML_PROJECT names; else emulators of the demo's own,
    whose data stays in the home, a folder for each league.
    """
    settings = load_settings()
    with ExitStack() as running:
        if "BIGQUERY_EMULATOR_HOST" not in os.environ and not settings.project:
            folder = settings.home_folder / "emulators" / source
            screen.print(f"BigQuery and GCS are emulated while the demo runs, their data is in {folder}", markup=False, soft_wrap=True)
            for name in emulators.RUN:
                os.environ |= running.enter_context(emulators.share(name, folder / name))
        emulated = "BIGQUERY_EMULATOR_HOST" in os.environ
        project = settings.project or emulators.PROJECT
        os.environ["NBA_ML_PROJECT"] = project
        if "STORAGE_EMULATOR_HOST" in os.environ:
            os.environ["NBA_ML_STORE"] = settings.store or STORE
            _make_bucket(os.environ["NBA_ML_STORE"], project)
        extra = {"project": project} | ({"is_anonymous": True} if emulated else {})
        os.environ.setdefault(CONNECTION, json.dumps({"conn_type": "google_cloud_platform", "extra": extra}))
        yield


def _make_bucket(store: str, project: str) -> None:
    """Make the bucket of a store on an emulator, which has none at first."""
    if not store.startswith("gs://"):
        return
    from google.cloud import storage

    bucket = store.removeprefix("gs://").partition("/")[0]

    def make() -> None:
        with storage.Client(project=project) as client:
            if client.lookup_bucket(bucket, timeout=REQUEST_SECONDS, retry=None) is None:
                client.create_bucket(bucket, timeout=REQUEST_SECONDS, retry=None)

    tried(make, lambda error, tries, seconds: explained(error, f"gs://{bucket}", "creating the bucket", tries, seconds), transient)
