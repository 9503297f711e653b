"""`ready`: each part says no by itself, and what to run."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from nba_ml import calendar, readiness
from nba_ml.context import Context
from nba_ml.features import FEATURE_VERSION
from nba_ml.settings import Settings
from nba_ml.sources.files import FilesSource
from nba_ml.warehouse.schema import table
from tests import files_factory

FIRST, UNTIL = date(2021, 10, 19), date(2021, 11, 20)
FEATURES = "nba_predictions.ml_feature_store_v2"
NOW = datetime(2021, 11, 21, 15, tzinfo=UTC)


def padded(name, rows):
    """Fill the required columns that a test does not speak of."""
    filler = {"string": "x", "int64": 0, "float64": 0.0, "bool": False, "date": UNTIL, "timestamp": NOW}
    absent = [column for column in table(name).columns if column.required and column.name not in ("id", *rows.columns)]
    return table(name).conform(rows.with_columns(pl.lit(filler[column.type], column.dtype).alias(column.name) for column in absent))


def verdicts(suite, run, hour, **rules):
    rows = [{"suite": suite, "run": run, "rule": rule, "passed": ok, "severity": "stop"} for rule, ok in rules.items()]
    return padded("nba_ops.validation_runs", pl.DataFrame(rows).with_columns(checked_at=pl.lit(NOW.replace(hour=hour))))


@pytest.fixture
def context(tmp_path):
    source = FilesSource(files_factory.write(tmp_path / "files", files_factory.league(FIRST, UNTIL)))
    made = Context(Settings(home=tmp_path / "home"))
    made.warehouse.ensure()
    for name in ("schedule", "player_box"):
        made.warehouse.upsert(f"nba_raw.{name}", table(f"nba_raw.{name}").conform(getattr(source, name)(FIRST, UNTIL)))
        made.warehouse.upsert("nba_ops.validation_runs", verdicts(name, "ingest:1", 10, known=True))
    box = source.player_box(FIRST, UNTIL).select("game_date", "game_id", "player_id")
    made.warehouse.upsert(FEATURES, padded(FEATURES, box.with_columns(feature_version=pl.lit(FEATURE_VERSION))))
    return made


def test_all_parts_ready(context):
    report = readiness.ready(context, UNTIL)
    assert report["ready"]
    assert [report[part]["next"] for part in ("coverage", "quality", "features", "grading")] == [None] * 4
    assert report["features"]["completeness"] == 1.0


def test_nothing_there_is_ready_in_no_part_but_grading(tmp_path):
    report = readiness.ready(Context(Settings(home=tmp_path / "home")), UNTIL)
    assert not report["ready"]
    assert {part: report[part]["next"] for part in ("coverage", "quality", "features", "grading")} == {
        "coverage": "nba-ml ingest --from 2021-10-19 --to 2021-11-20",
        "quality": "nba-ml validate --suite player_box",
        "features": "nba-ml features --from 2021-10-19 --to 2021-11-20",
        "grading": None,
    }


def test_only_the_last_run_of_a_suite_counts(context):
    context.warehouse.upsert("nba_ops.validation_runs", verdicts("schedule", "ingest:2", 11, known=False, other=True))
    report = readiness.ready(context, UNTIL)
    assert (report["ready"], report["quality"]["next"]) == (False, "nba-ml validate --suite schedule")
    assert {entry["suite"]: entry["failed"] for entry in report["quality"]["suites"]} == {"player_box": [], "schedule": ["known"]}
    context.warehouse.upsert("nba_ops.validation_runs", verdicts("schedule", "ingest:3", 12, known=True))
    assert readiness.ready(context, UNTIL)["ready"]


def test_features_of_another_version_do_not_count(tmp_path, context):
    other = Context(Settings(home=tmp_path / "other"))
    other.warehouse.ensure()
    for name in ("nba_raw.schedule", "nba_raw.player_box", "nba_ops.validation_runs"):
        other.warehouse.upsert(name, context.warehouse.read(name, as_of=calendar.end_of(date(2030, 1, 1))))
    box = other.warehouse.read("nba_raw.player_box", as_of=calendar.end_of(UNTIL), columns=["game_date", "game_id", "player_id"])
    other.warehouse.upsert(FEATURES, padded(FEATURES, box.with_columns(feature_version=pl.lit("older"))))
    report = readiness.ready(other, UNTIL)
    assert (report["ready"], report["features"]["ready"], report["features"]["with_features"]) == (False, False, 0)


def test_predicted_slates_with_results_have_to_be_graded(context):
    slates = [date(2021, 11, 18), date(2021, 11, 19), date(2021, 11, 25)]
    picks = pl.DataFrame({"slate_date": slates, "run_key": "run"})
    context.warehouse.upsert("nba_predictions.player_prop_predictions", padded("nba_predictions.player_prop_predictions", picks))
    grades = pl.DataFrame({"slate_date": slates[:1]})
    context.warehouse.upsert("nba_predictions.prediction_accuracy", padded("nba_predictions.prediction_accuracy", grades))
    grading = readiness.ready(context, UNTIL)["grading"]
    assert grading == {
        "ready": False,
        "next": "nba-ml grade --slate 2021-11-19",
        "slates_predicted": 2,
        "slates_graded": 1,
        "ungraded": ["2021-11-19"],
    }
