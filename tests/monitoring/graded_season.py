"""Graded slates of one version whose quality is known, with a simple rule beside it, in a real warehouse."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl

from nba_ml.monitoring.graded_rows import SIMPLE, SYSTEMS
from nba_ml.registry import graded
from nba_ml.warehouse.schema import tables
from tests.registry.duel import complete

VERSION = "v1"
FIRST = date(2023, 11, 1)


def rows_of(slates, players=80, *, first=FIRST, seed=1, mode="live", run="r", version=VERSION, off=0.0, bias=0.0, sharp=1.0, gain=0.0):
    """Make slates whose ensemble is better than the simple rule by about 0.2 points.

    Parameters
    ----------
    off : float
        Standard deviation, in points, of an error that is added to the version's numbers.
    bias, gain : float
        Points that are added to the version's numbers, and share by which everybody scores more than anyone expects.
    sharp : float
        What the logits of honest probabilities are multiplied by.

    Returns
    -------
    dict
        Table → rows.
    """
    rng = np.random.default_rng(seed)
    n = slates * players
    mean = np.clip(np.tile(rng.gamma(3, 3.5, players), slates) + rng.normal(0, 2, n), 0.5, None)
    actual = rng.negative_binomial(5, 5 / (5 + mean * (1 + gain))).astype(int)
    numbers = {
        "ensemble": mean + rng.normal(0, 0.4, n) + rng.normal(0, 1, n) * off + bias,
        "xgboost": mean + rng.normal(0, 0.6, n) + rng.normal(0, 1, n) * off + bias,
        SIMPLE: mean + rng.normal(0, 1.8, n),
    }
    day = np.repeat(np.arange(slates), players)
    lined = np.tile(np.arange(players) % 2, slates) == 0
    facts = pl.DataFrame(
        {
            "slate_date": [first + timedelta(days=int(d)) for d in day],
            "run_key": [f"{run}{d}" for d in day],
            "mode": mode,
            "game_id": [f"g{d:03d}{p % 4}" for d, p in zip(day, np.tile(np.arange(players), slates), strict=True)],
            "player_id": np.tile(np.arange(players), slates),
            "model_version": version,
            "line": np.where(lined, np.floor(mean) + 0.5, np.nan),
            "actual_points": actual,
            "published_at": [datetime(2023, 11, 1, 20, tzinfo=UTC) + timedelta(days=int(d)) for d in day],
            "as_of": [datetime(2023, 11, 1, 20, tzinfo=UTC) + timedelta(days=int(d)) for d in day],
            "release_number": 1,
            "prior_games": 50,
            "season_avg_minutes": 25.0,
        }
    ).with_columns(pl.col("line").fill_nan(None))
    over = 1 - _below(mean, np.nan_to_num(facts["line"].to_numpy(), nan=10.5))
    logit = sharp * np.log(over / (1 - over))
    said = pl.concat(
        [facts.with_columns(system_id=pl.lit(system), predicted_points=pl.Series(number)) for system, number in numbers.items()]
    )
    trained = pl.col("system_id") != SIMPLE
    said = said.with_columns(
        p_over=pl.when(trained & pl.col("line").is_not_null()).then(pl.Series(np.tile(1 / (1 + np.exp(-logit)), len(numbers)))),
        q10=pl.when(trained).then(pl.col("predicted_points") - 7),
        q90=pl.when(trained).then(pl.col("predicted_points") + 7),
        error=pl.col("predicted_points") - pl.col("actual_points"),
        closing_line=pl.col("line") + 0.5,
    )
    scored = complete(SYSTEMS, said)
    up, high = pl.col("predicted_points") > pl.col("line"), pl.col("actual_points") > pl.col("line")
    grades = said.with_columns(
        prediction_id=tables()[SYSTEMS].conform(scored)["id"],
        absolute_error=pl.col("error").abs(),
        outcome=pl.when(pl.col("line").is_null()).then(pl.lit("no_line")).when(up == high).then(pl.lit("win")).otherwise(pl.lit("loss")),
        closing_line_value=pl.when(up).then(0.5).when(~up).then(-0.5),
    )
    picks = facts.with_columns(predicted_points=pl.Series(numbers["ensemble"]), p_over=said["p_over"].head(n))
    return {graded.PICKS: complete(graded.PICKS, picks), SYSTEMS: scored, graded.GRADES: complete(graded.GRADES, grades)}


def play(context, slates, **how) -> None:
    """Write `rows_of` to the warehouse."""
    for table, rows in rows_of(slates, **how).items():
        context.warehouse.upsert(table, rows)


def _below(mean, line):
    from scipy.stats import nbinom

    return np.clip(nbinom.cdf(np.floor(line), 5, 5 / (5 + mean)), 0.02, 0.98)
