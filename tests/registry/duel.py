"""Graded rows of two versions whose quality is known, in a real warehouse, and a release log in which one challenges the other."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl

from nba_ml.registry import graded, releases, versions
from nba_ml.registry.log import ReleaseLog
from nba_ml.warehouse.schema import tables

FIRST = date(2024, 1, 1)
SYSTEMS = "nba_predictions.system_predictions"
SERVING, CHALLENGER = "v1", "v2"


def unchecked(version):
    """Stand for the look at golden vectors, which tests/registry/test_loading.py tests."""


def open_log(context) -> ReleaseLog:
    return ReleaseLog(context.store, versions.MODEL, "dev")


def challenge(context, publish, share=0.1) -> ReleaseLog:
    """Release v1 at 100 %, and v2 at 10 % or as a shadow."""
    log = open_log(context)
    for version in (SERVING, CHALLENGER):
        publish(context.store, version)
    releases.release(log, SERVING, actor="ann", reason="first", verify=unchecked)
    if share:
        releases.release(log, CHALLENGER, actor="ann", reason="looks better", verify=unchecked, share=share)
    else:
        releases.shadow(log, CHALLENGER, actor="ann", reason="let us see", verify=unchecked)
    return log


def rows_of(slates, players=120, *, worse=0.0, apart=0.7, bias=0.0, first=FIRST, seed=1, release=2, run="r", mode="live", silent=0.0):
    """Make slates of two versions whose numbers lie `apart` points from each other; the challenger's are `worse` points further off.

    Returns
    -------
    tuple of DataFrame
        Rows of player_prop_predictions, system_predictions and prediction_accuracy, required columns that nobody reads filled in.
    """
    rng = np.random.default_rng(seed)
    n = slates * players
    mean = np.clip(np.tile(rng.gamma(3, 3.5, players), slates) + rng.normal(0, 2, n), 0.5, None)
    actual = rng.negative_binomial(5, 5 / (5 + mean)).astype(int)
    serving = mean + rng.normal(0, apart / 2, n)
    away = np.where(mean > actual, worse, -worse)
    challenger = mean + rng.normal(0, apart / 2, n) + away + bias
    day = np.repeat(np.arange(slates), players)
    base = {
        "slate_date": [first + timedelta(days=int(d)) for d in day],
        "run_key": [f"{run}{d}" for d in day],
        "mode": mode,
        "game_id": [f"g{d:03d}{p % 6}" for d, p in zip(day, np.tile(np.arange(players), slates), strict=True)],
        "player_id": np.tile(np.arange(players), slates),
        "line": np.where(np.tile(np.arange(players) % 2, slates) == 0, np.floor(mean) + 0.5, np.nan),
        "line_kind": "last_snapshot",
        "actual_points": actual,
        "published_at": [datetime(2024, 1, 1, 20, tzinfo=UTC) + timedelta(days=int(d), minutes=release) for d in day],
        "release_number": release,
        "season_avg_minutes": np.clip(mean * 1.8, 5, 38),
    }
    facts = pl.DataFrame(base).with_columns(pl.col("line").fill_nan(None))
    numbers = []
    for version, number in ((SERVING, serving), (CHALLENGER, challenger)):
        quiet = pl.Series(rng.random(n) < (silent if version == CHALLENGER else 0))
        for system in ("ensemble", "xgboost"):
            said = facts.with_columns(system_id=pl.lit(system), model_version=pl.lit(version), predicted_points=pl.Series(number))
            numbers.append(said.with_columns(predicted_points=pl.when(~quiet).then("predicted_points")))
    said = pl.concat(numbers).with_columns(
        p_over=1 / (1 + (-(pl.col("predicted_points") - pl.col("line")) / 5).exp()),
        error=pl.col("predicted_points") - pl.col("actual_points"),
    )
    scored = complete(SYSTEMS, said)
    ids = tables()[SYSTEMS].conform(scored).select("id")["id"]
    over, up = pl.col("predicted_points") > pl.col("line"), pl.col("actual_points") > pl.col("line")
    grades = said.with_columns(
        prediction_id=ids,
        absolute_error=pl.col("error").abs(),
        outcome=pl.when(pl.col("line").is_null()).then(pl.lit("no_line")).when(over == up).then(pl.lit("win")).otherwise(pl.lit("loss")),
    )
    picks = facts.with_columns(model_version=pl.lit(SERVING), predicted_points=pl.Series(serving))
    return complete(graded.PICKS, picks), scored, complete(graded.GRADES, grades)


def complete(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Fill the required columns that a test does not care for, and leave out what is no column."""
    filler = {"string": "x", "int64": 0, "float64": 0.0, "bool": False, "date": FIRST, "timestamp": datetime(2024, 1, 1, tzinfo=UTC)}
    columns = [column for column in tables()[table].columns if column.name != "id"]
    known = [column for column in columns if column.name in rows.columns or column.required]
    return rows.select(
        pl.col(column.name) if column.name in rows.columns else pl.lit(filler[column.type], column.dtype).alias(column.name)
        for column in known
    )


def play(context, slates, **how) -> None:
    """Write `rows_of` to the warehouse."""
    for table, rows in zip((graded.PICKS, SYSTEMS, graded.GRADES), rows_of(slates, **how), strict=True):
        context.warehouse.upsert(table, rows)
