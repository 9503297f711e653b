"""XGBoost: the trained model, the only system with a version, a release and a rollout."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from nba_ml.systems.base import TARGET, Numbers, column, matrix, parameters, with_starters

THREADS = 2
"""Threads of a fit. Fixed, since the order of sums, and so the last bits of a model, depend on it."""


def boost(features: np.ndarray, target: np.ndarray, constants: Mapping[str, Any], seed: int, weight: np.ndarray | None = None) -> Any:
    """Fit a booster.

    Parameters
    ----------
    features : ndarray, shape (rows, features)
        NaN = not known.
    target : ndarray, shape (rows,)
    constants : mapping
        A table of parameters.toml: XGBoost's own names, and "rounds".
    seed : int
        Of the draws of rows and columns.
    weight : ndarray, shape (rows,), optional
        Of each row; all 1 by default.
    """
    import xgboost

    settings = dict(constants)
    rounds = settings.pop("rounds")
    settings |= {"tree_method": "hist", "nthread": THREADS, "seed": seed, "base_score": float(np.average(target, weights=weight))}
    data = xgboost.QuantileDMatrix(features, target, weight=weight, max_bin=settings["max_bin"], nthread=THREADS)
    return xgboost.train(settings, data, num_boost_round=rounds)


def outputs(booster: Any, features: np.ndarray) -> Numbers:
    """Return what a booster says of each row, as float64."""
    if not len(features):
        return np.zeros(0)
    import xgboost

    said: Numbers = booster.predict(xgboost.DMatrix(features, nthread=THREADS)).astype(np.float64)
    return said


def write_booster(booster: Any) -> bytes:
    """Return a booster in XGBoost's UBJ format."""
    return bytes(booster.save_raw("ubj"))


def read_booster(data: bytes) -> Any:
    """Read a booster in UBJ format; whoever calls has checked its sha256."""
    import xgboost

    return xgboost.Booster(model_file=bytearray(data))


class XGBoost:
    """Gradient-boosted trees over all features.

    Parameters
    ----------
    names : sequence of str
        Features, in their order.
    seed : int
        Of the draws of rows and columns.
    constants : mapping, optional
        Take the place of those in parameters.toml: for choosing them.
    """

    system_id = "xgboost"

    def __init__(self, names: Sequence[str], seed: int, constants: Mapping[str, Any] | None = None) -> None:
        self.names = tuple(names)
        self.seed = seed
        self._constants = constants
        self._booster: Any = None

    def fit(self, rows: pl.DataFrame) -> "XGBoost":
        """Fit on finished player-games, in the order of their dates."""
        ordered = rows.sort("game_date", "game_id", "player_id")
        constants = self._constants or parameters()[self.system_id]
        self._booster = boost(matrix(ordered, self.names), column(ordered, TARGET), constants, self.seed)
        return self

    def predict(self, rows: pl.DataFrame, history: pl.DataFrame) -> Numbers:
        """Predict from each row's features; never abstains."""
        return with_starters(self.predict_matrix(matrix(rows, self.names, reported=True)), rows)

    def predict_matrix(self, features: np.ndarray) -> Numbers:
        """Predict from a feature matrix, shape (rows, features)."""
        return np.maximum(outputs(self._booster, features), 0.0)

    def importance(self) -> dict[str, float]:
        """Return the gain of each feature that is used, largest first."""
        gains = self._booster.get_score(importance_type="total_gain")
        ranked = sorted(((self.names[int(key[1:])], float(gain)) for key, gain in gains.items()), key=lambda item: -item[1])
        return dict(ranked)

    def to_bytes(self) -> bytes:
        """Return the model in XGBoost's UBJ format."""
        return write_booster(self._booster)

    @classmethod
    def from_bytes(cls, data: bytes, names: Sequence[str]) -> "XGBoost":
        """Read a model of these features in UBJ format; whoever calls has checked its sha256."""
        model = cls(names, seed=0)
        model._booster = read_booster(data)
        return model
