"""Alerts: one row of nba_ops.alerts for each cause, with a count, so that the same thing never wakes anybody twice.

Whoever finds something wrong writes an alert; whoever finds that it is over resolves it. Telling people is `nba_ml.notices`.
"""

import logging
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any, Literal

import polars as pl

from nba_ml import calendar
from nba_ml.context import Context
from nba_ml.redaction import redact
from nba_ml.warehouse.port import LATEST

log = logging.getLogger(__name__)

TABLE = "nba_ops.alerts"

Severity = Literal["urgent", "warning", "notice"]

_OCCASIONS_KEPT = 100


@dataclass(frozen=True)
class Alert:
    """Something that a person has to look at; attributes as the columns of `TABLE`."""

    cause: str
    severity: Severity
    what: str
    next_step: str
    occasion: str
    figure: float | None = None
    threshold: float | None = None
    slate_date: date | None = None
    blocks: str | None = None
    link: str | None = None

    def redacted(self) -> "Alert":
        """Return the alert with secrets in its texts masked."""
        return replace(
            self,
            what=redact(self.what),
            next_step=redact(self.next_step),
            blocks=redact(self.blocks) if self.blocks else None,
            link=redact(self.link) if self.link else None,
        )


def write(context: Context, alert: Alert, *, at: datetime | None = None) -> dict[str, Any]:
    """Write an alert, or count it with the row of its cause; an occasion that was seen already counts no more.

    A cause that was resolved opens again, counted from 1.

    Parameters
    ----------
    at : datetime, optional
        When it was seen; now by default.

    Returns
    -------
    dict
        The row as it stands, JSON-able, with "new": whether this occasion had not been seen since the cause opened.
    """
    seen_at = at or calendar.now()
    earlier = _row(context, alert.cause)
    still_open = earlier is not None and earlier["resolved_at"] is None
    occasions = _occasions(earlier) if earlier and still_open else []
    again = alert.occasion in occasions
    row = asdict(alert.redacted()) | {
        "environment": context.settings.environment,
        "first_at": earlier["first_at"] if earlier else seen_at,
        "opened_at": _opened_at(earlier) if earlier and still_open else seen_at,
        "last_at": earlier["last_at"] if earlier and again else seen_at,
        "count": earlier["count"] + (not again) if earlier and still_open else 1,
        "occasions": "\n".join([*(each for each in occasions if each != alert.occasion), alert.occasion][-_OCCASIONS_KEPT:]),
    }
    context.warehouse.upsert(TABLE, pl.DataFrame([row], schema_overrides=_TYPES))
    log.warning("alert %s (%s, time %d): %s %s", alert.cause, alert.severity, row["count"], row["what"], row["next_step"])
    return _json_able(row) | {"new": not again}


def resolve(context: Context, cause: str, what: str, *, at: datetime | None = None) -> dict[str, Any] | None:
    """Close the alert of a cause: what it told of is over.

    Parameters
    ----------
    what : str
        How it ended, in a sentence.
    at : datetime, optional
        When; now by default.

    Returns
    -------
    dict or None
        The row as it stands, JSON-able; None where no alert of this cause is open.
    """
    row = _row(context, cause)
    if row is None or row["resolved_at"] is not None:
        return None
    row |= {"resolved_at": at or calendar.now(), "resolution": redact(what)}
    context.warehouse.upsert(TABLE, pl.DataFrame([row], schema_overrides=_TYPES))
    log.info("alert %s is over: %s", cause, row["resolution"])
    return _json_able(row)


def open_alerts(context: Context) -> pl.DataFrame:
    """Return the alerts of this environment that are not resolved, urgent ones first, then the longest open; columns as `TABLE`."""
    rows = context.warehouse.read(TABLE, as_of=LATEST, where={"environment": context.settings.environment, "resolved_at": None})
    rank = pl.col("severity").replace_strict({"urgent": 0, "warning": 1, "notice": 2}, return_dtype=pl.Int8)
    return rows.with_columns(pl.col("opened_at").fill_null(pl.col("first_at"))).sort(rank, "opened_at", "cause")


_TYPES: dict[str, Any] = {
    "figure": pl.Float64,
    "threshold": pl.Float64,
    "slate_date": pl.Date,
    "blocks": pl.String,
    "link": pl.String,
    "resolution": pl.String,
}


def _row(context: Context, cause: str) -> dict[str, Any] | None:
    where = {"environment": context.settings.environment, "cause": cause}
    found = context.warehouse.read(TABLE, as_of=LATEST, where=where).to_dicts()
    return found[0] if found else None


def _occasions(row: dict[str, Any]) -> list[str]:
    return (row["occasions"] or row["occasion"]).split("\n")


def _opened_at(row: dict[str, Any]) -> datetime:
    return row["opened_at"] or row["first_at"]


def _json_able(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items() if name != "id"}
