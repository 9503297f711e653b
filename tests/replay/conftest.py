"""A replay on six weeks of the simulated league, with models that are fitted in a second."""

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from nba_ml import coverage
from nba_ml.context import Context
from nba_ml.replay import day, season
from nba_ml.settings import Settings
from nba_ml.systems.base import parameters
from nba_ml.training import canaries, steps, walk_forward
from nba_ml.validation import gate
from nba_ml.validation import steps as validation
from nba_ml.validation.gate import Verdict, run_suite

FIRST, LAST = date(2021, 11, 25), date(2021, 11, 30)
"""Thursday to Tuesday: the first day is Thanksgiving, without games, and the Monday has a training."""

AUDIT = "predictions"
"""The suite that is run all the same: nba_monitor looks at its results."""


def unchecked(context: Context, suite: str, frame: pl.DataFrame, **options: Any) -> Verdict:
    """Stand in for the suites but `AUDIT`: they have tests of their own, and take most of a day's time."""
    if suite == AUDIT:
        return run_suite(context, suite, frame, **options)
    return Verdict(suite, True, frame, 0, [], [], None, "", "")


@pytest.fixture(scope="module")
def small():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walk_forward, "LEAST_TRAINING_ROWS", 1500)
        patch.setattr(walk_forward, "LEAST_FOLD_ROWS", 100)
        patch.setattr(walk_forward, "WARM_UP_DAYS", 7)
        patch.setattr(walk_forward, "LINED_ROWS", 1)
        patch.setattr(steps, "BACKTEST_DAYS", 7)
        patch.setattr(steps, "REFIT_DAYS", 7)
        # Six weeks of games are evidence for no gate and no coverage; both have tests of their own.
        patch.setattr(steps.gating, "evaluate", lambda *args, **options: [])
        patch.setattr(steps, "validate", lambda context, planned, *, data: None)
        patch.setattr(canaries, "check", lambda *args, **options: [])
        patch.setattr(coverage, "require", lambda context, until: None)
        patch.setattr(gate, "run_suite", unchecked)
        patch.setattr(validation, "run_suite", unchecked)
        for name in ("xgboost", "two_stage"):
            patch.setitem(parameters()[name], "rounds", 40)
        yield


def open_home(home: Path) -> Context:
    # Said here, since fixtures of a module come before the one that hides what other tests left in the environment.
    return Context(Settings(home=home, source="simulated", warehouse="duckdb", store="", environment="dev", seed=3, _env_file=None))


@pytest.fixture(scope="module")
def eve(small, tmp_path_factory) -> Path:
    """Return a home on the morning of the first day: history is in, and a first version runs."""
    home = tmp_path_factory.mktemp("eve") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(day, "morning", stop)
        with pytest.raises(Killed):
            season.replay(open_home(home), FIRST, LAST)
    return home


class Killed(BaseException):
    """What ends a process at once, as far as the code can tell."""


def stop(*_: object, **__: object) -> None:
    raise Killed


@pytest.fixture(scope="module")
def lived(eve, tmp_path_factory) -> tuple[Context, dict]:
    """Return a home that lived through the span, and what the replay answered."""
    context = open_home(Path(shutil.copytree(eve, tmp_path_factory.mktemp("lived") / "home")))
    return context, season.replay(context, FIRST, LAST)
