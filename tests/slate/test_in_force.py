"""Two versions that share a slate, and shadows beside them: who is published, who is graded, and what a failure does."""

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from nba_ml import grading
from nba_ml.registry.states import Rollout
from nba_ml.slate import steps
from nba_ml.slate.assignment import assign
from nba_ml.slate.publishing import PICKS, SYSTEMS
from nba_ml.slate.scoring import TRAINED
from nba_ml.warehouse.port import LATEST

SLATE = date(2024, 1, 12)
KEY = ["game_id", "player_id"]


@pytest.fixture
def sharing(loaded, released, suites):
    """Let v2, two points higher, challenge v1 at 50 %, and v3, five points higher, score along."""
    released.models |= {"v2": released.version("v2", 2.0), "v3": released.version("v3", 5.0)}
    released.rollout = Rollout(number=3, in_force=3, serving="v1", challenger="v2", share=0.5, shadows=("v3",))
    return loaded


def read(context, table, **where) -> pl.DataFrame:
    return context.warehouse.read(table, as_of=LATEST, where=where)


def test_each_row_is_published_from_the_version_it_is_assigned_to(sharing, released):
    result = steps.predict(sharing, SLATE, "replay")
    picks, numbers = read(sharing, PICKS), read(sharing, SYSTEMS)
    assert picks.height == picks.n_unique(KEY) == 70
    assert result["versions"] == dict(sorted(picks["model_version"].value_counts().rows()))
    assert result["shadows"] == ["v3"]
    assert set(result["versions"]) == {"v1", "v2"}
    assert picks["share"].unique().to_list() == [0.5]
    expected = assign(picks.drop("model_version", "share"), released.rollout)
    assert picks["model_version"].equals(expected["model_version"])
    own = picks.join(numbers.filter(pl.col("system_id") == "ensemble"), on=[*KEY, "model_version"])
    assert own.height == 70
    assert own["predicted_points"].equals(own["predicted_points_right"])


def test_every_version_scores_every_row_and_no_system_is_listed_twice(sharing):
    steps.predict(sharing, SLATE, "replay")
    numbers = read(sharing, SYSTEMS)
    trained = numbers.filter(pl.col("system_id").is_in(TRAINED))
    assert trained["model_version"].value_counts().sort("model_version").rows() == [("v1", 140), ("v2", 140), ("v3", 140)]
    simple = numbers.filter(~pl.col("system_id").is_in(TRAINED))
    assert simple.height == simple.n_unique([*KEY, "system_id"]) == 3 * 70
    assert "v3" not in simple["model_version"].to_list()
    wide = numbers.filter(pl.col("system_id") == "xgboost").pivot("model_version", index=KEY, values="predicted_points")
    assert ((wide["v2"] - wide["v1"] - 2).abs() < 1e-9).all()
    assert ((wide["v3"] - wide["v1"] - 5).abs() < 1e-9).all()


def test_agreement_and_spread_are_of_the_rows_own_version(sharing):
    steps.predict(sharing, SLATE, "replay")
    picks = read(sharing, PICKS).filter(pl.col("line").is_not_null())
    assert (picks["voices"] == 3).all()
    assert ((picks["spread"] - 2.0).abs() < 1e-9).all()


def test_a_growing_share_keeps_the_rows_of_the_smaller_one(sharing, released):
    rows = {}
    for number, share in ((3, 0.1), (4, 0.5)):
        released.rollout = replace(released.rollout, in_force=number, share=share)
        run = steps.predict(sharing, SLATE, "replay")["run_key"]
        rows[share] = set(read(sharing, PICKS, run_key=run, model_version="v2")["player_id"])
    assert rows[0.1] < rows[0.5]


def test_a_rollback_shows_in_the_next_slate(sharing, released):
    steps.predict(sharing, SLATE, "replay")
    released.rollout = Rollout(number=4, in_force=4, serving="v1", shadows=("v3",))
    after = steps.predict(sharing, SLATE, "replay")
    assert after["versions"] == {"v1": 70}
    assert read(sharing, PICKS, run_key=after["run_key"])["share"].unique().to_list() == [1.0]


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_published_version_that_fails_publishes_nothing(sharing, released, monkeypatch, version):
    monkeypatch.setattr(released.models[version].panel, "predict", lambda *inputs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        steps.predict(sharing, SLATE, "replay")
    assert not read(sharing, PICKS).height
    assert not read(sharing, SYSTEMS).height


@pytest.mark.parametrize("when", ["opened", "scored"])
def test_a_shadow_that_fails_is_recorded_and_disturbs_nobody(sharing, released, monkeypatch, when):
    if when == "opened":
        released.failed["v3"] = "model.ubj: altered"
    else:
        monkeypatch.setattr(released.models["v3"].panel, "predict", lambda *inputs: 1 / 0)
    assert steps.predict(sharing, SLATE, "replay")["predicted"] == 70
    silent = read(sharing, SYSTEMS, model_version="v3")
    assert silent["predicted_points"].null_count() == silent.height == 140
    assert silent["abstain_reason"].str.starts_with("shadow failed: ").all()


def test_the_run_is_another_one_when_what_scores_changes_and_only_then(sharing, released):
    first = steps.predict(sharing, SLATE, "replay")
    released.rollout = replace(released.rollout, number=4, pinned=True)
    assert steps.predict(sharing, SLATE, "replay") == first
    released.rollout = replace(released.rollout, in_force=5, number=5, shadows=())
    assert steps.predict(sharing, SLATE, "replay")["run_key"] != first["run_key"]


def test_all_versions_are_graded_and_the_figures_shown_are_of_what_was_published(sharing):
    steps.predict(sharing, SLATE, "replay")
    before = read(sharing, PICKS), read(sharing, SYSTEMS)
    result = grading.grade(sharing, SLATE)
    assert result["graded"] == 3 * 140 + 3 * 70
    assert {system["system_id"]: system["n"] for system in result["systems"]} == {
        "moving_average": 70,
        "matchup": 70,
        "xgboost": 70,
        "ensemble": 70,
    }
    versions = {version["model_version"]: version for version in result["versions"]}
    assert {name: version["n"] for name, version in versions.items()} == {"v1": 70, "v2": 70, "v3": 70}
    assert len({round(version["mae"], 6) for version in versions.values()}) == 3
    shown = sharing.warehouse.query(
        "SELECT system_id, COUNT(*) AS n, COUNT(DISTINCT model_version) AS versions FROM nba_predictions.v_graded_predictions GROUP BY system_id"
    )
    assert {row["system_id"]: (row["n"], row["versions"]) for row in shown.to_dicts()}["ensemble"] == (70, 2)
    assert all(table.equals(read(sharing, name)) for table, name in zip(before, (PICKS, SYSTEMS), strict=True))
