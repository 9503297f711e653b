"""Start Airflow with the platform's DAGs, on this machine only, and wait until it serves them (`make up`)."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import psutil
from airflow_home import DEFAULT_PORT, ROOT, USER, AirflowHome, Server
from rich.console import Console

from nba_ml.context import Context
from nba_ml.errors import NbaMlError, Unavailable, UsageError

HOST = "127.0.0.1"
DAGS = {f"nba_{path.stem}" for path in (ROOT / "dags").glob("*.py")}
PATIENCE_SECONDS = 240
LOG_LINES_SHOWN = 15

console = Console(stderr=True, highlight=False)


def wanted_port() -> int:
    """Return the port of the user interface: NBA_ML_AIRFLOW_PORT, else 8080."""
    text = os.environ.get("NBA_ML_AIRFLOW_PORT") or str(DEFAULT_PORT)
    if not text.isdecimal() or not 1024 <= int(text) <= 65535:
        raise UsageError(f"NBA_ML_AIRFLOW_PORT={text!r} is not a port between 1024 and 65535: NBA_ML_AIRFLOW_PORT=8081 make up")
    return int(text)


def is_free(port: int) -> bool:
    """Tell whether nothing listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def any_free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def start(airflow: AirflowHome, port: int) -> Server:
    """Start `airflow standalone` in a session of its own, so that it outlives this command and can be ended whole."""
    if not is_free(port):
        raise UsageError(f"port {port} is taken by another program: choose one, as in NBA_ML_AIRFLOW_PORT={port + 1} make up")
    airflow.password()
    environment = os.environ | airflow.environment()
    environment |= {
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://{HOST}:{port}",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{HOST}:{port}/execution/",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(any_free_port()),
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(any_free_port()),
    }
    with airflow.server_log.open("wb") as log:
        command = [str(Path(sys.executable).with_name("airflow")), "standalone"]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True)  # noqa: S603
    server = Server(process.pid, psutil.Process(process.pid).create_time(), port)
    airflow.remember(server)
    return server


def wait(airflow: AirflowHome, server: Server) -> list[str]:
    """Wait until all parts are healthy and all DAGs are there; return the errors of DAG files, which are none when all is well."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    lacking, said = "the server's first answer", ""
    with console.status("starting Airflow") as status, httpx.Client(base_url=f"http://{HOST}:{server.port}", timeout=10) as client:
        while time.monotonic() < deadline:
            if airflow.server() is None:
                raise Unavailable(f"Airflow ended while starting; its last words:\n{tail(airflow.server_log)}\nsee {airflow.server_log}")
            try:
                lacking, errors = progress(client, airflow)
            except httpx.HTTPError:
                lacking, errors = "the server's first answer", []
            if errors or not lacking:
                return errors
            if not console.is_terminal and lacking != said:
                console.print(f"starting Airflow: waiting for {lacking}")
            said = lacking
            status.update(f"starting Airflow: waiting for {lacking}")
            time.sleep(1)
    raise Unavailable(f"Airflow still waits for {lacking} after {PATIENCE_SECONDS} s: see {airflow.server_log}, then make down && make up")


def progress(client: httpx.Client, airflow: AirflowHome) -> tuple[str, list[str]]:
    """Return what is still waited for (empty = nothing), and errors of DAG files."""
    health = client.get("/api/v2/monitor/health").raise_for_status().json()
    for part in ("metadatabase", "scheduler", "dag_processor", "triggerer"):
        if health[part]["status"] != "healthy":
            return part.replace("_", " "), []
    answer = client.post("/auth/token", json={"username": USER, "password": airflow.password()}).raise_for_status()
    client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    errors: list[dict[str, Any]] = client.get("/api/v2/importErrors").raise_for_status().json()["import_errors"]
    if errors:
        return "", [f"{error['filename']}: {error['stack_trace']}" for error in errors]
    absent = DAGS - {entry["dag_id"] for entry in client.get("/api/v2/dags").raise_for_status().json()["dags"]}
    return ", ".join(sorted(absent)), []


def tail(path: Path) -> str:
    """Return the last lines of a log."""
    return "\n".join(path.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:])


def main() -> int:
    """Start, wait, and print where to go."""
    context = Context()
    airflow = AirflowHome(context.settings.home_folder)
    airflow.create()
    server = airflow.server()
    running = server is not None
    if server is None:
        with airflow.alone("make up"):
            context.warehouse.ensure()
            server = start(airflow, wanted_port())
    errors = wait(airflow, server)
    for error in errors:
        console.print(error, style="bold red", markup=False)
    address = f"http://{HOST}:{server.port}"
    console.print(
        f"Airflow {'already runs' if running else 'is up'}. The DAGs are paused: nothing runs until you switch one on or trigger it.",
        soft_wrap=True,
    )
    console.print(
        f"  address   {address}\n  login     {USER} / {airflow.password()}   (kept in {airflow.password_file})",
        markup=False,
        soft_wrap=True,
    )
    console.print(f"  logs      {airflow.server_log}\n  stop      make down", markup=False, soft_wrap=True)
    sys.stdout.write(json.dumps({"address": address, "already_running": running, "dags": sorted(DAGS)}) + "\n")
    return 1 if errors else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NbaMlError as error:
        console.print(f"{type(error).__name__}: {error}", style="bold red", markup=False, soft_wrap=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        console.print("Interrupted. What was started goes on: make down ends it.")
        sys.exit(130)
