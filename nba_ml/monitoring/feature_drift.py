"""Drift of features: how far the players of the last slates lie from what they are compared with, measured by what earlier seasons did."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from nba_ml.monitoring.reference import CALENDAR, LEAST, PLAYER, TEAM, Comparison, comparisons

BINS = 10
_HALF_A_ROW = 0.5
_SHARED_SIDES = 0.9

LEAST_PSI = 0.08
"""What a feature is taken to do by itself at least, however still it kept in earlier seasons: by custom, a psi of 0.1 is a small shift."""

LEAST_SEASONS = 2
"""Earlier seasons that it takes to know how far a feature goes by itself."""

SIGNIFICANT = 0.01
"""Largest p-value of a two-sample test, corrected for the number of features; above it a distance is taken for chance, and counts as 0."""

_SCHEMA = {
    "name": pl.String,
    "value": pl.Float64,
    "psi": pl.Float64,
    "psi_recent": pl.Float64,
    "natural_psi": pl.Float64,
    "p_value": pl.Float64,
    "n": pl.Int64,
    "reference_n": pl.Int64,
}


def psi(values: np.ndarray, reference: np.ndarray) -> float:
    """Return the population stability index of values against a reference: 0 for the same distribution.

    Σ (p − q) ln(p / q) over ten groups of the reference of equal size, fewer where values repeat, with half a row added to each. It is the
    symmetric Kullback-Leibler divergence of the grouped values. Source: S. Lewis, An introduction to credit scoring (1994).
    """
    bounds = np.unique(np.quantile(reference, np.linspace(0, 1, BINS + 1)[1:-1]))
    p, q = (_shares(part, bounds) for part in (values, reference))
    return float(((p - q) * np.log(p / q)).sum())


def _shares(values: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    counts = np.bincount(np.searchsorted(bounds, values, side="left"), minlength=len(bounds) + 1) + _HALF_A_ROW
    return counts / counts.sum()


def compare(rows: pl.DataFrame, slate: date, names: Sequence[str]) -> pl.DataFrame:
    """Compare each feature of the slate's window with its references.

    Parameters
    ----------
    rows : DataFrame
        Feature rows of `reference.spans`, as `reference.comparisons` takes them.
    names : sequence of str
        Features; those of `reference.CALENDAR` are passed over. One that fewer than `reference.LEAST` have on either side is left out, as is
        everything where fewer than `LEAST_SEASONS` earlier seasons can give the measure: there is nothing to compare.

    Returns
    -------
    DataFrame
        name; value: how many times as far the feature lies from both its references as it ever did in the same weeks of earlier seasons, and 0
        where that may be chance; psi against the same weeks and psi_recent against the weeks before (null where there are none); natural_psi:
        the farthest that it went by itself; p_value, corrected for the number of features (Benjamini and Yekutieli 2001, which holds for features
        that depend on each other), of the two-sample test (Kolmogorov and Smirnov), the larger one of both references; n, reference_n: players, or
        teams for what teammates share.
    """
    from scipy.stats import false_discovery_control

    shared = _shared(rows.filter(pl.col("game_date") == slate), names)
    answers = []
    for unit in (PLAYER, TEAM):
        found = list(comparisons(rows, slate, unit))
        for name in names:
            if name in CALENDAR or (name in shared) != (unit == TEAM) or not found:
                continue
            answer = _feature(rows[name].cast(pl.Float64).to_numpy(), name, found, LEAST[unit])
            if answer is not None:
                answers.append(answer)
    if not answers:
        return pl.DataFrame(schema=_SCHEMA)
    corrected = false_discovery_control([answer["p_value"] for answer in answers], method="by")
    table = pl.DataFrame(answers, schema=_SCHEMA).with_columns(p_value=pl.Series(corrected, dtype=pl.Float64))
    return table.with_columns(value=pl.when(pl.col("p_value") <= SIGNIFICANT).then("value").otherwise(0.0))


def _shared(rows: pl.DataFrame, names: Sequence[str]) -> set[str]:
    """Return the features that teammates share, in nine of ten teams."""
    sides = rows.group_by("game_id", "team").agg(pl.col(name).n_unique() for name in names)
    return {name for name in names if (sides[name] == 1).mean() >= _SHARED_SIDES}  # type: ignore[operator]


def _feature(values: np.ndarray, name: str, found: Sequence[Comparison], least: int) -> dict[str, Any] | None:
    from scipy.stats import ks_2samp

    own = found[0]
    current, phase, recent = (_known(values, places) for places in (own.current, own.phase, own.recent))
    kinds = (len(phase) >= least, len(recent) >= least)
    references = [part for part, used in zip((phase, recent), kinds, strict=True) if used]
    measured = {other.season: [] for other in found[1:]}  # type: dict[str, list[float]]
    for other in found[1:]:
        if (distance := _distance(values, other, kinds, least)) is not None:
            measured[other.season].append(distance)
    natural = [distance for distances in measured.values() for distance in distances]
    if len(current) < least or not references or sum(map(bool, measured.values())) < LEAST_SEASONS:
        return None
    apart = [psi(current, part) for part in references]
    return {
        "name": name,
        "value": min(apart) / max(LEAST_PSI, *natural),
        "psi": apart[0] if kinds[0] else None,
        "psi_recent": apart[-1] if kinds[1] else None,
        "natural_psi": max(natural),
        "p_value": max(float(ks_2samp(current, part, method="asymp").pvalue) for part in references),
        "n": len(current),
        "reference_n": sum(map(len, references)),
    }


def _distance(values: np.ndarray, other: Comparison, kinds: tuple[bool, ...], least: int) -> float | None:
    """Return how far an earlier season lay from the references that the present one has, as far as it had them."""
    current = _known(values, other.current)
    sides = [_known(values, places) for places, used in zip((other.phase, other.recent), kinds, strict=True) if used]
    apart = [psi(current, part) for part in sides if len(part) >= least]
    return min(apart) if apart and len(current) >= least else None


def _known(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    taken = values[places]
    return taken[~np.isnan(taken)]
