"""Every feature against the same feature in plain pandas (benchmarks/pandas_*.py)."""

import importlib
import sys
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from nba_ml.features import build, feature_names

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
pandas_features = importlib.import_module("pandas_features")
pandas_windows = importlib.import_module("pandas_windows")
making = importlib.import_module("nba_ml.features.build")


def both(box, schedule, slate=None):
    """Make the features both ways, P(out) shared; rows in the same order."""
    kept = []
    with pytest.MonkeyPatch.context() as patch:
        real = making.out_probability
        patch.setattr(making, "out_probability", lambda *arguments: kept.append(real(*arguments)) or kept[-1])
        ours = build(box, schedule, slate)
    p_out = kept[0].select("team", "game_id", "player_id", "p_out").to_pandas()
    frames = [None if frame is None else pandas_windows.dated(frame.to_pandas()) for frame in (box, schedule, slate)]
    return ours, pandas_features.build(frames[0], frames[1], p_out, frames[2])


@pytest.fixture(scope="module")
def history(games):
    return both(*games)


@pytest.fixture(scope="module")
def coming(games):
    """The league's last date but two, as a slate to come."""
    box, schedule = games
    day = schedule["game_date"].unique().sort()[-3]
    scores = [pl.when(pl.col("game_date") < day).then(pl.col(name)) for name in ("home_points", "away_points")]
    slate = box.filter((pl.col("game_date") == day) & (pl.col("minutes") > 0))
    return both(box.filter(pl.col("game_date") < day), schedule.with_columns(scores), slate)


@pytest.fixture(scope="module")
def gaps(games):
    """A game without any row, a month without shots, and players who have not taken a shot yet."""
    box, schedule = games
    silent = schedule["game_id"][::17]
    shots = ("fgm", "fga", "fg3m", "fg3a", "ftm", "fta", "oreb", "dreb", "tov")
    unknown = pl.col("game_date").is_between(date(2021, 11, 20), date(2021, 12, 5))
    shy = (pl.col("player_id") % 100 == 3) & (pl.col("season") == "2021-22")
    none = [pl.when(shy).then(0).otherwise(pl.col(name)).alias(name) for name in ("fga", "fg3a")]
    nulls = [pl.when(~unknown).then(pl.col(name)) for name in shots]
    return both(box.filter(~pl.col("game_id").is_in(silent.implode())).with_columns(none).with_columns(nulls), schedule)


@pytest.fixture(scope="module", params=["history", "coming", "gaps"])
def pair(request):
    return request.getfixturevalue(request.param)


def test_both_have_the_same_rows(pair):
    ours, theirs = pair
    assert ours["game_id"].to_list() == theirs["game_id"].to_list()
    assert ours["player_id"].to_list() == theirs["player_id"].to_list()


@pytest.mark.parametrize("name", feature_names())
def test_a_feature_equals_plain_pandas(name, pair):
    ours, theirs = pair
    expected = theirs[name].to_numpy(float)
    assert not np.isnan(expected).all()
    np.testing.assert_allclose(ours[name].fill_null(np.nan).to_numpy(), expected, rtol=1e-9, atol=1e-9)
