"""Moving average, match-up and similarity: each adjustment pushes the right way, and too little history is an abstention, never a 0."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_ml.features import TARGET
from nba_ml.systems.base import column, parameters
from nba_ml.systems.matchup import Matchup
from nba_ml.systems.moving_average import MovingAverage
from nba_ml.systems.similarity import Similarity
from tests.systems.rows import make_rows

EMPTY = make_rows(20).clear()
ROWS = make_rows(60).with_columns(prior_games=pl.lit(20.0))


def moved(system, name, by):
    """Change of each prediction when one feature grows by `by`."""
    return system.predict(ROWS.with_columns(pl.col(name) + by), EMPTY) - system.predict(ROWS, EMPTY)


@pytest.mark.parametrize(
    ("system", "name", "by", "sign"),
    [
        (MovingAverage(), "points_mean_5", 1.0, 1),
        (MovingAverage(), "points_mean_10", 1.0, 1),
        (MovingAverage(), "points_shrunk", 1.0, 1),
        (MovingAverage(), "game_pace", 2.0, 1),
        (Matchup(), "points_shrunk", 1.0, 1),
        (Matchup(), "minutes_ewm_5", 1.0, 1),
        (Matchup(), "conceded_to_kind", 1.0, 1),
        (Matchup(), "game_pace", 2.0, 1),
    ],
    ids=lambda value: getattr(value, "system_id", value),
)
def test_each_adjustment_is_monotone(system, name, by, sign):
    assert (np.sign(moved(system, name, by)) == sign).all()


def test_rest_never_lowers_and_home_never_lowers():
    tired, rested = (ROWS.with_columns(back_to_back=pl.lit(value)) for value in (1.0, 0.0))
    assert (MovingAverage().predict(rested, EMPTY) >= MovingAverage().predict(tired, EMPTY)).all()
    for system in (MovingAverage(), Matchup()):
        home, neutral, road = (
            system.predict(ROWS.with_columns(is_home=pl.lit(h), neutral_site=pl.lit(n)), EMPTY)
            for h, n in ((1.0, 0.0), (1.0, 1.0), (0.0, 0.0))
        )
        assert (home >= neutral).all()
        assert (neutral >= road).all()


def test_a_stronger_defence_never_raises_and_usage_scales_it():
    strong = Matchup().predict(ROWS.with_columns(conceded_to_kind=pl.lit(-2.0)), EMPTY)
    weak = Matchup().predict(ROWS.with_columns(conceded_to_kind=pl.lit(2.0)), EMPTY)
    assert (strong <= weak).all()
    heavy = ROWS.with_columns(conceded_to_kind=pl.lit(2.0), usage_rate=pl.lit(0.9))
    light = heavy.with_columns(usage_rate=pl.lit(0.3))
    assert (Matchup().predict(heavy, EMPTY) > Matchup().predict(light, EMPTY)).all()


def test_moving_average_is_the_weighted_mean_at_neutral_venue_rest_and_pace():
    plain = ROWS.with_columns(neutral_site=pl.lit(1.0), back_to_back=pl.lit(0.0), game_pace=pl.col("team_pace"))
    weights = parameters()["moving_average"]
    parts = {"last_5": "points_mean_5", "last_10": "points_mean_10", "season": "points_shrunk"}
    expected = sum(weights[name] * column(ROWS, feature) for name, feature in parts.items())
    np.testing.assert_allclose(MovingAverage().predict(plain, EMPTY), expected)


@pytest.mark.parametrize("system", [MovingAverage(), Matchup()], ids=lambda system: system.system_id)
def test_too_little_history_is_an_abstention(system):
    least = parameters()[system.system_id]["least_games"]
    new = ROWS.with_columns(prior_games=pl.lit(least - 1.0))
    assert np.isnan(system.predict(new, EMPTY)).all()
    assert not np.isnan(system.predict(ROWS.with_columns(prior_games=pl.lit(float(least))), EMPTY)).any()


def alike(count: int, points: list[float], **features: float) -> pl.DataFrame:
    """`count` games of one player, a day apart, the same in every look but `features`; `points` are their outcomes."""
    base = make_rows(1).with_columns(rest_days=pl.lit(2.0), is_home=pl.lit(1.0), points_ewm_2=pl.lit(10.0), points_ewm_15=pl.lit(10.0))
    base = base.with_columns(**{name: pl.lit(value) for name, value in ({"opponent_conceded": 110.0} | features).items()})
    frame = pl.concat([base] * count).with_columns(
        game_date=pl.Series([base["game_date"][0] + timedelta(days=i) for i in range(count)]),
        game_id=pl.Series([f"a{i}" for i in range(count)]),
    )
    return frame.with_columns(pl.Series(TARGET, points, dtype=pl.Float64))


def test_similarity_of_equal_games_is_a_mean_that_leans_to_the_recent():
    history = alike(6, [10, 10, 10, 10, 10, 30])
    asked = alike(7, [0] * 7).tail(1).drop(TARGET)
    number = Similarity().predict(asked, history)[0]
    constants = parameters()["similarity"]
    weights = 0.5 ** (np.arange(6) / constants["half_life"])
    assert number == pytest.approx(constants["level"] * (weights * [30, 10, 10, 10, 10, 10]).sum() / weights.sum())


def test_similarity_abstains_with_fewer_than_five_alike():
    asked = alike(9, [0] * 9).tail(1)
    assert np.isnan(Similarity().predict(asked, alike(4, [10] * 4))[0])
    unlike = alike(8, [10] * 8, opponent_conceded=150.0, rest_days=1.0)
    assert np.isnan(Similarity().predict(asked, unlike)[0])
    assert Similarity().predict(asked, alike(5, [10] * 5))[0] == pytest.approx(10 * parameters()["similarity"]["level"])


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_similarity_ignores_the_game_itself_and_everything_after(seed):
    rows = make_rows(300, seed=seed, players=3)
    day = rows["game_date"].unique().sort()[60]
    asked = rows.filter(pl.col("game_date") == day)
    number = Similarity().predict(asked, rows)
    later = rows.with_columns(pl.when(pl.col("game_date") >= day).then(pl.col(TARGET) + 50).otherwise(pl.col(TARGET)).alias(TARGET))
    np.testing.assert_array_equal(number, Similarity().predict(later.filter(pl.col("game_date") == day), later))
    np.testing.assert_array_equal(number, Similarity().predict(asked.drop(TARGET), rows.filter(pl.col("game_date") < day)))


def test_similarity_does_not_depend_on_the_rows_beside_it():
    rows = make_rows(200, players=4)
    asked = rows.tail(40)
    whole = Similarity().predict(asked, rows)
    alone = np.concatenate([Similarity().predict(asked[i : i + 1], rows) for i in range(asked.height)])
    np.testing.assert_array_equal(whole, alone)
    assert not np.isnan(whole).all()


def test_similarity_without_any_history_abstains():
    rows = make_rows(5)
    assert np.isnan(Similarity().predict(rows.drop(TARGET), rows.clear())).all()
