"""Statistics that a source lacks are not known: null, never a default, and nothing else is lost."""

import polars as pl
from polars.testing import assert_frame_equal

from nba_ml.features import build, feature_names

SHOTS = ("fgm", "fga", "fg3m", "fg3a", "ftm", "fta", "oreb", "dreb", "pf", "blk", "plus_minus")


def without_shots(box: pl.DataFrame, where: pl.Expr) -> pl.DataFrame:
    present = [name for name in SHOTS if name in box.columns]
    return box.with_columns(pl.when(~where).then(pl.col(name)).alias(name) for name in present)


def test_a_source_without_shot_columns_gives_every_other_feature(games):
    box, schedule = games
    whole, bare = build(box, schedule), build(without_shots(box, pl.lit(value=True)), schedule)
    for name in ("usage_rate", "fga_rate", "three_share", "shot_points_8", "team_pace", "plus_minus_15"):
        assert bare[name].null_count() == bare.height, name
    kept = ["points_ewm_8", "minutes_ewm_8", "rest_days", "missing_points", "out_points", "elo_margin", "team_scored"]
    assert_frame_equal(bare.select(kept), whole.select(kept), check_exact=True)


def test_half_a_season_without_shot_columns_keeps_the_last_known_rate(games):
    box, schedule = games
    days = schedule["game_date"].unique().sort()
    late = pl.col("game_date") >= days[60]
    built = build(without_shots(box, late), schedule)
    after = built.filter((pl.col("game_date") >= days[70]) & (pl.col("prior_games") > 25))
    assert after["fga_rate"].null_count() == 0
    assert built.select(pl.any_horizontal(pl.col(feature_names()).is_nan().any())).item() is False
    before = built.filter(pl.col("game_date") <= days[60])
    assert_frame_equal(before, build(box, schedule).filter(pl.col("game_date") <= days[60]), check_exact=True)
