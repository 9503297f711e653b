"""Validation as steps of the platform."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from nba_ml.context import Context
from nba_ml.errors import GateRefused, UsageError
from nba_ml.features.build import FEATURE_VERSION
from nba_ml.settings import Settings
from nba_ml.sources.port import RAW_TABLES
from nba_ml.validation import steps
from nba_ml.warehouse.schema import table

PICKS = "nba_predictions.player_prop_predictions"
NOON = datetime(2024, 1, 1, 17, tzinfo=UTC)


@pytest.fixture
def filled(context, good):
    """Return a context whose raw tables hold good rows."""
    for name in RAW_TABLES:
        context.warehouse.stored[f"nba_raw.{name}"] = good(name)
    return context


def test_stored_raw_tables_pass(filled):
    report = steps.validate(filled, run="validate:all")
    assert report["passed"]
    assert [entry["suite"] for entry in report["suites"]] == list(RAW_TABLES)
    assert report["suites"][1]["rows"] == 200
    steps.require_passed(report)


def test_the_embedded_warehouse_hands_out_what_is_judged(tmp_path, good):
    made = Context(Settings(home=tmp_path / "home", _env_file=None))
    made.warehouse.ensure()
    assert [entry["rows"] for entry in steps.validate(made, run="validate:empty")["suites"]] == [0] * len(RAW_TABLES)
    known = {"known_at": NOON, "result_known_at": NOON, "source": "test"}
    for name in RAW_TABLES:
        stored = table(f"nba_raw.{name}")
        rows = good(name)
        rows = rows.with_columns(
            pl.lit(value).alias(key) for key, value in known.items() if key in stored.schema and key not in rows.columns
        )
        rows = rows.with_columns(season=pl.lit("2023-24")) if "season" in stored.schema else rows
        made.warehouse.upsert(stored.name, stored.conform(rows))
    picks = good("predictions").with_columns(
        mode=pl.lit("replay"),
        as_of=NOON,
        team=pl.lit("BOS"),
        opponent=pl.lit("NYK"),
        is_home=True,
        model_version=pl.lit("v"),
        release_number=1,
        feature_version=pl.lit("v"),
        missing_features=0,
        published_at=NOON,
    )
    made.warehouse.upsert(PICKS, table(PICKS).conform(picks))
    report = steps.validate(made, run="validate:all")
    assert report["passed"], report
    assert [(entry["suite"], entry["rows"]) for entry in report["suites"]] == [
        *((name, good(name).height) for name in RAW_TABLES),
        ("predictions", 100),
    ]


def test_stored_rows_are_reported_and_not_kept_out(filled, good):
    filled.warehouse.stored["nba_raw.player_box"] = good("player_box").with_columns(
        points=pl.when(pl.int_range(pl.len()) < 2).then(77).otherwise(pl.col("points"))
    )
    report = steps.validate(filled, "player_box", run="validate:player_box")
    assert report["passed"]
    assert report["suites"][0]["quarantined"] == 2
    assert "nba_ops.quarantine" not in filled.warehouse.rows


def test_a_span_is_honoured_and_a_failure_is_refused(filled, good):
    box = good("player_box").with_columns(
        season_type=pl.when(pl.col("game_date") == date(2024, 1, 3)).then(pl.lit("Preseason")).otherwise(pl.col("season_type"))
    )
    filled.warehouse.stored["nba_raw.player_box"] = box
    assert steps.validate(filled, "player_box", date(2024, 1, 4), date(2024, 1, 6), run="v")["passed"]
    report = steps.validate(filled, "player_box", run="v")
    assert report["suites"][0]["failed"] == ["season_type_known"]
    with pytest.raises(GateRefused, match=r"player_box \(200 rows\): season_type_known") as refused:
        steps.require_passed(report)
    assert refused.value.report == report


def test_an_unknown_suite_lists_the_names(context):
    with pytest.raises(UsageError, match="choose one of game_lines, player_box, player_status, predictions"):
        steps.validate(context, "boxes", run="v")


def stored_features(good):
    frame = good("training_set").drop("actual_points", "line")
    return frame.with_columns(
        season_type=pl.lit("Regular Season"),
        player_name=pl.lit("x"),
        team=pl.lit("BOS"),
        opponent=pl.lit("NYK"),
        feature_version=pl.lit(FEATURE_VERSION),
        as_of=pl.lit(NOON),
        missing_features=0,
        missing_required=0,
    )


def test_the_stored_feature_store_is_judged_as_training_set_and_newest_slate(filled, good):
    features = stored_features(good)
    filled.warehouse.stored[table("nba_predictions.ml_feature_store_v2").name] = features
    filled.warehouse.stored["nba_raw.player_box"] = features.select(
        "game_date", "game_id", "player_id", minutes=pl.lit(20.0), points=pl.int_range(pl.len()) % 23
    )
    training = steps.validate(filled, "training_set", run="v")["suites"][0]
    assert (training["rows"], training["failed"]) == (1200, ["enough_rows"])
    slate = steps.validate(filled, "slate_features", run="v")["suites"][0]
    assert (slate["rows"], slate["failed"]) == (60, [])


def test_a_training_set_takes_its_lines_from_the_stored_quotes(context, good):
    frame = good("training_set").drop("line")
    lines = frame.select("game_date", "player_id", line=pl.lit(12.5))
    context.warehouse.stored["nba_raw.prop_lines"] = lines
    verdict = steps.validate_training_set(context, frame, run="train:v", min_rows=1000)
    assert verdict.failed == ["no_placeholder_lines"]
    context.warehouse.stored["nba_raw.prop_lines"] = lines.with_columns(line=4.5 + pl.int_range(pl.len()) % 30)
    assert steps.validate_training_set(context, frame, run="train:v", min_rows=1000).passed
    assert steps.validate_training_set(context, frame, run="train:v").failed == ["enough_rows"]


def test_a_slate_is_compared_with_the_model_it_is_scored_by(context, good):
    frame = good("slate_features")
    names = list(table("nba_predictions.ml_feature_store_v2").features)
    assert steps.validate_slate(context, frame, run="predict:1", as_of=NOON, expected=names).passed
    verdict = steps.validate_slate(context, frame, run="predict:1", as_of=NOON, expected=[*names[1:], names[0]])
    assert verdict.failed == ["schema_as_trained"]
    verdict = steps.validate_slate(context, frame.drop(names[3]), run="predict:1", as_of=NOON, expected=dict.fromkeys(names, "float64"))
    assert verdict.failed == ["schema_as_trained"]
    assert f"{names[3]} missing" in verdict.summary


def test_a_slate_leaves_out_an_unknown_team_and_keeps_the_rest(context, good):
    frame = good("slate_features")
    frame = frame.with_columns(team=pl.when(pl.col("team") == frame["team"][0]).then(pl.lit("SEA")).otherwise(pl.col("team")))
    verdict = steps.validate_slate(context, frame, run="predict:1", as_of=NOON)
    assert verdict.passed
    assert verdict.quarantined == 10
    assert verdict.kept.height == 70


def test_staged_predictions(context, good):
    assert steps.validate_predictions(context, good("predictions"), run="predict:1").passed
    late = good("predictions").with_columns(slate_date=pl.col("slate_date") + timedelta(days=1), q10=pl.lit(99.0))
    assert steps.validate_predictions(context, late, run="predict:2").failed == ["quantiles_ordered"]


@pytest.mark.real_data
@pytest.mark.parametrize("name", RAW_TABLES)
def test_untouched_real_data_passes(context, files_dir, name):
    from nba_ml.sources.files import FilesSource

    frame = getattr(FilesSource(files_dir), name)(date(2000, 1, 1), date(2100, 1, 1))
    assert frame.height > 1000
    context.warehouse.stored[f"nba_raw.{name}"] = frame
    entry = steps.validate(context, name, run="validate:real")["suites"][0]
    assert (entry["failed"], entry["warned"]) == ([], [])
    assert entry["quarantined"] <= 0.01 * frame.height
