"""Two stages: minutes on court times points per minute, each told by trees of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from nba_ml.systems.base import TARGET, Numbers, column, matrix, parameters, with_starters
from nba_ml.systems.xgboost import boost, outputs, read_booster, write_booster

MINUTES = "actual_minutes"
"""Column with the minutes of finished games."""

_FILES = ("minutes.ubj", "rate.ubj")


class TwoStage:
    """Minutes × points per minute: it errs where one model of points does not, and so earns weight beside it.

    Parameters
    ----------
    names : sequence of str
        Features, in their order.
    seed : int
        Of the draws of rows and columns.
    """

    system_id = "two_stage"

    def __init__(self, names: Sequence[str], seed: int) -> None:
        self.names = tuple(names)
        self.seed = seed
        self._boosters: tuple[Any, Any] | None = None

    def fit(self, rows: pl.DataFrame) -> "TwoStage":
        """Fit on finished player-games whose minutes are known; without any, the system abstains.

        A game's points per minute weigh as much as its minutes: two minutes say little of a rate.
        """
        self._boosters = None
        ordered = rows.filter(pl.col(MINUTES) > 0) if MINUTES in rows.columns else rows.clear()
        if ordered.is_empty():
            return self
        ordered = ordered.sort("game_date", "game_id", "player_id")
        minutes, features, constants = column(ordered, MINUTES), matrix(ordered, self.names), parameters()[self.system_id]
        rate = column(ordered, TARGET) / minutes
        self._boosters = (
            boost(features, minutes, constants, self.seed),
            boost(features, rate, constants, self.seed, weight=minutes / minutes.mean()),
        )
        return self

    def predict(self, rows: pl.DataFrame, history: pl.DataFrame) -> Numbers:
        """Predict from each row's features; abstains where no minutes were known in training."""
        if self._boosters is None:
            return np.full(rows.height, np.nan)
        features = matrix(rows, self.names, reported=True)
        minutes, rate = (np.maximum(outputs(booster, features), 0.0) for booster in self._boosters)
        return with_starters(minutes * rate, rows)

    def to_files(self) -> dict[str, bytes]:
        """Return file name → booster in XGBoost's UBJ format; empty where the system abstains."""
        return dict(zip(_FILES, map(write_booster, self._boosters), strict=True)) if self._boosters else {}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes], names: Sequence[str]) -> "TwoStage":
        """Read what `to_files` wrote of a model of these features; whoever calls has checked every sha256."""
        model = cls(names, seed=0)
        if all(name in files for name in _FILES):
            minutes, rate = (read_booster(files[name]) for name in _FILES)
            model._boosters = (minutes, rate)
        return model
