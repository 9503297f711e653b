"""Confidence intervals: a bootstrap that resamples whole dates, and Wilson's for shares."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy.stats import norm

RESAMPLES = 2000
LEVEL = 0.95

LEAST_DATES = 10
"""Dates below which nothing is concluded from an interval: a bootstrap of a few clusters is far too narrow."""

_SEED = 20211019


@lru_cache(maxsize=16)
def _draws(dates: int) -> np.ndarray:
    """Return how often each of `dates` dates is drawn in each resample, shape (RESAMPLES, dates)."""
    rng = np.random.default_rng(_SEED)
    return rng.multinomial(dates, np.full(dates, 1 / dates), size=RESAMPLES).astype(np.float32)


def clustered_ratio(dates: Sequence | np.ndarray, numerators: np.ndarray, denominators: np.ndarray) -> dict[str, float | int | None]:
    """Return sum(numerators) / sum(denominators) with a 95 % interval by a percentile bootstrap over dates.

    Games of one date share line-ups, officials and news, so the date is what is drawn (2,000 times, with replacement, fixed seed).

    Parameters
    ----------
    dates : array of shape (n,)
        Date of each row.
    numerators, denominators : arrays of shape (n,)

    Returns
    -------
    dict
        "value", "low", "high" (None without rows; no bounds for fewer than two dates), "n" rows, "dates".
    """
    distinct, place = np.unique(np.asarray(dates), return_inverse=True)
    answer: dict[str, float | int | None] = {"value": None, "low": None, "high": None, "n": len(place), "dates": len(distinct)}
    total = float(np.sum(denominators))
    if not len(place) or total == 0:
        return answer
    answer["value"] = float(np.sum(numerators)) / total
    if len(distinct) < 2:
        return answer
    sums = np.stack([np.bincount(place, weights=part, minlength=len(distinct)) for part in (numerators, denominators)], axis=1)
    drawn = _draws(len(distinct)).astype(float) @ sums
    ratios = drawn[:, 0] / np.where(drawn[:, 1] == 0, np.nan, drawn[:, 1])
    low, high = np.nanquantile(ratios, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return answer | {"low": float(low), "high": float(high)}


def clustered_mean(dates: Sequence | np.ndarray, values: np.ndarray) -> dict[str, float | int | None]:
    """Return the mean of `values` with a 95 % interval by a bootstrap over dates; see `clustered_ratio`."""
    return clustered_ratio(dates, values, np.ones(len(values)))


def wilson(successes: int, n: int, level: float = LEVEL) -> tuple[float, float] | None:
    """Return Wilson's interval of a share, by default of 95 %, or None without trials.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    if n == 0:
        return None
    z = float(norm.ppf((1 + level) / 2))
    share = successes / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * (share * (1 - share) / n + z**2 / (4 * n**2)) ** 0.5
    return centre - half, centre + half
