"""What is kept in files while the warehouse takes nothing: an alert, the end of alerts, and that Slack took a message."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from nba_ml import alerts, calendar
from nba_ml.alerts import Alert
from nba_ml.context import Context
from nba_ml.notices import outbox, spool
from nba_ml.notices.tellings import NOTICES, URGENT

log = logging.getLogger(__name__)

_ALERT = TypeAdapter(Alert)
_MOMENTS = ("opened_at", "claimed_at", "delivered_at")


def take_in(context: Context) -> int:
    """Write what waits to the warehouse, as `nba_ml.notices.spool.take_in` does."""
    return spool.take_in(context, _TAKE_IN)


def waiting(context: Context) -> Iterator[tuple[Alert, str | None]]:
    """Yield the alerts that wait, each with the channel in which it was told; a file that is none is left to `take_in`."""
    for path in spool.files(context, "alert"):
        try:
            alert, told_in, _ = _alert(spool.read(path))
        except (OSError, *spool.NO_GOOD):
            log.exception("%s is no alert", path)
        else:
            yield alert, told_in


def alert_file(context: Context, alert: Alert) -> Path:
    """Return the file of an alert."""
    return spool.path_of(context, "alert", alert.cause, alert.occasion)


def keep_alert(context: Context, alert: Alert, at: datetime, told_in: str | None) -> bool:
    """Keep an alert that was seen at a moment, and where it was told; tell whether that worked."""
    return _keep(alert_file(context, alert), {"alert": asdict(alert), "at": at.isoformat(), "told_in": told_in})


def keep_over(context: Context, stems: Sequence[str], what: str, slate_date: date | None) -> bool:
    """Keep that what `nba_ml.alerts.resolve_under` would close is over; tell whether that worked."""
    document = {"stems": list(stems), "what": what, "slate_date": slate_date, "at": calendar.now().isoformat()}
    return _keep(spool.path_of(context, "over", *stems, slate_date), document)


def keep_told(context: Context, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Keep rows of nba_ops.alert_deliveries about one message that was taken; tell whether that worked."""
    return _keep(spool.path_of(context, "told", rows[0]["claimed_by"]), {"rows": rows})


def _keep(path: Path, document: Mapping[str, Any]) -> bool:
    try:
        spool.keep(path, document)
    except OSError:
        log.exception("%s can't be written", path)
        return False
    return True


def _alert(document: Mapping[str, Any]) -> tuple[Alert, str | None, datetime]:
    """Return an alert, the channel in which it was told, and when it was seen."""
    told_in = document["told_in"]
    if told_in not in (None, URGENT, NOTICES):
        raise ValueError(f"{told_in!r} is no channel")
    return _ALERT.validate_python(document["alert"]), told_in, datetime.fromisoformat(document["at"])


def _take_in_alert(context: Context, document: Mapping[str, Any]) -> None:
    alert, told_in, at = _alert(document)
    alerts.write(context, alert, at=at)
    if told_in is None:
        return
    for row in alerts.open_alerts(context).filter(cause=alert.cause).to_dicts():
        outbox.record_told(context, row, told_in, at)


def _take_in_over(context: Context, document: Mapping[str, Any]) -> None:
    slate = document["slate_date"]
    at = datetime.fromisoformat(document["at"])
    alerts.resolve_under(context, document["stems"], document["what"], slate_date=date.fromisoformat(slate) if slate else None, at=at)


def _take_in_told(context: Context, document: Mapping[str, Any]) -> None:
    outbox.record(context, [row | {name: datetime.fromisoformat(row[name]) for name in _MOMENTS} for row in document["rows"]])


_TAKE_IN = {"alert": _take_in_alert, "over": _take_in_over, "told": _take_in_told}
