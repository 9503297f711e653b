"""Object stores."""

from pathlib import Path

from nba_ml.clients import APPLICATION_DEFAULT, Clients
from nba_ml.settings import Settings
from nba_ml.storage.port import ObjectStore

__all__ = ["ObjectStore", "open_store"]


def open_store(settings: Settings, clients: Clients = APPLICATION_DEFAULT) -> ObjectStore:
    """Open the object store that the settings name."""
    if settings.store_url.startswith("gs://"):
        from nba_ml.storage.gcs import open_bucket

        return open_bucket(settings, clients.storage)
    from nba_ml.storage.local import LocalStore

    return LocalStore(Path(settings.store_url.removeprefix("file:").removeprefix("//")))
