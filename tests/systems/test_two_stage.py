"""Two stages: minutes and rate are learned apart, multiply, and survive being written; without minutes nothing is said."""

import numpy as np
import polars as pl
import pytest

from nba_ml.features import TARGET, feature_names
from nba_ml.systems.base import column
from nba_ml.systems.two_stage import MINUTES, TwoStage


@pytest.fixture(scope="module")
def rows(many_rows):
    """Minutes follow one feature and points per minute another; both lie between 1 and 2."""
    rng = np.random.default_rng(4)
    minutes, rate = rng.uniform(1, 2, many_rows.height), rng.uniform(1, 2, many_rows.height)
    played = 15 * minutes
    return many_rows.with_columns(
        minutes_ewm_8=pl.Series(minutes),
        points_rate=pl.Series(rate),
        **{MINUTES: pl.Series(played), TARGET: pl.Series(played * rate * 0.5 + rng.normal(0, 1, many_rows.height))},
    )


@pytest.fixture(scope="module")
def fitted(rows):
    return TwoStage(feature_names(), seed=3).fit(rows)


def test_more_minutes_and_a_higher_rate_never_lower_the_number(fitted, rows):
    asked = rows.head(300)
    for name in ("minutes_ewm_8", "points_rate"):
        low, high = (fitted.predict(asked.with_columns(pl.lit(value).alias(name)), rows) for value in (1.2, 1.8))
        assert (high > low).all(), name


def test_the_number_is_minutes_times_rate(fitted, rows):
    said, actual = fitted.predict(rows, rows), column(rows, TARGET)
    assert np.corrcoef(said, actual)[0, 1] > 0.8
    assert said.mean() == pytest.approx(actual.mean(), rel=0.05)
    assert (said >= 0).all()


def test_a_row_of_few_minutes_says_little_of_the_rate(rows):
    """Games of one minute at a wild rate change the number less than their count would have it."""
    cameo = rows.head(3_000).with_columns(pl.lit(1.0).alias(MINUTES), pl.lit(3.0).alias(TARGET))
    with_them = TwoStage(feature_names(), seed=3).fit(pl.concat([cameo, rows.tail(3_000)]))
    rate = with_them.predict(rows.tail(500), rows) / TwoStage(feature_names(), seed=3).fit(rows.tail(3_000)).predict(rows.tail(500), rows)
    assert np.isfinite(rate).all()
    assert rate.mean() < 1.2


def test_without_minutes_it_abstains(rows):
    for bare in (rows.drop(MINUTES), rows.with_columns(pl.lit(None, pl.Float64).alias(MINUTES))):
        model = TwoStage(feature_names(), seed=3).fit(bare)
        assert np.isnan(model.predict(rows.head(5), rows)).all()
        assert model.to_files() == {}
        assert np.isnan(TwoStage.from_files({}, feature_names()).predict(rows.head(5), rows)).all()


def test_what_is_written_is_what_is_read(fitted, rows):
    again = TwoStage.from_files(fitted.to_files(), feature_names())
    np.testing.assert_array_equal(again.predict(rows.head(50), rows), fitted.predict(rows.head(50), rows))
    assert again.to_files() == fitted.to_files()
