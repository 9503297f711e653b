"""Warehouses."""

from collections.abc import Mapping
from typing import Any

from nba_ml.settings import Settings
from nba_ml.warehouse.port import LATEST, Warehouse

__all__ = ["LATEST", "Warehouse", "open_warehouse"]


def open_warehouse(settings: Settings, *, client: Any = None, reader: Any = None, labels: Mapping[str, str] | None = None) -> Warehouse:
    """Open the warehouse that the settings name.

    Parameters
    ----------
    settings : Settings
    client : google.cloud.bigquery.Client, optional
        A ready client for BigQuery, as from Airflow's hook; Application Default Credentials open one by default.
    reader : BigQueryReadClient, optional
        A ready client of the Storage Read API, which goes with `client`.
    labels : mapping of str to str, optional
        What every job on BigQuery is labelled with: dag, task, slate.
    """
    if settings.warehouse == "duckdb":
        from nba_ml.warehouse.duckdb import DuckDBWarehouse

        return DuckDBWarehouse(settings.duckdb_path, lock_wait_seconds=settings.lock_wait_seconds)
    from nba_ml.warehouse.bigquery import BigQueryWarehouse
    from nba_ml.warehouse.bigquery_open import open_client

    opened = open_client(settings, client=client, reader=reader, labels=labels)
    return BigQueryWarehouse(opened, settings.dataset_prefix, settings.lock_wait_seconds)
