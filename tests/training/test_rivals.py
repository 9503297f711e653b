"""What a version is held against: numbers that the released version made without seeing the rows, and a team's own table."""

from datetime import date, timedelta
from io import BytesIO
from types import SimpleNamespace

import polars as pl
import pytest

from nba_ml.context import Context
from nba_ml.errors import BadInput
from nba_ml.registry import loading, releases, versions
from nba_ml.registry.log import ReleaseLog
from nba_ml.settings import Settings
from nba_ml.storage.local import LocalStore
from nba_ml.training import rivals, slices
from nba_ml.training.gate_figures import EXISTING, RELEASED
from tests.registry.conftest import manifest

TRAINED_UNTIL = date(2024, 1, 10)
BACKTEST = "backtest.parquet"


@pytest.fixture(scope="module")
def frame(make_frame) -> pl.DataFrame:
    """Four weeks of a backtest, of which the released version had been trained until the middle."""
    return make_frame(days=28, players=40, first=date(2023, 12, 28))


@pytest.fixture
def data(frame):
    rows = frame.filter(pl.col("system_id") == "ensemble").select(
        "game_id", "player_id", "actual_points", game_date="slate_date", back_to_back=pl.lit(0.0)
    )
    return SimpleNamespace(rows=rows, features=None)


@pytest.fixture
def context(tmp_path) -> Context:
    context = Context(Settings(home=tmp_path, _env_file=None))
    context.__dict__["store"] = LocalStore(tmp_path / "store")
    return context


@pytest.fixture
def in_force(context, frame, monkeypatch):
    """Release a version whose backtest says 1 for everybody, and whose model says 2."""
    own = frame.filter((pl.col("system_id") == "ensemble") & (pl.col("slate_date") <= TRAINED_UNTIL))
    buffer = BytesIO()
    own.with_columns(predicted_points=pl.lit(1.0)).write_parquet(buffer)
    versions.write_file(context.store, versions.MODEL, "v1", BACKTEST, buffer.getvalue())
    versions.publish(context.store, versions.MODEL, "v1", manifest(trained_until=str(TRAINED_UNTIL)))
    log = ReleaseLog(context.store, versions.MODEL, "dev")
    releases.release(log, "v1", actor="ann", reason="test", verify=lambda version: None)
    asked = []

    def predict(rows, history):
        asked.append(rows["game_date"].min())
        said = rows.select("game_id", "player_id", slate_date="game_date", system_id=pl.lit("ensemble"), predicted_points=pl.lit(2.0))
        return pl.concat([said, said.with_columns(system_id=pl.lit("xgboost"), predicted_points=pl.lit(9.0))])

    monkeypatch.setattr(loading, "verified_panel", lambda version, built: SimpleNamespace(predict=predict))
    return asked


def gather(context, data, frame, version="v2"):
    return rivals.beside(context, version, data, frame, BACKTEST, {"golden": 0.0})


def test_the_released_version_never_saw_a_row_that_it_is_compared_on(context, data, frame, in_force):
    found = gather(context, data, frame)
    by_day = found.numbers.group_by("slate_date").agg(pl.col(RELEASED).unique())
    for day, said in by_day.iter_rows():
        assert said == [1.0 if day <= TRAINED_UNTIL else 2.0]
    assert in_force == [TRAINED_UNTIL + timedelta(days=1)]
    assert found.numbers[RELEASED].null_count() == 0
    assert (found.names[RELEASED], found.artefact) == ("v1", {"golden": 0.0})
    assert found.rest.columns == ["game_id", "player_id", slices.BACK_TO_BACK]


def test_nothing_released_and_the_same_version_are_said_by_name(context, data, frame, in_force):
    assert gather(context, data, frame, version="v1").absent[RELEASED] == "it is this version that is released"
    other = Context(Settings(home=context.settings.home, environment="staging", _env_file=None))
    other.__dict__["store"] = context.store
    assert gather(other, data, frame).absent[RELEASED] == "no version is released in staging"


def test_a_released_version_that_does_not_run_is_nothing_to_compare_with_and_says_why(context, data, frame, in_force):
    (context.store.folder / "models/points/v1" / BACKTEST).write_bytes(b"altered")
    why = gather(context, data, frame).absent[RELEASED]
    assert "v1 does not run here" in why
    assert "backtest.parquet" in why


def test_features_that_know_no_rest_have_no_back_to_back_slice(context, data, frame):
    found = gather(context, SimpleNamespace(rows=data.rows.drop("back_to_back"), features=None), frame)
    assert found.rest is None
    assert slices.BACK_TO_BACK in found.absent


@pytest.fixture
def theirs(frame, tmp_path, context):
    """Write a team's table with its own names: player_lookup, game_date, two systems, a row twice, one with two numbers."""

    def write(**changed) -> Context:
        own = frame.filter(pl.col("system_id") == "ensemble")
        rows = own.select(
            player_lookup=pl.concat_str(pl.lit("player"), pl.col("player_id").cast(pl.String), pl.lit("doncicjr")),
            game_date="slate_date",
            actual_points="actual_points",
            predicted_points=pl.col("predicted_points").round(1),
        )
        both = pl.concat([rows.with_columns(system_id=pl.lit(name)) for name in ("ensemble_v1", "xgboost_v1")])
        twice = both.head(1).with_columns(pl.col("predicted_points") + 1)
        table = pl.concat([both, both.tail(1), twice]).with_columns(**changed)
        table.write_parquet(tmp_path / "theirs.parquet")
        settings = Settings(home=tmp_path, existing_grades=str(tmp_path / "theirs.parquet"), _env_file=None)
        named = Context(settings)
        players = pl.DataFrame({"player_id": range(39)}).with_columns(
            pl.col("player_id").cast(pl.Int64), player_name=pl.format("Player{} Dončić Jr.", pl.col("player_id"))
        )
        named.__dict__.update({"store": context.store, "warehouse": SimpleNamespace(read=lambda table, **how: players)})
        return named

    return write


def test_a_teams_own_predictions_are_matched_by_date_and_name(theirs, data, frame, caplog):
    found = gather(theirs(), data, frame).numbers
    assert {"existing.ensemble_v1", "existing.xgboost_v1"} <= set(found.columns)
    # Player 39 is unknown, and one date of one system has two numbers.
    assert found["existing.xgboost_v1"].null_count() == 28
    assert found["existing.ensemble_v1"].null_count() == 29
    assert "repeat a date, player and system" in caplog.text
    same = found.join(frame.filter(pl.col("system_id") == "ensemble"), on=["slate_date", "player_id"]).drop_nulls("existing.xgboost_v1")
    assert ((same["existing.xgboost_v1"] - same["predicted_points"]).abs() <= 0.051).all()


def test_a_table_with_other_results_was_matched_wrongly_and_is_refused(theirs, data, frame):
    with pytest.raises(BadInput, match=r"actual_points differs .* on \d+ of \d+ rows.*player \d+ on 20.*NBA_ML_EXISTING_GRADES"):
        gather(theirs(actual_points=pl.col("actual_points") + 1), data, frame)


def test_a_table_without_the_columns_is_refused_by_name(theirs, data, frame):
    context = theirs()
    path = context.settings.existing_grades
    pl.read_parquet(path).drop("predicted_points").write_parquet(path)
    with pytest.raises(BadInput, match=r"no column predicted_points; it has player_lookup"):
        gather(context, data, frame)
    assert EXISTING in gather(Context(Settings(home=context.settings.home, _env_file=None)), data, frame).absent


def test_a_table_in_bigquery_is_read_for_the_span_of_the_backtest(theirs, data, frame, monkeypatch):
    from nba_ml.sources.feature_store import columns
    from nba_ml.sources.feature_store.reading import Reader

    context, asked = theirs(), []
    rows = pl.read_parquet(context.settings.existing_grades)

    def answer(reader, table, wanted, span):
        asked.append((table, wanted, span))
        return rows

    monkeypatch.setattr(Reader, "rows", answer)
    named = Context(context.settings.model_copy(update={"existing_grades": "team-1.nba_predictions.prediction_accuracy"}))
    named.__dict__.update({"store": context.store, "warehouse": context.warehouse})
    found = gather(named, data, frame)
    assert asked == [("team-1.nba_predictions.prediction_accuracy", columns.GRADES, (date(2023, 12, 28), date(2024, 1, 24)))]
    assert "existing.xgboost_v1" in found.numbers.columns
    assert found.names[EXISTING] == "team-1.nba_predictions.prediction_accuracy"
    with pytest.raises(BadInput, match=r"nowhere.parquet is neither a file nor a table"):
        gather(Context(context.settings.model_copy(update={"existing_grades": "nowhere.parquet"})), data, frame)
