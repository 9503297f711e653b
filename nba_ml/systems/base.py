"""What a prediction system is, and where its constants come from."""

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any, Protocol

import numpy as np
import polars as pl

from nba_ml.features import LINEUP, REPORTED_PREFIX, START_POINTS, TARGET

__all__ = ["TARGET", "VOICES", "Numbers", "System", "column", "matrix", "parameters", "row_sums", "with_starters"]

Numbers = np.ndarray
"""Predicted points, float64, one a row; NaN = the system abstains."""


class System(Protocol):
    """A prediction system: an estimator over feature rows."""

    system_id: str

    def fit(self, rows: pl.DataFrame) -> "System":
        """Learn from finished player-games (features and `TARGET`), all dated before any row to be predicted; return self."""

    def predict(self, rows: pl.DataFrame, history: pl.DataFrame) -> Numbers:
        """Predict `rows`.

        Parameters
        ----------
        rows : DataFrame
            Feature rows, in any order.
        history : DataFrame
            Feature rows with `TARGET`; for each row only its player's games dated before it are looked at.
        """


VOICES = {
    "moving_average": "moving_average",
    "matchup": "matchup",
    "similarity": "similarity",
    "ridge": "model",
    "two_stage": "model",
    "xgboost": "model",
    "ensemble": "model",
}
"""System → independent voice. What was trained on the same rows for the same target counts as one voice."""


@cache
def parameters() -> dict[str, dict[str, Any]]:
    """Constants of all systems, from parameters.toml."""
    return tomllib.loads((resources.files(__package__) / "parameters.toml").read_text("utf-8"))


def matrix(rows: pl.DataFrame, names: Sequence[str], *, reported: bool = False) -> np.ndarray:
    """Return features as float32, shape (rows, features); NaN = not known.

    Parameters
    ----------
    rows : DataFrame
        Feature rows.
    names : sequence of str
        Features, in the order that the model is fed.
    reported : bool
        Take the line-up features that injury reports gave, where there are any: for predicting, never for fitting.
    """
    swapped = {name: pl.coalesce(REPORTED_PREFIX + name, name) for name in LINEUP if reported and REPORTED_PREFIX + name in rows.columns}
    return rows.select(swapped.get(name, pl.col(name)).cast(pl.Float32).alias(name) for name in names).to_numpy()


def with_starters(numbers: Numbers, rows: pl.DataFrame) -> Numbers:
    """Add to a trained model's numbers what projected line-ups say; the same to the last bit where there is none."""
    extra = column(rows, START_POINTS) if START_POINTS in rows.columns else np.full(rows.height, np.nan)
    return np.where(np.isnan(extra), numbers, np.maximum(numbers + extra, 0.0))


def column(rows: pl.DataFrame, name: str) -> np.ndarray:
    """Return one column as float64; NaN = not known."""
    return rows[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()


def row_sums(values: np.ndarray) -> np.ndarray:
    """Return the sum of each row, one after the other: a matrix product would make it depend, in its last bit, on the rows beside it."""
    return np.ascontiguousarray(values).sum(axis=1)
