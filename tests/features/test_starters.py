"""Projected line-ups: worth what they were worth before, seen in time or not at all, and added when a game is predicted only."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nba_ml import calendar
from nba_ml.features import START_POINTS, build, feature_names, reports, starters
from nba_ml.systems.base import matrix, with_starters


@pytest.fixture(autouse=True)
def _few_rows(monkeypatch):
    monkeypatch.setattr(reports, "LEAST_PAIRS", 60)
    monkeypatch.setattr(starters, "LEAST_ROWS", 60)


@pytest.fixture(scope="module")
def league(games):
    """Starters score twelve points more than they do else; which five start is drawn anew each game."""
    box, schedule = games
    rng = np.random.default_rng(11)
    drawn = box.with_columns(draw=pl.Series(rng.random(box.height))).filter(pl.col("minutes") > 0)
    five = drawn.filter(pl.col("draw").rank().over("game_id", "team") <= 5).select("game_id", "player_id", starts=pl.lit(12))
    more = box.join(five, on=["game_id", "player_id"], how="left", maintain_order="left")
    box = more.with_columns(points=pl.col("points") + pl.col("starts").fill_null(0)).drop("starts")
    seen = {day: calendar.lead_as_of(day, None) - timedelta(hours=1) for day in schedule["game_date"]}
    line_ups = five.join(box.select("game_id", "player_id", "game_date", "team"), on=["game_id", "player_id"]).select(
        "game_date",
        "team",
        "player_id",
        kind=pl.lit("projected_lineup"),
        captured_at=pl.col("game_date").replace_strict(seen, return_dtype=pl.Datetime("us", "UTC")),
        player_raw=pl.col("player_id").cast(pl.String),
        status=pl.lit(None, pl.String),
    )
    return box, schedule, line_ups.filter(pl.len().over("game_date", "team") == 5)


def test_starting_is_worth_what_it_was_worth_on_earlier_dates(league):
    box, schedule, line_ups = league
    built = build(box, schedule, status=line_ups)
    without = build(box, schedule)
    assert_frame_equal(built.select(feature_names()), without.select(feature_names()), check_exact=True)
    assert without[START_POINTS].null_count() == without.height
    known = built.filter(pl.col(START_POINTS).is_not_null()).join(
        line_ups.select("game_date", "player_id", starts=True), on=["game_date", "player_id"], how="left"
    )
    assert known.height > 300
    gap = known.group_by(pl.col("starts").is_not_null()).agg(pl.col(START_POINTS).mean()).sort("starts")[START_POINTS]
    assert 3 < gap[1] - gap[0] < 12  # the penalty holds back what few rows say


CHANGES = {
    "at the cut-off": pl.col("captured_at").dt.offset_by("1h").alias("captured_at"),
    "after it": pl.col("captured_at").dt.offset_by("2h").alias("captured_at"),
    "time unknown": pl.lit(None, pl.Datetime("us", "UTC")).alias("captured_at"),
    "team unknown": pl.lit(None, pl.String).alias("team"),
    "a starter unknown": pl.when(pl.col("player_id") == pl.col("player_id").min().over("game_date", "team"))
    .then(pl.lit(None, pl.Int64))
    .otherwise("player_id")
    .alias("player_id"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_line_up_not_known_in_time_or_not_whole_is_never_used(league, change):
    box, schedule, line_ups = league
    found = build(box, schedule, status=line_ups.with_columns(CHANGES[change]))
    assert_frame_equal(found, build(box, schedule), check_exact=True)


def test_only_the_latest_line_up_in_time_speaks(league):
    box, schedule, line_ups = league
    wrong = line_ups.with_columns(pl.col("captured_at").dt.offset_by("-3h"), player_id=pl.col("player_id") // 100 * 100 + 6)
    late = wrong.with_columns(pl.col("captured_at").dt.offset_by("6h"))
    both = pl.concat([wrong, line_ups, late])
    assert_frame_equal(build(box, schedule, status=both), build(box, schedule, status=line_ups), check_exact=True)


def test_line_ups_and_outcomes_of_later_dates_change_nothing(league):
    box, schedule, line_ups = league
    day = schedule["game_date"].unique().sort()[70]
    late = pl.col("game_date") > day
    kept = build(box, schedule, status=line_ups).filter(~late)
    other = line_ups.with_columns(player_id=pl.when(late).then(pl.col("player_id").shift(3)).otherwise("player_id"))
    higher = box.with_columns(points=pl.when(late).then(pl.col("points") + 30).otherwise("points"))
    assert_frame_equal(kept, build(higher, schedule, status=other).filter(~late), check_exact=True)
    cut = [frame.filter(~late) for frame in league]
    assert_frame_equal(kept, build(cut[0], cut[1], status=cut[2]), check_exact=True)
    assert kept[START_POINTS].count()


def test_a_slate_row_is_a_history_row_with_a_line_up_too(league):
    box, schedule, line_ups = league
    day = schedule["game_date"].max()
    finished = build(box, schedule, status=line_ups).filter(pl.col("game_date") == day)
    slate = box.filter((pl.col("game_date") == day) & (pl.col("minutes") > 0))
    unknown = schedule.with_columns(
        pl.when(pl.col("game_date") < day).then(pl.col(name)).alias(name) for name in ("home_points", "away_points")
    )
    coming = build(box.filter(pl.col("game_date") < day), unknown, slate, status=line_ups).filter("upcoming")
    assert finished[START_POINTS].count()
    assert_frame_equal(finished.drop("upcoming"), coming.drop("upcoming"), check_exact=True)


def test_line_ups_tell_who_sits_out_where_there_is_no_report(league):
    box, schedule, line_ups = league
    built = build(box, schedule, status=line_ups)
    assert built["reported_out_points"].count() > 200


def test_models_add_the_points_and_change_nothing_without_them():
    rows = pl.DataFrame({START_POINTS: [None, 2.0, -30.0]}, schema={START_POINTS: pl.Float64})
    numbers = np.array([0.1 + 0.2, 10.0, 10.0])
    np.testing.assert_array_equal(with_starters(numbers, rows), [0.1 + 0.2, 12.0, 0.0])
    np.testing.assert_array_equal(with_starters(numbers, rows.drop(START_POINTS)), numbers)


def test_no_model_is_fitted_on_line_ups(league):
    box, schedule, line_ups = league
    built = build(box, schedule, status=line_ups)
    np.testing.assert_array_equal(*(matrix(rows, feature_names()) for rows in (built, build(box, schedule))))
