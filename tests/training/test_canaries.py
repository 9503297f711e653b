"""Canaries: an honest engine passes them, and each kind of leak stops one."""

import json
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from nba_ml.errors import GateRefused
from nba_ml.features import TARGET, feature_names, own_features
from nba_ml.lines import closing, consensus
from nba_ml.storage.local import LocalStore
from nba_ml.systems.base import parameters
from nba_ml.training import canaries, steps, walk_forward
from nba_ml.training.walk_forward import Fold, plan_folds
from nba_ml.validation.measures import no_copy_of_target
from nba_ml.validation.suites import load_suite
from tests.systems.rows import make_rows

SPAN = (date(2022, 3, 2), date(2022, 3, 20))
SEED = 5


@pytest.fixture(autouse=True, scope="module")
def _small():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walk_forward, "LEAST_TRAINING_ROWS", 700)
        patch.setattr(walk_forward, "LEAST_FOLD_ROWS", 100)
        patch.setattr(walk_forward, "WARM_UP_DAYS", 7)
        patch.setattr(walk_forward, "LINED_ROWS", 1)
        patch.setitem(parameters()["xgboost"], "rounds", 15)
        patch.setitem(parameters()["xgboost"], "eta", 0.1)
        patch.setitem(parameters()["xgboost"], "min_child_weight", 5)
        yield


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    made = make_rows(90 * 25, seed=2, players=25)
    facts = {"season": pl.lit("2021-22"), "season_type": pl.lit("Regular Season")}
    return made.with_columns(**facts, actual_minutes=pl.lit(24.0), season_avg_minutes=pl.lit(24.0))


@pytest.fixture(scope="module")
def lines(rows) -> pl.DataFrame:
    return rows.filter(pl.col("player_id") % 2 == 0).select(
        "game_date",
        "player_id",
        line=pl.col("points_ewm_8").round() + 0.5,
        line_kind=pl.lit("last_snapshot"),
        over_odds=pl.lit(-110.0),
        under_odds=pl.lit(-110.0),
        p_over_market=pl.lit(0.5),
    )


@pytest.fixture(scope="module")
def walked(rows, lines):
    folds = plan_folds(rows, *SPAN, 10)
    return folds, *walk_forward.walk_forward(rows, lines, folds, names=feature_names(), seed=SEED)


def sung(rows, lines, walked):
    folds, predictions, out_of_fold = walked
    return {row["id"]: row for row in canaries.check(rows, lines, folds, predictions, out_of_fold, names=feature_names(), seed=SEED)}


@pytest.fixture(scope="module")
def honest(rows, lines, walked):
    return sung(rows, lines, walked)


def test_an_honest_engine_passes_and_says_what_was_done(honest):
    assert list(honest) == [canaries.SHUFFLED, canaries.LATER]
    assert all(set(row) == {"id", "value", "threshold", "passed", "what"} for row in honest.values())
    assert [row["passed"] for row in honest.values()] == [True, True]
    assert honest[canaries.SHUFFLED]["value"] >= 0.98
    assert honest[canaries.LATER]["value"] == 0
    assert "2022-03-12 to 2022-03-20" in honest[canaries.SHUFFLED]["what"]
    canaries.require(list(honest.values()))


def test_the_same_backtest_gives_the_same_canaries(rows, lines, walked, honest):
    shuffled_rows = rows.sample(fraction=1, shuffle=True, seed=3)
    assert json.dumps(sung(shuffled_rows, lines, walked), allow_nan=False) == json.dumps(honest, allow_nan=False)


def test_an_engine_that_fits_on_the_fold_itself_is_caught(rows, lines, walked, monkeypatch):
    def leaking(frame, fold, names, seed, cache):
        inside = frame.filter(pl.col("game_date").is_between(fold.first, fold.last))
        members = {name: member.fit(frame) for name, member in walk_forward.new_members(names, seed).items()}
        return walk_forward.member_numbers(members, inside, frame)[0], fold.first - timedelta(days=1)

    monkeypatch.setitem(parameters()["xgboost"], "rounds", 150)
    monkeypatch.setattr(walk_forward, "fold_numbers", leaking)
    found = sung(rows, lines, walked)
    assert not found[canaries.SHUFFLED]["passed"]
    assert not found[canaries.LATER]["passed"]
    assert found[canaries.LATER]["value"] > 0
    with pytest.raises(
        GateRefused, match=r"canary.shuffled_target is 0\.\d+, asked is at least 0\.98.*canary.later_rows_changed is"
    ) as stop:
        canaries.require(list(found.values()))
    assert [row["passed"] for row in stop.value.report["canaries"]] == [False, False]


@pytest.mark.parametrize("column", ["predicted_points", "q90", "p_over"])
def test_one_bit_of_one_prediction_is_seen(rows, lines, walked, column):
    folds, predictions, _ = walked
    fold = canaries.judged_fold(rows, folds)
    own = (pl.col("slate_date") == fold.first) & (pl.col("system_id") == "ensemble") & (pl.col("player_id") == 4)
    touched = predictions.with_columns(pl.when(own).then(pl.col(column) * (1 + 4e-16)).otherwise(pl.col(column)).alias(column))
    before, after = (canaries._until(frame, fold, fold.first) for frame in (predictions, touched))
    assert canaries._differing(before, before) == 0
    assert canaries._differing(before, after) == 1
    assert canaries._differing(before, after.head(3)) == before.height


def test_the_fold_judged_is_the_last_one_with_rows_enough(rows):
    folds = [
        Fold(date(2022, 2, 1), date(2022, 2, 10), warm_up=True),
        Fold(date(2022, 3, 1), date(2022, 3, 10), warm_up=False),
        Fold(date(2022, 3, 11), date(2022, 3, 12), warm_up=False),
    ]
    assert canaries.judged_fold(rows, folds) == folds[1]
    assert canaries.judged_fold(rows, folds[2:]) == folds[2]


def test_a_feature_that_is_the_targets_copy_is_caught_by_the_suite_of_the_training_set(rows):
    rule = next(rule for rule in load_suite("training_set").rules if rule.id == "features_no_leak")
    assert rule.severity == "stop"
    rng = np.random.default_rng(1)
    leaking = rows.with_columns(points_mean_5=pl.col(TARGET) + pl.Series(rng.normal(0, 0.5, rows.height)))
    assert list(no_copy_of_target(rows, feature_names(), TARGET, rule.kwargs["max_correlation"]).details) == []
    assert list(no_copy_of_target(leaking, feature_names(), TARGET, rule.kwargs["max_correlation"]).details) == ["points_mean_5"]


@pytest.mark.parametrize("minutes", [0, 1, 45])
def test_a_line_from_during_the_game_is_no_line(minutes):
    tip = datetime(2024, 3, 6, 0, 30, tzinfo=UTC)
    quote = {
        "game_date": [date(2024, 3, 5)],
        "game_id": ["G1"],
        "player_id": [1],
        "bookmaker": ["dk"],
        "line_kind": ["last_snapshot"],
        "line": [20.5],
        "over_odds": [-110.0],
        "under_odds": [-110.0],
        "odds_suspect": [False],
        "captured_at": [tip + timedelta(minutes=minutes)],
        "tipoff_utc": [tip],
        "source": ["feed"],
    }
    quotes = pl.DataFrame(quote, schema_overrides={"captured_at": pl.Datetime("us", "UTC"), "tipoff_utc": pl.Datetime("us", "UTC")})
    early = quotes.with_columns(captured_at=pl.col("tipoff_utc") - timedelta(hours=1))
    assert consensus(quotes).is_empty()
    assert consensus(quotes, as_of=tip + timedelta(hours=3)).is_empty()
    assert closing(quotes).is_empty()
    assert consensus(early).height == closing(early).height == 1


@pytest.fixture
def training(rows, lines, tmp_path, monkeypatch):
    """The training steps over the made-up rows, with a store and no warehouse."""
    monkeypatch.setattr(steps, "_load", lambda context, planned: SimpleNamespace(rows=rows, lines=lines, features=own_features()))
    monkeypatch.setattr(steps, "BACKTEST_DAYS", 10)
    monkeypatch.setattr(steps, "REFIT_DAYS", 7)
    settings = SimpleNamespace(seed=SEED, home_folder=tmp_path / "home")
    warehouse = SimpleNamespace(upsert=lambda table, frame: None)
    context = SimpleNamespace(settings=settings, store=LocalStore(tmp_path / "store"), warehouse=warehouse)
    return context, {"version": "v1", "until": "2022-03-20", "report": "r"}


def test_a_backtest_that_was_killed_ends_with_the_same_files(training, monkeypatch):
    context, planned = training
    write = steps._write

    def killed(context, planned, file, data):
        if file == steps.OUT_OF_FOLD:
            raise KeyboardInterrupt
        write(context, planned, file, data)

    monkeypatch.setattr(steps, "_write", killed)
    with pytest.raises(KeyboardInterrupt):
        steps.backtest(context, planned)
    stored = context.store.read("models/points/v1/canaries.json")
    monkeypatch.setattr(steps, "_write", write)
    steps.backtest(context, planned)
    monkeypatch.setattr(canaries, "check", lambda *args, **how: pytest.fail("a backtest that is whole was checked again"))
    steps.backtest(context, planned)
    assert context.store.read("models/points/v1/canaries.json") == stored
    assert [row["passed"] for row in json.loads(stored)] == [True, True]


def test_a_later_version_fits_only_the_windows_that_grew(training):
    context, planned = training
    steps.backtest(context, planned | {"until": "2022-03-16"})
    windows = set((context.settings.home_folder / "cache").rglob("*.arrow"))
    steps.backtest(context, planned | {"version": "v2"})
    new = set((context.settings.home_folder / "cache").rglob("*.arrow")) - windows
    assert len(windows) > 3
    assert [file.name[:21] for file in new] == ["2022-03-14_2022-03-20"]


def test_a_canary_that_failed_refuses_the_version(training, monkeypatch):
    context, planned = training
    failed = {"id": canaries.LATER, "value": 3, "threshold": 0, "passed": False, "what": "w."}
    monkeypatch.setattr(canaries, "check", lambda *args, **how: [failed])
    monkeypatch.setattr(steps.gating, "require", lambda results: None)
    steps.backtest(context, planned)
    with pytest.raises(GateRefused, match="later_rows_changed is 3, asked is at most 0"):
        steps.gate(context, planned)
