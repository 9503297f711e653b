"""The home of `make up` and `make down`: secrets, locks, and never ending a process that is not ours."""

import json
import os
import stat
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from nba_ml.errors import UsageError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def airflow(tmp_path):
    from airflow_home import AirflowHome

    home = AirflowHome(tmp_path / "home")
    home.create()
    return home


@pytest.fixture
def sleeper():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


def server_of(process):
    from airflow_home import Server

    return Server(process.pid, psutil.Process(process.pid).create_time(), 8080)


def script(name, home, *arguments, **environment):
    command = [sys.executable, str(ROOT / "scripts" / name), *arguments]
    variables = os.environ | {"NBA_ML_HOME": str(home)} | environment
    return subprocess.run(command, capture_output=True, text=True, check=False, env=variables, timeout=120)


def test_the_password_is_made_up_kept_and_readable_by_its_owner_alone(airflow):
    password = airflow.password()
    assert len(password) >= 12
    assert password == airflow.password()
    for path in (airflow.password_file, airflow.folder / "jwt_secret"):
        airflow.environment()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(airflow.folder.stat().st_mode) == 0o700


def test_only_one_demo_or_start_at_a_time(airflow):
    from airflow_home import AirflowHome

    other = AirflowHome(airflow.home)
    holder = f"make demo \\(process {os.getpid()}\\)"
    with airflow.alone("make demo"), pytest.raises(UsageError, match=holder), other.alone("make up"):
        pass
    with other.alone("make up"):
        pass


def test_a_server_is_known_by_pid_and_start_time(airflow, sleeper):
    from dataclasses import replace

    server = server_of(sleeper)
    airflow.remember(server)
    assert airflow.server() == server
    airflow.remember(replace(server, started=server.started - 100))
    assert airflow.server() is None
    airflow.server_file.write_text("{")
    assert airflow.server() is None


def test_down_ends_the_whole_session_and_forgets_it(airflow):
    child = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); time.sleep(60)"
    parent = subprocess.Popen([sys.executable, "-c", child], start_new_session=True)
    while not psutil.Process(parent.pid).children():
        time.sleep(0.05)
    processes = [psutil.Process(parent.pid), *psutil.Process(parent.pid).children()]
    airflow.remember(server_of(parent))
    done = script("down.py", airflow.home)
    parent.wait(10)
    assert done.returncode == 0, done.stderr
    assert "2 processes ended" in done.stderr
    assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)
    assert not airflow.server_file.exists()
    assert "No Airflow runs" in script("down.py", airflow.home).stderr


def test_down_leaves_a_process_alone_that_took_over_the_number(airflow, sleeper):
    from dataclasses import replace

    airflow.remember(replace(server_of(sleeper), started=1.0))
    assert "No Airflow runs" in script("down.py", airflow.home).stderr
    assert sleeper.poll() is None


def test_up_refuses_a_busy_or_senseless_port(airflow):
    import socket

    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        done = script("up.py", airflow.home, NBA_ML_AIRFLOW_PORT=str(port))
    assert done.returncode == 2
    assert f"port {port} is taken" in done.stderr
    assert script("up.py", airflow.home, NBA_ML_AIRFLOW_PORT="http").returncode == 2
    assert not airflow.server_file.exists()


def test_demo_refuses_unknown_sources_and_warehouses(tmp_path):
    for arguments in (("--source", "espn"), ("--warehouse", "postgres")):
        done = script("demo.py", tmp_path, *arguments)
        assert done.returncode == 2
        assert done.stdout == ""
        assert arguments[1] in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_demo_refuses_a_home_whose_airflow_is_up(airflow, sleeper):
    airflow.remember(server_of(sleeper))
    done = script("demo.py", airflow.home)
    assert done.returncode == 2
    assert "make down" in done.stderr


def test_demo_takes_a_subfolder_where_the_home_holds_another_league(tmp_path, monkeypatch):
    import demo
    import polars as pl

    from nba_ml.context import Context
    from nba_ml.warehouse import schema

    home = tmp_path / "home"
    monkeypatch.setenv("NBA_ML_FILES_DIR", str(tmp_path))
    assert demo.configure("files", "duckdb").settings.home_folder == home
    context = Context()
    context.warehouse.ensure()
    row = {"game_id": "1", "season": "2024-25", "season_type": "Regular Season", "home": "BOS", "away": "NYK", "source": "simulated"}
    times = {name: pl.lit("2024-10-22").str.to_datetime(time_zone="UTC") for name in ("known_at", "result_known_at")}
    frame = pl.DataFrame([row]).with_columns(game_date=pl.date(2024, 10, 22), **times)
    context.warehouse.upsert(schema.table("nba_raw.schedule").name, frame)
    assert demo.configure("simulated", "duckdb").settings.home_folder == home
    assert demo.configure("files", "duckdb").settings.home_folder == home / "files"
    assert os.environ["NBA_ML_HOME"] == str(home / "files")


def test_demo_on_bigquery_leaves_another_league_alone(monkeypatch):
    import demo

    monkeypatch.setenv("NBA_ML_PROJECT", "theirs")
    monkeypatch.setattr(demo, "league", lambda context: "files")
    with pytest.raises(UsageError, match=r"project theirs holds games of the source files.*NBA_ML_DATASET_PREFIX"):
        demo.configure("simulated", "bigquery")
    assert demo.configure("files", "bigquery").settings.warehouse == "bigquery"


@pytest.fixture
def services(monkeypatch):
    """Note which emulators the demo starts, without a start."""
    import demo_google

    started = []

    @contextmanager
    def share(name, folder):
        started.append((name, folder.name))
        yield {"bigquery": {"BIGQUERY_EMULATOR_HOST": "http://b"}, "gcs": {"STORAGE_EMULATOR_HOST": "http://g"}}[name]

    monkeypatch.setattr(demo_google.emulators, "share", share)
    monkeypatch.setattr(demo_google, "_make_bucket", lambda store, project: started.append(("bucket", store)))
    monkeypatch.setattr(os, "environ", os.environ.copy())
    return started


@pytest.mark.parametrize(
    ("given", "started", "then"),
    [
        ({}, [("bigquery", "bigquery"), ("gcs", "gcs"), ("bucket", "gs://nba-ml/demo")], ("emulated", "gs://nba-ml/demo", True)),
        ({"BIGQUERY_EMULATOR_HOST": "http://mine", "NBA_ML_PROJECT": "mine"}, [], ("mine", None, True)),
        (
            {"BIGQUERY_EMULATOR_HOST": "http://mine", "STORAGE_EMULATOR_HOST": "http://mine", "NBA_ML_STORE": "gs://mine/x"},
            [("bucket", "gs://mine/x")],
            ("emulated", "gs://mine/x", True),
        ),
        ({"NBA_ML_PROJECT": "real", "NBA_ML_STORE": "gs://real/x"}, [], ("real", "gs://real/x", None)),
    ],
)
def test_demo_on_bigquery_takes_what_is_named_else_starts_emulators(services, given, started, then):
    import demo_google
    from rich.console import Console

    os.environ |= given
    with demo_google.google("simulated", Console(quiet=True)):
        extra = json.loads(os.environ["AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT"])["extra"]
        assert (os.environ["NBA_ML_PROJECT"], os.environ.get("NBA_ML_STORE"), extra.get("is_anonymous")) == then
        assert extra["project"] == then[0]
    assert services == started
