"""Fixtures that every test may use."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from nba_ml.errors import UsageError
from nba_ml.warehouse.bigquery_names import STAGING, Names

ROOT = Path(__file__).parents[1]
FULL_RACES = os.environ.get("FULL_RACES") == "1"


def skip_or_fail(reason: str) -> None:
    """Skip, or fail where NBA_ML_TEST_STRICT=1 asks that nothing is skipped."""
    if os.environ.get("NBA_ML_TEST_STRICT") == "1":
        pytest.fail(f"{reason} (NBA_ML_TEST_STRICT=1)")
    pytest.skip(reason)


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch, tmp_path):
    """Give each test an empty home of its own, and no setting of the machine."""
    for name in list(os.environ):
        if name.endswith("_EMULATOR_HOST") or (name.startswith("NBA_ML_") and name not in ("NBA_ML_FILES_DIR", "NBA_ML_TEST_STRICT")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NBA_ML_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def airflow_home(tmp_path_factory) -> None:
    """Lead Airflow, which reads its settings once a process, to a home for all tests of the session."""
    from airflow_home import AirflowHome

    home = AirflowHome(tmp_path_factory.mktemp("airflow"))
    home.create()
    os.environ.update({name: value for name, value in home.environment().items() if not name.startswith("NBA_ML_")})
    # It makes the modules of plugins/ importable.
    import airflow  # noqa: F401


@pytest.fixture(scope="session")
def files_dir() -> Path:
    """Return the folder of real games."""
    folder = Path(os.environ.get("NBA_ML_FILES_DIR") or ROOT.parent / "shared" / "data")
    if not (folder / "player_box.parquet").exists():
        skip_or_fail(f"no real games in {folder}: set NBA_ML_FILES_DIR")
    return folder


@dataclass(frozen=True)
class BigQueryEmulator:
    """Addresses of the emulated BigQuery, REST and Storage Read API; `variables` lead the client library and the platform to it."""

    url: str
    grpc_address: str
    project: str
    variables: dict[str, str]


@dataclass(frozen=True)
class GcsEmulator:
    """Address of the emulated GCS; `variables` lead the client library to it."""

    url: str
    project: str
    variables: dict[str, str]


@contextmanager
def emulator(name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Use an emulator that all workers of the session share; skip, or fail if strict, where it can't be built."""
    import emulators

    session = tmp_path_factory.getbasetemp()
    folder = (session.parent if "PYTEST_XDIST_WORKER" in os.environ else session) / "emulators" / name
    try:
        emulators.build(name)
    except UsageError as error:
        skip_or_fail(str(error))
    with emulators.share(name, folder) as variables:
        yield variables


@pytest.fixture(scope="session")
def bigquery_emulator(tmp_path_factory) -> Iterator[BigQueryEmulator]:
    """Start the emulated BigQuery; tests keep apart by their projects or dataset prefixes."""
    with emulator("bigquery", tmp_path_factory) as variables:
        yield BigQueryEmulator(variables["BIGQUERY_EMULATOR_HOST"], variables["BIGQUERY_STORAGE_EMULATOR_HOST"], "emulated", variables)


@pytest.fixture(scope="session")
def gcs_emulator(tmp_path_factory) -> Iterator[GcsEmulator]:
    """Start the emulated GCS; tests keep apart by their buckets or prefixes."""
    with emulator("gcs", tmp_path_factory) as variables:
        yield GcsEmulator(variables["STORAGE_EMULATOR_HOST"], "emulated", variables)


@pytest.fixture
def gcs_bucket(gcs_emulator, monkeypatch):
    """Return a client of the emulated GCS, and the name of a bucket of this test's own; its variable is set."""
    from google.cloud import storage

    for name, value in gcs_emulator.variables.items():
        monkeypatch.setenv(name, value)
    bucket = f"test-{uuid.uuid4().hex}"
    with storage.Client(project=gcs_emulator.project) as client:
        client.create_bucket(bucket, timeout=10)
        yield client, bucket


@contextmanager
def bigquery_datasets(emulated: BigQueryEmulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    """Lead the platform to the emulated BigQuery, and give it datasets of its own there."""
    for name, value in emulated.variables.items():
        monkeypatch.setenv(name, value)
    names = Names(emulated.project, f"t{uuid.uuid4().hex[:12]}_")
    yield names
    # What is left would slow the emulator down: it looks through all tables for one.
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import bigquery

    client = bigquery.Client(project=names.project, credentials=AnonymousCredentials(), client_options={"api_endpoint": emulated.url})
    for dataset in ("nba_raw", "nba_predictions", "nba_ops", STAGING):
        client.delete_dataset(names.dataset(dataset), delete_contents=True, not_found_ok=True)


@pytest.fixture
def bigquery_names(bigquery_emulator, monkeypatch) -> Iterator[Names]:
    """Lead the platform to the emulated BigQuery, where this test has datasets of its own."""
    with bigquery_datasets(bigquery_emulator, monkeypatch) as names:
        yield names
