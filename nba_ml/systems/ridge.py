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

        ordered = rows.sort("game_date", "game_id", "player_id")
        # One matrix, changed in place: copies of a hundred megabytes each took longer than the regression.
        features = matrix(ordered, self.names).astype(np.float64)
        unknown = np.isnan(features)
        count = np.maximum((~unknown).sum(axis=0), 1)
        features[unknown] = 0
        self._mean = features.sum(axis=0) / count
        features -= self._mean
        features[unknown] = 0
        spread = np.sqrt((features**2).sum(axis=0) / count)
        self._scale = np.where(spread > 0, spread, 1.0)
        features /= self._scale
        model = Regression(alpha=parameters()[self.system_id]["alpha"], copy_X=False).fit(features, column(ordered, TARGET))
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
