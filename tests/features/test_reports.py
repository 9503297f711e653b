"""Injury reports: believed for what they were worth before, seen in time or not at all, and swapped in at prediction only."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nba_ml import calendar
from nba_ml.features import LINEUP, REPORTED_PREFIX, build, feature_names, reports
from nba_ml.systems.base import matrix

REPORTED = [REPORTED_PREFIX + name for name in LINEUP]


@pytest.fixture(autouse=True)
def _few_pairs(monkeypatch):
    monkeypatch.setattr(reports, "LEAST_PAIRS", 60)


@pytest.fixture(scope="module")
def status(games) -> pl.DataFrame:
    """A report an hour before each date's cut-off that knows who will not play: Out for them, Available for two of the others."""
    box, schedule = games
    rows = []
    teams = pl.concat([schedule.select("game_id", "game_date", team=side) for side in ("home", "away")])
    roster = box.select("team", "player_id").unique()
    played = box.filter(pl.col("minutes") > 0).select("game_id", "player_id", played=True)
    for row in teams.join(roster, on="team").join(played, on=["game_id", "player_id"], how="left").to_dicts():
        out = not row["played"]
        if out or row["player_id"] % 3 == 0:
            seen = calendar.lead_as_of(row["game_date"], None) - timedelta(hours=1)
            rows.append(
                {
                    "kind": "injury_report",
                    "game_date": row["game_date"],
                    "team": row["team"],
                    "player_id": row["player_id"],
                    "captured_at": seen,
                }
                | {"player_raw": str(row["player_id"]), "status": "Out" if out else "Available"}
            )
    return pl.DataFrame(rows).with_columns(pl.col("captured_at").dt.cast_time_unit("us"))


def test_reports_that_were_right_before_are_believed(games, status):
    with_reports, without = (build(*games, status=value) for value in (status, None))
    assert_frame_equal(with_reports.select(feature_names()), without.select(feature_names()), check_exact=True)
    assert without.select(pl.col(REPORTED).count().sum()).sum_horizontal().item() == 0
    late = with_reports.filter(pl.col("reported_out_points").is_not_null())
    assert late.height > 200
    box = games[0].filter(pl.col("minutes") > 0)
    usual = box.group_by("player_id").agg(pl.col("points").mean())
    mates = late.join(box.select("team", "player_id").unique().rename({"player_id": "mate"}), on="team").filter(
        pl.col("mate") != pl.col("player_id")
    )
    sat = mates.join(box.select("game_id", mate="player_id"), on=["game_id", "mate"], how="anti").join(
        usual, left_on="mate", right_on="player_id"
    )
    really = sat.group_by("game_id", "player_id").agg(really=pl.col("points").sum())
    compared = late.join(really, on=["game_id", "player_id"], how="left").with_columns(pl.col("really").fill_null(0.0))
    assert np.corrcoef(compared["reported_out_points"], compared["really"])[0, 1] > 0.8
    assert np.corrcoef(compared["out_points"], compared["really"])[0, 1] < 0.5


@pytest.mark.parametrize("change", ["at the cut-off", "after it", "time unknown", "of another kind", "of a later date"])
def test_what_was_not_known_by_the_cut_off_is_never_used(games, status, change):
    column = {
        "at the cut-off": pl.col("captured_at").dt.offset_by("1h").alias("captured_at"),
        "after it": pl.col("captured_at").dt.offset_by("1h1us").alias("captured_at"),
        "time unknown": pl.lit(None, pl.Datetime("us", "UTC")).alias("captured_at"),
        "of another kind": pl.lit("rumour").alias("kind"),
        "of a later date": pl.lit(games[1]["game_date"].max() + timedelta(days=9)).alias("game_date"),
    }[change]
    found = build(*games, status=status.with_columns(column))
    assert found.select(pl.col(REPORTED).count().sum()).sum_horizontal().item() == 0


def test_reports_and_outcomes_of_later_dates_change_nothing(games, status):
    day = games[1]["game_date"].unique().sort()[70]
    late = pl.col("game_date") > day
    flipped = status.with_columns(status=pl.when(late).then(pl.lit("Questionable")).otherwise("status"))
    kept = build(*games, status=status).filter(~late)
    assert_frame_equal(kept, build(*games, status=flipped).filter(~late), check_exact=True)
    box, schedule = (frame.filter(~late) for frame in games)
    assert_frame_equal(kept, build(box, schedule, status=status.filter(~late)), check_exact=True)
    assert kept["reported_out_points"].count()


def test_only_the_latest_report_in_time_speaks(games, status):
    earlier = status.with_columns(pl.col("captured_at").dt.offset_by("-3h"), status=pl.lit("Questionable"))
    assert_frame_equal(build(*games, status=pl.concat([earlier, status])), build(*games, status=status), check_exact=True)


def test_a_slate_may_be_cut_off_later_than_the_lead(games, status):
    box, schedule = games
    day = schedule["game_date"].max()
    slate = box.filter((pl.col("game_date") == day) & (pl.col("minutes") > 0))
    before = box.filter(pl.col("game_date") < day)
    late = pl.when(pl.col("game_date") == day).then(pl.col("captured_at").dt.offset_by("90m")).otherwise("captured_at")
    moved = status.with_columns(captured_at=late)
    lead = calendar.lead_as_of(day, None)
    unseen, seen = (
        build(before, schedule, slate, status=moved, as_of=as_of).filter("upcoming")["reported_out_points"].count()
        for as_of in (lead, lead + timedelta(hours=1, microseconds=1))
    )
    assert unseen == 0
    assert seen == slate.height


def test_predicting_takes_what_reports_say_and_fitting_does_not(games, status):
    built = build(*games, status=status)
    place = feature_names().index("out_points")
    fitted, predicted = matrix(built, feature_names())[:, place], matrix(built, feature_names(), reported=True)[:, place]
    reported = built["reported_out_points"]
    np.testing.assert_array_equal(fitted, built["out_points"].cast(pl.Float32).fill_null(float("nan")).to_numpy())
    known = reported.is_not_null().to_numpy()
    np.testing.assert_array_equal(predicted[known], reported.drop_nulls().cast(pl.Float32).to_numpy())
    np.testing.assert_array_equal(predicted[~known], fitted[~known])


def test_every_way_of_writing_a_status_has_one_meaning():
    ways = [way for group in reports.STATUSES.values() for way in group]
    assert len(ways) == len(set(ways))
    assert all(way == way.lower().strip() for way in ways)
