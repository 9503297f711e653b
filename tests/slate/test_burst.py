"""The burst guard: honest slates pass, planted bad models don't, and nothing of them is seen."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from nba_ml import alerts
from nba_ml.errors import GateRefused
from nba_ml.gates import load_gates
from nba_ml.registry.states import Rollout
from nba_ml.slate import burst, steps
from nba_ml.slate.publishing import PICKS, SYSTEMS
from nba_ml.warehouse.port import LATEST
from tests.slate.conftest import FormulaPanel

SLATE = date(2024, 1, 12)


def slate(players=120, seed=1, **models) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Make the numbers of a slate, v1 honest and other versions as `models` says: honest numbers → numbers.

    As in a slate, the moving average is listed once, here with the versions in turn.
    """
    rng = np.random.default_rng(seed)
    form = np.clip(rng.gamma(2.2, 5, players), 0.5, 34)
    honest = form * 0.97 + rng.normal(0, 1.2, players)
    keys = pl.DataFrame({"game_id": [f"g{n % 8}" for n in range(players)], "player_id": range(players)})
    line = pl.Series(np.where(form > 8, np.floor(form) + 0.5, np.nan)).fill_nan(None)
    parts = []
    for version, change in ({"v1": None} | models).items():
        model = honest if change is None else change(honest + rng.normal(0, 0.3, players))
        for system, number in {"moving_average": form, "xgboost": model, "ensemble": 0.7 * model + 0.3 * form}.items():
            said = pl.Series("predicted_points", number).fill_nan(None)
            parts.append(
                keys.with_columns(said, system_id=pl.lit(system), model_version=pl.lit(version), abstain_reason=pl.lit(None, pl.String))
            )
    whose = pl.Series([(*models, "v1")[n % (len(models) + 1)] for n in range(players)])
    listed = [part for part in parts if (part["system_id"] != "moving_average").all()]
    simple = parts[0].with_columns(model_version=whose)
    return pl.concat([simple, *listed]), keys.with_columns(line=line)


def failed(systems, lines, versions=("v1",), serving="v1", seconds=2.0):
    return {(result["id"], result["version"]) for result in burst.check(systems, lines, versions, serving, seconds) if not result["passed"]}


BAD = {
    "constant": lambda honest: np.full(len(honest), honest.mean()),
    "half": lambda honest: honest * 0.5,
    "shuffled": lambda honest: np.random.default_rng(2).permutation(honest),
    "8.6 points low": lambda honest: np.clip(honest - 8.6, 0, None),
    "per minute": lambda honest: honest / 30,
    "silent": lambda honest: np.where(np.arange(len(honest)) % 4 == 0, np.nan, honest),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_model_is_stopped_on_its_first_slate_whether_it_serves_or_challenges(name):
    systems, lines = slate(v2=BAD[name])
    assert not failed(systems, lines)
    found = failed(systems, lines, ("v1", "v2"))
    assert found
    assert {version for _, version in found} == {"v2"}
    assert failed(systems, lines, ("v2",), serving="v2")


def test_honest_slates_and_honest_challengers_pass():
    for seed in range(60):
        systems, lines = slate(seed=seed, players=20 + 3 * seed, v2=lambda honest: honest * 1.03)
        assert not failed(systems, lines, ("v1", "v2"))


def test_nearly_all_on_one_side_of_at_least_twenty_lines_is_stopped():
    systems, lines = slate()
    low = systems.with_columns(predicted_points=pl.col("predicted_points") * 0.85)
    few = lines.with_columns(line=pl.when(pl.col("line").is_not_null().cum_sum() <= 19).then("line"))
    assert failed(low, lines) == {("burst.one_side", "v1")}
    assert not failed(low, few)


def test_rows_that_a_check_kept_from_scoring_are_no_abstentions():
    systems, lines = slate()
    quiet = pl.col("player_id") < 30
    silent = systems.with_columns(predicted_points=pl.when(~quiet).then("predicted_points"))
    assert failed(silent, lines) == {("burst.abstained", "v1")}
    told = silent.with_columns(abstain_reason=pl.when(quiet).then(pl.lit("quarantined")))
    assert not failed(told, lines)


def test_a_slate_that_took_minutes_is_stopped_and_a_tiny_one_is_not_judged():
    assert failed(*slate(), seconds=301.0) == {("burst.seconds", "v1")}
    systems, lines = slate(players=19, v2=BAD["constant"])
    assert not failed(systems, lines, ("v2",), serving="v2")


class Constant(FormulaPanel):
    """The same number for everybody, as from a model that lost its features."""

    def predict(self, rows, history, lines):
        model = pl.col("system_id").is_in(["xgboost", "ensemble"])
        return super().predict(rows, history, lines).with_columns(predicted_points=pl.when(model).then(16.0).otherwise("predicted_points"))


@pytest.fixture
def taken_out(monkeypatch):
    calls = []
    monkeypatch.setattr(burst, "open_log", lambda context: "log")
    monkeypatch.setattr(burst.guards, "take_out", lambda context, log, version, *, guard, reason: calls.append((version, guard)))
    return calls


def seen(context):
    return {table: context.warehouse.read(table, as_of=LATEST).height for table in (PICKS, SYSTEMS)}


def test_a_bad_model_that_serves_is_not_published_and_an_alert_says_what_to_do(loaded, released, suites, taken_out):
    released.models["v1"] = released.version("v1")
    object.__setattr__(released.models["v1"], "panel", Constant())
    with pytest.raises(
        GateRefused, match=r"burst\.model_order: correlation .* is 0 over 70 rows.*nba-ml release rollback.*nba-ml predict"
    ) as refused:
        steps.predict(loaded, SLATE, "replay")
    assert refused.value.report["burst"]
    assert refused.value.alerted == "burst.model_order:v1"
    assert seen(loaded) == {PICKS: 0, SYSTEMS: 0}
    assert taken_out == []
    for _ in range(2):
        with pytest.raises(GateRefused):
            steps.predict(loaded, SLATE, "replay")
    (alert,) = loaded.warehouse.read(alerts.TABLE, as_of=LATEST).to_dicts()
    assert (alert["cause"], alert["severity"], alert["count"], alert["slate_date"]) == ("burst.model_order:v1", "urgent", 1, SLATE)
    assert (alert["figure"], alert["threshold"]) == (0.0, 0.85)


def test_a_bad_challenger_is_taken_out_before_anyone_sees_its_numbers(loaded, released, suites, taken_out):
    released.rollout = Rollout(number=2, in_force=2, serving="v1", challenger="v2", share=0.1)
    released.models["v2"] = released.version("v2", shift=-8.6)
    with pytest.raises(
        GateRefused, match=r"v2 was taken out, v1 predicts everything again.*nba-ml predict --slate 2024-01-12 --mode replay"
    ):
        steps.predict(loaded, SLATE, "replay")
    assert seen(loaded) == {PICKS: 0, SYSTEMS: 0}
    assert [version for version, _ in taken_out] == ["v2"]
    released.rollout = Rollout(number=3, in_force=3, serving="v1")
    assert alerts.open_alerts(loaded)["slate_date"].to_list() == [SLATE]
    assert steps.predict(loaded, SLATE, "replay")["published"] == 70
    assert alerts.open_alerts(loaded).is_empty()


@pytest.mark.parametrize("gate", load_gates()["burst"], ids=lambda gate: gate["id"])
def test_a_burst_gate_says_what_it_asks_and_why(gate):
    assert set(gate) <= {"id", "metric", "system", "baseline", "threshold", "least_rows", "reason"}
    low, high = gate["threshold"]
    assert low < high
    assert gate["metric"] in burst.WORDS
    assert len(gate["reason"]) > 20
