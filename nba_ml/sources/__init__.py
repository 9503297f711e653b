"""Sources of raw data."""

from nba_ml.clients import APPLICATION_DEFAULT, Clients
from nba_ml.errors import UsageError
from nba_ml.settings import Settings
from nba_ml.sources.port import RAW_TABLES, Source

__all__ = ["RAW_TABLES", "Source", "open_source"]


def open_source(settings: Settings, clients: Clients = APPLICATION_DEFAULT) -> Source:
    """Open the source that the settings name, with the clients of Google's services that are handed in, if any.

    Raises
    ------
    UsageError
        If it needs a setting that is missing.
    """
    if settings.source == "simulated":
        from nba_ml.sources.simulated import SimulatedSource

        return SimulatedSource.from_settings(settings)
    if settings.source == "files":
        from nba_ml.sources.files import FilesSource

        if settings.files_dir is None:
            raise UsageError("NBA_ML_SOURCE=files needs NBA_ML_FILES_DIR, the folder of parquet files (formats: docs/files.md)")
        return FilesSource(settings.files_dir)
    if settings.source == "feature_store":
        from nba_ml.sources.feature_store.source import FeatureStoreSource

        return FeatureStoreSource(settings, clients)
    raise UsageError(f"NBA_ML_SOURCE={settings.source} is not supported yet: use simulated, files or feature_store")
