"""One Airflow home for all DAG tests of a session, with its own database; and Airflow itself, where a test asks for its processes."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import up

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def dag_bag(airflow_home):
    """Return the DAGs as Airflow reads them."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.utils.db import initdb

    initdb()
    return DagBag(dag_folder=str(ROOT / "dags"))


@pytest.fixture
def run_dag(dag_bag) -> Callable[..., SimpleNamespace]:
    """Return a function that runs a DAG in this process: its state, and each task's state, tries and result."""

    def run(dag_id: str, **conf: Any) -> SimpleNamespace:
        from airflow.dag_processing.dagbag import DagBag
        from nba_retry_policy import NbaRetryPolicy

        # Read again: a run leaves its conf in the parameters of the object that it ran.
        dag = DagBag(dag_folder=dag_bag.dags[dag_id].fileloc).dags[dag_id]
        dag.deadline = None  # a run of `dag.test` can't close one
        for task in dag.tasks:
            task.retry_policy = NbaRetryPolicy(timedelta(0))
        finished = dag.test(run_conf=conf)
        instances = {instance.task_id: instance for instance in finished.get_task_instances()}
        return SimpleNamespace(
            state=str(finished.state),
            states={name: str(instance.state) for name, instance in instances.items()},
            tries={name: instance.try_number for name, instance in instances.items()},
            results={name: instance.xcom_pull(task_ids=name) for name, instance in instances.items()},
        )

    return run


@pytest.fixture(scope="session")
def running_airflow() -> Callable[..., Any]:
    """Return a context manager that starts Airflow on a home, as `make up` does, and gives its REST interface."""

    @contextmanager
    def run(home: Path, variables: dict[str, str]) -> Iterator[RunningAirflow]:
        environment = variables | {"NBA_ML_HOME": str(home), "NBA_ML_AIRFLOW_PORT": str(up.any_free_port())}
        try:
            answer = json.loads(_script("up.py", environment))
            password = json.loads((home / "airflow" / "passwords.json").read_text())["admin"]
            with httpx.Client(base_url=answer["address"], timeout=30) as client:
                yield RunningAirflow(client, answer, environment, password)
        finally:
            _script("down.py", environment)

    return run


class RunningAirflow:
    """The processes of an Airflow: what `make up` said of them, and their REST interface, at first without a login."""

    def __init__(self, client: httpx.Client, answer: dict[str, Any], environment: dict[str, str], password: str) -> None:
        self.client = client
        self.answer = answer
        self._environment = environment
        self._password = password

    def start_again(self) -> dict[str, Any]:
        """Return what `make up` says where Airflow runs already."""
        return json.loads(_script("up.py", self._environment))

    def log_in(self) -> None:
        """Send the administrator's token along from here on."""
        login = {"username": "admin", "password": self._password}
        token = self.client.post("/auth/token", json=login).raise_for_status().json()["access_token"]
        self.client.headers["Authorization"] = f"Bearer {token}"

    def trigger(self, dag_id: str, **body: Any) -> str:
        """Switch a DAG on and start a run of it."""
        self.client.patch(f"/api/v2/dags/{dag_id}", json={"is_paused": False}).raise_for_status()
        started = self.client.post(f"/api/v2/dags/{dag_id}/dagRuns", json={"logical_date": None} | body)
        return started.raise_for_status().json()["dag_run_id"]

    def state_at_the_end(self, dag_id: str, run: str) -> str:
        """Wait until a run is over."""
        return self._state(f"/api/v2/dags/{dag_id}/dagRuns/{run}", ("success", "failed"))

    def wait_for(self, dag_id: str, run: str, task_id: str, state: str) -> None:
        """Wait until a task of a run has the state."""
        found = self._state(f"/api/v2/dags/{dag_id}/dagRuns/{run}/taskInstances/{task_id}", (state,))
        assert found == state

    def _state(self, path: str, wanted: tuple[str, ...]) -> str:
        state = "queued"
        for _ in range(300):
            state = self.client.get(path).raise_for_status().json()["state"]
            if state in wanted:
                break
            time.sleep(1)
        return state


def _script(name: str, environment: dict[str, str]) -> str:
    command = [sys.executable, str(ROOT / "scripts" / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout
