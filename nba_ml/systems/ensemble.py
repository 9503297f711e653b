"""Ensemble: the weighted mean of the systems that gave a number, with weights and a median shift learned from out-of-fold predictions."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nba_ml.systems.base import Numbers, parameters, row_sums

SHIFT_BINS = 20


@dataclass(frozen=True)
class Ensemble:
    """Fitted weights and shift.

    Attributes
    ----------
    weights : dict of str to float
        System → weight, not negative, sum 1. Where a system abstains, the others share its weight in proportion.
    shift : tuple of float
        Coefficients of 1, √m and m: the median residual at the mean m.
    share : tuple of float
        Share of the shift that is applied: `share[2]` up to `share[0]` points, `share[3]` from `share[1]` points, linear between them.
    """

    weights: dict[str, float]
    shift: tuple[float, float, float]
    share: tuple[float, float, float, float] = (0.0, 1.0, 1.0, 1.0)

    @classmethod
    def fit(cls, numbers: Mapping[str, Numbers], actual: np.ndarray) -> "Ensemble":
        """Fit on out-of-fold predictions of earlier dates.

        Parameters
        ----------
        numbers : mapping of str to ndarray
            System → predicted points; NaN = abstained.
        actual : ndarray
            Points scored.

        Notes
        -----
        Weights minimise squared error under non-negativity (Breiman, Stacked regressions, 1996) over the rows where all systems gave a number, with
        the sum forced to 1 by a heavy extra row; a system that gave none at all has no weight. The shift is a quadratic in √m through the medians
        of the residuals in `SHIFT_BINS` bins of m.
        """
        from scipy.optimize import nnls

        names = [name for name in numbers if not np.isnan(numbers[name]).all()] or list(numbers)
        stacked = np.column_stack([numbers[name] for name in names])
        complete = ~np.isnan(stacked).any(axis=1)
        heavy = 1e3 * np.sqrt(max(complete.sum(), 1))
        design = np.vstack([stacked[complete], np.full((1, len(names)), heavy)])
        weights = nnls(design, np.append(actual[complete], heavy))[0] if complete.any() else np.ones(len(names))
        weights /= weights.sum()
        unshifted = cls({name: float(weight) for name, weight in zip(names, weights, strict=True)}, (0.0, 0.0, 0.0))
        constants = parameters()["ensemble"]
        share = (*constants["shift_levels"], *constants["shift_shares"])
        return cls(unshifted.weights, _median_shift(unshifted.combine(numbers), actual), share)

    def combine(self, numbers: Mapping[str, Numbers]) -> Numbers:
        """Combine the systems' numbers; NaN where fewer than two gave one (or none that carries weight)."""
        constants = parameters()["ensemble"]
        stacked = np.column_stack([numbers[name] for name in self.weights])
        weights = np.array(list(self.weights.values()))
        valid = ~np.isnan(stacked)
        total = row_sums(valid * weights)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = row_sums(np.where(valid, stacked, 0.0) * weights) / total
        enough = (valid.sum(axis=1) >= constants["least_systems"]) & (total > 0)
        root = np.sqrt(np.maximum(mean, 0))
        shift = self.shift[0] + self.shift[1] * root + self.shift[2] * mean
        shifted = mean + shift * np.interp(np.nan_to_num(mean), self.share[:2], self.share[2:])
        return np.where(enough, np.maximum(shifted, 0), np.nan)


def _median_shift(mean: Numbers, actual: np.ndarray) -> tuple[float, float, float]:
    known = ~np.isnan(mean)
    mean, residual = mean[known], (actual - mean)[known]
    if len(mean) < SHIFT_BINS * 25:
        return (0.0, 0.0, 0.0)
    parts = np.array_split(np.argsort(mean, kind="stable"), SHIFT_BINS)
    level = np.array([mean[part].mean() for part in parts])
    middle = np.array([np.median(residual[part]) for part in parts])
    coefficients = np.linalg.lstsq(np.column_stack([np.ones_like(level), np.sqrt(level), level]), middle, rcond=None)[0]
    first, second, third = map(float, coefficients)
    return (first, second, third)
