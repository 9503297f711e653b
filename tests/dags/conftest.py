"""One Airflow home for all DAG tests of a session, with its own database; nothing runs in the background."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

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
