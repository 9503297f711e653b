"""XGBoost: the trained model, the only system with a version, a release and a rollout."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from nba_ml import boosting
from nba_ml.systems.base import TARGET, Numbers, column, matrix, parameters

THREADS = 2
"""Threads of a fit. Fixed, since the order of sums, and so the last bits of a model, depend on it."""


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
        self._booster: object | None = None

    def fit(self, rows: pl.DataFrame) -> "XGBoost":
        """Fit on finished player-games, in the order of their dates."""
        xgboost = boosting.xgboost()
        ordered = rows.sort("game_date", "game_id", "player_id")
        target = column(ordered, TARGET)
        settings = dict(self._constants or parameters()[self.system_id])
        rounds = settings.pop("rounds")
        settings |= {"tree_method": "hist", "nthread": THREADS, "seed": self.seed, "base_score": float(target.mean())}
        data = xgboost.QuantileDMatrix(matrix(ordered, self.names), target, max_bin=settings["max_bin"], nthread=THREADS)
        self._booster = xgboost.train(settings, data, num_boost_round=rounds)
        return self

    def predict(self, rows: pl.DataFrame, history: pl.DataFrame) -> Numbers:
        """Predict from each row's features; never abstains."""
        return self.predict_matrix(matrix(rows, self.names, reported=True))

    def predict_matrix(self, features: np.ndarray) -> Numbers:
        """Predict from a feature matrix, shape (rows, features)."""
        xgboost = boosting.xgboost()
        if not len(features):
            return np.zeros(0)
        number = self._booster.predict(xgboost.DMatrix(features, nthread=THREADS))  # type: ignore[union-attr]
        return np.maximum(number.astype(np.float64), 0.0)

    def importance(self) -> dict[str, float]:
        """Return the gain of each feature that is used, largest first."""
        gains = self._booster.get_score(importance_type="total_gain")  # type: ignore[union-attr]
        ranked = sorted(((self.names[int(key[1:])], float(gain)) for key, gain in gains.items()), key=lambda item: -item[1])
        return dict(ranked)

    def to_bytes(self) -> bytes:
        """Return the model in XGBoost's UBJ format."""
        return bytes(self._booster.save_raw("ubj"))  # type: ignore[union-attr]

    @classmethod
    def from_bytes(cls, data: bytes, names: Sequence[str]) -> "XGBoost":
        """Read a model of these features in UBJ format; whoever calls has checked its sha256."""
        xgboost = boosting.xgboost()
        model = cls(names, seed=0)
        model._booster = xgboost.Booster(model_file=bytearray(data))
        return model
