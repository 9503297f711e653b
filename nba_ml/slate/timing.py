"""When a slate may be predicted, and from which moment."""

from datetime import UTC, date, datetime

import polars as pl

from nba_ml import calendar
from nba_ml.errors import UsageError


def cut_off(slate: date, mode: str, as_of: datetime | str | None, first: datetime | None) -> datetime:
    """Return the moment that a slate is predicted from, in UTC: `as_of`, else now for live and the lead before the `first` tip-off for a replay.

    Raises
    ------
    UsageError
        If it is no time, still to come, or a replay would see what no live run can.
    """
    now = calendar.now()
    if as_of is None:
        moment = now if mode == "live" else calendar.lead_as_of(slate, first)
    else:
        moment = _moment(as_of)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=calendar.NEW_YORK)
    if moment > now:
        raise UsageError(f"as-of {moment.isoformat()} is still to come: predict {slate} live (--mode live), or later")
    if mode == "replay" and first is not None and moment >= first:
        raise UsageError(
            f"as-of {moment.isoformat()} is not before the slate's first tip-off at {first.isoformat()}: "
            "leave --as-of out, or give an earlier time"
        )
    return moment.astimezone(UTC)


def _moment(as_of: datetime | str) -> datetime:
    if isinstance(as_of, datetime):
        return as_of
    try:
        return datetime.fromisoformat(as_of)
    except ValueError:
        raise UsageError(f"as-of {as_of!r} is no time: write it as 2025-01-31T16:30 (New York), or with an offset") from None


def first_tipoff(games: pl.DataFrame) -> datetime | None:
    """Return the first known tip-off among rows with ``tipoff_utc``."""
    return min(games["tipoff_utc"].drop_nulls().to_list(), default=None)
