"""Warehouses."""

from nba_ml.errors import UsageError
from nba_ml.settings import Settings
from nba_ml.warehouse.port import LATEST, Warehouse

__all__ = ["LATEST", "Warehouse", "open_warehouse"]


def open_warehouse(settings: Settings) -> Warehouse:
    """Open the warehouse that the settings name."""
    if settings.warehouse == "duckdb":
        from nba_ml.warehouse.duckdb import DuckDBWarehouse

        return DuckDBWarehouse(settings.duckdb_path, lock_wait_seconds=settings.lock_wait_seconds)
    raise UsageError(f"NBA_ML_WAREHOUSE={settings.warehouse} is not supported yet: use duckdb")
