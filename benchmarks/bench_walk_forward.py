"""The walk-forward of xgboost against bare XGBoost: the same fits and predictions on ready matrices. The goal is 1.25 times at most."""

from collections.abc import Sequence
from datetime import date, timedelta
from unittest.mock import patch

import numpy as np
import polars as pl
import xgboost
from common import Cost, best, history, open_league, show, timed

from nba_ml.features import TARGET, build, feature_names
from nba_ml.lines import consensus
from nba_ml.settings import load_settings
from nba_ml.systems.base import System, parameters
from nba_ml.systems.moving_average import MovingAverage
from nba_ml.systems.xgboost import THREADS, XGBoost
from nba_ml.training import walk_forward

REFIT_DAYS = 30
FOLDS = 1
"""Folds that count; the walk-forward puts three warm-up folds before them."""

HISTORY_DAYS = 700
"""Days of history, so that a run stays within two minutes."""

RUNS = 2


def members(names: Sequence[str], seed: int) -> dict[str, System]:
    """Return xgboost, and moving_average (it learns nothing) as the second voice without which there is no ensemble to calibrate."""
    return {"moving_average": MovingAverage(), "xgboost": XGBoost(names, seed)}


def load() -> tuple[str, pl.DataFrame, pl.DataFrame]:
    """Return the source's name, feature rows with outcomes, and consensus lines."""
    source = open_league()
    last = source.last_date()
    first = last - timedelta(days=HISTORY_DAYS)
    box, schedule = history(source)
    box = box.filter(pl.col("game_date") >= first)
    outcomes = box.filter(pl.col("minutes") > 0).select(
        "game_id", "player_id", pl.col("points").cast(pl.Float64).alias(TARGET), actual_minutes=pl.col("minutes").cast(pl.Float64)
    )
    rows = build(box, schedule).drop("upcoming").join(outcomes, on=["game_id", "player_id"]).sort("game_date", "game_id", "player_id")
    lines = consensus(source.prop_lines(first, last), tipoffs=schedule.select("game_id", "tipoff_utc"))
    return source.name, rows, lines


def bare(matrices: list[tuple[np.ndarray, np.ndarray, np.ndarray]], seed: int) -> list[np.ndarray]:
    """Fit and predict each fold with XGBoost alone."""
    settings = dict(parameters()["xgboost"])
    rounds = settings.pop("rounds")
    settings |= {"tree_method": "hist", "nthread": THREADS, "seed": seed}
    numbers = []
    for features, target, inside in matrices:
        data = xgboost.QuantileDMatrix(features, target, max_bin=settings["max_bin"], nthread=THREADS)
        booster = xgboost.train(settings | {"base_score": float(target.mean())}, data, num_boost_round=rounds)
        numbers.append(booster.predict(xgboost.DMatrix(inside, nthread=THREADS)))
    return numbers


def main() -> None:
    """Measure both ways in turn."""
    seed = load_settings().seed
    name, rows, lines = load()
    end: date = rows.filter(pl.col("season_type") == "Regular Season").select(pl.col("game_date").max()).item()
    folds = walk_forward.plan_folds(rows, end - timedelta(days=FOLDS * REFIT_DAYS - 1), end, REFIT_DAYS)
    matrices = []
    for fold in folds:
        train, inside = rows.filter(pl.col("game_date") < fold.first), rows.filter(pl.col("game_date").is_between(fold.first, fold.last))
        ready = [part.select(pl.col(feature_names()).cast(pl.Float32)).to_numpy() for part in (train, inside)]
        matrices.append((ready[0], train[TARGET].to_numpy(), ready[1]))
    ours: list[Cost] = []
    theirs: list[Cost] = []
    with patch.object(walk_forward, "new_members", members):
        for _ in range(RUNS):
            (frame, _), cost = timed(lambda: walk_forward.walk_forward(rows, lines, folds, names=feature_names(), seed=seed))
            ours.append(cost)
            numbers, cost = timed(lambda: bare(matrices, seed))
            theirs.append(cost)
    last = frame.filter((pl.col("system_id") == "xgboost") & (pl.col("slate_date") >= folds[-1].first))["predicted_points"].to_numpy()
    same = bool(np.allclose(np.maximum(numbers[-1], 0), last, rtol=0, atol=1e-6))
    walked, fitted = best(ours), best(theirs)
    show(
        "walk_forward",
        f"{len(folds)} folds, {rows.height:,} rows, {name}",
        ("", "seconds", "processor", "× bare"),
        [("bare XGBoost", *fitted, 1.0), ("walk-forward of xgboost", *walked, walked.wall / fitted.wall)],
        {
            "source": name,
            "folds": len(folds),
            "rows": rows.height,
            "ratio": walked.wall / fitted.wall,
            "ratio_cpu": walked.cpu / fitted.cpu,
            "seconds": walked.wall,
            "same_numbers": same,
        },
    )


if __name__ == "__main__":
    main()
