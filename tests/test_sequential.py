"""The interval has to hold at all looks together, on errors as they are: heavy-tailed, with something in common within a slate."""

import numpy as np
import pytest
from scipy.stats import t as student

from nba_ml import sequential

LOOKS = 40
HISTORIES = 400


def history(rng, effect, looks=LOOKS):
    """Paired differences of two models: t-distributed rows of slates of very different size, and a common shift of each slate."""
    sizes = rng.integers(40, 260, looks)
    days = np.repeat(np.arange(looks), sizes)
    return days, effect + np.repeat(rng.normal(0, 0.03, looks), sizes) + rng.standard_t(3, sizes.sum()) * 0.5


def fixed(means, sizes):
    """Make the ordinary 95 % t-interval of slate means, to show what looking daily does to it."""
    value = float(np.average(means, weights=sizes))
    half = student.ppf(0.975, len(means) - 1) * means.std(ddof=1) / np.sqrt(len(means))
    return value - half, value + half


def looked_at_daily(interval, rng, effect=0.0):
    """Return the share of histories in which an interval misses the truth on any day."""
    missed = 0
    for _ in range(HISTORIES):
        days, values = history(rng, effect)
        means, sizes = sequential.slate_means(days, values)
        intervals = [interval(means[:look], sizes[:look]) for look in range(2, LOOKS + 1)]
        missed += any(low is not None and not low <= effect <= high for low, high in intervals)
    return missed / HISTORIES


def ours(means, sizes):
    found = sequential.mean(np.repeat(np.arange(len(means)), sizes.astype(int)), np.repeat(means, sizes.astype(int)))
    return found.low, found.high


def test_it_holds_at_all_looks_together_where_an_ordinary_interval_does_not():
    assert looked_at_daily(ours, np.random.default_rng(1)) <= 0.05
    assert looked_at_daily(fixed, np.random.default_rng(1)) > 0.2


def test_a_worse_model_is_found_within_the_stated_slates():
    rng = np.random.default_rng(2)
    for effect, median, late in ((0.25, 5, 7), (0.1, 9, 17)):
        found = []
        for _ in range(100):
            path = sequential.path(*history(rng, effect))
            found.append(next((look.slates for look in path if look.low is not None and look.low > 0), LOOKS + 1))
        assert np.median(found) <= median
        assert np.quantile(found, 0.9) <= late


def test_the_value_is_the_mean_over_rows_and_few_slates_say_nothing():
    days, values = history(np.random.default_rng(3), 0.1, looks=3)
    found = sequential.mean(days, values)
    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high, found.slates, found.n) == (None, None, 3, len(values))
    assert sequential.mean([], np.array([])) == sequential.Mean(None, None, None, 0, 0)


def test_the_order_of_rows_and_the_names_of_dates_change_nothing():
    days, values = history(np.random.default_rng(4), 0.1)
    order = np.random.default_rng(5).permutation(len(days))
    one, other = sequential.mean(days, values), sequential.mean(days[order] + 7, values[order])
    assert (other.value, other.low, other.high) == pytest.approx((one.value, one.low, one.high))


def test_models_that_say_the_same_are_certainly_equal():
    found = sequential.mean(np.repeat(np.arange(8), 100), np.zeros(800))
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_how_many_slates_it_takes_comes_true():
    days, values = history(np.random.default_rng(6), 0.1, looks=200)
    path = sequential.path(days, values)
    needed = sequential.slates_needed(path[19], 0.03)
    assert needed is not None
    reached = next(look.slates for look in path if look.high is not None and look.high - look.value < 0.03)
    assert needed == pytest.approx(reached, rel=0.3)
    assert sequential.slates_needed(path[2], 0.03) is None


def test_a_change_is_seen_in_the_stretch_since():
    """For 40 slates nothing, then a shift: the stretch that begins with it tells it first; a steady stream is quiet at level 0.999."""
    rng = np.random.default_rng(5)
    dates = np.repeat(np.arange(60), 100)
    steady = rng.normal(0, 2, 6000)
    looks = [sequential.since(dates[: 100 * day], steady[: 100 * day], 40, 0.999) for day in range(1, 61)]
    assert all(look.low is None or look.low <= 0 <= look.high for seen in looks for look in seen)
    moved = steady + np.where(dates >= 40, 0.8, 0.0)
    found = sequential.since(dates, moved, 40, 0.999)
    assert [look.slates for look in found] == list(range(40, 0, -1))
    told = max(found, key=lambda look: look.low if look.low is not None else -1)
    assert told.low > 0.3
    assert 12 <= told.slates <= 24
    assert found[0] == sequential.mean(dates[dates >= 20], moved[dates >= 20], 0.999)
