"""The walk-forward engine: nothing is learned from a fold's own dates, and what comes after a date changes no byte before it."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from nba_ml.errors import BadInput
from nba_ml.features import TARGET, feature_names
from nba_ml.systems.base import VOICES, parameters
from nba_ml.training import walk_forward
from nba_ml.training.walk_forward import PREDICTION_COLUMNS, Fold, plan_folds
from tests.systems.rows import make_rows

FIRST = date(2022, 1, 1)
SPAN = (date(2022, 3, 2), date(2022, 3, 20))


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(walk_forward, "LEAST_TRAINING_ROWS", 700)
    monkeypatch.setattr(walk_forward, "LEAST_FOLD_ROWS", 100)
    monkeypatch.setattr(walk_forward, "WARM_UP_DAYS", 7)
    monkeypatch.setitem(parameters()["xgboost"], "rounds", 15)


def history(days: int = 90, players: int = 25, seed: int = 2) -> pl.DataFrame:
    rows = make_rows(days * players, seed=seed, players=players)
    return rows.with_columns(
        season=pl.lit("2021-22"), season_type=pl.lit("Regular Season"), actual_minutes=pl.lit(24.0), season_avg_minutes=pl.lit(24.0)
    )


def quotes(rows: pl.DataFrame) -> pl.DataFrame:
    """A line for every second row: half a point beside the player's mean."""
    return rows.filter(pl.col("player_id") % 2 == 0).select(
        "game_date",
        "player_id",
        line=(pl.col("points_ewm_8").round() + 0.5),
        line_kind=pl.lit("last_snapshot"),
        over_odds=pl.lit(-110.0),
        under_odds=pl.lit(-110.0),
        p_over_market=pl.lit(0.5),
    )


def run(rows: pl.DataFrame, span=SPAN, refit_days: int = 7, **options) -> pl.DataFrame:
    return walk_forward.walk_forward(rows, quotes(rows), plan_folds(rows, *span, refit_days), names=feature_names(), seed=5, **options)[0]


@pytest.fixture(scope="module")
def rows():
    return history()


def test_every_player_game_of_the_span_has_one_row_a_system_and_no_other(rows):
    found = run(rows)
    inside = rows.filter(pl.col("game_date").is_between(*SPAN))
    assert tuple(found.columns) == PREDICTION_COLUMNS
    assert found.group_by("system_id").len()["len"].unique().to_list() == [inside.height]
    assert set(found["system_id"]) == {*VOICES, "ewma_hl8", "last_10"}
    keys = found.filter(pl.col("system_id") == "xgboost").select("game_id", "player_id")
    assert_frame_equal(keys, inside.select("game_id", "player_id").sort("game_id", "player_id"), check_row_order=False)
    assert found.select(pl.col(pl.Float64).is_nan().any()).sum_horizontal().item() == 0
    trained = found.filter(pl.col("system_id").is_in(["xgboost", "ensemble"]))
    assert trained["predicted_points"].null_count() == 0
    assert trained["crps"].null_count() == 0
    assert found.filter(~pl.col("system_id").is_in(["xgboost", "ensemble"]))["crps"].is_null().all()
    assert (trained["p_over"].is_not_null() == trained["line"].is_not_null()).all()


def test_every_fit_is_older_than_what_it_predicts(rows):
    assert run(rows).filter(pl.col("trained_until") >= pl.col("slate_date")).is_empty()


def test_a_combination_that_saw_the_fold_is_refused(rows):
    inside = rows.filter(pl.col("game_date") == SPAN[0]).join(quotes(rows), on=["game_date", "player_id"], how="left")
    with pytest.raises(AssertionError, match="would learn from"):
        walk_forward.complete(inside, {}, [inside], SPAN[0] - timedelta(days=1))


@pytest.mark.parametrize("mutate", ["changed", "deleted"])
def test_what_comes_after_a_date_changes_no_byte_before_it(rows, mutate):
    day = SPAN[0] + timedelta(days=9)
    late = pl.col("game_date") > day
    if mutate == "changed":
        numbers = [name for name in rows.columns if rows.schema[name] == pl.Float64]
        other = rows.with_columns(pl.when(late).then(pl.col(name) * 3 + 1).otherwise(pl.col(name)).alias(name) for name in numbers)
    else:
        other = rows.filter(~late)
    before, after = (run(frame, (SPAN[0], frame["game_date"].max())).filter(pl.col("slate_date") <= day) for frame in (rows, other))
    assert before.height
    assert_frame_equal(before, after, check_exact=True)


def test_a_run_that_was_killed_goes_on_with_the_folds_that_are_finished(rows, tmp_path, monkeypatch):
    whole = run(rows)
    fits = []
    real = walk_forward.new_members

    def counted(names, seed):
        if len(fits) == 3:
            raise KeyboardInterrupt
        fits.append(seed)
        return real(names, seed)

    monkeypatch.setattr(walk_forward, "new_members", counted)
    with pytest.raises(KeyboardInterrupt):
        run(rows, cache=tmp_path)
    (tmp_path / "2022-03-02_2022-03-08.part").write_bytes(b"torn")
    monkeypatch.setattr(walk_forward, "new_members", real)
    assert len(list(tmp_path.glob("*.arrow"))) == 3
    assert_frame_equal(run(rows, cache=tmp_path), whole, check_exact=True)
    monkeypatch.setattr(walk_forward, "new_members", lambda names, seed: pytest.fail("a finished fold was fitted again"))
    assert_frame_equal(run(rows, cache=tmp_path), whole, check_exact=True)


@pytest.fixture
def fits(monkeypatch):
    """Count the panels that are fitted."""
    counted = []
    real = walk_forward.new_members
    monkeypatch.setattr(walk_forward, "new_members", lambda names, seed: counted.append(seed) or real(names, seed))
    return counted


def test_a_later_backtest_fits_only_the_folds_that_it_does_not_share_with_an_earlier_one(rows, tmp_path, fits):
    week = timedelta(days=7)
    earlier = rows.filter(pl.col("game_date") < SPAN[0] + 2 * week)
    run(earlier, (SPAN[0], SPAN[0] + 2 * week - timedelta(days=1)), cache=tmp_path)
    shared, fits[:] = len(fits), []
    later = (SPAN[0] + week, SPAN[0] + 3 * week - timedelta(days=1))
    found = run(rows, later, cache=tmp_path)
    assert (shared, len(fits)) == (5, 1)
    assert_frame_equal(found, run(rows, later), check_exact=True)


@pytest.mark.parametrize("changed", ["points_ewm_8", TARGET, "player_name"])
def test_folds_that_saw_another_value_are_fitted_again(rows, tmp_path, fits, changed):
    rows = rows.with_columns(player_name=pl.lit("A"))
    run(rows, cache=tmp_path)
    whole, fits[:] = len(fits), []
    day = SPAN[0] + timedelta(days=8)
    one = (pl.col("game_date") == day) & (pl.col("player_id") == rows.filter(pl.col("game_date") == day)["player_id"][0])
    other = pl.lit("B") if changed == "player_name" else pl.col(changed) + 1e-9
    run(rows.with_columns(pl.when(one).then(other).otherwise(pl.col(changed)).alias(changed)), cache=tmp_path)
    # The fold that holds the day, and the one after it.
    assert (whole, len(fits)) == (6, 2)


def test_a_target_shuffled_within_its_date_can_not_be_predicted(rows):
    shuffled = rows.with_columns(pl.col(TARGET).shuffle(seed=1).over("game_date"))
    found = run(shuffled).filter(pl.col("system_id") == "xgboost")
    error = (found["predicted_points"] - found["actual_points"]).abs().mean()
    constant = shuffled.filter(pl.col("game_date") < SPAN[0])[TARGET].median()
    assert error >= 0.98 * (found["actual_points"] - constant).abs().mean()
    honest = run(rows).filter(pl.col("system_id") == "xgboost")
    assert (honest["predicted_points"] - honest["actual_points"]).abs().mean() < 0.9 * error


def test_too_little_history_and_an_empty_span_say_what_to_do(rows):
    with pytest.raises(BadInput, match=r"player-games lie before .* choose a later --from"):
        plan_folds(rows, FIRST + timedelta(days=10), SPAN[1], 7)
    with pytest.raises(BadInput, match="nba-ml ingest --from 2023-01-01 --to 2023-01-31"):
        plan_folds(rows, date(2023, 1, 1), date(2023, 1, 31), 7)


def test_a_summer_is_passed_over_for_the_warm_up(rows, monkeypatch):
    monkeypatch.setattr(walk_forward, "LEAST_TRAINING_ROWS", 200)
    gap = rows.filter(~pl.col("game_date").is_between(date(2022, 2, 1), date(2022, 3, 1)))
    warm_up = [fold for fold in plan_folds(gap, *SPAN, 7) if fold.warm_up]
    assert len(warm_up) == 3
    assert all(gap["game_date"].is_between(fold.first, fold.last).sum() >= 100 for fold in warm_up)
    assert warm_up[0].last < date(2022, 2, 1)


@pytest.mark.parametrize("refit_days", [1, 2, 7, 28])
def test_the_warm_up_does_not_depend_on_how_often_is_refitted(rows, refit_days):
    warm_up = [fold for fold in plan_folds(rows, *SPAN, refit_days) if fold.warm_up]
    assert warm_up == [fold for fold in plan_folds(rows, *SPAN, 7) if fold.warm_up]
    assert len(warm_up) == 3


def test_where_the_last_months_have_no_lines_the_warm_up_reaches_back_to_some(rows, monkeypatch):
    monkeypatch.setattr(walk_forward, "LEAST_TRAINING_ROWS", 200)
    monkeypatch.setattr(walk_forward, "LINED_ROWS", 150)
    silent = pl.col("game_date") < date(2022, 2, 2)
    every = rows.select("game_date", "player_id", line=pl.lit(10.5), p_over_market=pl.lit(0.5))

    def planned(lines):
        return [fold.first for fold in plan_folds(rows, *SPAN, 7, lines=lines) if fold.warm_up]

    recent = planned(every)
    assert recent == [date(2022, 2, 9), date(2022, 2, 16), date(2022, 2, 23)]
    assert planned(every.filter(silent)) == [date(2022, 1, 26), *recent]
    assert planned(every.clear()) == recent


@given(days=st.integers(1, 40), length=st.integers(0, 60))
@settings(max_examples=50, deadline=None)
def test_folds_cover_the_span_once_and_do_not_depend_on_its_end(days, length):
    frame = pl.DataFrame({"game_date": [FIRST + timedelta(days=i) for i in range(200) for _ in range(120)]})
    first = FIRST + timedelta(days=100)
    short, long = (plan_folds(frame, first, first + timedelta(days=n), days) for n in (length, length + 30))
    covered = [day for fold in short if not fold.warm_up for day in _days(fold)]
    assert covered == [first + timedelta(days=i) for i in range(length + 1)]
    assert [fold for fold in short if fold.warm_up] == [fold for fold in long if fold.warm_up]
    assert short[:-1] == long[: len(short) - 1]


def _days(fold: Fold) -> list[date]:
    return [fold.first + timedelta(days=i) for i in range((fold.last - fold.first).days + 1)]


@pytest.mark.real_data
def test_real_lines_are_built_as_the_contract_says(files_dir):
    from nba_ml.lines import consensus
    from nba_ml.sources.files import FilesSource

    source = FilesSource(files_dir)
    span = (source.first_date(), source.last_date())
    lines = consensus(source.prop_lines(*span), tipoffs=source.schedule(*span).select("game_id", "tipoff_utc"))
    assert lines.select("game_date", "player_id").is_duplicated().sum() == 0
    assert "first_column_open" not in ",".join(lines["line_kind"].unique())
    joined = lines.join(source.player_box(*span), on=["game_date", "player_id"])
    gap = np.abs(joined["line"] - joined["points"]).mean()
    assert 4.8 < gap < 5.4
