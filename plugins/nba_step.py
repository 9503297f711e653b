"""A step of the platform as an Airflow task."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from airflow.sdk import task
from nba_context import open_context, report


def step(module: str, name: str, doc: str, **task_arguments: Any) -> Callable[..., Any]:
    """Make a task of a step: a function of the context, and of the dict that an earlier step returned.

    The module is imported when the task runs, not when the DAG file is parsed.

    Parameters
    ----------
    module, name : str
        Where the step is, as in ``nba_ml.slate.steps``, and its name, which is the task's too.
    doc : str
        What it does, in one line: shown with the task.
    **task_arguments
        As for `airflow.sdk.task`.
    """

    @task(task_id=name, doc_md=doc, **task_arguments)
    def run(ref: dict) -> dict:
        return report(getattr(import_module(module), name)(open_context(), ref))

    return run
