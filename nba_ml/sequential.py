"""Confidence sequences: intervals that may be looked at every day, and hold at all looks together.

An ordinary 95 % interval is right on 95 of 100 days; whoever looks daily and acts on the first that excludes 0 is wrong far more often. The interval
here covers the true mean on all days at once, in 95 of 100 histories.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.95

SLATE_ROWS = 150
"""Rows of a usual slate, the unit in which slates are weighed."""

PRIOR = 0.3
"""Precision of the mixture over the effect, in slates: the interval is narrowest after 5 to 20 slates, when decisions on a release fall."""

METHOD = "t-mixture confidence sequence over slates (Wang and Ramdas 2023), 95 % at all looks together"


@dataclass(frozen=True)
class Mean:
    """A mean over rows with an interval that holds at every look.

    Attributes
    ----------
    value, low, high : float or None
        None without rows; no bounds as long as too few slates were seen to tell anything.
    slates, n : int
        Slates and rows behind it.
    """

    value: float | None
    low: float | None
    high: float | None
    slates: int
    n: int


def slate_means(dates: Sequence | np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of `values` and the number of rows of each date, in the order of the dates."""
    distinct, place = np.unique(np.asarray(dates), return_inverse=True)
    sizes = np.bincount(place, minlength=len(distinct)).astype(float)
    return np.bincount(place, weights=values, minlength=len(distinct)) / sizes, sizes


def mean(dates: Sequence | np.ndarray, values: np.ndarray, level: float = LEVEL) -> Mean:
    """Return the mean of `values` over all rows, with an interval that may be looked at after every slate.

    Parameters
    ----------
    dates : array of shape (n,)
        Slate of each row. Rows of one slate have much in common and count as one observation: their mean.
    values : array of shape (n,)
        Paired differences, or anything else whose mean over a slate is near normal.

    Notes
    -----
    Under the mean μ the means of slates of n rows are taken as normal around μ with variance σ²/n, σ unknown. With a right-Haar mixture over σ and a
    normal mixture over the effect size, the likelihood ratio is a martingale in the scale-invariant filtration, and Ville's inequality makes the set
    of μ at which it stays below 1/α a confidence sequence: H. Wang and A. Ramdas, Anytime-valid t-tests and confidence sequences for Gaussian
    means with unknown variance (2023), section 4, here with known weights. Neither bounds nor a known variance are needed, so that it says something
    after 5 slates already. Its coverage under daily looks is tested on heavy-tailed errors with what slates have in common.
    """
    return _summary(*slate_means(dates, values), level)


def path(dates: Sequence | np.ndarray, values: np.ndarray, level: float = LEVEL) -> list[Mean]:
    """Return what `mean` says after each slate."""
    order = np.asarray(dates)
    return [mean(order[order <= day], values[order <= day], level) for day in np.unique(order)]


def since(dates: Sequence | np.ndarray, values: np.ndarray, longest: int, level: float) -> list[Mean]:
    """Return what `mean` says of the rows since each of the last `longest` slates, the longest stretch first: for whoever asks what changed.

    Whoever acts on the first of these intervals that excludes what is usual is wrong after 1 / (1 − level) slates on average, or later, however often
    he looks; so it takes a level near 1. Source: S. Shekhar and A. Ramdas, Reducing sequential change detection to sequential estimation (2023), by
    which a confidence sequence that is begun anew at each slate detects changes at unknown times.
    """
    means, sizes = slate_means(dates, values)
    return [_summary(means[-slates:], sizes[-slates:], level) for slates in range(min(longest, len(means)), 0, -1)]


def slates_needed(found: Mean, distance: float, most: int = 2000, level: float = LEVEL) -> int | None:
    """Return after about how many slates in all the interval will be narrower than `distance` to each side, None if not by `most`.

    It takes slates to go on as large and as scattered as those seen.
    """
    if found.high is None or found.value is None or distance <= 0:
        return None
    now = found.high - found.value
    rows = found.n / found.slates
    scatter = now / _per_scatter(found.slates, found.n, level) if now else 0.0
    for slates in range(found.slates, most + 1):
        if scatter * _per_scatter(slates, slates * rows, level) < distance:
            return slates
    return None


def _summary(means: np.ndarray, sizes: np.ndarray, level: float) -> Mean:
    """Return the mean over slates of given means and rows, with its interval."""
    if not len(means):
        return Mean(None, None, None, 0, 0)
    total = float(sizes.sum())
    value = float((sizes * means).sum() / total)
    half = _half_width(float((sizes * (means - value) ** 2).sum()), total, len(means), level)
    low, high = (None, None) if half is None else (value - half, value + half)
    return Mean(value, low, high, len(means), int(total))


def _half_width(scatter: float, rows: float, slates: int, level: float) -> float | None:
    """Return half of the interval's width; `scatter` is the sum of squared distances of the slates from the mean, weighed by their rows."""
    width = _per_scatter(slates, rows, level)
    return None if width == np.inf else width * float(np.sqrt(scatter / rows))


def _per_scatter(slates: int, rows: float, level: float) -> float:
    """Return half of the width in standard deviations of slate means."""
    seen = rows / SLATE_ROWS
    spent = 1 - ((1 - level) * np.sqrt(PRIOR / (seen + PRIOR))) ** (2 / slates)
    known = seen - spent * (seen + PRIOR)
    return float(np.sqrt(spent * (seen + PRIOR) / known)) if known > 0 else np.inf
