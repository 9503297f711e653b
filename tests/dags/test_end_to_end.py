"""The whole chain on the simulated league: `make demo` twice, a slate triggered over REST in a running Airflow, and the same on BigQuery."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import emulators
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nba_ml.context import Context
from nba_ml.settings import Settings
from nba_ml.warehouse.port import LATEST, Warehouse

pytestmark = [pytest.mark.airflow, pytest.mark.slow, pytest.mark.timeout(1800)]

ROOT = Path(__file__).parents[2]
EVENT_LOGS = {"nba_ops.validation_runs", "nba_ops.release_events", "nba_ops.alerts"}
SIMULATED_UNTIL = "2025-01-11"


def variables(home: Path) -> dict[str, str]:
    return os.environ | {"NBA_ML_HOME": str(home), "NBA_ML_SIMULATED_UNTIL": SIMULATED_UNTIL}


def demo(home: Path, *arguments: str) -> SimpleNamespace:
    command = [sys.executable, str(ROOT / "scripts" / "demo.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=variables(home), cwd=ROOT)
    last = done.stdout.splitlines()[-1] if done.stdout else "{}"
    return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr, summary=json.loads(last))


def rows(home: Path) -> dict[str, int]:
    return Context(Settings(home=home)).warehouse.count()


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("demo") / "home"


@pytest.fixture(scope="module")
def first(home):
    done = demo(home)
    done.rows = rows(home)
    return done


@pytest.fixture(scope="module")
def second(home, first):
    done = demo(home)
    done.rows = rows(home)
    return done


def test_the_demo_runs_the_chain_and_sums_it_up(home, first):
    assert first.code == 0, first.err
    summary = first.summary
    assert set(summary) == {"warehouse", "store", "source", "slate_date", "version", "published", "graded", "dag_runs"}
    assert summary["dag_runs"] == dict.fromkeys(("nba_ingest", "nba_train", "nba_predict", "nba_grade"), "success")
    assert (summary["warehouse"], summary["source"], summary["store"]) == ("duckdb", "simulated", f"file:{home / 'store'}")
    assert summary["slate_date"] <= SIMULATED_UNTIL
    assert summary["version"].startswith("2025")
    assert summary["published"] == first.rows["nba_predictions.player_prop_predictions"] > 50
    assert summary["graded"] == first.rows["nba_predictions.prediction_accuracy"] > summary["published"]


def test_the_demo_shows_slate_grades_errors_and_paths(first):
    for title in (
        "Predictions for ",
        "Grades of ",
        "Mean absolute error on ",
        "walk-forward backtest",
        "Backtest report: file:",
        "Data Docs, ",
    ):
        assert title in first.out
    assert "Traceback" not in first.err
    assert "nba_train" in first.err
    assert "  backtest " in first.err


def test_a_second_demo_adds_no_row_but_logs_of_events(first, second):
    assert second.code == 0, second.err
    assert second.summary == first.summary
    assert second.out == first.out
    changed = {name for name, count in second.rows.items() if count != first.rows[name]}
    assert changed <= EVENT_LOGS


def test_ctrl_c_leaves_nothing_half_written_and_the_demo_goes_on_from_there(tmp_path):
    home = tmp_path / "home"
    command = [sys.executable, str(ROOT / "scripts" / "demo.py")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables(home), cwd=ROOT)
    for line in process.stderr:
        if "reading simulated: 1 of" in line:
            process.send_signal(signal.SIGINT)
            break
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "Interrupted" in err
    assert json.loads(out.splitlines()[-1])["version"] is None
    assert {count for name, count in rows(home).items() if name not in EVENT_LOGS} == {0}


def test_a_past_slate_triggered_in_a_running_airflow_ends_green(home, running_airflow, second):
    with running_airflow(home, variables(home)) as airflow:
        assert airflow.answer["dags"] == [
            "nba_approve",
            "nba_grade",
            "nba_ingest",
            "nba_monitor",
            "nba_predict",
            "nba_release",
            "nba_train",
            "nba_update",
        ]
        assert airflow.start_again()["already_running"]
        assert airflow.client.get("/api/v2/dags").status_code == 401
        airflow.log_in()
        dags = airflow.client.get("/api/v2/dags").raise_for_status().json()["dags"]
        assert all(dag["is_paused"] for dag in dags)
        bad = airflow.client.post("/api/v2/dags/nba_predict/dagRuns", json={"logical_date": None, "conf": {"slate": "yesterday"}})
        assert bad.status_code == 400
        run = airflow.trigger("nba_predict", conf={"slate": second.summary["slate_date"]})
        assert airflow.state_at_the_end("nba_predict", run) == "success"
    assert rows(home)["nba_predictions.player_prop_predictions"] == second.summary["published"]


def test_a_prediction_killed_at_any_point_and_run_again_is_one_run(home, second, tmp_path):
    slate = "2025-01-03"
    undisturbed, killed = (Path(shutil.copytree(home, tmp_path / name / "home")) for name in ("undisturbed", "killed"))
    assert predict(undisturbed, slate).wait() == 0
    for delay in (0.5, 1.5, 2.5, 3.5, 4.5, 6.0, 8.0):
        process = predict(killed, slate)
        time.sleep(delay)
        process.kill()
        process.wait()
    for _ in range(2):
        assert predict(killed, slate).wait() == 0
    for table in ("system_predictions", "player_prop_predictions"):
        expected, found = (stored(folder, f"nba_predictions.{table}", slate) for folder in (undisturbed, killed))
        assert expected.height > 50
        assert_frame_equal(found, expected, check_exact=True)


def predict(home: Path, slate: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "nba_ml.cli", "predict", "--slate", slate, "--mode", "replay", "--json"]
    environment = variables(home) | {"NBA_ML_STORE": f"file:{home / 'store'}"}
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment, cwd=ROOT)


def stored(home: Path, table: str, slate: str) -> pl.DataFrame:
    return of_slate(Context(Settings(home=home)).warehouse, table, slate)


def of_slate(warehouse: Warehouse, table: str, slate: str) -> pl.DataFrame:
    day = date.fromisoformat(slate)
    return warehouse.read(table, as_of=LATEST, dates=(day, day)).drop("published_at").sort("id")


@pytest.fixture(scope="module")
def google_home(home, first, bigquery_emulator, gcs_emulator, tmp_path_factory) -> Path:
    """Return a home that knows the league and the folds that the first demo computed, and nothing else of it."""
    folder = tmp_path_factory.mktemp("google") / "home"
    shutil.copytree(home / "cache", folder / "cache")
    return folder


@contextmanager
def bigquery_of(home: Path) -> Iterator[Warehouse]:
    """Open the emulated warehouse of a demo's home."""
    folder = home / "emulators" / "simulated" / "bigquery"
    with pytest.MonkeyPatch.context() as patch, emulators.share("bigquery", folder) as variables:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield Context(Settings(warehouse="bigquery", project=emulators.PROJECT)).warehouse


def test_the_demo_on_bigquery_gives_the_same_rows_and_a_second_one_adds_none(home, first, google_home):
    counts = []
    for _ in range(2):
        done = demo(google_home, "--warehouse", "bigquery")
        assert done.code == 0, done.err
        assert done.summary == first.summary | {"warehouse": "bigquery", "store": "gs://nba-ml/demo"}
        with bigquery_of(google_home) as warehouse:
            counts.append(warehouse.count())
    assert {name for name, count in counts[1].items() if count != counts[0][name]} <= EVENT_LOGS
    # The releases are two, made at two moments, and so are the runs that name them.
    own = ("id", "run_key")
    with bigquery_of(google_home) as warehouse:
        for table, keys in (("system_predictions", ["player_id", "system_id"]), ("player_prop_predictions", ["player_id"])):
            found, expected = (
                of_slate(opened, f"nba_predictions.{table}", first.summary["slate_date"]).drop(own).sort(keys)
                for opened in (warehouse, Context(Settings(home=home)).warehouse)
            )
            assert expected.height > 50
            assert_frame_equal(found, expected, check_exact=True)
