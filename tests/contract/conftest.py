"""Adapters under contract: each test of this folder runs on every warehouse and store that is listed here."""

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import pytest

import nba_ml.storage
from nba_ml.settings import Settings
from nba_ml.warehouse.bigquery import BigQueryWarehouse
from nba_ml.warehouse.bigquery_names import STAGING, Names
from nba_ml.warehouse.bigquery_open import open_client
from nba_ml.warehouse.duckdb import DuckDBWarehouse
from tests.contract.tables import TABLES


@dataclass
class WarehouseAdapter:
    """How the contract opens one kind of warehouse, again and again on the same data, and reaches around it."""

    open: Callable[..., Any]
    execute: Callable[[str], Any]


@pytest.fixture(params=["duckdb", "bigquery", pytest.param("live", marks=pytest.mark.live)])
def adapter(request, tmp_path) -> WarehouseAdapter:
    return request.getfixturevalue(f"{request.param}_adapter")


@pytest.fixture
def bigquery_adapter(bigquery_names) -> WarehouseAdapter:
    return on_bigquery(bigquery_names)


@pytest.fixture
def live_adapter(live_project) -> Iterator[WarehouseAdapter]:
    """Work in datasets of this test's own on a real project, and remove them."""
    names = Names(live_project, f"nba_ml_live_{uuid.uuid4().hex[:12]}_")
    yield on_bigquery(names)
    client = open_client(Settings(project=live_project)).client
    for dataset in ("nba_raw", "nba_predictions", "nba_ops", STAGING):
        client.delete_dataset(names.dataset(dataset), delete_contents=True, not_found_ok=True, timeout=60)


def on_bigquery(names: Names) -> WarehouseAdapter:
    client = open_client(Settings(project=names.project))

    def execute(statement: str) -> Any:
        return client.run(names.rewrite(statement, {"nba_raw", "nba_predictions"}))

    return WarehouseAdapter(
        lambda tables=TABLES, views=(): BigQueryWarehouse(client, names.prefix, 10, tables=tables, views=views), execute
    )


@pytest.fixture
def duckdb_adapter(tmp_path) -> WarehouseAdapter:
    path = tmp_path / "warehouse.duckdb"

    def execute(statement: str) -> Any:
        with duckdb.connect(str(path)) as connection:
            return connection.execute(statement).fetchall()

    return WarehouseAdapter(lambda tables=TABLES, views=(): DuckDBWarehouse(path, 10, tables=tables, views=views), execute)


@pytest.fixture
def warehouse(adapter):
    opened = adapter.open()
    opened.ensure()
    return opened


@pytest.fixture(params=["folder", "gcs", pytest.param("live", marks=pytest.mark.live)])
def store_address(request, tmp_path) -> str:
    """Return what NBA_ML_STORE names; the variables that lead to it are set."""
    if request.param == "folder":
        return f"file:{tmp_path / 'store'}"
    if request.param == "live":
        return request.getfixturevalue("live_store")
    return f"gs://{request.getfixturevalue('gcs_bucket')[1]}/some/prefix"


@pytest.fixture
def live_store() -> Iterator[str]:
    """Work in a folder of this test's own in a real bucket, and remove what is in it."""
    bucket = os.environ.get("LIVE_BUCKET") or pytest.skip("no bucket is named: make test-live PROJECT=… BUCKET=…")
    folder = f"nba-ml-live-{uuid.uuid4().hex}"
    yield f"gs://{bucket}/{folder}"
    from google.cloud import storage

    with storage.Client(project=os.environ.get("LIVE_PROJECT")) as client:
        for blob in client.list_blobs(bucket, prefix=f"{folder}/", timeout=60):
            blob.delete(timeout=60)


@pytest.fixture
def live_project() -> str:
    """Return the real project that live tests work in."""
    return os.environ.get("LIVE_PROJECT") or pytest.skip("no project is named: make test-live PROJECT=… BUCKET=…")


@pytest.fixture
def open_store(store_address):
    return lambda: nba_ml.storage.open_store(Settings(store=store_address))
