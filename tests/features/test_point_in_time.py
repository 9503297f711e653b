"""No feature knows anything of its own game's date or later: the future is changed, deleted and added to, and every feature stays the same."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from nba_ml.features import build, feature_names, frame

STATS = [name for name in frame.STATS if name not in ("minutes", "points")]


def before(built: pl.DataFrame, day: date, *, included: bool = True) -> pl.DataFrame:
    return built.filter(pl.col("game_date") <= day if included else pl.col("game_date") < day)


def changed(box: pl.DataFrame, schedule: pl.DataFrame, day: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Change every outcome dated on `day` or later; who plays is known to the row itself and stays."""
    late = pl.col("game_date") >= day
    outcomes = [pl.when(late).then(pl.col(name) + 3).otherwise(pl.col(name)).alias(name) for name in ("points", "minutes", *STATS)]
    scores = [pl.when(late).then(pl.col(name) + 11).otherwise(pl.col(name)).alias(name) for name in ("home_points", "away_points")]
    return box.with_columns(outcomes), schedule.with_columns(scores)


def deleted(box: pl.DataFrame, schedule: pl.DataFrame, day: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Delete every game after `day`."""
    return box.filter(pl.col("game_date") <= day), schedule.filter(pl.col("game_date") <= day)


def added(box: pl.DataFrame, schedule: pl.DataFrame, day: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give everyone another game at the end of time."""
    last = box["game_date"].max() + timedelta(days=2)
    game = {"game_id": pl.lit("9999999"), "game_date": pl.lit(last)}
    more_box = box.group_by("team", "player_id", maintain_order=True).last().select(box.columns).with_columns(**game)
    return pl.concat([box, more_box]), pl.concat([schedule, schedule.tail(1).with_columns(**game)])


MUTATIONS = [changed, deleted, added]


@pytest.mark.parametrize("mutate", MUTATIONS, ids=lambda f: f.__name__)
@given(offset=st.integers(1, 410))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_features_up_to_a_day_do_not_depend_on_what_comes_on_it_or_after(games, mutate, offset):
    day = games[1]["game_date"].min() + timedelta(days=offset)
    kept = before(build(*games), day)
    again = before(build(*mutate(*games, day)), day)
    assert_frame_equal(kept, again, check_exact=True)


def test_a_row_of_another_player_on_the_same_day_changes_nothing(games):
    box, schedule = games
    day = schedule["game_date"].unique().sort()[30]
    gone = box.filter((pl.col("game_date") == day) & (pl.col("player_id") % 100 == 2))
    rest = box.join(gone, on=["game_id", "player_id"], how="anti")
    kept = before(build(box, schedule), day).join(gone, on=["game_id", "player_id"], how="anti")
    assert gone.height
    assert_frame_equal(kept, before(build(rest, schedule), day), check_exact=True)


def test_the_mutation_test_fails_if_one_window_includes_the_game_itself(games, monkeypatch):
    """The control: a leak of the kind that it is there for is seen."""
    from nba_ml.features import scoring

    monkeypatch.setattr(scoring, "past", lambda expression: expression)
    day = games[1]["game_date"].unique().sort()[40]
    kept, again = (before(build(*version), day) for version in (games, changed(*games, day)))
    leaking = [name for name in feature_names() if not kept[name].equals(again[name])]
    assert leaking == ["points_std_10", "minutes_std_10", "points_max_10", "minutes_min_5"]


def test_a_slate_row_is_a_history_row_whose_outcome_is_not_known_yet(games):
    box, schedule = games
    day = schedule["game_date"].unique().sort()[-3]
    finished = before(build(box, schedule), day).filter(pl.col("game_date") == day)
    slate = box.filter((pl.col("game_date") == day) & (pl.col("minutes") > 0))
    unknown = schedule.with_columns(
        pl.when(pl.col("game_date") < day).then(pl.col(name)).alias(name) for name in ("home_points", "away_points")
    )
    coming = build(box.filter(pl.col("game_date") < day), unknown, slate).filter("upcoming")
    assert finished.height
    assert_frame_equal(finished.drop("upcoming"), coming.drop("upcoming"), check_exact=True)


@pytest.mark.real_data
def test_real_features_do_not_know_the_future(files_dir):
    from nba_ml.sources.files import FilesSource

    source = FilesSource(files_dir)
    first, last = source.first_date(), source.last_date()
    box, schedule = source.player_box(first, last), source.schedule(first, last)
    day = date(last.year - 1, 2, 7)
    kept = before(build(box, schedule), day)
    assert_frame_equal(kept, before(build(*changed(box, schedule, day)), day), check_exact=True)
    assert_frame_equal(kept, before(build(*deleted(box, schedule, day)), day), check_exact=True)
