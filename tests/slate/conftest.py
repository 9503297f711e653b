"""A real warehouse for a tiny league, and a released model that is a formula."""

import shutil
from datetime import datetime
from types import SimpleNamespace

import polars as pl
import pytest

from nba_ml import calendar
from nba_ml.context import Context
from nba_ml.features import feature_names
from nba_ml.registry.in_force import InForce, Released
from nba_ml.registry.states import Rollout
from nba_ml.settings import Settings
from nba_ml.slate import steps
from nba_ml.systems.panel import COLUMNS
from tests.slate.little_league import league, load


class FormulaPanel:
    """Numbers out of recent form; `similarity` is silent."""

    def __init__(self, shift: float = 0.0) -> None:
        self.shift = shift
        self.asked: list[int] = []

    def predict(self, rows, history, lines):
        self.asked = rows["player_id"].to_list()
        assert history["actual_points"].null_count() == 0
        form = pl.col("points_ewm_8") + self.shift
        base = rows.select(slate_date="game_date", game_id="game_id", player_id="player_id", form=form)
        base = base.join(lines.select("player_id", "line"), on="player_id", how="left")
        parts = []
        for system, number in {
            "moving_average": pl.col("form") - 1,
            "matchup": pl.col("form") + 1,
            "similarity": pl.lit(None, pl.Float64),
            "xgboost": pl.col("form"),
            "ensemble": pl.col("form"),
        }.items():
            values = {name: pl.lit(None, pl.Float64) for name in COLUMNS} | {"predicted_points": number}
            if system == "ensemble":
                values |= {"q10": number - 6, "q50": number, "q90": number + 6}
                values |= {"p_over": pl.when(pl.col("line").is_not_null()).then(0.5)}
            reason = pl.when(number.is_null()).then(pl.lit("too little history"))
            part = base.with_columns(**values).with_columns(system_id=pl.lit(system), abstain_reason=reason)
            parts.append(part.select("slate_date", "game_id", "player_id", "system_id", *COLUMNS, "abstain_reason"))
        return pl.concat(parts)


@pytest.fixture
def released(monkeypatch):
    """Put a formula in force; change rollout and models to have other versions score."""
    schema = [{"name": name, "dtype": "float64"} for name in feature_names()]

    def version(name, shift=0.0):
        return Released(name, {"feature_schema": schema}, FormulaPanel(shift), f"sha256 of {name}")

    told = SimpleNamespace(rollout=Rollout(number=1, in_force=1, serving="v1"), models={"v1": version("v1")}, failed={}, version=version)

    def load(context):
        now = told.rollout
        shadows = tuple(told.models[name] for name in now.shadows if name not in told.failed)
        challenger = told.models[now.challenger] if now.challenger else None
        return InForce(now, told.models[now.serving], challenger, shadows, told.failed)

    monkeypatch.setattr(steps, "load_released", load)
    return told


class Quick:
    """The verdict of a suite that is not run; names in `broken` are kept out."""

    def __init__(self, frame: pl.DataFrame, broken: tuple[str, ...]) -> None:
        self.kept = frame.filter(~pl.col("player_name").is_in(broken))
        self.quarantined = frame.height - self.kept.height
        self.warned = []

    def raise_if_stopped(self) -> None:
        pass


@pytest.fixture
def suites(monkeypatch):
    """Replace the suites of a slate, which tests/validation tests, by ones that keep out whom they are told to."""
    told = SimpleNamespace(slate=(), predictions=())
    monkeypatch.setattr(steps.validation, "validate_slate", lambda context, frame, **how: Quick(frame, told.slate))
    monkeypatch.setattr(steps.validation, "validate_predictions", lambda context, frame, **how: Quick(frame, told.predictions))
    return told


@pytest.fixture(scope="session")
def frames() -> dict[str, pl.DataFrame]:
    return league()


@pytest.fixture(scope="session")
def _template(tmp_path_factory, frames):
    """Make the tables once: a file without rows, and one with the league."""
    folder = tmp_path_factory.mktemp("warehouses")
    for name, content in (("empty", {}), ("loaded", frames)):
        context = Context(Settings(home=folder / name, _env_file=None))
        load(context, content)
    return folder


def _copy(template, name, home) -> Context:
    context = Context(Settings(home=home, _env_file=None))
    home.mkdir()
    shutil.copy(Settings(home=template / name, _env_file=None).duckdb_path, context.settings.duckdb_path)
    return context


@pytest.fixture
def context(tmp_path, _template) -> Context:
    """Open a warehouse with tables and no rows."""
    return _copy(_template, "empty", tmp_path / "home")


@pytest.fixture
def loaded(tmp_path, _template) -> Context:
    """Open a warehouse that holds the league."""
    return _copy(_template, "loaded", tmp_path / "loaded")


@pytest.fixture
def clock(monkeypatch):
    """Hold the clock at a moment."""

    def hold(moment: datetime) -> None:
        monkeypatch.setattr(calendar, "now", lambda: moment)

    return hold
