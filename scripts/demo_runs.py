"""DAG runs in this process, one after another: what each returned, and why one failed."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow_home import ROOT, AirflowHome
from demo_screen import Stages
from rich.console import Console

from nba_ml.errors import NbaMlError

LOG_LINES_SHOWN = 25


class DagRunError(NbaMlError):
    """A DAG run did not succeed.

    Attributes
    ----------
    exit_code : int
        Exit status that goes with the error of the task that failed.
    """

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class DagRuns:
    """Airflow without its servers.

    Attributes
    ----------
    states : dict of str to str
        State of each DAG's run.
    """

    def __init__(self, airflow: AirflowHome, screen: Console) -> None:
        self.states: dict[str, str] = {}
        self._airflow = airflow
        self._screen = screen
        self._stages = Stages(screen)
        self._dags: Mapping[str, Any] = {}
        self._results: dict[str, Any] = {}
        self._error: tuple[str, BaseException] | None = None

    def open(self) -> None:
        """Bring Airflow's own database up to date, close what a broken-off demo left running, and read the DAG files."""
        os.environ.update(self._airflow.environment())
        self._stages.begin("airflow")
        with self._stages.alive():
            from airflow.dag_processing.dagbag import DagBag
            from airflow.utils.db import initdb

            initdb()
            self.close()
            bag = DagBag(dag_folder=str(ROOT / "dags"))
        self._stages.end()
        if bag.import_errors:
            raise DagRunError("\n".join(f"{name}: {error}" for name, error in bag.import_errors.items()), 1)
        self._dags = bag.dags

    def close(self) -> None:
        """Mark runs that are still open as failed, so that no scheduler takes them up later."""
        from airflow.models.dagrun import DagRun
        from airflow.utils.session import create_session
        from airflow.utils.state import DagRunState
        from airflow.utils.types import DagRunTriggeredByType
        from sqlalchemy import update

        broken_off = (DagRun.state == DagRunState.RUNNING, DagRun.triggered_by == DagRunTriggeredByType.TEST)
        with create_session() as session:
            session.execute(update(DagRun).where(*broken_off).values(state=DagRunState.FAILED))

    def run(self, dag_id: str, **conf: str) -> dict[str, Any]:
        """Run a DAG to its end; return what each of its tasks returned.

        Raises
        ------
        DagRunError
            With the task's name, its error and the end of the log.
        """
        dag = self._dags[dag_id]
        self._results, self._error = {}, None
        dag.deadline = None  # a run of `dag.test` can't close one
        dag.has_on_success_callback = dag.has_on_failure_callback = False  # they find no value for a parameter without a default
        for task in dag.tasks:
            task.on_execute_callback = [self._begun]
            task.on_success_callback = [self._done]
            task.on_failure_callback = task.on_retry_callback = [self._failed]
        self._screen.print(f"[bold]{dag_id}[/bold] {' '.join(f'{name}={value}' for name, value in conf.items())}")
        with self._stages.alive():
            self.states[dag_id] = str(dag.test(run_conf=conf).state)
        if self.states[dag_id] != "success":
            raise self._failure(dag_id)
        return self._results

    def _begun(self, context: Mapping[str, Any]) -> None:
        self._stages.begin(context["ti"].task_id)

    def _done(self, context: Mapping[str, Any]) -> None:
        ti = context["ti"]
        self._results[ti.task_id] = ti.xcom_pull(task_ids=ti.task_id)
        self._stages.end()

    def _failed(self, context: Mapping[str, Any]) -> None:
        self._error = context["ti"].task_id, context["exception"]
        self._stages.end("failed")

    def _failure(self, dag_id: str) -> BaseException:
        what, exit_code = f"{dag_id} ended as {self.states[dag_id]}", 1
        if self._error:
            task_id, error = self._error
            if isinstance(error, KeyboardInterrupt):
                return error
            what, exit_code = f"{dag_id}.{task_id}: {type(error).__name__}: {error}", getattr(error, "exit_code", 1)
        return DagRunError(f"{what}\n\nThe end of {self._airflow.demo_log}:\n{tail(self._airflow.demo_log)}", exit_code)


def tail(path: Path, lines: int = LOG_LINES_SHOWN) -> str:
    """Return the last lines of a log."""
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
