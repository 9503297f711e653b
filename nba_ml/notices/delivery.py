"""Delivery: alerts are kept first and told second, so that neither a dead Slack nor a locked warehouse loses one.

`deliver` tells what was not told yet. `announce` and `announce_over` are for whoever is about to end, as a task that failed: they write, deliver,
and never raise; where the warehouse takes nothing, the message goes out directly and a file in the home waits for the next delivery.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from nba_ml import alerts, calendar
from nba_ml.alerts import Alert
from nba_ml.context import Context
from nba_ml.notices import kept, outbox, posting, slack
from nba_ml.notices.messages import compose
from nba_ml.notices.tellings import NOTICES, SLACK, URGENT, Telling

if TYPE_CHECKING:
    from slack_sdk.webhook import WebhookClient

log = logging.getLogger(__name__)

_WITHOUT_WAREHOUSE = "The warehouse could not be written: this message is kept in a file until it can."
_AGAIN = "Slack takes messages again."
_ROUNDS = 2


@dataclass(frozen=True)
class _Line:
    """One webhook and the channels that it takes."""

    client: "WebhookClient"
    channels: tuple[str, ...]

    @property
    def cause(self) -> str:
        return f"{SLACK}:{self.channels[0]}"


def deliver(context: Context, ref: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Tell people what they were not told yet; safe to repeat, and for several processes at once.

    That Slack is down is no error: what it did not take is told by a later call, and an alert of its own says so.

    Parameters
    ----------
    ref : mapping, optional
        What an earlier step returned, as every step is given it; nothing of it is used.

    Returns
    -------
    dict
        "configured" (whether any webhook is), "taken_in" (files of the home that were written to the warehouse), "messages" (posted), "told"
        (alerts in them), "refused" (alerts that Slack refuses for what they say, which are not tried again),
        "failed" (channel → reason), "waiting" (alerts that are still to be told).
    """
    answer: dict[str, Any] = {"configured": False, "taken_in": kept.take_in(context), "messages": 0, "told": 0, "refused": 0, "failed": {}}
    clients = slack.webhooks(context)
    answer["configured"] = bool(clients)
    lines = _lines(clients)
    # The second round tells what the first one found out about Slack itself.
    for _ in range(_ROUNDS):
        told = sum(_tell(context, line, answer) for line in lines if not set(line.channels) & set(answer["failed"]))
        answer["told"] += told
        if not told and not answer["failed"]:
            break
    return answer | {"waiting": len(outbox.pending(context))}


def announce(context: Context, alert: Alert) -> dict[str, Any]:
    """Write an alert and tell people at once. Never raises: what can't be done now is done by a later delivery.

    Returns
    -------
    dict
        As `deliver`; with "spooled" where the warehouse took nothing.
    """
    try:
        alerts.write(context, alert)
    except Exception:
        log.exception("the warehouse does not take the alert %s", alert.cause)
    else:
        return deliver_quietly(context)
    try:
        return _around_warehouse(context, alert.redacted())
    except Exception:
        log.exception("the alert %s can't be told either", alert.cause)
        return {"spooled": False}


def deliver_quietly(context: Context) -> dict[str, Any]:
    """Deliver, and where that fails only say so in the log: what is kept is told by a later delivery."""
    try:
        return deliver(context)
    except Exception as error:
        log.exception("alerts could not be delivered")
        return {"error": f"{type(error).__name__}: {error}"}


def announce_over(context: Context, stems: Sequence[str], what: str, slate_date: date | None = None) -> dict[str, Any]:
    """Close what was wrong, as `nba_ml.alerts.resolve_under` does, and tell people at once. Never raises.

    Returns
    -------
    dict
        As `deliver`, with "over", the causes that were closed.
    """
    try:
        # What went wrong while the warehouse took nothing is over too.
        kept.take_in(context)
        over = [row["cause"] for row in alerts.resolve_under(context, stems, what, slate_date=slate_date)]
    except Exception:
        log.exception("the warehouse does not take that %s is over", ", ".join(stems))
        return {"spooled": kept.keep_over(context, stems, what, slate_date)}
    return {"over": over} | deliver_quietly(context)


def _lines(clients: Mapping[str, "WebhookClient"]) -> list[_Line]:
    if not clients:
        return []
    urgent, notices = clients[URGENT], clients[NOTICES]
    return [_Line(urgent, (URGENT, NOTICES))] if urgent is notices else [_Line(urgent, (URGENT,)), _Line(notices, (NOTICES,))]


def _tell(context: Context, line: _Line, answer: dict[str, Any]) -> int:
    """Tell what one webhook takes; return how many alerts were told."""
    waiting, now = [telling for telling in outbox.pending(context) if telling.channel in line.channels], calendar.now()
    if any(telling.not_before and telling.not_before > now for telling in waiting):
        return 0
    wanted = [_as_over(telling, now) if telling.row["cause"] == line.cause else telling for telling in waiting if not telling.held]
    claimed = outbox.claim(context, wanted) if wanted else []
    if not claimed:
        return 0
    posted = posting.post(line.client, claimed, context.settings.environment)
    answer["messages"] += posted.messages
    answer["refused"] += len(posted.refused)
    if posted.told:
        _confirm(context, posted.told)
    if posted.refused or posted.kept:
        outbox.record(context, posted.refused + posted.kept)
    if posted.failure is None:
        alerts.resolve(context, line.cause, _AGAIN)
        return len(posted.told)
    reason = posted.failure.reason
    log.warning("Slack did not take %d alerts: %s", len(posted.kept), reason)
    answer["failed"] |= dict.fromkeys(line.channels, reason)
    alerts.write(context, _slack_is_down(line, reason, len(posted.kept)))
    return len(posted.told)


def _as_over(telling: Telling, now: datetime) -> Telling:
    """Tell that the channel of this very message took none as something that is over: it is, if anybody reads it."""
    return replace(telling, row={**telling.row, "resolved_at": now, "resolution": _AGAIN}, kind="over")


def _confirm(context: Context, rows: list[dict[str, Any]]) -> None:
    """Write that a message was taken, to a file where the warehouse does not take it: nobody is to be told twice."""
    try:
        outbox.record(context, rows)
    except Exception:
        log.exception("the warehouse does not take that %d alerts were told", len(rows))
        kept.keep_told(context, rows)


def _slack_is_down(line: _Line, reason: str, alerts_waiting: int) -> Alert:
    return Alert(
        cause=line.cause,
        severity="urgent",
        what=f"Slack did not take a message for the channel {line.channels[0]}: {reason}.",
        next_step="nba-ml alerts send",
        occasion=calendar.slate_date(calendar.now()).isoformat(),
        blocks=f"{alerts_waiting} alerts are kept and told later; until then, `nba-ml alerts` lists them.",
    )


def _around_warehouse(context: Context, alert: Alert) -> dict[str, Any]:
    """Tell an alert without the warehouse, once a cause, and keep it in a file that says so."""
    now = calendar.now()
    told_in = next((channel for other, channel in kept.waiting(context) if other.cause == alert.cause and channel), None)
    if told_in and kept.alert_file(context, alert).exists():
        return {"spooled": True}
    row = asdict(alert) | {"count": 1, "first_at": now, "opened_at": now, "resolved_at": None, "resolution": None}
    channel = URGENT if alert.severity == "urgent" else NOTICES
    # Kept first: if this process dies while it posts, the alert is not lost.
    spooled = kept.keep_alert(context, alert, now, told_in)
    client = slack.webhooks(context).get(channel)
    if client and not told_in:
        try:
            slack.post(client, compose([Telling(row, "open", channel)], context.settings.environment, now, remark=_WITHOUT_WAREHOUSE))
            spooled = kept.keep_alert(context, alert, now, channel)
        except slack.NotPosted as error:
            log.warning("Slack did not take the alert %s either: %s", alert.cause, error.reason)
    return {"spooled": spooled}
