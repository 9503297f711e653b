"""Leak canaries: one fold of a backtest, done again on spoilt data that an engine without a view of the future can't profit from.

Features are taken as they were built. Leaks that are no matter of a fold have their guard elsewhere: that a feature looks at no later game is
held by the tests of nba_ml.features, one that copies the target stops at the training set's suite, and a line from during the game is no line
for `nba_ml.lines`.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import polars.selectors as cs

from nba_ml.errors import GateRefused
from nba_ml.systems.base import TARGET, column
from nba_ml.training import walk_forward
from nba_ml.training.intervals import clustered_ratio
from nba_ml.training.walk_forward import Fold

log = logging.getLogger(__name__)

SHUFFLED, LATER = "canary.shuffled_target", "canary.later_rows_changed"

LEAST_RATIO = 0.98
"""Error beside that of a constant, below which something was learned from outcomes that are pure chance (accuracy study)."""

FACTOR = 0.25
"""What later numbers are multiplied by: below 1, so that probabilities stay probabilities."""


def check(
    rows: pl.DataFrame,
    lines: pl.DataFrame,
    folds: Sequence[Fold],
    predictions: pl.DataFrame,
    out_of_fold: pl.DataFrame,
    *,
    names: Sequence[str],
    seed: int,
) -> list[dict[str, Any]]:
    """Spoil the data in two ways and walk the last fold again, at the cost of one fit of every system, or of two where the fold's own is not at hand.

    Parameters
    ----------
    rows, lines, folds, names, seed
        What `walk_forward.walk_forward` was given.
    predictions, out_of_fold : DataFrame
        What it returned.

    Returns
    -------
    list of dict
        "id", "value", "threshold", "passed", "what" (a sentence with the fold, the rows and what is asked).
    """
    fold = judged_fold(rows, folds)
    rows = rows.sort("game_date", "game_id", "player_id")
    # The later rows first: they change no fit of the fold, which was the last one of the walk.
    later = _later_rows(rows, lines, fold, predictions, out_of_fold, names, seed)
    results = [_shuffled(rows, fold, predictions, names, seed), later]
    for result in results:
        log.info("%s: %s", result["id"], "passed" if result["passed"] else "failed")
    return results


def judged_fold(rows: pl.DataFrame, folds: Sequence[Fold]) -> Fold:
    """Return the last fold with rows enough to judge by, else the largest."""
    sizes = {fold: rows["game_date"].is_between(fold.first, fold.last).sum() for fold in folds if not fold.warm_up}
    large = [fold for fold, size in sizes.items() if size >= walk_forward.LEAST_FOLD_ROWS]
    return large[-1] if large else max(sizes, key=lambda fold: (sizes[fold], fold.first))


def require(results: Sequence[Mapping[str, Any]]) -> None:
    """Stop at a canary that failed.

    Raises
    ------
    GateRefused
        Naming each, its figure and threshold, and the next step.
    """
    failed = [result for result in results if not result["passed"]]
    if failed:
        said = "; ".join(f"{row['id']} is {row['value']:.4g}, asked is {asked(row)}: {row['what']}" for row in failed)
        raise GateRefused(
            f"the model is refused, its backtest sees the future: {said} Nothing was published; what is released stays in force. Find the "
            "feature or the split that does it (`.venv/bin/pytest tests/training/test_canaries.py tests/features/test_point_in_time.py`).",
            {"canaries": [dict(result) for result in results]},
        )


def asked(result: Mapping[str, Any]) -> str:
    """Return what a canary asks for, in words."""
    return f"at least {result['threshold']:g}" if result["id"] == SHUFFLED else f"at most {result['threshold']:g}"


def _shuffled(rows: pl.DataFrame, fold: Fold, predictions: pl.DataFrame, names: Sequence[str], seed: int) -> dict[str, Any]:
    spoilt = rows.filter(pl.col("game_date") <= fold.last).with_columns(pl.col(TARGET).shuffle(seed=seed).over("game_date"))
    numbers, _ = walk_forward.fold_numbers(spoilt, fold, names, seed, None)
    train, inside = spoilt.filter(pl.col("game_date") < fold.first), spoilt.filter(pl.col("game_date") >= fold.first)
    constant = float(train[TARGET].median())  # type: ignore[arg-type]
    found = {name: _ratio(inside, number, constant) for name, number in numbers.items() if not np.isnan(number).all()}
    name, least = min(found.items(), key=lambda item: item[1]["value"])
    true = predictions.filter(pl.col("slate_date").is_between(fold.first, fold.last) & (pl.col("system_id") == name))
    honest = _ratio(true.rename({"slate_date": "game_date"}), column(true, "predicted_points"), constant)["value"]
    enough = least["n"] >= walk_forward.LEAST_FOLD_ROWS
    return {
        "id": SHUFFLED,
        "value": least["value"],
        "threshold": LEAST_RATIO,
        "passed": bool(least["value"] >= LEAST_RATIO if enough or least["high"] is None else least["high"] >= LEAST_RATIO),
        "what": (
            f"With outcomes shuffled among the players of each date, in training and in the fold, nothing can be predicted: the error of every "
            f"system stays at or above that of a constant, the median of the training rows. Shown is the smallest ratio of all systems, that of "
            f"{name}; with the true outcomes it is {honest:.3f}. {least['n']:,} player-games, {fold.first} to {fold.last}."
        ),
    }


def _ratio(inside: pl.DataFrame, number: np.ndarray, constant: float) -> dict[str, Any]:
    """Return the MAE of `number` beside that of `constant` on the rows that have a number."""
    known = ~np.isnan(number)
    actual = column(inside, TARGET)[known]
    return clustered_ratio(inside["game_date"].to_numpy()[known], np.abs(number[known] - actual), np.abs(constant - actual))


def _later_rows(
    rows: pl.DataFrame,
    lines: pl.DataFrame,
    fold: Fold,
    predictions: pl.DataFrame,
    out_of_fold: pl.DataFrame,
    names: Sequence[str],
    seed: int,
) -> dict[str, Any]:
    dates = rows.filter(pl.col("game_date").is_between(fold.first, fold.last))["game_date"].unique().sort()
    day = dates[(len(dates) - 1) // 2]
    later = pl.col("game_date") > day
    spoilt, spoilt_lines = (frame.with_columns(cs.float() * pl.when(later).then(FACTOR).otherwise(1.0)) for frame in (rows, lines))
    numbers, trained_until = walk_forward.fold_numbers(spoilt, fold, names, seed, None)
    inside = spoilt.filter(pl.col("game_date").is_between(fold.first, fold.last))
    inside = inside.join(spoilt_lines, on=["game_date", "player_id"], how="left", maintain_order="left")
    past = [out_of_fold.filter(pl.col("game_date") < fold.first)]
    again = walk_forward.complete(inside, numbers, past, trained_until)
    before, after = (_until(frame, fold, day) for frame in (predictions, again))
    changed = _differing(before, after)
    return {
        "id": LATER,
        "value": changed,
        "threshold": 0,
        "passed": changed == 0,
        "what": (
            f"With every number after {day} multiplied by {FACTOR:g}, outcomes, features and lines ({rows.filter(later).height:,} player-games), "
            f"and every fit, weight and curve made again, the {before.height:,} predictions from {fold.first} to {day} stay the same byte for "
            f"byte. Shown is how many differ."
        ),
    }


def _until(frame: pl.DataFrame, fold: Fold, day: object) -> pl.DataFrame:
    inside = pl.col("slate_date").is_between(fold.first, pl.lit(day))
    return frame.filter(inside).sort("slate_date", "game_id", "player_id", "system_id")


def _differing(before: pl.DataFrame, after: pl.DataFrame) -> int:
    """Count the rows that differ in any bit; all of them where the frames don't have the same rows."""
    words = cs.exclude(cs.float())
    if before.height != after.height or not before.select(words).equals(after.select(words)):
        return max(before.height, after.height)
    bits = [frame.select(cs.float().fill_null(np.nan)).to_numpy().view(np.int64) for frame in (before, after.select(before.columns))]
    return int((bits[0] != bits[1]).any(axis=1).sum())
