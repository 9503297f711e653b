"""What all DAGs share: owner, retries, time-outs."""

from datetime import datetime, timedelta
from typing import Any

from nba_retry_policy import NbaRetryPolicy

from nba_ml.calendar import NEW_YORK

TASK_DEFAULTS: dict[str, Any] = {
    "owner": "nba-ml",
    "retries": 2,
    "retry_delay": timedelta(seconds=30),
    "retry_policy": NbaRetryPolicy(),
    "execution_timeout": timedelta(minutes=30),
}

DAG_DEFAULTS: dict[str, Any] = {
    "start_date": datetime(2021, 10, 1, tzinfo=NEW_YORK),
    "catchup": False,
    "max_active_runs": 1,
    "dagrun_timeout": timedelta(hours=3),
    "is_paused_upon_creation": True,
    "default_args": TASK_DEFAULTS,
}
