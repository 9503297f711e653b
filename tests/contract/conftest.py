"""Adapters under contract: each test of this folder runs on every warehouse and store that is listed here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb
import pytest

import nba_ml.storage
from nba_ml.settings import Settings
from nba_ml.warehouse.bigquery import BigQueryWarehouse
from nba_ml.warehouse.bigquery_open import open_client
from nba_ml.warehouse.duckdb import DuckDBWarehouse
from tests.contract.tables import TABLES


@dataclass
class WarehouseAdapter:
    """How the contract opens one kind of warehouse, again and again on the same data, and reaches around it."""

    open: Callable[..., Any]
    execute: Callable[[str], Any]


@pytest.fixture(params=["duckdb", "bigquery"])
def adapter(request, tmp_path) -> WarehouseAdapter:
    return request.getfixturevalue(f"{request.param}_adapter")


@pytest.fixture
def bigquery_adapter(bigquery_names) -> WarehouseAdapter:
    names = bigquery_names
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


@pytest.fixture(params=["folder", "gcs"])
def store_address(request, tmp_path) -> str:
    """Return what NBA_ML_STORE names; the variables that lead to it are set."""
    return f"file:{tmp_path / 'store'}" if request.param == "folder" else f"gs://{request.getfixturevalue('gcs_bucket')[1]}/some/prefix"


@pytest.fixture
def open_store(store_address):
    return lambda: nba_ml.storage.open_store(Settings(store=store_address))
