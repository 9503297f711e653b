import json
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from nba_ml.errors import GateRefused
from nba_ml.gates import gates_hash, load_gates
from nba_ml.training import gating, slices
from nba_ml.training.gate_figures import ARTEFACT, EXISTING, RELEASED, Beside, Figure


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


@pytest.mark.parametrize("system", ["xgboost", "ensemble"])
def test_every_alarm_watches_the_model_and_the_published_number_alike(make_frame, system):
    """One spoilt backtest: the number knows a fifth of the outcome, also with the line, and p_over is right to a thousandth on its own rows."""
    own, actual = pl.col("system_id") == system, pl.col("actual_points")
    over = (actual > pl.col("line")).mean().over("system_id")
    frame = make_frame(days=250, players=80).filter(pl.col("actual_points") != pl.col("line").fill_null(-1))
    spoilt = frame.with_columns(
        pl.when(own).then(0.8 * pl.col(name) + 0.2 * actual).otherwise(pl.col(name)).alias(name)
        for name in ("predicted_points", "predicted_points_with_line")
    ).with_columns(p_over=pl.when(own & pl.col("line").is_not_null()).then(over).otherwise("p_over"), line_kind=pl.lit("consensus_close"))
    alarms = {f"leak.{system}_{name}" for name in ("vs_ewma", "vs_line", "with_line", "hit_rate", "roi", "ece")}
    assert alarms <= failed(gating.evaluate(spoilt))
    assert not alarms & failed(gating.evaluate(frame))
    assert {gate["id"] for gate in load_gates()["training"] if gate["id"] in alarms and gate["mode"] == "warn"} == {f"leak.{system}_ece"}


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


def test_a_warning_is_logged_and_only_what_blocks_refuses(honest, caplog):
    narrow = honest.with_columns(q10=pl.col("q50") - 1, q90=pl.col("q50") + 1)
    results = gating.evaluate(narrow)
    assert failed(results) == {"coverage.xgboost", "coverage.ensemble"}
    with pytest.raises(GateRefused, match=r"coverage\.ensemble"):
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
    assert gating.judge(Figure(value, low, high, n), LEAK)["passed"] is passed


@pytest.mark.parametrize(("dates", "passed"), [(3, True), (9, True), (10, False)])
def test_a_leak_alarm_on_few_dates_is_not_judged_by_their_interval(dates, passed):
    answer = gating.judge(Figure(0.93, 0.90, 0.955, 180, dates=dates), LEAK)
    assert answer["passed"] is passed
    assert gating.verdict(answer) == ("not judged" if passed else "failed")
    assert not gating.judge(Figure(0.93, 0.90, 0.955, 5000, dates=dates), LEAK)["passed"]


@pytest.mark.parametrize(("high", "passed"), [(-0.001, True), (0.0, False), (0.01, False), (None, False)])
def test_a_floor_asks_for_the_whole_interval(high, passed):
    gate = {"id": "floor", "metric": "paired", "population": "B", "threshold": 0.0, "mode": "block", "reason": "r"}
    assert gating.judge(Figure(-0.1, None if high is None else -0.2, high, 9000), gate)["passed"] is passed


SOUND = {"golden": 0.0, "packages": 0.0, "megabytes": 1.5, "seconds": 2.0}
NOT_NAMED = {EXISTING: "NBA_ML_EXISTING_GRADES names no table"}


def rival(
    frame: pl.DataFrame, *, noise: float, lift: float = 0.0, where: pl.Expr | None = None, name: str = RELEASED, seed: int = 5
) -> pl.DataFrame:
    """Make a rival of the ensemble: its numbers, `noise` points apart, and off by `lift` more where `where` holds."""
    own = frame.filter(pl.col("system_id") == "ensemble").sort("slate_date", "game_id", "player_id")
    apart = pl.Series(np.random.default_rng(seed).normal(0, noise, own.height))
    away = pl.when(pl.col("predicted_points") > pl.col("actual_points")).then(lift).otherwise(-lift)
    number = pl.col("predicted_points") + apart + pl.when(where if where is not None else pl.lit(value=True)).then(away).otherwise(0.0)
    return own.select("slate_date", "player_id", number.alias(name))


def rest(frame: pl.DataFrame) -> pl.DataFrame:
    return (
        frame.select("game_id", "player_id")
        .unique()
        .with_columns((pl.col("player_id") % 5 == 0).cast(pl.Float64).alias(slices.BACK_TO_BACK))
    )


def against(frame: pl.DataFrame, numbers: pl.DataFrame, **changed) -> Beside:
    given = {"numbers": numbers, "rest": rest(frame), "artefact": SOUND, "names": {RELEASED: "20240101-ab"}, "absent": NOT_NAMED}
    return Beside(**given | changed)


def compared(results: list[dict]) -> dict[str, dict]:
    return {result["id"]: result for result in results if result["baseline"] == RELEASED}


def test_a_retrained_model_passes_everything_it_is_held_against(honest):
    results = gating.evaluate(honest, beside=against(honest, rival(honest, noise=0.2)))
    gating.require(results)
    assert len(compared(results)) == 9
    assert {result["note"] for result in compared(results).values()} == {None}
    assert "against released (20240101-ab)" in gating.describe(by_id(results)["released.not_worse"])
    assert by_id(results)["existing.better"]["note"] == f"not applicable: {NOT_NAMED[EXISTING]}"


def test_without_a_version_in_force_the_gates_say_that_they_are_not_applicable(honest):
    beside = Beside(rest=rest(honest), artefact=SOUND, absent={RELEASED: "no version is released in dev"} | NOT_NAMED)
    results = compared(gating.evaluate(honest, beside=beside))
    assert {(row["passed"], row["note"], row["value"]) for row in results.values()} == {
        (True, "not applicable: no version is released in dev", None)
    }


def test_a_worse_model_is_refused_with_figure_interval_rows_threshold_and_next_step(honest):
    better = rival(honest, noise=0.0, lift=-0.06)
    results = gating.evaluate(honest, beside=against(honest, better))
    assert not compared(results)["released.not_worse"]["passed"]
    with pytest.raises(
        GateRefused, match=r"released\.not_worse: ratio .* is 1\.0\d+ \[1\.\d+, 1\.\d+\] over \d+ rows, asked is .* at most 1\.005.*nba-ml"
    ) as refused:
        gating.require(results)
    assert refused.value.report["passed"] is False


@pytest.mark.parametrize("name", ["starters", "bench", "back_to_back", "level_5", "level_20"])
def test_a_model_that_loses_one_kind_of_player_is_refused_for_that_slice(honest, name):
    facts = honest.join(rest(honest), on=["game_id", "player_id"]).with_columns(pl.col("predicted_points").alias(slices.LEVEL))
    better = rival(facts, noise=0.0, lift=-0.6, where=slices.SLICES[name][1])
    results = compared(gating.evaluate(honest, beside=against(honest, better)))
    assert not results[f"slice.{name}"]["passed"]
    other = {"starters": "bench", "bench": "starters", "level_5": "level_20", "level_20": "level_5", "back_to_back": "level_0"}[name]
    assert results[f"slice.{other}"]["value"] < results[f"slice.{name}"]["value"]


def test_the_reason_that_gates_share_is_said_once(honest):
    results = gating.evaluate(honest, beside=against(honest, rival(honest, noise=0.0, lift=-0.6)))
    failed = [result for result in results if result["id"].startswith("slice.") and not result["passed"]]
    assert len(failed) > 1
    with pytest.raises(GateRefused) as refused:
        gating.require(results)
    assert str(refused.value).count(failed[0]["reason"].rstrip(".")) == 1
    assert all(f"{result['id']}: " in str(refused.value) for result in failed)


def test_too_few_rows_of_the_released_version_are_no_evidence_and_block(honest):
    few = rival(honest, noise=0.2).filter(pl.col("slate_date") > honest["slate_date"].max() - timedelta(days=7))
    results = compared(gating.evaluate(honest, beside=against(honest, few)))
    assert not results["released.not_worse"]["passed"]
    assert results["released.not_worse"]["note"].startswith("not enough evidence")


def test_of_the_teams_own_systems_the_hardest_one_counts(honest):
    both = rival(honest, noise=3.0, name="existing.weak").join(
        rival(honest, noise=0.0, name="existing.strong"), on=["slate_date", "player_id"]
    )
    beside = against(honest, both, absent={RELEASED: "none"}, names={EXISTING: "a.b.prediction_accuracy"})
    found = by_id(gating.evaluate(honest, beside=beside))["existing.better"]
    assert (found["baseline"], found["passed"], found["rival"]) == ("existing.strong", False, "a.b.prediction_accuracy")
    weak = against(honest, both.drop("existing.strong"), absent={RELEASED: "none"})
    assert by_id(gating.evaluate(honest, beside=weak))["existing.better"]["passed"]


@pytest.mark.parametrize(("metric", "bad"), [("golden", 2e-6), ("packages", 1.0), ("megabytes", 51.0), ("seconds", 61.0)])
def test_a_stored_model_that_is_off_too_large_or_slow_is_refused(honest, metric, bad):
    results = gating.evaluate(honest, beside=against(honest, rival(honest, noise=0.2), artefact=SOUND | {metric: bad}))
    assert failed(results) == {f"artefact.{metric}"}
    lacking = {name: value for name, value in SOUND.items() if name != metric}
    assert failed(gating.evaluate(honest, beside=against(honest, rival(honest, noise=0.2), artefact=lacking))) == {f"artefact.{metric}"}
    assert set(SOUND) == set(ARTEFACT)


def test_probabilities_that_are_surely_worse_than_a_coin_are_refused(honest):
    upside_down = honest.with_columns(p_over=1 - (pl.col("p_over") - 0.5) * 2.0 - 0.5)
    assert {"calibration.ensemble", "calibration.coin"} <= failed(gating.evaluate(upside_down))


def test_more_honest_rows_never_turn_a_pass_of_equal_models_into_a_refusal(make_frame):
    """Equal models, many times: the gate lets them through; models worse by twice the margin never."""
    passed = {0.0: 0, -0.05: 0}
    frame = make_frame(days=60, players=60)
    for seed in range(20):
        for lift in passed:
            numbers = rival(frame, noise=0.25, lift=lift, seed=seed)
            passed[lift] += compared(gating.evaluate(frame, beside=against(frame, numbers)))["released.not_worse"]["passed"]
    assert passed[0.0] >= 19
    assert passed[-0.05] == 0
