"""The panel: trained systems survive being written and read, and one broken system does not take the slate with it."""

import json

import numpy as np
import polars as pl
import pytest

from nba_ml.features import TARGET, feature_names
from nba_ml.systems import panel as panels
from nba_ml.systems.base import VOICES, column
from nba_ml.systems.panel import COLUMNS, Combination, Panel, member_numbers, new_members


@pytest.fixture(scope="module")
def fitted(many_rows):
    train, later = many_rows.head(4_000), many_rows.tail(2_000)
    members = {name: member.fit(train) for name, member in new_members(feature_names(), seed=3).items()}
    numbers, _ = member_numbers(members, later, many_rows)
    return Panel(members, Combination.fit(numbers, column(later, TARGET), *[np.full(later.height, np.nan)] * 2))


@pytest.fixture(scope="module")
def slate(many_rows):
    return many_rows.tail(60).drop(TARGET)


def test_every_system_answers_for_every_row_and_stays_in_the_open(fitted, many_rows, slate):
    answer = fitted.predict(slate, many_rows.head(-60))
    assert answer.group_by("system_id").len()["len"].to_list() == [60] * len(VOICES)
    assert set(answer["system_id"]) == set(VOICES)
    assert answer["predicted_points"].is_nan().sum() == 0
    assert answer.filter(pl.col("predicted_points").is_null() != pl.col("abstain_reason").is_not_null()).height == 0
    trained = answer.filter(pl.col("system_id").is_in(["xgboost", "ensemble"]))
    assert trained.select(pl.col("predicted_points", "q10", "q50", "q90").null_count()).sum_horizontal().item() == 0


def test_writing_and_reading_gives_the_same_numbers_bit_for_bit(fitted, many_rows, slate):
    again = Panel.from_files(fitted.to_files(), feature_names())
    history = many_rows.head(-60)
    assert again.predict(slate, history).equals(fitted.predict(slate, history))
    assert again.to_files() == fitted.to_files()


def test_a_prediction_does_not_depend_on_the_rows_beside_it(fitted, many_rows, slate):
    history = many_rows.head(-60)
    whole = fitted.predict(slate, history).sort("system_id", "player_id")
    alone = pl.concat([fitted.predict(slate[i : i + 1], history) for i in range(0, 60, 7)]).sort("system_id", "player_id")
    same = whole.join(alone.select("game_id", "player_id", "system_id"), on=["game_id", "player_id", "system_id"], how="semi")
    assert same.equals(alone)


def test_fitting_again_gives_the_same_model(many_rows):
    first, second = (
        new_members(feature_names(), seed=3)["xgboost"].fit(
            many_rows.sample(4_000, seed=s, shuffle=True).sort("game_date", "game_id", "player_id")
        )
        for s in (1, 1)
    )
    assert first.to_bytes() == second.to_bytes()


def test_the_order_of_training_rows_carries_no_meaning(many_rows):
    train = many_rows.head(3_000)
    shuffled = train.sample(fraction=1, shuffle=True, seed=9)
    assert (
        new_members(feature_names(), 3)["xgboost"].fit(train).to_bytes()
        == new_members(feature_names(), 3)["xgboost"].fit(shuffled).to_bytes()
    )


def test_a_failing_system_abstains_with_a_reason_and_the_model_failing_fails(fitted, many_rows, slate, monkeypatch):
    def broken(*_):
        raise RuntimeError("no")

    monkeypatch.setattr(panels.Similarity, "predict", broken)
    answer = fitted.predict(slate, many_rows.head(-60)).filter(pl.col("system_id") == "similarity")
    assert answer["predicted_points"].null_count() == 60
    assert set(answer["abstain_reason"]) == {"failed: RuntimeError"}
    monkeypatch.setattr(panels.XGBoost, "predict", broken)
    with pytest.raises(RuntimeError):
        fitted.predict(slate, many_rows.head(-60))


def test_lines_give_probabilities_only_where_there_is_a_line(fitted, many_rows, slate):
    lines = slate.head(10).select("game_date", "player_id", line=pl.lit(12.5), p_over_market=pl.lit(None, pl.Float64))
    answer = fitted.predict(slate, many_rows.head(-60), lines).filter(pl.col("system_id") == "ensemble")
    assert answer["p_over"].is_not_null().sum() == 10
    assert tuple(answer.columns[4:-1]) == COLUMNS


def test_a_version_that_had_seen_too_few_prices_says_what_it_said_when_it_was_written(fitted, many_rows, slate):
    """Older versions hold null where the number alone is to speak, whatever the market says."""
    files = fitted.to_files()
    learned = json.loads(files["calibration.json"])
    older = {name: value | {"market": None} for name, value in learned.items()}
    panel = Panel.from_files(files | {"calibration.json": json.dumps(older).encode()}, feature_names())
    lines = slate.select("game_date", "player_id", line=pl.lit(12.5))
    said = [
        panel.predict(slate, many_rows.head(-60), lines.with_columns(p_over_market=pl.lit(market, pl.Float64))) for market in (0.6, None)
    ]
    assert said[0].equals(said[1])
    assert said[0]["p_over"].drop_nulls().len() == 120


def test_importance_names_features(fitted):
    gains = fitted.model.importance()
    assert gains
    assert list(gains.values()) == sorted(gains.values(), reverse=True)
