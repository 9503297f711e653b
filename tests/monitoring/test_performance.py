"""nba_ops.performance_daily on graded slates in a real warehouse: figures against naive code, what is made again, and what is kept apart."""

import shutil
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from nba_ml.context import Context
from nba_ml.monitoring import performance, population
from nba_ml.registry import graded
from nba_ml.settings import Settings
from nba_ml.training.intervals import clustered_mean
from nba_ml.warehouse.port import LATEST
from tests.monitoring.graded_season import FIRST, VERSION, play, rows_of
from tests.registry.conftest import publish_version
from tests.registry.duel import complete

SLATES = 9
LAST = FIRST + timedelta(days=SLATES - 1)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    context = Context(Settings(home=tmp_path_factory.mktemp("home"), _env_file=None))
    context.warehouse.ensure()
    publish_version(context.store, VERSION, trained_until="2023-10-31")
    play(context, SLATES)
    return context.settings.duckdb_path, context.settings.home_folder / "store"


@pytest.fixture
def context(tmp_path, template) -> Context:
    context = Context(Settings(home=tmp_path / "copy", _env_file=None))
    context.settings.home_folder.mkdir()
    shutil.copy(template[0], context.settings.duckdb_path)
    shutil.copytree(template[1], context.settings.home_folder / "store")
    return context


def table(context) -> pl.DataFrame:
    return context.warehouse.read(performance.TABLE, as_of=LATEST)


def test_every_figure_equals_what_naive_code_finds(context):
    done = performance.refresh(context, LAST)
    assert (done["slate_date"], done["mode"], done["windows"]) == (str(LAST), "live", 3 * SLATES)
    said = rows_of(SLATES)[graded.GRADES].to_dicts()
    probabilities = {row["id"]: row for row in context.warehouse.read("nba_predictions.system_predictions", as_of=LATEST).to_dicts()}
    found = {
        (row["slate_date"], row["window_slates"], row["system_id"], row["model_version"], row["population"]): row
        for row in table(context).to_dicts()
    }
    for end, size, system, version, lined in (
        (LAST, 7, "ensemble", "published", False),
        (LAST, 7, "ensemble", VERSION, True),
        (LAST, 30, "xgboost", "published", True),
        (FIRST + timedelta(days=3), 14, "moving_average", "published", False),
    ):
        days = [FIRST + timedelta(days=day) for day in range(SLATES) if FIRST + timedelta(days=day) <= end][-size:]
        own = [row for row in said if row["slate_date"] in days and row["system_id"] == system and (row["line"] is not None or not lined)]
        simple = {(row["slate_date"], row["player_id"]): row["predicted_points"] for row in said if row["system_id"] == "moving_average"}
        row = found[end, size, system, version, "lined" if lined else "all"]
        errors = [r["predicted_points"] - r["actual_points"] for r in own]
        assert (row["n"], row["slates"], row["first_slate"]) == (len(own), len(days), days[0])
        assert row["mae"] == pytest.approx(sum(map(abs, errors)) / len(errors))
        assert row["rmse"] == pytest.approx((sum(e * e for e in errors) / len(errors)) ** 0.5)
        assert row["mean_error"] == pytest.approx(sum(errors) / len(errors))
        rival = [abs(simple[r["slate_date"], r["player_id"]] - r["actual_points"]) for r in own]
        paired = clustered_mean(np.array([r["slate_date"] for r in own]), np.abs(errors) - np.array(rival))
        assert row["baseline_mae"] == pytest.approx(sum(rival) / len(rival))
        assert [row[f"vs_baseline{end}"] for end in ("", "_low", "_high")] == pytest.approx([paired[k] for k in ("value", "low", "high")])
        bets = [r for r in own if r["outcome"] in ("win", "loss")]
        assert row["sides"] == len(bets)
        assert row["hit_rate"] == pytest.approx(sum(r["outcome"] == "win" for r in bets) / len(bets))
        moves = [r["closing_line_value"] for r in own if r["closing_line_value"] is not None]
        assert (row["closing_n"], row["closing_line_value"]) == (len(moves), pytest.approx(sum(moves) / len(moves)))
        if lined:
            line = [abs(r["line"] - r["actual_points"]) for r in own]
            assert row["line_mae"] == pytest.approx(sum(line) / len(line))
            assert row["vs_line"] == pytest.approx(row["mae"] - row["line_mae"])
        else:
            assert row["line_mae"] is row["vs_line"] is None
        if system != "moving_average":
            given = [(probabilities[r["prediction_id"]], r) for r in own]
            inside = [p["q10"] <= r["actual_points"] <= p["q90"] for p, r in given]
            assert (row["intervals"], row["inside"]) == (len(inside), pytest.approx(sum(inside) / len(inside)))
            sure = [p["p_over"] if r["actual_points"] > r["line"] else 1 - p["p_over"] for p, r in given if r["line"] is not None]
            assert (row["probabilities"], row["log_loss"]) == (len(sure), pytest.approx(-np.log(sure).mean()))
            assert 0 < row["ece"] < 0.2


def test_a_day_of_the_table_is_what_the_view_of_days_shows(context):
    performance.refresh(context, FIRST)
    view = context.warehouse.query("SELECT * FROM nba_predictions.v_model_performance_daily").filter(
        (pl.col("slate_date") == FIRST) & (pl.col("system_id") == "ensemble")
    )
    row = table(context).filter((pl.col("system_id") == "ensemble") & (pl.col("model_version") == VERSION))
    whole, lined = (row.filter(population=name, window_slates=7) for name in ("all", "lined"))
    assert whole.select("n", "mae", "mean_error").row(0) == pytest.approx(view.select("graded", "mae", "mean_error").row(0))
    assert lined.select("n", "mae", "line_mae").row(0) == pytest.approx(view.select("lined", "lined_mae", "line_mae").row(0))


def test_a_second_run_writes_nothing(context):
    performance.refresh(context, LAST)
    before = table(context)
    done = performance.refresh(context, LAST)
    assert (done["windows"], done["rows"]) == (0, 0)
    assert table(context).equals(before)


def test_a_regrade_changes_the_windows_that_hold_it_alone(context):
    performance.refresh(context, LAST)
    before = table(context)
    day = LAST - timedelta(days=1)
    grades = context.warehouse.read(graded.GRADES, as_of=LATEST, dates=(day, day), where={"player_id": 3}).drop("id")
    corrected = grades.with_columns(revision=pl.lit(1), actual_points=pl.lit(60), error=pl.col("predicted_points") - 60)
    context.warehouse.append(graded.GRADES, corrected)
    assert performance.refresh(context, LAST)["windows"] == 2 * 3
    after = table(context)
    key = ["slate_date", "window_slates", "system_id", "model_version", "population"]
    both = before.join(after, on=key, suffix="_after")
    moved = both.filter(pl.col("mae") != pl.col("mae_after"))
    assert set(moved["slate_date"]) == {day, LAST}
    kept = both.filter(pl.col("slate_date") < day)
    assert (kept["computed_at"] == kept["computed_at_after"]).all()


def test_windows_hold_at_most_their_slates_and_end_with_each_one(context):
    performance.refresh(context, LAST)
    whole = table(context).filter(system_id="ensemble", model_version="published", population="all")
    assert whole.filter(window_slates=7)["slates"].to_list() == [1, 2, 3, 4, 5, 6, 7, 7, 7]
    assert whole.filter(window_slates=30)["slates"].to_list() == list(range(1, SLATES + 1))


def test_live_and_replay_and_what_a_version_was_trained_on_are_apart(context):
    publish_version(context.store, "v2", trained_until="2023-11-02")
    play(context, 4, mode="replay", run="again", version="v2", seed=3)
    performance.refresh(context, LAST)
    rows = table(context).filter(system_id="ensemble", population="all", window_slates=30)
    assert set(rows.filter(mode="live")["model_version"]) == {"published", VERSION}
    replay = rows.filter((pl.col("mode") == "replay") & (pl.col("slate_date") == FIRST + timedelta(days=3)))
    assert {(row["model_version"], row["in_sample"]): row["slates"] for row in replay.to_dicts()} == {
        ("published", False): 2,
        ("published", True): 2,
        ("v2", False): 2,
        ("v2", True): 2,
    }


def test_a_replay_by_a_version_that_is_gone_proves_nothing(context):
    play(context, 2, mode="replay", run="lost", version="gone", seed=4)
    performance.refresh(context, LAST)
    assert table(context).filter(mode="replay")["in_sample"].all()


def test_nobody_is_lost_without_a_reason(context):
    """Of 80 listed players and 5 who played unlisted, 2 have neither number nor reason and 3 have a reason."""
    picks = context.warehouse.read(graded.PICKS, as_of=LATEST, dates=(LAST, LAST)).drop("id")
    number = pl.when(pl.col("player_id") >= 5).then("predicted_points")
    reasons = pl.when(pl.col("player_id").is_in([0, 1, 2])).then(pl.lit("abstained"))
    context.warehouse.upsert(graded.PICKS, picks.with_columns(predicted_points=number, reasons=reasons))
    strangers = pl.DataFrame({"game_date": [LAST] * 6, "game_id": "g0080", "player_id": range(900, 906), "minutes": [9.0] * 5 + [0.0]})
    context.warehouse.upsert("nba_raw.player_box", complete("nba_raw.player_box", strangers))
    found = population.figures(population.read(context, LAST, LAST))
    assert found == {"everyone": 85, "accounted": pytest.approx(78 / 85), "line_coverage": 0.5}
    performance.refresh(context, LAST)
    told = table(context).filter(pl.col("everyone").is_not_null())
    assert set(told["system_id"]) == {"ensemble"}
    assert set(told["model_version"]) == {"published"}
    assert told.filter(slate_date=LAST, window_slates=7)["everyone"].to_list() == [7 * 80 + 5]


def test_inputs_have_an_age(context):
    box = pl.DataFrame({"game_date": [FIRST], "game_id": "g", "player_id": 1, "minutes": 30.0}).with_columns(
        known_at=pl.lit("2023-11-02 10:00:00").str.to_datetime(time_unit="us", time_zone="UTC")
    )
    context.warehouse.upsert("nba_raw.player_box", complete("nba_raw.player_box", box))
    performance.refresh(context, FIRST + timedelta(days=1))
    told = table(context).filter(pl.col("everyone").is_not_null() & (pl.col("slate_date") == FIRST + timedelta(days=1)))
    assert set(told["box_age_hours"]) == {10.0}
    assert set(told["lines_age_hours"]) == {None}


def test_an_off_season_has_no_windows(context):
    assert performance.refresh(context, date(2023, 8, 1)) == {
        "until": "2023-08-01",
        "slate_date": None,
        "mode": None,
        "windows": 0,
        "rows": 0,
    }
