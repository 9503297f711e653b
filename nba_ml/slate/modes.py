"""Live or replay: live is only what is written before the first tip-off, and a run that comes too late says so and becomes a replay."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal

from nba_ml import alerts, by_hand, calendar
from nba_ml.context import Context
from nba_ml.errors import GateRefused, UsageError
from nba_ml.slate import publishing, timing
from nba_ml.warehouse.port import LATEST

NOT_LIVE = "slate.not_live"
"""Cause of the alert that a slate is late, or was missed live; whoever writes it gives it `SEVERITY` and `BLOCKS`."""

SEVERITY: alerts.Severity = "urgent"

BLOCKS = "nothing is published live"


def decide(asked: str, limit: datetime) -> Literal["live", "replay"]:
    """Return the mode of a run: the one that was asked for; for ``auto`` live before `limit`, else replay.

    Raises
    ------
    UsageError
        If it is no mode.
    """
    if asked == "auto":
        return "live" if calendar.now() < limit else "replay"
    if asked not in ("live", "replay"):
        raise UsageError(f"mode {asked!r} is none of auto, live and replay: use --mode live or --mode replay")
    return "live" if asked == "live" else "replay"


def refuse_late(slate: date, limit: datetime) -> None:
    """Refuse to call a run live that comes too late to be so.

    Raises
    ------
    GateRefused
        If it is not before `limit`.
    """
    if calendar.now() >= limit:
        raise _too_late(slate, limit)


def note_late_start(context: Context, slate: date, limit: datetime) -> None:
    """Alert that today's slate is replayed for having come too late, unless it was predicted live before."""
    if slate == calendar.slate_date(calendar.now()):
        _alert(context, slate, limit, "its run began")


def in_time(context: Context, ref: Mapping[str, Any]) -> bool:
    """Tell whether a live run is published already, and was so in time, or still can be."""
    earlier = publishing.published(context, ref)
    return max(earlier["published_at"].to_list(), default=calendar.now()) < _limit(context, ref)


def confirm(context: Context, ref: Mapping[str, Any]) -> None:
    """Close the alert that a slate was missed live: this one was not."""
    alerts.resolve(context, NOT_LIVE, f"{ref['slate_date']} is published live")


def is_over(context: Context, ref: Mapping[str, Any]) -> bool:
    """Tell whether it is too late by now to write anything live for the slate of a run."""
    return calendar.now() >= _limit(context, ref)


def take_back(context: Context, ref: Mapping[str, Any]) -> None:
    """Remove what a live run wrote too late; alert if the slate was missed live, or refuse where nothing but live was asked for.

    Raises
    ------
    GateRefused
        If the run was not asked for as ``auto``.
    """
    slate, limit = date.fromisoformat(ref["slate_date"]), _limit(context, ref)
    publishing.withdraw(context, ref)
    if ref["asked"] != "auto":
        raise _too_late(slate, limit)
    _alert(context, slate, limit, "its run was published")


def _limit(context: Context, ref: Mapping[str, Any]) -> datetime:
    """Return the end of live by the schedule as it stands now."""
    slate = date.fromisoformat(ref["slate_date"])
    games = context.warehouse.read("nba_raw.schedule", as_of=LATEST, dates=(slate, slate), columns=["tipoff_utc"])
    return calendar.live_until(slate, timing.first_tipoff(games))


def _too_late(slate: date, limit: datetime) -> GateRefused:
    """Return the refusal of a run that was asked to be live, and is not."""
    return GateRefused(
        f"{slate} can't be predicted live any more: live ended at {limit.isoformat()}, with its first tip-off (noon in New York where none "
        f"is known). Run: nba-ml predict --slate {slate} --mode replay"
    )


def _alert(context: Context, slate: date, limit: datetime, when: str) -> None:
    """Alert that a slate was missed live, unless an earlier run published it in time."""
    live = context.warehouse.read(publishing.PICKS, as_of=LATEST, where={"slate_date": slate, "mode": "live"}, columns=["run_key"])
    if live.height:
        return
    alerts.write(
        context,
        alerts.Alert(
            cause=NOT_LIVE,
            severity=SEVERITY,
            what=f"{slate} was missed live: {when} after live had ended at {limit.isoformat()}. It is replayed, and graded apart from live.",
            next_step=by_hand.too_late(slate, "nba_predict"),
            occasion=slate.isoformat(),
            slate_date=slate,
            blocks=BLOCKS,
        ),
    )
