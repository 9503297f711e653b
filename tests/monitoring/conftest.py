"""A home with eighteen graded slates of a version of known quality."""

import shutil
from datetime import timedelta
from io import BytesIO

import polars as pl
import pytest

from nba_ml.context import Context
from nba_ml.monitoring.graded_rows import SIMPLE
from nba_ml.registry import releases, versions
from nba_ml.settings import Settings
from nba_ml.training.steps import PREDICTIONS
from tests.monitoring.graded_season import FIRST, VERSION, play, rows_of
from tests.registry import duel
from tests.registry.conftest import publish_version

SLATES = 18
LAST = FIRST + timedelta(days=SLATES - 1)


def backtest_bytes(seed=7, slates=40) -> bytes:
    """Return the backtest of a version as good as `graded_season` makes it."""
    rows = rows_of(slates, seed=seed)
    numbers = rows["nba_predictions.system_predictions"].drop("published_at", strict=False)
    actual = rows["nba_predictions.prediction_accuracy"].select(
        "prediction_id", "actual_points", "line", "system_id", "player_id", "game_id", "slate_date"
    )
    both = numbers.join(actual, on=["system_id", "player_id", "game_id", "slate_date"]).filter(
        pl.col("system_id").is_in(["ensemble", SIMPLE])
    )
    buffer = BytesIO()
    both.with_columns(prior_games=pl.lit(50), season_avg_minutes=pl.lit(25.0)).write_parquet(buffer)
    return buffer.getvalue()


def with_backtest(store, version=VERSION, **how) -> None:
    versions.write_file(store, versions.MODEL, version, PREDICTIONS, backtest_bytes())
    publish_version(store, version, trained_until="2023-10-31", **how)


@pytest.fixture(scope="session")
def _graded(tmp_path_factory):
    context = Context(Settings(home=tmp_path_factory.mktemp("graded"), _env_file=None))
    context.warehouse.ensure()
    with_backtest(context.store)
    releases.release(duel.open_log(context), VERSION, actor="ann", reason="first", verify=duel.unchecked)
    play(context, SLATES)
    return context.settings.home_folder


@pytest.fixture
def played(tmp_path, _graded) -> Context:
    """Open a copy of the home."""
    shutil.copytree(_graded, tmp_path / "played")
    return Context(Settings(home=tmp_path / "played", _env_file=None))
