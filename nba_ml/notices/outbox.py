"""The outbox: what was not told yet, who tells it, and what became of it, in nba_ops.alert_deliveries.

A telling is claimed before it is posted: the claim is a row that is appended under the telling's own id, and of two processes that append it
one succeeds. It is confirmed after Slack took the message. A process that dies in between leaves a claim that is free again after
`nba_ml.notices.tellings.LEASE`: then the same is told twice rather than never.
"""

import uuid
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from nba_ml import alerts, calendar
from nba_ml.context import Context
from nba_ml.notices.tellings import OVER_IS_NEWS, Telling, due, is_refused, opened_at
from nba_ml.warehouse.port import LATEST

TABLE = "nba_ops.alert_deliveries"

Row = dict[str, Any]

_TYPES: dict[str, Any] = {"delivered_at": pl.Datetime("us", "UTC"), "failure": pl.String, "retry_at": pl.Datetime("us", "UTC")}


def pending(context: Context) -> list[Telling]:
    """Return what has to be told."""
    environment, now = context.settings.environment, calendar.now()
    rows = context.warehouse.read(alerts.TABLE, as_of=LATEST, where={"environment": environment})
    news = rows.filter(pl.col("resolved_at").is_null() | (pl.col("resolved_at") >= now - OVER_IS_NEWS))
    if news.is_empty():
        return []
    where = {"environment": environment, "cause": news["cause"].to_list()}
    return due(news.to_dicts(), context.warehouse.read(TABLE, as_of=LATEST, where=where).to_dicts(), now)


def claim(context: Context, tellings: Sequence[Telling]) -> list[tuple[Telling, Row]]:
    """Claim tellings; return those that are this process's now, with their rows."""
    now, owner = calendar.now(), uuid.uuid4().hex
    rows = [row_of(context, telling) | {"claimed_by": owner, "claimed_at": now} for telling in tellings]
    context.warehouse.append(TABLE, pl.DataFrame(rows, schema_overrides=_TYPES))
    mine = context.warehouse.read(TABLE, as_of=LATEST, where={"claimed_by": owner}, dates=_around(now))
    own = {(row["cause"], row["telling"]): row for row in mine.to_dicts()}
    return [(telling, own[key]) for telling in tellings if (key := (telling.row["cause"], telling.key)) in own]


def row_of(context: Context, telling: Telling) -> Row:
    """Return the row of a telling, before anybody claims it."""
    return {
        "environment": context.settings.environment,
        "cause": telling.row["cause"],
        "telling": telling.key,
        "attempt": telling.attempt,
        "kind": telling.kind,
        "opened_at": opened_at(telling.row),
        "count": telling.row["count"],
        "severity": telling.row["severity"],
        "channel": telling.channel,
        "delivered_at": None,
        "failure": None,
        "retry_at": None,
    }


def record(context: Context, rows: Sequence[Row]) -> None:
    """Write what became of claimed tellings."""
    context.warehouse.upsert(TABLE, pl.DataFrame(list(rows), schema_overrides=_TYPES))


def record_told(context: Context, row: Row, channel: str, at: datetime) -> None:
    """Write that an alert, as its row stands, was told outside the outbox."""
    telling = Telling(row, "open", channel)
    record(context, [row_of(context, telling) | {"claimed_by": "spool", "claimed_at": at, "delivered_at": at}])


def refused(context: Context) -> dict[str, str]:
    """Return the open alerts that Slack refused for what they say, and took in no later message: cause → why."""
    where = {"environment": context.settings.environment}
    opened = {(row["cause"], row["opened_at"]) for row in alerts.open_alerts(context).to_dicts()}
    tried = context.warehouse.read(TABLE, as_of=LATEST, where=where | {"cause": [cause for cause, _ in opened]}).sort("claimed_at")
    last = {row["cause"]: row for row in tried.to_dicts() if (row["cause"], row["opened_at"]) in opened}
    return {cause: row["failure"] for cause, row in last.items() if is_refused(row)}


def last_delivered(context: Context) -> datetime | None:
    """Return when Slack last took a message of this environment."""
    where = {"environment": context.settings.environment}
    return context.warehouse.read(TABLE, as_of=LATEST, where=where, columns=["delivered_at"])["delivered_at"].max()  # type: ignore[return-value]


def _around(moment: datetime) -> tuple[date, date]:
    return moment.date() - timedelta(days=1), moment.date() + timedelta(days=1)
