"""What people have to be told now, decided from the alerts and from what was told of them before.

The rule, for each time that a cause opened:

- it is told when it opens, and when it becomes more severe;
- when it comes again it is told as a count: at twice the count that was told, or a day after it was told last;
- when it is over, that is told once. What was over before it could be told is told as one: what it was, and that it is over;
- what has been over for longer than `OVER_IS_NEWS` is told no more.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

SEVERITIES = ("notice", "warning", "urgent")
"""From the least severe on."""

URGENT, NOTICES = "urgent", "notices"
"""The two channels."""

AGAIN_AFTER = timedelta(days=1)
OVER_IS_NEWS = timedelta(days=3)

LEASE = timedelta(minutes=5)
"""A claim that was neither confirmed nor given up for this long belongs to a process that died: the telling is free again."""

SLACK = "slack"
"""Stem of the causes that say that a channel takes no messages: they are told in the other one."""

REFUSED = "refused: "
"""What the failure of a telling begins with that Slack refused for what it says: it counts as told, since it would be refused again."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Telling:
    """One thing to tell.

    Attributes
    ----------
    row : mapping
        The alert, a row of nba_ops.alerts.
    kind : str
        ``open``, ``over``, or ``note`` for what was closed as it was written, since nobody has to do anything.
    channel : str
        `URGENT` or `NOTICES`.
    attempt : int
        1 for the first try to tell anything of this opening.
    told : bool
        Whether people have been told of this opening before.
    held : bool
        Whether another process is telling it.
    not_before : datetime or None
        Until when Slack asked for patience when it was tried last.
    """

    row: Row
    kind: Literal["open", "over", "note"]
    channel: str
    attempt: int = 1
    told: bool = False
    held: bool = False
    not_before: datetime | None = None

    @property
    def key(self) -> str:
        """What tells this telling from the others of the cause."""
        opened = opened_at(self.row).isoformat()
        return f"open {opened} {self.row['count']} {self.row['severity']}" if self.kind == "open" else f"{self.kind} {opened}"


def opened_at(row: Row) -> datetime:
    """Return since when an alert is open, or was."""
    return row["opened_at"] or row["first_at"]


def due(rows: Iterable[Row], deliveries: Iterable[Row], now: datetime) -> list[Telling]:
    """Return what has to be told.

    Parameters
    ----------
    rows : iterable of mapping
        Rows of nba_ops.alerts.
    deliveries : iterable of mapping
        Rows of nba_ops.alert_deliveries of the same causes.
    now : datetime
        The present moment.
    """
    tried: dict[tuple[str, datetime], list[Row]] = {}
    for delivery in deliveries:
        tried.setdefault((delivery["cause"], delivery["opened_at"]), []).append(delivery)
    found = (_telling(row, tried.get((row["cause"], opened_at(row)), []), now) for row in rows)
    return [telling for telling in found if telling]


def _telling(row: Row, tries: list[Row], now: datetime) -> Telling | None:
    told = [each for each in tries if each["delivered_at"]]
    settled = [each for each in tries if each["delivered_at"] or is_refused(each)]
    kind = _kind(row, settled, now)
    if kind is None:
        return None
    failed = [each for each in tries if not each["delivered_at"]]
    going_on = any(each["failure"] is None and each["claimed_at"] > now - LEASE for each in failed)
    patience = max((each["retry_at"] for each in failed if each["retry_at"]), default=None)
    return Telling(row, kind, _channel(row, settled), 1 + len(failed), told=bool(told), held=going_on, not_before=patience)


def is_refused(delivery: Row) -> bool:
    """Tell whether Slack refused a telling for what it says."""
    return (delivery["failure"] or "").startswith(REFUSED)


def _kind(row: Row, settled: list[Row], now: datetime) -> Literal["open", "over", "note"] | None:
    if row["resolved_at"]:
        if row["resolved_at"] < now - OVER_IS_NEWS or any(each["kind"] != "open" for each in settled):
            return None
        return "over" if row["resolution"] else "note"
    if not settled:
        return "open"
    count = max(each["count"] for each in settled)
    if _rank(row) > max(map(_rank, settled)) or row["count"] >= 2 * count:
        return "open"
    return (
        "open"
        if row["count"] > count and now - max(each["delivered_at"] or each["claimed_at"] for each in settled) >= AGAIN_AFTER
        else None
    )


def _channel(row: Row, settled: list[Row]) -> str:
    if row["cause"] == f"{SLACK}:{URGENT}":
        return NOTICES
    return URGENT if max(map(_rank, [row, *settled])) == len(SEVERITIES) - 1 else NOTICES


def _rank(row: Row) -> int:
    return SEVERITIES.index(row["severity"])
