"""DAG runs with the platform's steps replaced by recorders: order, dates, retries and what a failure stops."""

from datetime import date, timedelta

import pytest

from nba_ml.errors import BadInput, GateRefused, Unavailable

pytestmark = pytest.mark.airflow


@pytest.fixture
def calls():
    return []


@pytest.fixture
def slate_steps(monkeypatch, calls):
    import nba_ml.ingest
    import nba_ml.slate.steps as steps

    monkeypatch.setattr(nba_ml.ingest, "ingest", lambda context, first, last, *, run: calls.append(("ingest", first, last)) or {})

    def record(name):
        def run(context, *arguments):
            calls.append((name, *arguments))
            return {**(arguments[0] if isinstance(arguments[0], dict) else {}), name: True}

        return run

    for name in ("open_slate", "build_features", "validate", "score", "consensus", "quality", "publish"):
        monkeypatch.setattr(steps, name, record(name))
    answer = record("publish")
    monkeypatch.setattr(
        steps, "publish", lambda context, ref: answer(context, ref) | {"slate_date": "2024-01-05", "mode": "live", "published": 70}
    )
    monkeypatch.setattr("nba_ml.monitoring.ping.ping", lambda settings: calls.append(("sign of life",)))
    return steps


@pytest.fixture
def training_steps(monkeypatch, calls):
    import nba_ml.coverage
    import nba_ml.features.store
    import nba_ml.training.steps as steps

    def record(name, answer):
        def run(context, *arguments, cause=None):
            calls.append((name, *arguments, *([cause] if cause else [])))
            return answer

        return run

    monkeypatch.setattr(
        nba_ml.coverage, "require", record("coverage", {"coverage": 1.0, "missing": [f"2024-01-{day:02}" for day in range(1, 31)]})
    )
    monkeypatch.setattr(nba_ml.features.store, "refresh", record("features", {"rows": 3}))
    monkeypatch.setattr(steps, "plan", record("plan", {"version": "v1"}))
    for name in ("validate", "backtest", "fit", "gate", "publish", "release"):
        monkeypatch.setattr(steps, name, record(name, {"version": "v1"}))


class Simulated:
    def first_date(self):
        return date(2021, 10, 19)


@pytest.fixture
def source(monkeypatch):
    from nba_ml.context import Context

    monkeypatch.setattr(Context, "source", Simulated())


@pytest.fixture
def told(monkeypatch):
    """Note what grading is asked about after an ingest."""
    import nba_ml.grading

    asked = []
    monkeypatch.setattr(nba_ml.grading, "due", lambda context, first, last, changed: asked.append((first, last, changed)) or changed)
    return asked


def test_ingest_works_on_the_span_of_its_params(run_dag, monkeypatch, calls, told):
    import nba_ml.ingest

    def ingest(context, first, last, *, run):
        calls.append((first, last, run))
        return {"games": 2, "dates_without_rows": [f"day {number}" for number in range(1000)], "changed": ["2024-01-05"]}

    monkeypatch.setattr(nba_ml.ingest, "ingest", ingest)
    done = run_dag("nba_ingest", **{"from": "2024-01-05", "to": "2024-01-07"})
    assert done.state == "success"
    assert calls == [(date(2024, 1, 5), date(2024, 1, 7), "ingest:2024-01-05:2024-01-07")]
    assert told == [(date(2024, 1, 5), date(2024, 1, 7), ["2024-01-05"])]
    assert len(done.results["ingest"]["dates_without_rows"]) == 21
    assert done.results["ingest"]["dates_without_rows"][-1] == "and 980 more"


def test_ingest_takes_the_last_eight_days_to_the_day_after_tomorrow_by_default(run_dag, monkeypatch, calls, told):
    import nba_ml.ingest
    from nba_ml.calendar import now, slate_date

    monkeypatch.setattr(nba_ml.ingest, "ingest", lambda context, first, last, *, run: calls.append((first, last)) or {"changed": []})
    before = slate_date(now())
    run_dag("nba_ingest")
    assert calls[0][0] in (before - timedelta(days=8), before - timedelta(days=7))
    assert calls[0][1] - calls[0][0] == timedelta(days=10)


@pytest.mark.parametrize("dag_id", ["nba_predict", "nba_update"])
def test_predict_and_update_pass_one_reference_through_all_steps(run_dag, slate_steps, calls, dag_id):
    done = run_dag(dag_id, slate="2024-01-05")
    assert done.state == "success"
    assert calls[0] == ("open_slate", date(2024, 1, 5), "auto", None)
    in_order = ["open_slate", "build_features", "validate", "score", "consensus", "quality", "publish"]
    assert [name for name, *_ in calls] == [*in_order, "sign of life"]
    assert set(done.results["publish"]) == {*in_order, "slate_date", "mode", "published"}


@pytest.mark.parametrize(
    ("slate", "mode", "fresh"), [("2024-01-05", "live", 1), ("2024-01-05", "auto", 0), (None, "auto", 1), (None, "replay", 0)]
)
def test_predict_refreshes_what_may_be_live_and_leaves_the_mode_to_the_slate(run_dag, slate_steps, calls, slate, mode, fresh):
    run_dag("nba_predict", slate=slate, mode=mode)
    refreshed, opened = [call for call in calls if call[0] == "ingest"], next(call for call in calls if call[0] == "open_slate")
    assert opened[2] == mode
    assert len(refreshed) == fresh
    assert all(last == opened[1] and first < last for _, first, last in refreshed)


def test_a_slate_whose_results_are_not_due_is_not_graded_yet(run_dag, monkeypatch):
    import nba_ml.grading
    from nba_ml.calendar import now, slate_date

    monkeypatch.setattr(nba_ml.grading, "grade", lambda context, slate: pytest.fail("its results are not due"))
    done = run_dag("nba_grade", slate=slate_date(now()).isoformat())
    assert (done.state, set(done.states.values())) == ("success", {"skipped"})


def test_train_goes_from_coverage_to_release_in_order(run_dag, training_steps, source, calls):
    done = run_dag("nba_train", until="2025-01-05")
    assert done.state == "success"
    assert [name for name, *_ in calls] == ["coverage", "features", "plan", "validate", "backtest", "fit", "gate", "publish", "release"]
    assert calls[0][1:] == (date(2025, 1, 5),)
    assert calls[1][1:] == (date(2021, 10, 19), date(2025, 1, 5))
    assert {call[1]["version"] for call in calls[3:]} == {"v1"}


def test_a_refusal_fails_at_once_and_nothing_downstream_starts(run_dag, training_steps, source, calls, monkeypatch):
    import nba_ml.coverage

    def refuse(context, until):
        calls.append(("coverage", until))
        raise GateRefused("2023-24 has 61 % of its dates: nba-ml ingest --from 2023-11-01 --to 2023-12-24")

    monkeypatch.setattr(nba_ml.coverage, "require", refuse)
    done = run_dag("nba_train", until="2025-01-05")
    assert done.state == "failed"
    assert len(calls) == 1
    assert done.states.pop("coverage") == "failed"
    assert set(done.states.values()) == {"upstream_failed"}


def test_bad_data_is_tried_once_and_a_busy_lock_again(run_dag, monkeypatch, calls):
    import nba_ml.grading

    def busy(context, slate):
        calls.append(slate)
        if len(calls) == 1:
            raise Unavailable("warehouse.duckdb is held by process 7")
        return {"graded": 5, "slate_date": "2024-01-05"}

    monkeypatch.setattr(nba_ml.grading, "grade", busy)
    done = run_dag("nba_grade", slate="2024-01-05")
    assert (done.state, done.tries["grade"], calls) == ("success", 2, [date(2024, 1, 5)] * 2)

    def broken(context, slate):
        calls.append(slate)
        raise BadInput("player_box.parquet, row 7, min: '34:12' is no number")

    calls.clear()
    monkeypatch.setattr(nba_ml.grading, "grade", broken)
    assert run_dag("nba_grade", slate="2024-01-05").state == "failed"
    assert len(calls) == 1


def test_training_is_told_why_it_was_asked_for(run_dag, training_steps, source, calls):
    run_dag("nba_train", until="2025-01-05", cause="monitor.concept")
    assert calls[2] == ("plan", date(2025, 1, 5), "monitor.concept")


CAUSE = "monitor.concept: the lead is gone"


@pytest.mark.parametrize(("cause", "left", "state"), [(None, None, "skipped"), (CAUSE, None, "skipped"), (CAUSE, CAUSE, "success")])
def test_the_monitor_looks_in_order_and_asks_for_a_training_with_a_cause_that_is_left_alone(run_dag, monkeypatch, cause, left, state):
    import nba_ml.monitoring.requests as requests
    import nba_ml.monitoring.steps as steps

    takers = []
    monkeypatch.setattr(requests, "take", lambda context, by: takers.append(by) or left)

    def record(name):
        return lambda context, ref: {**ref, "seen": [*ref.get("seen", []), name], "retrain": cause}

    for name in ("missed", "performance", "drift", "consequences", "report"):
        monkeypatch.setattr(steps, name, record(name))
    done = run_dag("nba_monitor", until="2025-01-05")
    assert done.state == "success"
    assert done.results["consequences"]["seen"] == ["performance", "drift", "consequences"]
    assert (done.states["retrain"], done.results["retrain"]) == (state, left)
    assert len([by for by in takers if by not in ("", "None")]) == (cause is not None)
