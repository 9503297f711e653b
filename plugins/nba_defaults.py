"""What all DAGs share: owner, retries, time-outs, whom they tell, and how their forms ask for a date."""

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import Param
from nba_retry_policy import NbaRetryPolicy
from nba_slack import NbaNotifier

from nba_ml.calendar import NEW_YORK

TASK_DEFAULTS: dict[str, Any] = {
    "owner": "nba-ml",
    "retries": 2,
    "retry_delay": timedelta(seconds=30),
    "retry_policy": NbaRetryPolicy(),
    "execution_timeout": timedelta(minutes=30),
    "on_failure_callback": NbaNotifier("task failed"),
}

DAG_DEFAULTS: dict[str, Any] = {
    "start_date": datetime(2021, 10, 1, tzinfo=NEW_YORK),
    "catchup": False,
    "max_active_runs": 1,
    "dagrun_timeout": timedelta(hours=3),
    "is_paused_upon_creation": True,
    "default_args": TASK_DEFAULTS,
    "on_failure_callback": NbaNotifier("run failed"),
    "on_success_callback": NbaNotifier("run succeeded"),
}


def optional_date(title: str, description: str) -> Param:
    """Return a parameter that is a date, or empty; `description` says what empty stands for."""
    return Param(None, type=["null", "string"], format="date", title=title, description=description)
