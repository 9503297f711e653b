"""Tuning: the test season is left alone, a study begins with the present constants, goes on as if never stopped, and proposes what can be pasted."""

import sys
import tomllib
from datetime import date
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from nba_ml import calendar, cli
from nba_ml.errors import BadInput, UsageError
from nba_ml.features import TARGET, feature_names, own_features
from nba_ml.settings import Settings
from nba_ml.systems.base import parameters
from nba_ml.systems.xgboost import XGBoost
from nba_ml.training import choosing, search_space, tune, walk_forward
from nba_ml.training.choosing import choosing_seasons, plan_windows
from tests.systems.rows import make_rows

LAST_DATE = date(2022, 12, 1)
"""Of the data: 2022-23 is the test season, 2021-22 the only one to choose on."""


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(choosing, "WINDOW_DAYS", 14)
    monkeypatch.setattr(tune, "RANDOM_TRIALS", 2)
    monkeypatch.setattr(walk_forward, "LEAST_TRAINING_ROWS", 300)
    monkeypatch.setattr(walk_forward, "LEAST_FOLD_ROWS", 50)
    for name, value in {"rounds": 15, "eta": 0.05, "min_child_weight": 20}.items():
        monkeypatch.setitem(parameters()["xgboost"], name, value)


@pytest.fixture(scope="module")
def rows():
    return make_rows(1_500, seed=3, players=10).with_columns(season_avg_minutes=pl.lit(24.0))


@pytest.fixture
def search(rows, monkeypatch, tmp_path):
    """Return a function that tunes on made-up rows, in a home of the caller's choice, and the dates that were read up to."""
    read = []

    def load(_context, until):
        read.append(until)
        return SimpleNamespace(rows=rows, fingerprint="rows", features=own_features())

    monkeypatch.setattr(tune.store, "refresh", lambda _context, _first, until: read.append(until))
    monkeypatch.setattr(tune.dataset, "load", load)

    def call(trials, home="a", seed=1, folds=2, **options):
        source = SimpleNamespace(first_date=lambda: date(2021, 10, 1), last_date=lambda: LAST_DATE)
        settings = Settings(home=tmp_path / home, seed=seed)
        context = SimpleNamespace(settings=settings, source=source, warehouse=SimpleNamespace(ensure=lambda: None))
        return tune.tune(context, trials=trials, folds=folds, **options)

    call.read = read
    return call


def history(result) -> list[tuple]:
    """Return number, state, values and figure of each trial of a study."""
    import optuna

    study = optuna.load_study(study_name=result["study"], storage=f"sqlite:///{result['storage']}")
    return [(trial.number, trial.state, trial.params, trial.value) for trial in study.trials if trial.state.is_finished()]


def planted(monkeypatch, cost):
    """Let errors be one and the same noise, larger in later windows, and what `cost` makes of the constants."""

    def errors(self, constants, fold):
        scale = 1 + (fold.first - date(2022, 1, 1)).days / 10
        noise = np.random.default_rng(fold.first.toordinal()).exponential(scale, self.inside(fold).height)
        return noise + cost(constants)

    monkeypatch.setattr(tune.Scorer, "errors", errors)


@pytest.mark.parametrize("season", ["2024-25", "2025-26"])
def test_the_test_season_is_refused(season):
    with pytest.raises(UsageError, match=rf"{season} is no choosing season: the last one in the data, 2024-25, is the test set"):
        choosing_seasons(2024, ["2022-23", season])


@pytest.mark.parametrize("season", ["2020-21", "2022", "2022-24", ""])
def test_what_is_no_season_to_choose_on_is_refused(season):
    with pytest.raises(UsageError, match="name 2021-22 or 2022-23 or 2023-24"):
        choosing_seasons(2024, [season])


def test_all_seasons_but_the_last_are_chosen_on():
    assert choosing_seasons(2024) == [2021, 2022, 2023]
    assert choosing_seasons(2024, ["2023-24", "2022-23", "2023-24"]) == [2022, 2023]
    with pytest.raises(UsageError, match="2021-22, the test set: ingest earlier ones"):
        choosing_seasons(2021)


def test_the_last_season_in_the_data_is_never_read(search):
    with pytest.raises(UsageError, match="2022-23 is no choosing season"):
        search(1, seasons=["2022-23"])
    assert search.read == []
    result = search(1)
    assert result["seasons"] == ["2021-22"]
    assert search.read == [calendar.day_before(calendar.opener(2022))] * 2


def test_windows_of_the_study_and_unseen_ones_take_turns(rows):
    chosen, unseen = plan_windows(rows, [2021], 2)
    windows = sorted([*chosen, *unseen], key=lambda fold: fold.first)
    assert [fold in chosen for fold in windows] == [True, False, True, False]
    assert all(earlier.last < later.first for earlier, later in pairwise(windows))
    assert (rows["game_date"] < windows[0].first).sum() >= 300


def test_too_few_windows_say_what_to_do(rows):
    with pytest.raises(BadInput, match=r"and 9 folds need 18: ask for fewer --folds or ingest more"):
        plan_windows(rows, [2021], 9)


def test_trial_0_is_the_present_constants(search, rows):
    result = search(1)
    present = parameters()["xgboost"]
    assert result["present"] == {"trial": 0, "parameters": present, "mae": result["best"]["mae"]}
    errors = []
    for fold in result["folds"]:
        first, last = (date.fromisoformat(fold[end]) for end in ("from", "to"))
        inside = rows.filter(pl.col("game_date").is_between(first, last), pl.col("prior_games") >= 10)
        model = XGBoost(feature_names(), seed=1).fit(rows.filter(pl.col("game_date") < first))
        errors.append(np.abs(model.predict(inside, inside) - inside[TARGET].to_numpy()))
    assert result["present"]["mae"] == pytest.approx(np.concatenate(errors).mean(), abs=1e-12)
    assert result["on_study"]["difference"]["n"] == sum(map(len, errors))
    assert (result["on_unseen"]["difference"]["value"], result["better"]) == (0.0, False)


def test_one_seed_gives_the_same_trials_and_a_study_goes_on_as_if_never_stopped(search):
    whole = search(5, home="whole")
    for trials in (2, 0, 3):
        parts = search(trials, home="parts")
    assert history(parts) == history(whole)
    assert len(history(whole)) == 5
    assert {key: parts[key] for key in ("best", "on_study", "on_unseen", "toml")} == {
        key: whole[key] for key in ("best", "on_study", "on_unseen", "toml")
    }
    assert history(search(2, home="other", seed=2))[1:] != history(whole)[1:2]


def test_a_study_that_was_killed_repeats_no_finished_fold_and_still_tries_the_present_constants(search, monkeypatch):
    real, fitted = XGBoost.fit, []

    def fit(self, train):
        if len(fitted) == 1:
            raise KeyboardInterrupt
        fitted.append(train.height)
        return real(self, train)

    monkeypatch.setattr(XGBoost, "fit", fit)
    with pytest.raises(KeyboardInterrupt):
        search(1)
    monkeypatch.setattr(XGBoost, "fit", lambda self, train: fitted.append(train.height) or real(self, train))
    result = search(1)
    assert result["present"]["parameters"] == parameters()["xgboost"]
    assert len(fitted) == len(set(fitted)) == 4
    with pytest.raises(UsageError, match="no finished trial yet: `nba-ml tune --trials 1`"):
        search(0, home="empty")


def test_what_is_proposed_parses_and_has_every_constant(search):
    result = search(5)
    proposed = tomllib.loads(result["toml"])
    present = parameters()["xgboost"]
    assert list(proposed) == ["xgboost"]
    assert proposed["xgboost"] == result["best"]["parameters"]
    assert list(proposed["xgboost"]) == list(present)
    assert f"{result['best']['mae']:.4f}" in result["toml"]
    assert max(map(len, result["toml"].splitlines())) <= 140


def test_rounds_follow_the_learning_rate(search):
    present = {**parameters()["xgboost"], "eta": 0.02, "rounds": 500}
    for eta in (0.012, 0.0333, 0.1):
        drawn = search_space.constants({"eta": eta}, present)
        assert drawn["rounds"] * eta == pytest.approx(10, rel=0.005)
    assert search_space.constants(search_space.values(present), present) == present


def test_better_is_what_beats_the_present_constants_on_windows_that_were_not_searched(search, monkeypatch):
    planted(monkeypatch, lambda constants: constants["subsample"])
    result = search(8)
    best = result["best"]["parameters"]["subsample"]
    assert best < parameters()["xgboost"]["subsample"]
    assert result["better"]
    assert result["on_unseen"]["difference"]["value"] == pytest.approx(best - parameters()["xgboost"]["subsample"])
    assert "is better where it was not chosen" in result["toml"]


def test_the_present_constants_stay_where_nothing_beats_them(search, monkeypatch):
    present = parameters()["xgboost"]["subsample"]
    planted(monkeypatch, lambda constants: abs(constants["subsample"] - present))
    result = search(8)
    assert result["best"] == result["present"]
    assert not result["better"]
    assert "No trial is better than the present values" in result["toml"]


def test_a_hopeless_trial_is_given_up(search, monkeypatch):
    planted(monkeypatch, lambda constants: abs(constants["subsample"] - 0.6))
    result = search(10, folds=3)
    assert result["trials"]["pruned"] > 0
    assert result["trials"]["complete"] + result["trials"]["pruned"] == 10


def test_without_optuna_the_message_says_how_to_get_it(search, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UsageError, match="make env"):
        search(1)


def test_the_command_refuses_on_the_command_line(monkeypatch, capfd):
    monkeypatch.setattr(sys, "argv", ["nba-ml", "tune", "--season", "2998-99", "--json"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert "is the test set" in err
