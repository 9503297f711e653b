"""Warehouses."""

from nba_ml.clients import APPLICATION_DEFAULT, Clients
from nba_ml.settings import Settings
from nba_ml.warehouse.port import LATEST, Warehouse

__all__ = ["LATEST", "Warehouse", "open_warehouse"]


def open_warehouse(settings: Settings, clients: Clients = APPLICATION_DEFAULT) -> Warehouse:
    """Open the warehouse that the settings name."""
    if settings.warehouse == "duckdb":
        from nba_ml.warehouse.duckdb import DuckDBWarehouse

        return DuckDBWarehouse(settings.duckdb_path, lock_wait_seconds=settings.lock_wait_seconds)
    from nba_ml.warehouse.bigquery import BigQueryWarehouse
    from nba_ml.warehouse.bigquery_open import open_client

    opened = open_client(settings, client=clients.bigquery, reader=clients.reader, labels=clients.labels)
    return BigQueryWarehouse(opened, settings.dataset_prefix, settings.lock_wait_seconds)
