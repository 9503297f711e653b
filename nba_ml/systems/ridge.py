"""Ridge regression over all features: a linear second opinion that earns weight in the ensemble."""

import json
from collections.abc import Sequence

import numpy as np
import polars as pl

from nba_ml.systems.base import TARGET, Numbers, column, matrix, parameters, row_sums, with_starters


class Ridge:
    """Ridge on standardised features, with the training mean in place of what is not known.

    Parameters
    ----------
    names : sequence of str
        Features, in their order.
    """

    system_id = "ridge"

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._mean = self._scale = self._weights = np.zeros(0)
        self._intercept = 0.0

    def fit(self, rows: pl.DataFrame) -> "Ridge":
        """Fit on finished player-games."""
        from sklearn.linear_model import Ridge as Regression

        features = matrix(rows.sort("game_date", "game_id", "player_id"), self.names).astype(np.float64)
        known = ~np.isnan(features)
        count = np.maximum(known.sum(axis=0), 1)
        self._mean = np.where(known, features, 0).sum(axis=0) / count
        spread = np.sqrt((np.where(known, features - self._mean, 0) ** 2).sum(axis=0) / count)
        self._scale = np.where(spread > 0, spread, 1.0)
        target = column(rows.sort("game_date", "game_id", "player_id"), TARGET)
        model = Regression(alpha=parameters()[self.system_id]["alpha"]).fit(self._standardised(features), target)
        self._weights, self._intercept = model.coef_, float(model.intercept_)
        return self

    def predict(self, rows: pl.DataFrame, history: pl.DataFrame) -> Numbers:
        """Predict from each row's features; never abstains."""
        standard = self._standardised(matrix(rows, self.names, reported=True).astype(np.float64))
        return with_starters(np.maximum(row_sums(standard * self._weights) + self._intercept, 0.0), rows)

    def _standardised(self, features: np.ndarray) -> np.ndarray:
        return np.nan_to_num((features - self._mean) / self._scale)

    def to_bytes(self) -> bytes:
        """Return the fitted numbers as JSON."""
        state = {"mean": self._mean, "scale": self._scale, "weights": self._weights, "intercept": np.array([self._intercept])}
        return json.dumps({name: value.tolist() for name, value in state.items()}).encode()

    @classmethod
    def from_bytes(cls, data: bytes, names: Sequence[str]) -> "Ridge":
        """Read what `to_bytes` wrote of a model of these features."""
        state, model = json.loads(data), cls(names)
        model._mean, model._scale, model._weights = (np.array(state[name]) for name in ("mean", "scale", "weights"))
        model._intercept = state["intercept"][0]
        return model
