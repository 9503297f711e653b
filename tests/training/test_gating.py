import json

import polars as pl
import pytest

from nba_ml.errors import GateRefused
from nba_ml.gates import gates_hash
from nba_ml.training import gating


@pytest.fixture(scope="module")
def honest(make_frame):
    """About 2.5 % below the simple rule on regulars, as honest models are."""
    return make_frame(days=150, players=80)


def by_id(results):
    return {result["id"]: result for result in results}


def failed(results):
    return {result["id"] for result in results if not result["passed"]}


def test_an_honest_model_passes_and_the_answer_is_json(honest):
    results = gating.evaluate(honest)
    gating.require(results)
    report = gating.report(results)
    assert report["passed"] is True
    assert report["hash"] == gates_hash()
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert 0.96 < by_id(results)["leak.xgboost_vs_ewma"]["value"] < 0.99


def test_too_few_rows_block(make_frame):
    results = by_id(gating.evaluate(make_frame(days=20, players=30)))
    assert not results["evidence.rows"]["passed"]
    assert "not enough evidence" in results["floor.ewma_hl8"]["note"]
    with pytest.raises(GateRefused, match=r"evidence\.rows.*asked is at least 1500.*nba-ml backtest") as refused:
        gating.require(list(results.values()))
    assert refused.value.report["passed"] is False


def test_a_model_no_better_than_the_simple_rule_is_refused(make_frame):
    results = gating.evaluate(make_frame(days=150, players=80, noise={"xgboost": 1.7}))
    assert "floor.ewma_hl8" in failed(results)
    with pytest.raises(GateRefused, match=r"floor\.ewma_hl8.*against ewma_hl8 on population B is .* over \d+ rows"):
        gating.require(results)


def test_a_model_that_is_too_good_is_refused_as_a_leak(make_frame):
    knows = make_frame(days=150, players=80).with_columns(
        predicted_points=pl.when(pl.col("system_id") == "xgboost")
        .then(0.8 * pl.col("predicted_points") + 0.2 * pl.col("actual_points"))
        .otherwise("predicted_points")
    )
    assert {"leak.xgboost_vs_ewma", "leak.xgboost_vs_line", "leak.xgboost_hit_rate"} <= failed(gating.evaluate(knows))
    with pytest.raises(GateRefused, match="knew the future"):
        gating.require(gating.evaluate(knows))


def test_abstaining_on_more_than_half_a_percent_is_refused(honest):
    number = pl.int_range(pl.len()).over("system_id")
    for every, passes in ((250, True), (150, False)):
        silent = honest.with_columns(
            predicted_points=pl.when((pl.col("system_id") != "ensemble") | (number % every != 0)).then("predicted_points")
        )
        assert by_id(gating.evaluate(silent))["abstained.ensemble"]["passed"] is passes


def test_a_missing_system_is_no_evidence_and_missing_lines_are_nothing_to_judge(honest):
    results = by_id(gating.evaluate(honest.filter(pl.col("system_id") != "ewma_hl8")))
    assert not results["floor.ewma_hl8"]["passed"]
    assert "no ewma_hl8 in the backtest" in results["floor.ewma_hl8"]["note"]
    unlined = honest.with_columns(
        pl.lit(None, honest.schema[name]).alias(name)
        for name in ("line", "line_kind", "over_odds", "under_odds", "p_over", "p_over_market", "predicted_points_with_line")
    )
    results = gating.evaluate(unlined)
    gating.require(results)
    assert by_id(results)["leak.xgboost_with_line"]["note"] == "nothing to judge"


def test_a_warning_is_logged_and_does_not_block(honest, caplog):
    narrow = honest.with_columns(q10=pl.col("q50") - 1, q90=pl.col("q50") + 1)
    results = gating.evaluate(narrow)
    assert failed(results) == {"coverage.xgboost"}
    gating.require(results)
    assert "coverage.xgboost" in caplog.text


LEAK = {"id": "leak", "metric": "ratio", "population": "B", "threshold": 0.96, "point_rows": 5000, "mode": "block", "reason": "r"}


@pytest.mark.parametrize(
    ("value", "low", "high", "n", "passed"),
    [
        (0.965, 0.95, 0.98, 5000, True),
        (0.955, 0.95, 0.961, 5000, False),
        (0.955, 0.94, 0.97, 4999, True),
        (0.93, 0.90, 0.955, 4999, False),
        (None, None, None, 0, True),
    ],
)
def test_a_leak_alarm_on_few_rows_has_to_be_sure(value, low, high, n, passed):
    assert gating.judge(gating.Figure(value, low, high, n), LEAK)["passed"] is passed


@pytest.mark.parametrize(("high", "passed"), [(-0.001, True), (0.0, False), (0.01, False), (None, False)])
def test_a_floor_asks_for_the_whole_interval(high, passed):
    gate = {"id": "floor", "metric": "paired", "population": "B", "threshold": 0.0, "mode": "block", "reason": "r"}
    assert gating.judge(gating.Figure(-0.1, None if high is None else -0.2, high, 9000), gate)["passed"] is passed
