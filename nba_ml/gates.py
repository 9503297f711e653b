"""The one file of thresholds, `nba_ml/gates.toml`: every gate reads its figures from it, and its hash is on each model version."""

import hashlib
import tomllib
from functools import cache
from importlib import resources
from typing import Any


def _text() -> bytes:
    return (resources.files(__package__) / "gates.toml").read_bytes()


@cache
def load_gates() -> dict[str, Any]:
    """Return the content of ``gates.toml``."""
    return tomllib.loads(_text().decode())


@cache
def gates_hash() -> str:
    """Return the sha256 of ``gates.toml``: two versions with the same hash were held to the same thresholds."""
    return hashlib.sha256(_text()).hexdigest()
