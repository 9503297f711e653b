"""Warehouses."""

from nba_ml.clients import APPLICATION_DEFAULT, Clients
from nba_ml.settings import Settings
from nba_ml.warehouse.port import LATEST, Warehouse

__all__ = ["LATEST", "Warehouse", "open_warehouse"]


def open_warehouse(settings: Settings, clients: Clients = APPLICATION_DEFAULT) -> Warehouse:
    """Open the warehouse that the settings name.

    Raises
    ------
    UsageError
        If a setting is wrong, or our datasets would touch the tables of a team that we only read.
    """
    if settings.warehouse == "duckdb":
        from nba_ml.warehouse.duckdb import DuckDBWarehouse

        return DuckDBWarehouse(settings.duckdb_path, lock_wait_seconds=settings.lock_wait_seconds)
    from nba_ml.warehouse.bigquery import BigQueryWarehouse
    from nba_ml.warehouse.bigquery_open import open_client
    from nba_ml.warehouse.given_tables import refuse_overlap

    opened = open_client(settings, client=clients.bigquery, reader=clients.reader, labels=clients.labels)
    refuse_overlap(settings, opened.project)
    return BigQueryWarehouse(opened, settings.dataset_prefix, settings.lock_wait_seconds)
