"""Guards on a release, on graded rows of two versions whose quality is known."""

import contextlib
from datetime import timedelta

import polars as pl
import pytest

from nba_ml import alerts
from nba_ml.context import Context
from nba_ml.errors import GateRefused, Unavailable
from nba_ml.gates import load_gates
from nba_ml.registry import graded, guards, releases
from nba_ml.registry.states import State
from nba_ml.settings import Settings
from nba_ml.warehouse.duckdb import DuckDBWarehouse
from nba_ml.warehouse.port import LATEST
from tests.registry import duel
from tests.registry.duel import CHALLENGER, SERVING


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    warehouse = DuckDBWarehouse(tmp_path_factory.mktemp("empty") / "w.duckdb")
    warehouse.ensure()
    return warehouse.path


@pytest.fixture
def context(tmp_path, empty, make_context, monkeypatch) -> Context:
    make_context()
    context = Context(Settings(home=tmp_path / "home", _env_file=None))
    context.settings.duckdb_path.parent.mkdir()
    context.settings.duckdb_path.write_bytes(empty.read_bytes())
    monkeypatch.setattr(guards, "verified_panel", duel.unchecked)
    return context


def by_id(results):
    return {result["id"]: result for result in results}


def test_thin_evidence_holds_a_version_where_it_is(context, tiny):
    log = duel.challenge(context, tiny.publish)
    for slates in (0, 4):
        duel.play(context, slates, worse=-0.3) if slates else None
        with pytest.raises(
            GateRefused, match=rf"guard\.evidence: .* over {slates * 120} rows of {slates} slates.*not enough evidence.*nba-ml grade"
        ) as refused:
            guards.require_evidence(context, log, CHALLENGER)
        assert refused.value.report["guards"]
    assert guards.judge(context)["rolled_back"] is None


def test_a_like_version_may_step_forward_after_five_slates(context, tiny):
    log = duel.challenge(context, tiny.publish)
    duel.play(context, 5, apart=0.2)
    results = guards.require_evidence(context, log, CHALLENGER)
    assert all(result["passed"] for result in results)
    assert by_id(results)["guard.evidence"]["interval"][1] <= 1.02


def test_a_worse_version_is_taken_out_by_itself_and_once(context, tiny):
    log = duel.challenge(context, tiny.publish)
    duel.play(context, 7, worse=0.4)
    done = guards.judge(context)
    assert (done["rolled_back"], done["serving"]) == (CHALLENGER, SERVING)
    log.refresh()
    entry = log.entries[-1]
    assert (entry.number, entry.action, entry.actor, entry.version) == (done["entry"], "rollback", "guard:guard.worse", SERVING)
    assert "guard.worse: ratio of mean absolute errors of ensemble" in entry.reason
    assert log.rollout.state_of(CHALLENGER) == State.ROLLED_BACK
    (alert,) = done["alerts"]
    assert (alert["severity"], alert["count"], alert["next_step"]) == ("urgent", 1, "nba-ml release show")
    assert "taken out at 10%" in alert["what"]
    again = guards.judge(context)
    assert (again["rolled_back"], again["judged"], again["alerts"]) == (None, {}, [])
    assert context.warehouse.count([alerts.TABLE]) == {alerts.TABLE: 1}


@pytest.mark.parametrize("table", ["nba_ops.model_registry", alerts.TABLE])
def test_a_rollback_while_the_warehouse_is_busy_is_told_by_the_retry_and_once(context, tiny, monkeypatch, table):
    log = duel.challenge(context, tiny.publish)
    duel.play(context, 7, worse=0.4)
    with monkeypatch.context() as busy:
        honest = context.warehouse.upsert

        def upsert(name, frame):
            if name == table:
                raise Unavailable("locked")
            return honest(name, frame)

        busy.setattr(context.warehouse, "upsert", upsert)
        told = []
        with contextlib.suppress(Unavailable):
            told += guards.judge(context)["alerts"]
    log.refresh()
    assert log.rollout.state_of(CHALLENGER) == State.ROLLED_BACK
    told += guards.judge(context)["alerts"]
    assert [(row["cause"], row["severity"], row["count"]) for row in told] == [(f"guard.worse:{CHALLENGER}", "urgent", 1)]
    assert "taken out at 10%" in told[0]["what"]
    assert "guard.worse: ratio of mean absolute errors" in told[0]["what"]
    assert guards.judge(context)["alerts"] == []


def test_a_broken_version_is_taken_out_after_its_first_slate(context, tiny):
    duel.challenge(context, tiny.publish)
    duel.play(context, 1, bias=-8.6)
    done = guards.judge(context)
    assert done["rolled_back"] == CHALLENGER
    assert done["alerts"][0]["cause"] == f"guard.slate:{CHALLENGER}"


def test_a_version_that_skips_rows_is_taken_out(context, tiny):
    duel.challenge(context, tiny.publish)
    duel.play(context, 2, silent=0.1)
    assert guards.judge(context)["alerts"][0]["cause"] == f"guard.abstained:{CHALLENGER}"


def test_a_bad_shadow_is_told_of_and_nothing_moves(context, tiny):
    log = duel.challenge(context, tiny.publish, share=0)
    duel.play(context, 7, worse=0.4)
    done = guards.judge(context)
    assert (done["rolled_back"], done["alerts"][0]["severity"]) == (None, "warning")
    assert done["alerts"][0]["next_step"] == f"nba-ml release retire {CHALLENGER} --reason TEXT"
    with pytest.raises(GateRefused, match="surely worse"):
        guards.require_evidence(context, log, CHALLENGER)
    log.refresh()
    assert log.rollout.number == 2


def test_only_slates_since_the_present_share_count(context, tiny):
    log = duel.challenge(context, tiny.publish)
    duel.play(context, 6, apart=0.2, release=2)
    guards.require_evidence(context, log, CHALLENGER)
    releases.advance(log, log.rollout, CHALLENGER, actor="ann", reason="good", verify=duel.unchecked)
    with pytest.raises(GateRefused, match="0 graded slates"):
        guards.require_evidence(context, log, CHALLENGER)
    duel.play(context, 5, apart=0.2, release=3, first=duel.FIRST + timedelta(days=6), run="s", seed=2)
    assert by_id(guards.require_evidence(context, log, CHALLENGER))["guard.evidence"]["slates"] == 5


def test_the_run_in_force_counts_once_and_live_goes_before_replay(context, tiny):
    duel.challenge(context, tiny.publish)
    duel.play(context, 2, run="early")
    duel.play(context, 2, run="late", release=3, seed=2)
    duel.play(context, 2, run="replay", release=4, seed=3, mode="replay")
    rows = graded.pairs(context, CHALLENGER, SERVING)
    assert rows.height == 240
    assert set(rows["run_key"]) == {"late0", "late1"}
    assert graded.pairs(context, SERVING, CHALLENGER)["ours"].equals(rows["theirs"].rename("ours"))


def test_a_corrected_result_counts_in_its_last_revision(context, tiny):
    duel.play(context, 1)
    grades = context.warehouse.read(graded.GRADES, as_of=LATEST).drop("id")
    context.warehouse.append(graded.GRADES, grades.with_columns(revision=pl.lit(1), actual_points=pl.lit(50)))
    assert set(graded.pairs(context, CHALLENGER, SERVING)["actual_points"]) == {50}


def test_the_version_that_serves_alone_needs_no_evidence(context, tiny):
    log = duel.open_log(context)
    tiny.publish(context.store, SERVING)
    assert guards.require_evidence(context, log, SERVING) == []
    releases.release(log, SERVING, actor="ann", reason="first", verify=duel.unchecked)
    assert guards.require_evidence(context, log, SERVING) == []
    assert guards.judge(context)["judged"] == {}


def verdicts(worse, apart, histories, slates=20):
    """Look after every slate as the monitor does; return in how many histories, and after how many slates at the median, a guard trips."""
    rolls = [guard for guard in load_gates()["guard"] if guard["trips"] == "roll_back"]
    found = []
    for seed in range(histories):
        _, _, grades = duel.rows_of(slates, worse=worse, apart=apart, seed=seed)
        ours, theirs = (
            grades.filter((grades["model_version"] == name) & (grades["system_id"] == "ensemble")) for name in (CHALLENGER, SERVING)
        )
        rows = ours.select("slate_date", "actual_points", ours="predicted_points").hstack(theirs.select(theirs="predicted_points"))
        for look in range(1, slates + 1):
            seen = rows.head(look * 120)
            if any(not guards.judge_rows(seen, guard)["passed"] for guard in rolls):
                found.append(look)
                break
    return len(found) / histories, sorted(found)[len(found) // 2] if found else None


def test_false_alarms_and_detection_under_daily_looks():
    """Equal versions are taken out in at most 5 of 100 histories of 20 slates; one that is 5 % worse in nearly all, within 8 slates."""
    assert verdicts(0.0, 0.7, 60)[0] <= 0.05
    share, slates = verdicts(0.3, 0.7, 20)
    assert share >= 0.95
    assert slates <= 8


@pytest.mark.parametrize("guard", load_gates()["guard"], ids=lambda guard: guard["id"])
def test_a_guard_says_what_it_does_and_why(guard):
    assert set(guard) <= {"id", "metric", "system", "threshold", "least_slates", "least_rows", "slate_rows", "trips", "reason"}
    assert guard["trips"] in ("hold", "roll_back")
    assert len(guard["reason"]) > 20
    answer = guards.judge_rows(no_rows(), guard)
    assert str(guard["threshold"]) in guards.describe(answer)
    assert answer["passed"] is (guard["trips"] != "hold")


def no_rows():
    types = {"slate_date": pl.Date, "actual_points": pl.Int64, "ours": pl.Float64, "theirs": pl.Float64}
    return pl.DataFrame(schema=types)
