"""Slack's incoming webhooks: which channel has one, and posting a message so that a failure says what to do."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from nba_ml import calendar
from nba_ml.context import Context
from nba_ml.notices.tellings import NOTICES, URGENT
from nba_ml.redaction import redact

if TYPE_CHECKING:
    from slack_sdk.webhook import WebhookClient

TIMEOUT_SECONDS = 10

_LONGEST_PATIENCE = timedelta(hours=1)

# At debug level the library writes addresses, which are secrets, to its log.
quiet_log = logging.getLogger(f"{__name__}.sdk")
quiet_log.setLevel(logging.INFO)


class NotPosted(Exception):
    """Slack did not take a message.

    Parameters
    ----------
    reason : str
        Why, without secrets.
    retry_at : datetime, optional
        Before this moment it takes none.
    """

    def __init__(self, reason: str, retry_at: datetime | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_at = retry_at


class Refused(NotPosted):
    """Slack did not take a message for what it says."""


def webhooks(context: Context) -> "Mapping[str, WebhookClient]":
    """Return the client of each channel: that which the context was given, else that of the settings.

    Where one of the two channels has no webhook, the other's takes its messages too; where neither has, there is none.
    """
    given, settled = context.clients.slack, by_settings(context)
    found = {channel: client for channel in (URGENT, NOTICES) if (client := (given and given(channel)) or settled(channel))}
    return {channel: found.get(channel) or next(iter(found.values())) for channel in (URGENT, NOTICES)} if found else {}


def by_settings(context: Context) -> "Callable[[str], WebhookClient | None]":
    """Return what opens the client of a channel with the webhooks of the settings."""
    addresses = {URGENT: context.settings.slack_webhook, NOTICES: context.settings.slack_webhook_notices}

    def client(channel: str) -> "WebhookClient | None":
        address = addresses[channel]
        if address is None:
            return None
        from slack_sdk.webhook import WebhookClient

        return WebhookClient(address.get_secret_value(), timeout=TIMEOUT_SECONDS, logger=quiet_log, retry_handlers=[])

    return client


def post(client: "WebhookClient", payload: Mapping[str, Any]) -> None:
    """Post one message.

    Raises
    ------
    Refused
        If Slack answers that the message is no good.
    NotPosted
        If it can't be reached, does not answer in time, or answers anything else but 200.
    """
    try:
        answer = client.send_dict(dict(payload))
    except Exception as error:
        # The library passes on whatever urllib and the socket raise.
        reason = redact(f"{type(error).__name__}: {error}".splitlines()[0])
        raise NotPosted(f"it can't be reached ({reason})") from None
    if answer.status_code == 200:
        return
    said = f"it answered {answer.status_code} ({redact(answer.body)[:100].strip() or 'nothing'})"
    if answer.status_code == 429:
        raise NotPosted(said, calendar.now() + _patience(answer.headers))
    if answer.status_code in (400, 413):
        raise Refused(said)
    advice = ": the webhook was removed or is wrong, make a new one" if answer.status_code in (401, 403, 404, 410) else ""
    raise NotPosted(said + advice)


def _patience(headers: Mapping[str, str]) -> timedelta:
    """Return how long Slack asks to be left alone; a minute where it does not say, an hour at most."""
    asked = {name.lower(): value for name, value in headers.items()}.get("retry-after", "")
    return min(timedelta(seconds=int(asked)), _LONGEST_PATIENCE) if asked.strip().isdigit() else timedelta(minutes=1)
