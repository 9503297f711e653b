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


def least_share_of_points(source: str) -> float:
    """Return which share of a team's final score the rows of a complete box score add up to at least; 1 for a source that has all players."""
    share: float = load_gates()["coverage"]["share_of_points"].get(source, 1.0)
    return share


def nearest_bound(threshold: float | list[float], value: float) -> float:
    """Return the bound that a figure is said to have missed: the threshold or, of a least and a most, the one that it is nearer to."""
    bounds = threshold if isinstance(threshold, list) else [threshold]
    return min(bounds, key=lambda bound: abs(bound - value))
