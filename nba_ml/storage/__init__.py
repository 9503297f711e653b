"""Object stores."""

from pathlib import Path
from typing import Any

from nba_ml.settings import Settings
from nba_ml.storage.port import ObjectStore

__all__ = ["ObjectStore", "open_store"]


def open_store(settings: Settings, client: Any = None) -> ObjectStore:
    """Open the object store that the settings name.

    Parameters
    ----------
    settings : Settings
    client : google.cloud.storage.Client, optional
        For gs://…, instead of one with Application Default Credentials.
    """
    if settings.store_url.startswith("gs://"):
        from nba_ml.storage.gcs import open_bucket

        return open_bucket(settings, client)
    from nba_ml.storage.local import LocalStore

    return LocalStore(Path(settings.store_url.removeprefix("file:").removeprefix("//")))
