"""Alerts: one row of nba_ops.alerts for each cause, with a count, so that the same thing never wakes anybody twice."""

import logging
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal

import polars as pl

from nba_ml import calendar
from nba_ml.context import Context
from nba_ml.warehouse.port import LATEST

log = logging.getLogger(__name__)

TABLE = "nba_ops.alerts"


@dataclass(frozen=True)
class Alert:
    """Something that a person has to look at; attributes as the columns of `TABLE`."""

    cause: str
    severity: Literal["urgent", "warning"]
    what: str
    next_step: str
    occasion: str
    figure: float | None = None
    threshold: float | None = None
    slate_date: date | None = None


def write(context: Context, alert: Alert) -> dict[str, Any]:
    """Write an alert, or count it with the row of its cause; the same occasion again counts once.

    Returns
    -------
    dict
        The row as it stands, JSON-able, with "new": whether this occasion had not been seen before.
    """
    environment, now = context.settings.environment, calendar.now()
    found = context.warehouse.read(TABLE, as_of=LATEST, where={"environment": environment, "cause": alert.cause}).to_dicts()
    earlier = found[0] if found else None
    again = earlier is not None and earlier["occasion"] == alert.occasion
    row = asdict(alert) | {
        "environment": environment,
        "count": 1 if earlier is None else earlier["count"] + (not again),
        "first_at": earlier["first_at"] if earlier else now,
        "last_at": earlier["last_at"] if earlier and again else now,
    }
    types = {"figure": pl.Float64, "threshold": pl.Float64, "slate_date": pl.Date}
    context.warehouse.upsert(TABLE, pl.DataFrame([row], schema_overrides=types))
    log.warning("alert %s (%s, time %d): %s %s", alert.cause, alert.severity, row["count"], alert.what, alert.next_step)
    dates = {name: row[name].isoformat() for name in ("first_at", "last_at")}
    return row | dates | {"slate_date": alert.slate_date.isoformat() if alert.slate_date else None, "new": not again}
