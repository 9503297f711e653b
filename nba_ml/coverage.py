"""The coverage gate: nothing is trained on a history with holes (expected dates: `nba_ml.calendar.expected_seasons`)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from nba_ml import calendar, slate_calendar
from nba_ml.context import Context
from nba_ml.errors import GateRefused
from nba_ml.features import given
from nba_ml.games import complete_sides
from nba_ml.gates import least_share_of_points, load_gates

_SHOWN_DATES = 8
_SHOWN_COMMANDS = 4


def default_until(context: Context) -> date:
    """Return the last date that a step looks at by default: yesterday in New York, or the source's last box score if that is earlier."""
    yesterday = calendar.day_before(calendar.slate_date(calendar.now()))
    if context.settings.source in ("files", "simulated", "feature_store"):
        return min(context.source.last_date(), yesterday)
    return yesterday


def measure(context: Context, until: date) -> dict[str, Any]:
    """Measure which share of the expected game dates is complete, in each season since 2021-22 and overall.

    Parameters
    ----------
    context : Context
        Where the raw tables are.
    until : date
        Last date that is looked at; nothing known after its games counts.

    Returns
    -------
    dict
        ``until``, ``threshold``, ``coverage`` (0..1), ``passed``, ``commands`` that ingest what is missing (``backfill``: all of
        it as one span), and ``seasons``: each with
        ``season``, ``expected``, ``complete``, ``coverage``, ``missing`` (dates), ``short`` (schedule absent or too thin: coverage is 0).
    """
    gates = load_gates()["coverage"]
    span = (calendar.opener(calendar.FIRST_SEASON), until)
    as_of = calendar.end_of(until)
    schedule = context.warehouse.read(
        "nba_raw.schedule", as_of=as_of, dates=span, columns=["game_id", "game_date", "home", "away", "home_points", "away_points"]
    )
    box = context.warehouse.read("nba_raw.player_box", as_of=as_of, dates=span, columns=["game_id", "player_id", "team", "points"])
    least = least_share_of_points(context.settings.source)
    complete = complete_dates(schedule, box, players=gates["players_per_team"], share=gates["share_of_games"], least_share=least)
    if given.is_given(context.settings):
        complete &= accepted_dates(context.warehouse.read("nba_raw.given_dates", as_of=as_of, dates=span))
    scheduled = schedule["game_date"].to_list()
    expected = calendar.expected_seasons([*scheduled, *slate_calendar.holes(scheduled)], until)
    seasons = [_season(season, complete) for season in expected]
    threshold = gates["threshold"]
    total = sum(max(season["expected"], 1) for season in seasons)
    found = sum(season["complete"] for season in seasons if not season["short"])
    overall = found / total if total else 0.0
    spans = [span for report, season in zip(seasons, expected, strict=True) for span in _spans(report, season, until)]
    passed = bool(seasons) and overall >= threshold and all(season["coverage"] >= threshold for season in seasons)
    return {
        "until": until.isoformat(),
        "threshold": threshold,
        "coverage": overall,
        "passed": passed,
        "seasons": seasons,
        "backfill": {"from": spans[0][0].isoformat(), "to": spans[-1][1].isoformat()} if spans else None,
        "commands": [_command(*span) for span in spans],
    }


def require(context: Context, until: date) -> dict[str, Any]:
    """Measure coverage, and refuse to go on below the threshold.

    Raises
    ------
    GateRefused
        Naming season, figure, threshold, missing dates and the commands that backfill them.
    """
    report = measure(context, until)
    if not report["passed"]:
        raise GateRefused(refusal(report), report)
    return report


def complete_dates(schedule: pl.DataFrame, box: pl.DataFrame, *, players: int, share: float, least_share: float = 1.0) -> set[date]:
    """Return the dates of which enough games are complete.

    Parameters
    ----------
    schedule : DataFrame
        ``game_id``, ``game_date``, ``home``, ``away``, ``home_points``, ``away_points``.
    box : DataFrame
        ``game_id``, ``player_id``, ``team``, ``points``.
    players : int
        Each team of a complete game has at least so many rows, and they sum to its final score,
    least_share : float
        or to at least this share of it.
    share : float
        A date is complete when at least this share of its games is.
    """
    sides = complete_sides(schedule, box, players, least_share)
    games = sides.group_by("game_date", "game_id").agg(pl.col("complete").all())
    dates = games.group_by("game_date").agg(pl.col("complete").mean())
    return set(dates.filter(pl.col("complete") >= share)["game_date"])


def accepted_dates(dates: pl.DataFrame) -> set[date]:
    """Return the dates on which enough of the players on court have an accepted feature row (rows of nba_raw.given_dates)."""
    least = load_gates()["feature_store"]["share_of_rows"]
    return set(dates.filter(pl.col("accepted_rows") >= least * pl.col("outcome_rows"))["game_date"])


def refusal(report: Mapping[str, Any]) -> str:
    """Say why coverage is refused and what to run."""
    threshold = f"{report['threshold']:.0%}"
    if not report["seasons"]:
        return (
            f"Coverage gate: no season since {calendar.season_name(calendar.FIRST_SEASON)} has expected game dates by {report['until']}, "
            f"and {threshold} of them is required; choose a later --until, or ingest: {next_command(report)}"
        )
    lines = [
        f"Coverage gate: {report['coverage']:.1%} of the expected game dates are complete, {threshold} is required overall and per season."
    ]
    for season in report["seasons"]:
        if season["coverage"] >= report["threshold"]:
            continue
        if season["short"]:
            lines.append(f"{season['season']}: its schedule is absent or too thin ({season['expected']} dates), which counts as 0.0 %.")
            continue
        missing = season["missing"]
        more = f" and {len(missing) - _SHOWN_DATES} more" if len(missing) > _SHOWN_DATES else ""
        lines.append(
            f"{season['season']}: {season['coverage']:.1%} ({season['complete']} of {season['expected']} dates); "
            f"missing {', '.join(missing[:_SHOWN_DATES])}{more}."
        )
    commands = report["commands"]
    lines.append("Backfill: " + " ; ".join(commands[:_SHOWN_COMMANDS]))
    if len(commands) > _SHOWN_COMMANDS:
        lines.append(
            f"and {len(commands) - _SHOWN_COMMANDS} more spans (nba-ml coverage --json lists them); or all at once: {next_command(report)}"
        )
    return "\n".join(lines)


def next_command(report: Mapping[str, Any]) -> str:
    """Return the one command that ingests all that is missing, from the first missing date to the last."""
    if not report["seasons"]:
        return _command(calendar.opener(calendar.FIRST_SEASON), report["until"])
    return _command(report["backfill"]["from"], report["backfill"]["to"])


def _season(season: calendar.ExpectedSeason, complete: set[date]) -> dict[str, Any]:
    missing = [day for day in season.dates if day not in complete]
    done = len(season.dates) - len(missing)
    return {
        "season": season.season,
        "expected": len(season.dates),
        "complete": done,
        "coverage": 0.0 if season.short else done / len(season.dates),
        "missing": [day.isoformat() for day in missing],
        "short": season.short,
    }


def _spans(report: Mapping[str, Any], season: calendar.ExpectedSeason, until: date) -> list[tuple[date, date]]:
    """Merge missing dates to spans: two belong together when no complete expected date lies between them."""
    if season.short:
        year = int(season.season[:4])
        return [(calendar.opener(year), min(until, calendar.day_before(calendar.opener(year + 1))))]
    missing = {date.fromisoformat(day) for day in report["missing"]}
    return _runs(season.dates, missing)


def _runs(dates: Sequence[date], wanted: set[date]) -> list[tuple[date, date]]:
    spans: list[tuple[date, date]] = []
    open_span = False
    for day in dates:
        if day not in wanted:
            open_span = False
        elif open_span:
            spans[-1] = (spans[-1][0], day)
        else:
            spans.append((day, day))
            open_span = True
    return spans


def _command(first: date | str, last: date | str) -> str:
    return f"nba-ml ingest --from {first} --to {last}"
