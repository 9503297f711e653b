"""Adapters under contract: each test of this folder runs on every warehouse and store that is listed here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb
import pytest

from nba_ml.storage.local import LocalStore
from nba_ml.warehouse.duckdb import DuckDBWarehouse
from tests.contract.tables import TABLES


@dataclass
class WarehouseAdapter:
    """How the contract opens one kind of warehouse, again and again on the same data, and reaches around it."""

    open: Callable[..., Any]
    execute: Callable[[str], Any]


@pytest.fixture(params=["duckdb"])
def adapter(request, tmp_path) -> WarehouseAdapter:
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


@pytest.fixture(params=["local"])
def open_store(request, tmp_path):
    return lambda: LocalStore(tmp_path / "store")
