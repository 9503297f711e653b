"""A stop: slates after it are not published until a person lifts it. It is an open alert, so that nobody can be stopped and not know why."""

from datetime import date

import polars as pl

from nba_ml import alerts
from nba_ml.context import Context
from nba_ml.errors import GateRefused

STOP = "monitor.stop:"
"""Begins the cause of an alert that stops publication."""


def require_none(context: Context, slate: date) -> None:
    """Refuse to publish a slate after a stop; slates up to the one that the stop was raised on may still be replayed.

    Raises
    ------
    GateRefused
        Naming what was found, since when, and the command that lifts the stop.
    """
    found = alerts.open_alerts(context).filter(pl.col("cause").str.starts_with(STOP))
    stops = found.filter(pl.col("slate_date").is_null() | (pl.col("slate_date") < slate)).to_dicts()
    if stops:
        first = stops[0]
        raise GateRefused(
            f"{slate} is not published: publication is stopped since {first['opened_at']:%Y-%m-%d %H:%M} UTC by {first['cause']}. {first['what']} "
            f"Mend it, or go back (`nba-ml release rollback --reason TEXT`); then lift the stop: {lift(first['cause'])}",
            {"slate_date": slate.isoformat(), "stops": [stop["cause"] for stop in stops]},
        )


def lift(cause: str) -> str:
    """Return the command that lifts a stop."""
    return f"nba-ml alerts close {cause} --reason TEXT"
