"""Object stores."""

from pathlib import Path

from nba_ml.errors import UsageError
from nba_ml.settings import Settings, without_login
from nba_ml.storage.port import ObjectStore

__all__ = ["ObjectStore", "open_store"]


def open_store(settings: Settings) -> ObjectStore:
    """Open the object store that the settings name."""
    if settings.store_url.startswith("file:"):
        from nba_ml.storage.local import LocalStore

        return LocalStore(Path(settings.store_url.removeprefix("file:").removeprefix("//")))
    raise UsageError(f"NBA_ML_STORE={without_login(settings.store_url)} is not supported yet: use file:…")
