"""Drift of results: whether the published numbers, or the points scored, became other than the backtest of the released version led to expect.

Slates are looked at daily, so the intervals are those of `nba_ml.sequential.since`, which hold at all looks and for every moment at which
something may have changed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from nba_ml import sequential
from nba_ml.training import probability
from nba_ml.training.metrics import POPULATIONS

LEVEL = 0.999
"""Wrong about once in a thousand slates, five seasons, for each stream."""

LONGEST = 40
"""Slates that a change may lie back: two months."""

LATEST_SLATES = 7
"""What was outside of the usual must still be so in the last slates, or it is over."""


@dataclass(frozen=True)
class Usual:
    """What is usual of a stream: its mean, and what a distance from it is divided by."""

    centre: float
    scale: float = 1.0


def regulars(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that are judged: numbers with a result of regular players, in whom backtest and slates have the same population."""
    return rows.filter(POPULATIONS["B"][1]).drop_nulls(["predicted_points", "simple", "actual_points"])


def _residual(rows: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    return rows["slate_date"].to_numpy(), (rows["predicted_points"] - rows["actual_points"]).to_numpy()


def _target(rows: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    return rows["slate_date"].to_numpy(), rows["actual_points"].cast(pl.Float64).to_numpy()


def _concept(rows: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    ours, simple = ((rows[name] - rows["actual_points"]).abs() for name in ("predicted_points", "simple"))
    return rows["slate_date"].to_numpy(), (ours - simple).to_numpy()


def _calibration(rows: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    decided = probability.decided(rows, "p_over")
    return decided["slate_date"].to_numpy(), (decided["over"] - decided["p_over"]).to_numpy()


def _confidence(rows: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    decided = probability.decided(rows, "p_over")
    p, over = np.clip(decided["p_over"].to_numpy(), 0.001, 0.999), decided["over"].to_numpy()
    return decided["slate_date"].to_numpy(), (p - over) * np.log(p / (1 - p))


STREAMS: Mapping[str, tuple[Callable[[pl.DataFrame], tuple[np.ndarray, np.ndarray]], str]] = {
    "residual": (_residual, "predicted minus scored points, as a share of the points scored in the backtest"),
    "target": (_target, "points scored, as a share of those in the backtest"),
    "concept": (_concept, "absolute error minus that of the moving average, as a share of the latter in the backtest"),
    "calibration": (_calibration, "share of overs minus the probability given for them"),
    "confidence": (_confidence, "log-loss minus what the probabilities themselves lead to expect: above 0 they are too sure"),
}
"""Stream → slate and value of each row, and what it is in words. Honest probabilities have a mean of 0 in the last two."""


def usual(backtest: pl.DataFrame) -> dict[str, Usual]:
    """Return what a version's backtest says is usual, by stream.

    Parameters
    ----------
    backtest : DataFrame
        Rows as `regulars` returns them.
    """
    scored = float(_target(backtest)[1].mean())
    simple = float((backtest["simple"] - backtest["actual_points"]).abs().to_numpy().mean())
    scales = {"residual": scored, "target": scored, "concept": simple}
    means = {name: float(STREAMS[name][0](backtest)[1].mean()) for name in scales}
    return {name: Usual(means[name], scales[name]) if name in scales else Usual(0.0) for name in STREAMS}


def judge(rows: pl.DataFrame, expected: Usual, stream: str) -> dict[str, Any]:
    """Return how far a stream lies outside of what is usual.

    Parameters
    ----------
    rows : DataFrame
        Of the last slates, as `regulars` returns them.

    Returns
    -------
    dict
        "value": how far, in units of the scale, the nearer end of an interval lies from the usual mean, above it (> 0) or below it (< 0); of all
        stretches of slates the one that tells most, and 0 where none tells anything, or the last `LATEST_SLATES` slates are usual again.
        None without rows. "usual", "mean" (over that stretch, else over all), "low", "high", "slates" (how long it lasts), "n".
    """
    dates, values = STREAMS[stream][0](rows)
    keep = np.isin(dates, np.unique(dates)[-LONGEST:])
    looks = sequential.since(dates[keep], values[keep], LONGEST, LEVEL)
    if not looks:
        return {"value": None, "usual": expected.centre, "mean": None, "low": None, "high": None, "slates": 0, "n": 0}
    told = max(looks, key=lambda look: abs(_outside(look, expected)))
    latest = looks[-min(LATEST_SLATES, len(looks))]
    distance = _outside(told, expected)
    still = latest.value is not None and (latest.value - expected.centre) / expected.scale * np.sign(distance) > abs(distance)
    shown = told if distance else looks[0]
    return {
        "value": distance if still else 0.0,
        "usual": expected.centre,
        "mean": shown.value,
        "low": shown.low,
        "high": shown.high,
        "slates": shown.slates,
        "n": shown.n,
    }


def _outside(look: sequential.Mean, expected: Usual) -> float:
    if look.low is not None and look.low > expected.centre:
        return (look.low - expected.centre) / expected.scale
    if look.high is not None and look.high < expected.centre:
        return (look.high - expected.centre) / expected.scale
    return 0.0
