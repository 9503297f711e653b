"""What every step works with: the settings, and the warehouse, store and source that they name."""

from dataclasses import dataclass, field
from functools import cached_property

from nba_ml.clients import APPLICATION_DEFAULT, Clients
from nba_ml.settings import Settings, load_settings
from nba_ml.sources.port import Source
from nba_ml.storage.port import ObjectStore
from nba_ml.warehouse.port import Warehouse


@dataclass(frozen=True)
class Context:
    """Opens each part when it is first used, with the clients of Google's services that are handed in, if any."""

    settings: Settings = field(default_factory=load_settings)
    clients: Clients = APPLICATION_DEFAULT

    @cached_property
    def warehouse(self) -> Warehouse:
        """The warehouse that the settings name."""
        from nba_ml.warehouse import open_warehouse

        return open_warehouse(self.settings, self.clients)

    @cached_property
    def store(self) -> ObjectStore:
        """The object store that the settings name."""
        from nba_ml.storage import open_store

        return open_store(self.settings, self.clients)

    @cached_property
    def source(self) -> Source:
        """The source of raw data that the settings name."""
        from nba_ml.sources import open_source

        return open_source(self.settings, self.clients)
