"""American odds: known values, round trips, and probabilities that add up."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_ml.odds import american, implied, vig_free

few = settings(max_examples=40, deadline=None)
prices = st.one_of(st.integers(-5000, -101), st.integers(100, 5000)).map(float)


def value(expression: pl.Expr) -> float | None:
    return pl.select(expression).item()


@pytest.mark.parametrize(("odds", "probability"), [(100, 0.5), (-110, 110 / 210), (150, 0.4), (-300, 0.75), (-100, 0.5)])
def test_known_values(odds, probability):
    assert value(implied(pl.lit(float(odds)))) == pytest.approx(probability)


@pytest.mark.parametrize("odds", [0.0, 99.9, -99.9, 1.91])
def test_an_average_across_the_sign_is_no_price(odds):
    assert value(implied(pl.lit(odds))) is None


@few
@given(prices)
def test_round_trip(odds):
    assert value(american(implied(pl.lit(odds)))) == pytest.approx(odds, abs=1e-3)


@few
@given(prices, prices)
def test_vig_free_probabilities_sum_to_one(over, under):
    p_over, p_under = value(vig_free(pl.lit(over), pl.lit(under))), value(vig_free(pl.lit(under), pl.lit(over)))
    assert p_over + p_under == pytest.approx(1)
    assert 0 < p_over < 1


@few
@given(prices)
def test_equal_prices_are_a_coin_toss(odds):
    assert value(vig_free(pl.lit(odds), pl.lit(odds))) == pytest.approx(0.5)


@few
@given(prices, prices)
def test_a_dearer_over_is_a_likelier_over(odds, other):
    dearer, cheaper = sorted([odds, other], key=lambda price: value(implied(pl.lit(price))), reverse=True)
    assert value(vig_free(pl.lit(dearer), pl.lit(-110.0))) >= value(vig_free(pl.lit(cheaper), pl.lit(-110.0)))


def test_a_missing_side_gives_no_probability():
    assert value(vig_free(pl.lit(-110.0), pl.lit(None, pl.Float64))) is None
    assert value(american(pl.lit(0.0))) is None
    assert value(american(pl.lit(1.0))) is None
