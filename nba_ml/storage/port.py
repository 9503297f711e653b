"""The ObjectStore port: immutable objects under slash-separated names. Adapters: a folder and Google Cloud Storage."""

from typing import Protocol


class ObjectStore(Protocol):
    """Objects that are created once and never change."""

    url: str

    def create(self, name: str, data: bytes) -> bool:
        """Create an object, whole or not at all; return False, with nothing changed, if the name is taken."""

    def read(self, name: str) -> bytes:
        """Return an object's bytes; `FileNotFoundError` if there is none."""

    def exists(self, name: str) -> bool:
        """Tell whether there is such an object."""

    def list(self, prefix: str) -> list[str]:
        """Return the names that start with `prefix`, ascending."""

    def url_of(self, name: str) -> str:
        """Return an address of the object that a person can open."""
