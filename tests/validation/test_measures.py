"""The project's own measures, where the suites' tests do not reach."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_ml.validation import measures
from nba_ml.validation.steps import compare_schema
from nba_ml.warehouse.schema import table

FEATURES = table("nba_predictions.ml_feature_store_v2").features


@given(st.lists(st.none() | st.integers(0, 4), max_size=60), st.floats(0.05, 0.9), st.integers(1, 20))
def test_modal_rows_against_counting_by_hand(values, max_share, min_rows):
    frame = pl.DataFrame({"line": values}, schema={"line": pl.Int64})
    known = [value for value in values if value is not None]
    mode = max(sorted(set(known)), key=known.count) if known else None
    over = bool(known) and len(known) >= min_rows and known.count(mode) / len(known) > max_share
    rows = measures.modal_rows(frame, "line", [], [], max_share, min_rows)
    assert rows.to_list() == [over and value == mode for value in values]
    assert measures.no_modal_value(frame, "line", [], [], max_share, min_rows).passed is not over


def test_an_entity_with_many_quotes_counts_once():
    frame = pl.DataFrame({"player": [1] * 50 + list(range(2, 32)), "line": [10.5] * 50 + [float(value) for value in range(30)]})
    assert not measures.no_modal_value(frame, "line", [], [], 0.25, 10).passed
    assert measures.no_modal_value(frame, "line", [], ["player"], 0.25, 10).passed


@given(st.lists(st.none() | st.integers(-5, 5), max_size=40))
def test_rows_that_break_a_condition_are_those_known_to(values):
    frame = pl.DataFrame({"x": values}, schema={"x": pl.Int64})
    assert measures.breaks(frame, "x >= 0").to_list() == [value is not None and value < 0 for value in values]


def test_null_shares_count_nan_and_honour_exceptions():
    frame = pl.DataFrame({"a": [None, float("nan"), 1.0, 2.0], "b": [1, None, None, None]})
    assert measures.null_shares(frame, ["a", "b"], 0.4, {}).details == {"b": 0.75, "a": 0.5}
    assert measures.null_shares(frame, ["a", "b"], 0.5, {"b": 0.8}).passed


def test_a_rolling_mean_that_includes_the_game_itself_is_found():
    random = np.random.default_rng(1)
    points = random.gamma(2, 5, 2000)
    frame = pl.DataFrame({"target": points, "honest": random.normal(size=2000), "leak": points * 0.95 + random.normal(size=2000)})
    assert list(measures.no_copy_of_target(frame, ["honest", "leak"], "target", 0.9).details) == ["leak"]


def slate():
    return pl.DataFrame({name: [1.0] for name in FEATURES}).with_columns(player_name=pl.lit("x"))


def test_the_same_schema_passes():
    assert compare_schema(FEATURES, slate()).passed
    assert compare_schema(dict.fromkeys(FEATURES, "float64"), slate()).passed


@pytest.mark.parametrize(
    ("expected", "change", "message"),
    [
        (FEATURES, lambda frame: frame.drop("rest_days"), "rest_days missing"),
        (FEATURES[:-1], lambda frame: frame, f"{FEATURES[-1]} unknown to the model"),
        (FEATURES, lambda frame: frame.select(sorted(frame.columns)), "stands where"),
        (
            dict.fromkeys(FEATURES, "Float64"),
            lambda frame: frame.with_columns(pl.col("rest_days").cast(pl.Int64)),
            "rest_days is Int64, not Float64",
        ),
    ],
)
def test_another_schema_is_named(expected, change, message):
    finding = compare_schema(expected, change(slate()))
    assert not finding.passed
    assert message in finding.observed


def test_a_column_may_be_allowed_to_be_the_same_in_all_rows():
    frame = pl.DataFrame({"neutral_site": [0.0, 0.0, 0.0], "usage_rate": [0.1, 0.1, 0.2]})
    assert measures.vary(frame, ["usage_rate"], 2, 2, {}).passed
    assert measures.vary(frame, frame.columns, 2, 2, {}).details == {"neutral_site": "1"}
    assert measures.vary(frame, frame.columns, 2, 2, {"neutral_site": 1}).passed
    assert not measures.vary(frame.with_columns(neutral_site=pl.lit(None, pl.Float64)), frame.columns, 2, 2, {"neutral_site": 1}).passed
