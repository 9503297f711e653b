"""A step of the platform as an Airflow task."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from airflow.sdk import task
from nba_context import open_context, report, tell


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
        As for `airflow.sdk.task`. What the step did for one slate is told to the DAGs that wait for its `outlets`.
    """

    @task(task_id=name, doc_md=doc, **task_arguments)
    def run(ref: dict, outlet_events: Any = None) -> dict:
        done = getattr(import_module(module), name)(open_context(), ref)
        if done.get("slate_date"):
            for asset in task_arguments.get("outlets", ()):
                tell(outlet_events, asset, [done["slate_date"]])
        return report(done)

    return run
