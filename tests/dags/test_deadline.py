"""Deadlines: the hour of the slate, none for what is past, and a scheduler that goes on whatever the calendar's file holds."""

from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace

import pytest

from nba_ml import calendar, rhythm, slate_calendar

pytestmark = pytest.mark.airflow

SLATE = date(2025, 3, 9)  # the clocks change
TIP = datetime(2025, 3, 9, 23, 0, tzinfo=UTC)  # 19:00 in New York
KEY = SLATE.isoformat()


@pytest.fixture
def deadline(dag_bag, tmp_path, monkeypatch):
    import nba_deadline

    monkeypatch.setenv("NBA_ML_HOME", str(tmp_path))
    slate_calendar.save(tmp_path, {SLATE: TIP})
    monkeypatch.setattr(calendar, "now", lambda: calendar.at_new_york(SLATE, time(9)))
    return nba_deadline


def of(deadline, kind, run_type="scheduled", key=KEY, day=SLATE):
    return deadline.deadline_of(kind, run_type, key, calendar.at_new_york(day, time(9)))


def test_a_prediction_is_due_two_hours_and_an_update_half_an_hour_before_the_tipoff(deadline):
    assert of(deadline, "predict") == TIP - timedelta(hours=2)
    assert of(deadline, "update") == TIP - timedelta(minutes=30)
    assert of(deadline, "grade") == calendar.at_new_york(SLATE + timedelta(days=1), time(12))


def test_the_daily_ingest_has_until_ten(deadline):
    assert of(deadline, "ingest", key=None) == calendar.at_new_york(SLATE, time(10))


@pytest.mark.parametrize(("run_type", "key"), [("backfill", KEY), ("manual", None), ("scheduled", "2025-03-01"), ("manual", "2024-12-01")])
def test_backfills_old_slates_and_runs_without_a_slate_have_none(deadline, run_type, key):
    assert of(deadline, "predict", run_type, key) is None


def test_what_is_past_has_none(deadline, monkeypatch):
    monkeypatch.setattr(calendar, "now", lambda: TIP - timedelta(hours=1))
    assert of(deadline, "predict") is None
    assert of(deadline, "update") == TIP - timedelta(minutes=30)


def test_without_a_tipoff_it_is_two_hours_before_noon(deadline, tmp_path):
    slate_calendar.save(tmp_path, {SLATE: None})
    assert of(deadline, "predict") == calendar.at_new_york(SLATE, time(10))


def test_a_broken_calendar_makes_no_deadline_and_no_error(deadline, tmp_path):
    (tmp_path / slate_calendar.FILE).write_text("[]")
    run = SimpleNamespace(run_type="scheduled", partition_key=KEY, run_after=TIP)
    session = SimpleNamespace(scalar=lambda statement: run)
    assert deadline.SlateDue("predict")._evaluate_with(session=session, dag_id="nba_predict", run_id="r") is None


def test_every_dag_but_those_of_persons_has_a_deadline_that_survives_serialization(dag_bag, deadline):
    from airflow.serialization.decoders import decode_deadline_alert
    from airflow.serialization.encoders import encode_deadline_alert

    kinds = {"nba_predict": "predict", "nba_update": "update", "nba_grade": "grade", "nba_ingest": "ingest"}
    for dag_id, dag in dag_bag.dags.items():
        if dag_id in ("nba_approve", "nba_release"):
            assert not dag.deadline
            continue
        (alert,) = dag.deadline
        again = decode_deadline_alert(encode_deadline_alert(alert))
        assert again.callback.path == "nba_slack.NbaNotifier"
        if dag_id in kinds:
            assert again.reference.inner_ref.kind == kinds[dag_id]
            assert kinds[dag_id] in rhythm.KINDS


def test_the_week_of_training_is_the_one_of_its_dag(dag_bag):
    from nba_ml.gates import load_gates

    timetable = dag_bag.dags["nba_train"].timetable
    weekday = int(getattr(timetable, "timetable", timetable).expression.split()[-1])
    assert (weekday - 1) % 7 == load_gates()["expected"]["train_weekday"]


def test_the_run_asks_its_own_row_in_the_database(deadline):
    """The reference finds the run by what Airflow hands it, in a real database."""
    from airflow.models import DagRun
    from airflow.utils.session import create_session
    from airflow.utils.types import DagRunType

    with create_session() as session:
        run = DagRun(dag_id="nba_predict", run_id=f"asked__{KEY}", run_type=DagRunType.SCHEDULED, partition_key=KEY, run_after=TIP)
        session.add(run)
        session.flush()
        found = deadline.SlateDue("predict")._evaluate_with(session=session, dag_id="nba_predict", run_id=run.run_id)
        session.rollback()
    assert found == TIP - timedelta(hours=2)
