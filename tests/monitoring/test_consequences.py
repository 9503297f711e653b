"""What follows from the monitor's findings: each consequence once, nothing from honest slates, and a way back."""

from datetime import timedelta

import polars as pl
import pytest

from nba_ml import alerts
from nba_ml.errors import Unavailable
from nba_ml.gates import load_gates
from nba_ml.monitoring import consequences, drift, performance, requests, steps
from nba_ml.registry import guards, releases
from nba_ml.slate import stops
from nba_ml.warehouse.port import LATEST
from tests.monitoring.conftest import LAST, with_backtest
from tests.monitoring.graded_season import FIRST, VERSION, play
from tests.registry import duel

GATES = {gate["id"]: gate for gate in load_gates()["monitor"]}


@pytest.fixture(autouse=True)
def _unchecked(monkeypatch):
    monkeypatch.setattr(guards, "verified_panel", duel.unchecked)


@pytest.fixture
def told(played):
    """Let a test say what the figures are."""

    def say(slate=LAST, window=None, **values):
        gates = [gate for gate in GATES.values() if gate["metric"] in values]
        windows = {
            gate["window"] for gate in gates if gate["metric"] in consequences.ROWS_OF and gate["window"] == (window or gate["window"])
        }
        rows = [row(slate, size, values) for size in windows or {7}]
        played.warehouse.upsert(performance.TABLE, pl.DataFrame(rows, infer_schema_length=None))
        kinds = [
            {"kind": gate["metric"], "name": "x", "value": float(values[gate["metric"]]), "n": 5000}
            for gate in gates
            if "window" not in gate
        ]
        if kinds:
            named = pl.DataFrame(kinds).with_columns(slate_date=pl.lit(slate), mode=pl.lit("live"), model_version=pl.lit(VERSION))
            played.warehouse.upsert(drift.TABLE, named)
        return consequences.follow(played, slate, "live")

    return say


def row(slate, size, values):
    columns = {metric: value for metric, value in values.items() if metric in consequences.ROWS_OF}
    counts = dict.fromkeys(("n", "baseline_n", "sides", "closing_n", "probabilities", "intervals", "everyone"), 5000)
    named = {"mode": "live", "in_sample": False, "system_id": "ensemble", "model_version": "published", "population": "all"}
    dates = {"slate_date": slate, "window_slates": size, "first_slate": slate - timedelta(days=size - 1), "slates": size}
    return {**named, **dates, **counts, **columns, "inputs": str(values)}


def open_causes(context):
    return alerts.open_alerts(context)["cause"].to_list()


def test_from_honest_slates_nothing_follows(played):
    done = steps.monitor(played, LAST)
    assert (done["slate_date"], done["version"], done["breached"], done["alerts"]) == (str(LAST), VERSION, [], [])
    judged = {result["id"] for result in done["judged"] if result["judged"]}
    assert {"monitor.concept", "monitor.residual", "monitor.target", "monitor.calibration", "monitor.worse_than_simple"} <= judged
    assert open_causes(played) == []


def test_a_warning_is_told_once_and_resolved(played, told):
    assert told(accounted=0.9)["alerts"] == ["monitor.accounted"]
    assert told(accounted=0.9)["alerts"] == []
    (alert,) = alerts.open_alerts(played).to_dicts()
    assert (alert["severity"], alert["count"], alert["figure"], alert["threshold"]) == ("warning", 1, 0.9, 0.95)
    assert "over the last 7 slates is 0.9 (5000 rows), asked is between 0.95 and 1" in alert["what"]
    again = told(LAST + timedelta(days=1), accounted=0.9)
    assert again["alerts"] == ["monitor.accounted"]
    assert alerts.open_alerts(played)["count"].to_list() == [2]
    assert told(LAST + timedelta(days=2), accounted=0.99)["resolved"] == ["monitor.accounted"]
    assert open_causes(played) == []


def test_training_is_asked_for_until_a_run_takes_it_on_and_once_an_opening(played, told):
    first = told(concept=0.02)["retrain"]
    assert first.startswith("monitor.concept: The loss of the lead")
    assert told(concept=0.02)["retrain"] == first  # whoever looked first has not trained
    assert requests.take(played, "run 1") == first
    assert requests.take(played, "run 1") == first  # the task is tried again
    assert requests.take(played, "run 2") is None
    assert told(LAST + timedelta(days=1), concept=0.02)["retrain"] is None
    told(LAST + timedelta(days=2), concept=0.0)
    assert requests.take(played, "run 3") is None
    assert told(LAST + timedelta(days=3), concept=-0.03)["retrain"]
    assert requests.take(played, "run 4")
    assert alerts.open_alerts(played)["next_step"].to_list() == ["nba-ml train --cause monitor.concept"]


def test_a_request_ends_with_a_training_by_whomever(played, told):
    assert told(concept=0.02)["retrain"]
    with_backtest(played.store, "v2", weights=(0.1, 0.2, 0.3))
    assert told(concept=0.02)["retrain"] is None
    assert requests.take(played, "run 1") is None


def test_a_look_that_broke_off_loses_no_request(played, told, monkeypatch):
    with monkeypatch.context() as busy:
        write = alerts.write
        busy.setattr(alerts, "write", lambda context, alert: (locked if alert.cause == "monitor.concept" else write)(context, alert))
        with pytest.raises(Unavailable):
            told(residual=0.5, concept=0.02)
    again = told(residual=0.5, concept=0.02)
    assert again["alerts"] == ["monitor.concept"]
    assert all(cause in again["retrain"] for cause in ("monitor.residual: ", "monitor.concept: "))


def locked(*_):
    raise Unavailable("another process has the file")


def test_a_stop_stays_until_a_person_lifts_it_and_comes_back_from_new_slates_alone(played, told):
    cause = f"{stops.STOP}far_worse"
    assert told(window=7, vs_baseline_low=0.6)["stopped"] == [cause]
    assert told(LAST + timedelta(days=1), window=7, vs_baseline_low=-0.2)["stopped"] == [cause]
    lifted_at = duel.datetime(2023, 11, 19, 20, tzinfo=duel.UTC)
    alerts.resolve(played, cause, "the feed was mended", at=lifted_at)
    assert told(LAST + timedelta(days=2), window=7, vs_baseline_low=0.6)["stopped"] == []
    assert told(LAST + timedelta(days=9), window=7, vs_baseline_low=0.6)["stopped"] == [cause]


def test_a_bad_version_is_taken_out_once(played, told):
    with_backtest(played.store, "v2", weights=(0.1, 0.2, 0.3))
    log = duel.open_log(played)
    releases.release(log, "v2", actor="ann", reason="better", verify=duel.unchecked, share=1.0)
    done = told(vs_baseline_low=0.1)
    assert done["rolled_back"] == "v2"
    log.refresh()
    assert (log.rollout.serving, log.entries[-1].actor) == (VERSION, "guard:monitor.worse_than_simple")
    (alert,) = alerts.open_alerts(played).to_dicts()
    assert (alert["cause"], alert["severity"]) == ("monitor.worse_than_simple", "urgent")
    assert alert["what"].startswith(f"v2 was taken out at 100%, {VERSION} predicts everything again. The lower end of the error's")
    again = told(vs_baseline_low=0.1)
    assert (again["rolled_back"], again["alerts"]) == (None, [])


def test_a_step_back_that_could_not_be_told_is_told_by_the_retry_and_once(played, told, monkeypatch):
    with_backtest(played.store, "v2", weights=(0.1, 0.2, 0.3))
    log = duel.open_log(played)
    releases.release(log, "v2", actor="ann", reason="better", verify=duel.unchecked, share=1.0)
    with monkeypatch.context() as busy:
        busy.setattr(alerts, "write", locked)
        with pytest.raises(Unavailable):
            told(vs_baseline_low=0.1)
    log.refresh()
    assert log.rollout.serving == VERSION
    assert told(vs_baseline_low=0.1)["alerts"] == ["monitor.worse_than_simple"]
    assert told(vs_baseline_low=0.1)["alerts"] == []
    assert alerts.open_alerts(played)["count"].to_list() == [1]


def test_with_nothing_to_go_back_to_publication_stops(played, told):
    done = told(vs_baseline_low=0.1)
    assert (done["rolled_back"], done["stopped"]) == (None, [f"{stops.STOP}worse_than_simple"])


def test_too_few_rows_prove_nothing(played, told, monkeypatch):
    monkeypatch.setitem(GATES["monitor.accounted"], "least_n", 6000)
    assert told(accounted=0.1)["alerts"] == []


def test_nothing_follows_from_a_slate_that_others_came_after(played, told):
    told(accounted=0.99)
    done = told(LAST - timedelta(days=3), accounted=0.1)
    assert (done["breached"], done["alerts"]) == (["monitor.accounted"], [])


def test_the_off_season_is_quiet(played):
    for until, slate in ((FIRST - timedelta(days=60), None), (LAST + timedelta(days=300), str(LAST))):
        done = steps.monitor(played, until)
        assert (done["slate_date"], done["alerts"], done["retrain"]) == (slate, [], None)
    assert played.warehouse.count([alerts.TABLE]) == {alerts.TABLE: 0}


@pytest.mark.parametrize(
    ("how", "found"),
    [
        ({"off": 5.0}, "monitor.concept"),
        ({"bias": 2.5}, "monitor.residual"),
        ({"gain": 0.6}, "monitor.target"),
        ({"sharp": 6.0}, "monitor.confidence"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_planted_drift_of_results_is_found(played, how, found):
    play(played, 14, first=LAST + timedelta(days=1), run="later", seed=5, **how)
    done = steps.monitor(played, LAST + timedelta(days=14))
    assert found in done["breached"]
    if GATES[found]["then"] == "retrain":
        assert found in done["retrain"]


def test_metrics_are_written_once(played):
    steps.monitor(played, LAST)
    before = played.warehouse.read(drift.TABLE, as_of=LATEST)
    assert {"residual", "target", "concept", "calibration", "confidence"} == set(before["kind"])
    steps.monitor(played, LAST)
    assert played.warehouse.read(drift.TABLE, as_of=LATEST).equals(before)


@pytest.mark.parametrize("gate", GATES.values(), ids=lambda gate: gate["id"])
def test_a_gate_says_what_follows_and_why(gate):
    assert gate["then"] in consequences.ACTIONS
    assert gate["metric"] in consequences.WORDS
    assert ("window" in gate) == (gate["metric"] in consequences.ROWS_OF)
    assert gate["id"].startswith("monitor.")
    assert len(gate["reason"]) > 20
    assert gate.get("window", 7) in performance.WINDOWS
