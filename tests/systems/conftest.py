"""What the tests of several systems share."""

from collections.abc import Iterator

import polars as pl
import pytest

from nba_ml.systems.base import parameters
from tests.systems.rows import make_rows


@pytest.fixture(scope="session", autouse=True)
def _few_rounds() -> Iterator[None]:
    """Fit small models: what is tested here does not depend on their size."""
    kept = {name: parameters()[name]["rounds"] for name in ("xgboost", "two_stage")}
    for name in kept:
        parameters()[name]["rounds"] = 20
    yield
    for name, rounds in kept.items():
        parameters()[name]["rounds"] = rounds


@pytest.fixture(scope="session")
def many_rows() -> pl.DataFrame:
    return make_rows(6_000, players=60)
