"""The ensemble's weights and the distribution around a number, on data whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_ml.systems.base import parameters
from nba_ml.systems.calibration import GRID, Calibration, Platt, Prior, platt, prior
from nba_ml.systems.ensemble import Ensemble


@pytest.fixture(scope="module")
def truth():
    rng = np.random.default_rng(5)
    level = rng.gamma(3, 4, 20_000)
    actual = rng.negative_binomial(4, 4 / (4 + level)).astype(float)
    line = np.where(rng.random(20_000) < 0.7, np.round(level + rng.normal(0, 1, 20_000)) + 0.5 * rng.integers(0, 2, 20_000), np.nan)
    return level, actual, line


@pytest.fixture(scope="module")
def calibration(truth):
    """Learned from the rows alone: the number of this league knows more beside its line than the prior believes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(parameters()["calibration"], "prior_rows", 1)
        return Calibration.fit(*truth, np.full(len(truth[0]), np.nan))


def test_weights_find_the_better_system_and_sum_to_one(truth):
    level, actual, _ = truth
    noise = np.random.default_rng(6).normal(0, 6, len(level))
    ensemble = Ensemble.fit({"good": level, "bad": level + noise}, actual)
    assert sum(ensemble.weights.values()) == pytest.approx(1)
    assert ensemble.weights["good"] > 0.9
    assert min(ensemble.weights.values()) >= 0


def test_a_system_that_never_spoke_has_no_weight_and_costs_the_others_none(truth):
    level, actual, _ = truth
    noise = np.random.default_rng(6).normal(0, 6, len(level))
    numbers = {"good": level, "bad": level + noise}
    silent = Ensemble.fit(numbers | {"silent": np.full(len(level), np.nan)}, actual)
    assert silent == Ensemble.fit(numbers, actual)


def test_an_abstaining_system_leaves_its_weight_to_the_others_and_one_alone_is_an_abstention():
    ensemble = Ensemble({"a": 0.5, "b": 0.25, "c": 0.25}, (0.0, 0.0, 0.0))
    nan = np.nan
    numbers = {"a": np.array([10.0, 10, 10, nan]), "b": np.array([20.0, 20, nan, nan]), "c": np.array([20.0, nan, nan, nan])}
    combined = ensemble.combine(numbers)
    np.testing.assert_allclose(combined[:2], [15, 40 / 3])
    assert np.isnan(combined[2:]).all()


def test_the_shift_moves_low_numbers_to_the_median_and_high_ones_less(truth):
    level, actual, _ = truth
    ensemble = Ensemble.fit({"a": level, "b": level}, actual)
    shifted = ensemble.combine({"a": level, "b": level})
    (low, high), (all_of_it, part) = (parameters()["ensemble"][name] for name in ("shift_levels", "shift_shares"))
    for inside, share in ((level < low, all_of_it), (level > high, part)):
        gap = ensemble.shift[0] + ensemble.shift[1] * np.sqrt(level) + ensemble.shift[2] * level
        np.testing.assert_allclose((shifted - level)[inside], np.maximum(gap * share, -level)[inside])
        assert (gap < 0).mean() > 0.9
    assert abs(np.median((actual - shifted)[level < low])) < 0.3
    assert np.abs(actual - shifted).mean() < np.abs(actual - level).mean()


def test_a_higher_number_stays_the_higher_one_after_the_shift(truth):
    level, actual, _ = truth
    ensemble = Ensemble.fit({"a": level, "b": level}, actual)
    rising = np.linspace(1, 35, 500)
    assert (np.diff(ensemble.combine({"a": rising, "b": rising})) > 0).all()


def test_intervals_cover_what_they_say_in_each_band_and_widen_with_the_level(truth, calibration):
    level, actual, _ = truth
    low, high = calibration.quantile(level, 0.1), calibration.quantile(level, 0.9)
    inside = (actual >= low) & (actual <= high)
    for part in np.array_split(np.argsort(level), 6):
        assert 0.77 < inside[part].mean() < 0.86
    width = [(high - low)[part].mean() for part in np.array_split(np.argsort(level), 6)]
    assert width == sorted(width)


def test_probabilities_of_the_over_are_calibrated_with_pushes_excluded(truth, calibration):
    level, actual, line = truth
    decided = ~np.isnan(line) & (actual != line)
    p, over = calibration.over(level, line, np.full(len(line), np.nan))[decided], (actual > line)[decided]
    bins = np.digitize(p, [0.4, 0.5, 0.6])
    for value in np.unique(bins):
        assert p[bins == value].mean() == pytest.approx(over[bins == value].mean(), abs=0.03)


def test_the_score_of_a_distribution_is_that_of_its_two_hundred_equal_parts(truth, calibration):
    """CRPS of a set of equally likely values, E|X − y| − E|X − X'| / 2 (Gneiting and Raftery, JASA 102, 2007), term by term."""
    level, actual, _ = (values[:25] for values in truth)
    found = calibration.crps(level, actual)
    for number, outcome, score in zip(level, actual, found, strict=True):
        parts = np.array([calibration.quantile(np.array([number]), p)[0] for p in GRID])
        assert score == pytest.approx(np.abs(parts - outcome).mean() - np.abs(parts[:, None] - parts[None, :]).mean() / 2)


def test_the_score_rewards_the_true_distribution_and_is_missing_with_the_number(truth, calibration):
    level, actual, _ = truth
    score = calibration.crps(level, actual)
    for factor in (0.5, 2.0):
        wrong = replace(calibration, spread=(calibration.spread[0] * factor, calibration.spread[1] * factor))
        assert score.mean() < wrong.crps(level, actual).mean()
    assert score.mean() < np.abs(level - actual).mean()
    assert np.isnan(calibration.crps(np.array([np.nan]), np.array([3.0]))).all()


@given(number=st.floats(0, 60), line=st.floats(0.5, 60).map(lambda value: round(value * 2) / 2))
@settings(max_examples=100, deadline=None)
def test_quantiles_are_ordered_and_probabilities_fall_with_the_line(calibration, number, line):
    numbers = np.array([number])
    q10, q50, q90 = (calibration.quantile(numbers, p)[0] for p in (0.1, 0.5, 0.9))
    assert 0 <= q10 <= q50 <= q90
    here, above = (calibration.raw_over(numbers, np.array([value]))[0] for value in (line, line + 1))
    assert 0 < above <= here < 1


def test_without_a_number_or_a_line_there_is_no_probability(calibration):
    nan = np.nan
    assert np.isnan(calibration.over(np.array([nan, 10.0]), np.array([10.5, nan]), np.array([0.5, 0.5]))).all()
    assert np.isnan(calibration.quantile(np.array([nan]), 0.5)).all()
    assert np.isnan(calibration.beyond_line(np.array([10.0]), np.array([nan]))).all()


def test_before_any_line_the_prior_speaks_and_there_is_no_number_with_the_line(truth):
    level, actual, _ = truth
    none = np.full(len(level), np.nan)
    bare = Calibration.fit(level, actual, none, none)
    assert bare.platt == pytest.approx(prior("alone").curve.coefficients, abs=1e-4)
    assert bare.market == pytest.approx(prior("beside_market").curve.coefficients, abs=1e-4)
    assert np.isnan(bare.beyond_line(np.array([10.0]), np.array([9.5]))).all()


@pytest.mark.parametrize("name", ["alone", "beside_market"])
def test_a_curve_moves_from_the_prior_to_what_happened_as_rows_come_in(name):
    rng = np.random.default_rng(12)
    before = prior(name)
    first, *slopes = before.curve.coefficients
    rows = 200_000
    probability = rng.uniform(0.2, 0.8, (rows, len(slopes)))
    truth = Platt((first + 0.4, *(slope + 0.5 for slope in slopes)))
    happened = rng.random(rows) < truth(probability)
    apart = [
        np.abs(np.subtract(platt(probability[:seen], happened[:seen], before).coefficients, truth.coefficients)).max()
        for seen in (100, 10_000, 200_000)
    ]
    assert apart[0] > 0.38
    assert 0.1 < apart[1] < 0.35
    assert apart[2] < 0.06


def test_the_prior_counts_as_rows_of_its_own():
    """As a search over the penalised likelihood finds it, term by term."""
    from scipy.optimize import minimize

    rng = np.random.default_rng(13)
    probability, before = rng.uniform(0.3, 0.7, 500), Prior(Platt((-0.2, 0.6)), np.array([[0.4], [0.5], [0.7]]), 300.0)
    happened, believed = rng.random(500) < 0.6, before.curve(before.at)

    def loss(coefficients):
        curve = Platt(tuple(coefficients))
        seen, there = curve(probability), curve(before.at)
        return -np.sum(np.where(happened, np.log(seen), np.log(1 - seen))) - 100 * np.sum(
            believed * np.log(there) + (1 - believed) * np.log(1 - there)
        )

    naive = minimize(loss, [0.0, 1.0], method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9}).x
    np.testing.assert_allclose(platt(probability, happened, before).coefficients, naive, atol=2e-4)


@pytest.mark.parametrize("name", ["alone", "beside_market", "market"])
@pytest.mark.parametrize("rows", [0, 1, 2, 1_000])
def test_rows_at_one_price_leave_the_slopes_to_the_prior(name, rows):
    """A feed that quoted -110 both ways so far says how often overs come, and nothing of what another price would mean."""
    before = prior(name)
    found = platt(np.full((rows, before.at.shape[1]), 0.5), np.arange(rows) % 2 == 0, before)
    np.testing.assert_allclose(found.coefficients[1:], before.curve.coefficients[1:], atol=0.02)
    assert found.coefficients[0] == pytest.approx(before.curve.coefficients[0], abs=0.02)


@pytest.mark.parametrize("outcome", [True, False])
def test_rows_that_all_ended_alike_move_the_curve_a_little(outcome):
    before = prior("market")
    found = platt(np.linspace(0.4, 0.6, 50), np.full(50, outcome), before)
    asked = np.array([0.45, 0.5, 0.55])
    assert np.abs(found(asked) - before.curve(asked)).max() < 0.02


def test_the_number_with_the_line_is_better_than_either_when_both_know_something():
    rng = np.random.default_rng(8)
    ours, theirs = rng.normal(0, 2, 5_000), rng.normal(0, 2, 5_000)
    base = rng.gamma(3, 4, 5_000) + 10
    actual = base + ours + theirs + rng.normal(0, 4, 5_000)
    number, line = base + ours, base + theirs
    both = Calibration.fit(number, actual, line, np.full(5_000, np.nan)).beyond_line(number, line)

    def rmse(value):
        return np.sqrt(np.mean((value - actual) ** 2))

    assert rmse(both) < min(rmse(number), rmse(line))


def test_real_prices_are_weighed_in_and_missing_ones_leave_the_number_alone(truth, calibration):
    level, actual, line = truth
    rng = np.random.default_rng(11)
    knows = np.where(actual > line, 0.62, 0.38) + rng.normal(0, 0.05, len(level))
    market = np.where(rng.random(len(level)) < 0.5, np.clip(knows, 0.05, 0.95), np.nan)
    weighed = Calibration.fit(level, actual, line, market)
    p = weighed.over(level, line, market)
    decided = ~np.isnan(line) & (actual != line)
    priced = decided & ~np.isnan(market)
    alone = weighed.over(level, line, np.full(len(level), np.nan))

    def log_loss(value, rows):
        return -np.mean(np.log(np.where(actual > line, value, 1 - value)[rows]))

    assert log_loss(p, priced) < log_loss(alone, priced) - 0.1
    bare = decided & np.isnan(market)
    np.testing.assert_array_equal(p[bare], alone[bare])
