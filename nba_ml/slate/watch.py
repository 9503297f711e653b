"""What a live slate was published without: lines or reports that did not come, lines that stand still, a player who goes by two ids.

No number is wrong for it, and none is held back; people are told once, while something can still be done. Thresholds: ``[inputs]`` of gates.toml.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from nba_ml import alerts, by_hand, calendar
from nba_ml.context import Context
from nba_ml.gates import load_gates
from nba_ml.slate import timing
from nba_ml.slate.publishing import PICKS
from nba_ml.sources.names import fold
from nba_ml.warehouse.port import LATEST

LINES, FROZEN, REPORTS, TWO_IDS = "inputs.lines_missing", "inputs.lines_frozen", "inputs.reports_missing", "inputs.two_ids"
"""Causes of alerts."""

_STATUS = "nba_raw.player_status"


@dataclass(frozen=True)
class _Found:
    """A figure, the threshold that it does not keep, and both in words."""

    figure: float
    threshold: float
    what: str


def look(context: Context, ref: Mapping[str, Any], picks: pl.DataFrame) -> list[str]:
    """Alert of what a live slate lacks, and close the alerts of what it has again.

    Lines and reports are judged in the last hours alone: in the morning most of them are still to come.

    Parameters
    ----------
    ref : mapping
        Of the slate's run: slate_date, mode.
    picks : DataFrame
        The slate's rows of nba_predictions.player_prop_predictions.

    Returns
    -------
    list of str
        Causes that hold.
    """
    if ref["mode"] != "live":
        return []
    slate, gates = date.fromisoformat(ref["slate_date"]), load_gates()["inputs"]
    found: dict[str, _Found | None] = {TWO_IDS: _two_ids(picks)}
    first = timing.first_tipoff(picks)
    if first is not None and calendar.now() >= first - timedelta(minutes=gates["judged_minutes_before"]):
        found |= {LINES: _lines(context, slate, picks, gates), FROZEN: _frozen(picks, gates), REPORTS: _reports(context, slate, gates)}
    for cause, missing in found.items():
        if missing is None:
            alerts.resolve(context, cause, f"{slate} has what was missing.")
        else:
            alerts.write(context, _alert(cause, slate, missing))
    return [cause for cause, missing in found.items() if missing]


def _lines(context: Context, slate: date, picks: pl.DataFrame, gates: Mapping[str, Any]) -> _Found | None:
    """Compare the share of players with a line with that of the live slates before; where those had none, none are expected."""
    span = (slate - timedelta(days=gates["look_back_days"]), calendar.day_before(slate))
    columns = ["slate_date", "run_key", "published_at", "line"]
    before = context.warehouse.read(PICKS, as_of=LATEST, dates=span, where={"mode": "live"}, columns=columns)
    last = pl.col("published_at") == pl.col("published_at").max().over("slate_date")
    shares = before.filter(last).group_by("slate_date").agg(share=pl.col("line").is_not_null().mean())
    share = float(picks["line"].is_not_null().mean() or 0)  # type: ignore[arg-type]
    return _less(share, shares["share"], gates["lines_share"], "of the players have a line")


def _reports(context: Context, slate: date, gates: Mapping[str, Any]) -> _Found | None:
    """Compare the number of reports on the slate's players with that of the dates before."""
    span = (slate - timedelta(days=gates["look_back_days"]), slate)
    known = context.warehouse.read(_STATUS, as_of=calendar.now(), dates=span, columns=["game_date"])
    counts = known.group_by("game_date").len()
    own = counts.filter(pl.col("game_date") == slate)["len"].sum()
    return _less(
        float(own), counts.filter(pl.col("game_date") < slate)["len"], gates["reports_share"], "injury reports and line-ups are in"
    )


def _less(value: float, usual: pl.Series, least: float, what: str) -> _Found | None:
    median = float(usual.median() or 0)  # type: ignore[arg-type]
    if not median or value >= least * median:
        return None
    return _Found(
        value / median, least, f"{value:.3g} {what}, and {median:.3g} on the dates before it (at least {least:.0%} of that is asked)"
    )


def _frozen(picks: pl.DataFrame, gates: Mapping[str, Any]) -> _Found | None:
    newest: datetime | None = max(picks["line_captured_at"].drop_nulls().to_list(), default=None)
    if newest is None:
        return None
    hours = (calendar.now() - newest).total_seconds() / 3600
    most = gates["lines_hours"]
    return _Found(hours, most, f"its newest line was seen {hours:.1f} hours ago (at most {most:g} are asked)") if hours > most else None


def _two_ids(picks: pl.DataFrame) -> _Found | None:
    named = picks.select("team", "player_id", name=pl.col("player_name").map_elements(fold, return_dtype=pl.String))
    twice = named.group_by("team", "name").agg(pl.col("player_id").unique().sort()).filter(pl.col("player_id").list.len() > 1)
    if twice.is_empty():
        return None
    rows = twice.sort("team", "name").to_dicts()
    players = "; ".join(f"{row['name']} of {row['team']} as {' and '.join(map(str, row['player_id']))}" for row in rows)
    return _Found(twice.height, 0, f"players go by two ids, so that line and history are apart: {players}")


def _alert(cause: str, slate: date, found: _Found) -> alerts.Alert:
    return alerts.Alert(
        cause=cause,
        severity="warning",
        what=f"The slate of {slate} is published without all that it should know: {found.what}.",
        next_step=f"Mend the feed, then before the first tip-off: {by_hand.predict(slate)}",
        occasion=slate.isoformat(),
        figure=found.figure,
        threshold=found.threshold,
        slate_date=slate,
        blocks="Nothing: numbers stay as they are, without what is missing.",
    )
