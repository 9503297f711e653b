"""What tasks share: the platform's context, the slate they work on, and how they report what they did.

Everything of weight is imported inside functions: DAG files import this module when they are parsed.
"""

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import Asset

    from nba_ml.context import Context

log = logging.getLogger(__name__)

_LONGEST_LIST = 20


def open_context() -> "Context":
    """Open the platform with the settings of this process's environment and, on Google and for Slack, with Airflow's clients."""
    from nba_google import open_clients
    from nba_slack import webhook

    from nba_ml.context import Context
    from nba_ml.settings import load_settings

    # It tells of its own set-up in hundreds of lines, among which the task's own are lost.
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    settings = load_settings()
    return Context(settings, replace(open_clients(settings), slack=webhook))


def today() -> date:
    """Return the slate date of this moment."""
    from nba_ml.calendar import now, slate_date

    return slate_date(now())


def day(value: str | None) -> date | None:
    """Read a date that the trigger form or a partition key gave; None where it is empty.

    Raises
    ------
    UsageError
        If it is no date.
    """
    from nba_ml.errors import UsageError

    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        raise UsageError(f"{value!r} is not a date: trigger the DAG again with YYYY-MM-DD") from None


def slate(params: Mapping[str, Any], partition_key: str | None) -> date | None:
    """Return the slate that a run was asked for: its partition key, else its parameter `slate`; None where neither is given."""
    return day(partition_key or params.get("slate"))


def tell(outlet_events: Any, asset: "Asset", slates: Iterable[str | date]) -> None:
    """Tell the DAGs that wait for an asset which slates it was brought up to date for: the partition keys of its event."""
    outlet_events[asset].add_partitions([str(slate_date) for slate_date in slates])


def report(result: Mapping[str, Any]) -> dict[str, Any]:
    """Write a step's result to the task's log, one line a figure, and return it for XCom."""
    for key, value in result.items():
        log.info("%s: %s", key, value if isinstance(value, str) else json.dumps(value, default=str))
    return dict(result)


def brief(value: Any) -> Any:
    """Return a result with long lists cut to their first entries, so that XCom stays small."""
    if isinstance(value, Mapping):
        return {str(key): brief(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        short = [brief(entry) for entry in value[:_LONGEST_LIST]]
        return [*short, f"and {len(value) - _LONGEST_LIST} more"] if len(value) > _LONGEST_LIST else short
    return value
