"""Posting what was claimed, so that one message that Slack refuses holds up no other."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nba_ml import calendar
from nba_ml.notices import slack
from nba_ml.notices.messages import about_refused, compose
from nba_ml.notices.outbox import Row
from nba_ml.notices.tellings import REFUSED, Telling

if TYPE_CHECKING:
    from slack_sdk.webhook import WebhookClient

Claimed = tuple[Telling, Row]


@dataclass
class Posted:
    """What became of claimed tellings.

    Attributes
    ----------
    told, refused, kept : list of dict
        Their rows: what Slack took, what it refused for what it says, and what is to be tried again.
    messages : int
        Messages that it took.
    failure : NotPosted or None
        Why something is to be tried again.
    """

    told: list[Row] = field(default_factory=list)
    refused: list[Row] = field(default_factory=list)
    kept: list[Row] = field(default_factory=list)
    messages: int = 0
    failure: slack.NotPosted | None = None


def post(client: "WebhookClient", claimed: Sequence[Claimed], environment: str) -> Posted:
    """Post tellings as one message; where Slack refuses it for what it says, each alone.

    What is refused alone too is not tried again, and a message without a word of it tells people to look. Where Slack refuses even that one, the
    webhook is at fault and not the alerts, and they are kept.
    """
    done = Posted()
    try:
        _post(client, claimed, environment, done)
    except slack.Refused:
        for number, each in enumerate(claimed):
            try:
                _post(client, [each], environment, done)
            except slack.Refused as error:
                done.refused.append(each[1] | {"failure": f"{REFUSED}{error.reason}"})
            except slack.NotPosted as error:
                _keep(done, [row for _, row in claimed[number:]], error)
                break
    except slack.NotPosted as error:
        _keep(done, [row for _, row in claimed], error)
    if done.refused:
        try:
            slack.post(client, about_refused(len(done.refused), environment))
            done.messages += 1
        except slack.NotPosted as error:
            refused, done.refused = done.refused, []
            _keep(done, refused, error)
    return done


def _post(client: "WebhookClient", claimed: Sequence[Claimed], environment: str, done: Posted) -> None:
    now = calendar.now()
    slack.post(client, compose([telling for telling, _ in claimed], environment, now))
    done.messages += 1
    done.told += [row | {"delivered_at": now} for _, row in claimed]


def _keep(done: Posted, rows: Sequence[Row], error: slack.NotPosted) -> None:
    done.failure = error
    done.kept += [row | {"failure": error.reason, "retry_at": error.retry_at} for row in rows]
