"""Alerts: one row of nba_ops.alerts for each cause, with a count, so that the same thing never wakes anybody twice.

Whoever finds something wrong writes an alert; whoever finds that it is over resolves it. Telling people is `nba_ml.notices`.
"""

import logging
from collections.abc import Sequence
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
    row, new = _counted(context, alert, at or calendar.now())
    _put(context, row)
    log.warning("alert %s (%s, time %d): %s %s", alert.cause, alert.severity, row["count"], row["what"], row["next_step"])
    return _json_able(row) | {"new": new}


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
    _put(context, row)
    log.info("alert %s is over: %s", cause, row["resolution"])
    return _json_able(row)


def resolve_under(
    context: Context, stems: Sequence[str], what: str, *, slate_date: date | None = None, at: datetime | None = None
) -> list[dict[str, Any]]:
    """Close the alerts whose causes begin with one of `stems`, followed by a dot, a colon or nothing, as `resolve` does.

    Parameters
    ----------
    slate_date : date, optional
        Only those about this slate or none; by default, only those about none.
    """
    where = {"environment": context.settings.environment, "resolved_at": None, "slate_date": [slate_date, None]}
    causes = context.warehouse.read(TABLE, as_of=LATEST, where=where, columns=["cause"])["cause"]
    ended = [cause for cause in causes if any(cause == stem or cause.startswith((f"{stem}.", f"{stem}:")) for stem in stems)]
    return [row for cause in ended if (row := resolve(context, cause, what, at=at))]


def note(context: Context, alert: Alert) -> dict[str, Any]:
    """Write what people should know and need do nothing about: it is told and counts as closed; the same occasion again changes nothing.

    Returns
    -------
    dict
        As `write`.
    """
    earlier = _row(context, alert.cause)
    if earlier and earlier["occasion"] == alert.occasion:
        return _json_able(earlier) | {"new": False}
    row, new = _counted(context, alert, calendar.now())
    row["resolved_at"] = row["last_at"]
    _put(context, row)
    return _json_able(row) | {"new": new}


def open_alerts(context: Context) -> pl.DataFrame:
    """Return the alerts of this environment that are not resolved, urgent ones first, then the longest open; columns as `TABLE`."""
    return _listed(context, {"resolved_at": None})


def all_alerts(context: Context) -> pl.DataFrame:
    """Return the alerts of this environment, open ones as `open_alerts` does, then those that are over, the last one first."""
    rows = _listed(context, {})
    return rows.sort("resolved_at", descending=True, nulls_last=False, maintain_order=True)


def _listed(context: Context, where: dict[str, Any]) -> pl.DataFrame:
    rows = context.warehouse.read(TABLE, as_of=LATEST, where={"environment": context.settings.environment} | where)
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


def _counted(context: Context, alert: Alert, seen_at: datetime) -> tuple[dict[str, Any], bool]:
    """Return the row of an alert's cause with this occasion counted, and whether it is a new one."""
    earlier = _row(context, alert.cause)
    still_open = earlier if earlier and earlier["resolved_at"] is None else None
    occasions = (still_open["occasions"] or still_open["occasion"]).split("\n") if still_open else []
    new = alert.occasion not in occasions
    row = asdict(alert.redacted()) | {
        "environment": context.settings.environment,
        "first_at": earlier["first_at"] if earlier else seen_at,
        "opened_at": (still_open["opened_at"] or still_open["first_at"]) if still_open else seen_at,
        "last_at": seen_at if new or still_open is None else still_open["last_at"],
        "count": still_open["count"] + new if still_open else 1,
        "occasions": "\n".join([*(each for each in occasions if each != alert.occasion), alert.occasion][-_OCCASIONS_KEPT:]),
    }
    return row, new


def _put(context: Context, row: dict[str, Any]) -> None:
    context.warehouse.upsert(TABLE, pl.DataFrame([row], schema_overrides=_TYPES))


def _row(context: Context, cause: str) -> dict[str, Any] | None:
    where = {"environment": context.settings.environment, "cause": cause}
    found = context.warehouse.read(TABLE, as_of=LATEST, where=where).to_dicts()
    return found[0] if found else None


def _json_able(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items() if name != "id"}
