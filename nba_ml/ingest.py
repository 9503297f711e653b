"""Raw data in: read a span from the source, check all of it, and only then write."""

import logging
from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from nba_ml import calendar, slate_calendar
from nba_ml.context import Context
from nba_ml.errors import BadInput, UsageError
from nba_ml.games import first_tipoffs
from nba_ml.gates import load_gates
from nba_ml.progress import track
from nba_ml.rhythm import DAYS_AHEAD, DAYS_BACK
from nba_ml.sources import checks
from nba_ml.sources.port import GIVEN_TABLES, RAW_TABLES, GivenFeatures, Source
from nba_ml.validation import quarantine
from nba_ml.warehouse.port import LATEST

log = logging.getLogger(__name__)

_NAMES = "nba_raw.given_feature_names"


def daily_span(context: Context, today: date) -> tuple[date, date]:
    """Return the first and last date that a day's ingest reads: after an outage it begins where the box scores end, so that no hole stays."""
    context.warehouse.ensure()
    found = context.warehouse.query("SELECT MAX(game_date) AS last FROM nba_raw.player_box WHERE game_date < $today", {"today": today})
    last: date | None = found["last"][0]
    usual = calendar.days_back(today, DAYS_BACK + 1)
    return min(usual, last or usual), today + DAYS_AHEAD


def ingest(context: Context, first: date, last: date, *, run: str) -> dict[str, Any]:
    """Bring the span's raw rows into nba_raw.

    Parameters
    ----------
    context : Context
        Source, and warehouse to write to.
    first, last : date
        First and last game date, both included.
    run : str
        Name of the run, as in ``ingest:2024-01-05:2024-01-05``; validation results are kept under it.

    Returns
    -------
    dict
        ``from``, ``to``; ``tables``: table → ``rows`` written and how many of them are ``new``; ``quarantined`` rows; scheduled ``games``;
        ``games_without_rows`` (past games that have no box score), with ``dates_without_rows`` and ``missing``, which names each game, and
        each team that has no rows in a game of which the other team has; ``games_without_score``: past games without a final score;
        ``slates``: the past game dates of the span, whose results are now as the source has them; ``changed``: the game dates whose scores or
        points are new, or other than they were, and those that a game was moved away from.

    Raises
    ------
    BadInput
        Where the data is wrong; nothing is written then.
    GateRefused
        Where a rule of a suite stops the run; nothing is written to nba_raw, the verdicts are kept.

    Notes
    -----
    The order is structure, natural keys, tables against each other, then the suites, whose offending rows go to nba_ops.quarantine.
    Every write is an upsert by id, so a repeated or broken-off run changes nothing twice.
    """
    if last < first:
        raise UsageError(f"--from {first} is after --to {last}: swap them")
    context.warehouse.ensure()
    until = context.source.last_date()
    frames = read_checked(context.source, first, last)
    _not_empty(context, frames["schedule"], first, last)
    _same_names(context, frames)
    kept, quarantined = _judge(context, frames, run)
    quarantined += _set_aside(context, first, last, run)
    if quarantined:
        log.warning("%d rows were kept out of the raw tables; nba_ops.quarantine has each with its reason", quarantined)
    changed = _changed(context, kept, first, last)
    tables = {}
    for name in track(kept, "writing raw tables"):
        rows = kept[name]
        new = context.warehouse.upsert(f"nba_raw.{name}", rows, whole=WHOLE.get(name, ())) if rows.height else 0
        tables[f"nba_raw.{name}"] = {"rows": rows.height, "new": new}
    _save_slates(context)
    missing = without_rows(kept["schedule"], kept["player_box"], until)
    unscored = kept["schedule"].filter((pl.col("game_date") <= until) & pl.any_horizontal(pl.col("home_points", "away_points").is_null()))
    empty = missing.filter(pl.col("team").is_null())
    return {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "tables": tables,
        "quarantined": quarantined,
        "games": frames["schedule"].height,
        "games_without_rows": empty.height,
        "dates_without_rows": [day.isoformat() for day in empty["game_date"].unique().sort()],
        "games_without_score": unscored.height,
        "slates": [day.isoformat() for day in kept["schedule"].filter(pl.col("game_date") <= until)["game_date"].unique().sort()],
        "changed": [day.isoformat() for day in changed],
        "missing": [{**row, "game_date": row["game_date"].isoformat()} for row in missing.iter_rows(named=True)],
    }


def _changed(context: Context, kept: Mapping[str, pl.DataFrame], first: date, last: date) -> list[date]:
    """Return the dates whose results the rows to write will change; to be asked before they are written."""
    score, line = ["game_id", "game_date", "home_points", "away_points"], ["game_id", "game_date", "player_id", "team", "minutes", "points"]
    games = kept["schedule"].select(score)
    stored_games = context.warehouse.read("nba_raw.schedule", as_of=LATEST, columns=score).join(games, on="game_id", how="semi")
    box = kept["player_box"].select(line)
    stored_box = context.warehouse.read("nba_raw.player_box", as_of=LATEST, dates=(first, last), columns=line)
    stored_box = stored_box.join(box, on=["game_id", "team"], how="semi")
    fixtures = games.filter(pl.any_horizontal(pl.col("home_points", "away_points").is_not_null()))
    moved = stored_games.join(games.select("game_id", "game_date"), on=["game_id", "game_date"], how="anti")
    pairs = [(fixtures, stored_games), (box, stored_box), (stored_box, box)]
    differing = [left.join(right, on=left.columns, how="anti", nulls_equal=True) for left, right in pairs]
    return pl.concat([frame["game_date"] for frame in (*differing, moved)]).unique().sort().to_list()


def _save_slates(context: Context) -> None:
    """Write the calendar of slates that Airflow's scheduler plans by."""
    schedule = context.warehouse.read("nba_raw.schedule", as_of=LATEST, columns=["game_date", "tipoff_utc"])
    slate_calendar.save(context.settings.home_folder, first_tipoffs(schedule))


WHOLE = {"player_box": ("game_id", "team"), "given_features": ("game_date",)}
"""Tables of which a source gives all rows of a group or none: a correction that takes a player out of a box score takes his row out too."""


def read_checked(source: Source, first: date, last: date) -> dict[str, pl.DataFrame]:
    """Read all raw tables of a span and check them, each alone and against each other; writes nothing.

    Raises
    ------
    BadInput
        For the first thing that is wrong, with file, row and field where the source can tell them.
    """
    locate = checks.locator(source)
    frames = {}
    given_too = isinstance(source, GivenFeatures)
    for name in track((*RAW_TABLES, *(GIVEN_TABLES if given_too else ())), f"reading {source.name}"):
        frames[name] = checks.structure(name, getattr(source, name)(first, last), locate)
        checks.unique_key(name, frames[name], locate)

    def date_of(game_id: str) -> date | None:
        whole = source.schedule(source.first_date(), source.last_date())
        return next(iter(whole.filter(pl.col("game_id") == game_id)["game_date"]), None)

    checks.cross_tables(frames["schedule"], frames["player_box"], locate, date_of, whole=not given_too)
    return frames


def without_rows(schedule: pl.DataFrame, box: pl.DataFrame, until: date) -> pl.DataFrame:
    """Return the scheduled games up to `until` that lack box-score rows.

    Returns
    -------
    DataFrame
        ``game_date``, ``game_id``, ``home``, ``away``, ``team``: the team that lacks rows, null where both do.
    """
    games = schedule.filter(pl.col("game_date") <= until).select("game_date", "game_id", "home", "away")
    teams = pl.concat([games.with_columns(team=pl.col(side)) for side in ("home", "away")])
    lacking = teams.join(box.select("game_id", "team").unique(), on=["game_id", "team"], how="anti")
    both = pl.len() > 1
    return (
        lacking.group_by("game_date", "game_id", "home", "away")
        .agg(pl.when(~both).then(pl.col("team").first()).alias("team"))
        .sort("game_date", "game_id")
    )


def _judge(context: Context, frames: Mapping[str, pl.DataFrame], run: str) -> tuple[dict[str, pl.DataFrame], int]:
    from nba_ml.validation.gate import run_suite

    kept = dict(frames)
    verdicts = []
    for name, rows in frames.items():
        if rows.height and name in RAW_TABLES:
            verdict = run_suite(context, name, rows, run=run)
            kept[name] = verdict.kept
            verdicts.append(verdict)
    for verdict in verdicts:
        verdict.raise_if_stopped()
    return kept, sum(verdict.quarantined for verdict in verdicts)


def _not_empty(context: Context, schedule: pl.DataFrame, first: date, last: date) -> None:
    """Refuse a source that tells of no game at all in a span in which games are known."""
    stored = context.warehouse.read("nba_raw.schedule", as_of=LATEST, dates=(first, last), columns=["game_id"]).height
    if schedule.is_empty() and stored >= load_gates()["ingest"]["empty_feed_games"]:
        raise BadInput(
            f"the source {context.source.name} tells of no game from {first} to {last}, and {stored} are known: the feed is empty. See "
            f"`nba-ml doctor` for the source's settings, then run: nba-ml ingest --from {first} --to {last}"
        )


def _same_names(context: Context, frames: Mapping[str, pl.DataFrame]) -> None:
    """Refuse given features whose version had other names, or another order of them, when it was ingested before."""
    names = frames.get("given_feature_names")
    if names is None or names.is_empty():
        return
    version = names["feature_version"][0]
    stored = context.warehouse.read(_NAMES, as_of=LATEST, where={"feature_version": version})
    both = names.select("position", "name").join(stored.select("position", was="name"), on="position", how="full", coalesce=True)
    differing = both.filter(pl.col("name").ne_missing(pl.col("was"))).sort("position")
    if stored.height and differing.height:
        row = differing.row(0, named=True)
        raise BadInput(
            f"{names['source'][0]}, field feature_names of version {version}: position {row['position']} is {row['name'] or 'nothing'}, and was "
            f"{row['was'] or 'nothing'} when the version was ingested before; one feature_version has one list of names in one order: correct "
            "the rows, or give them another feature_version"
        )


def _set_aside(context: Context, first: date, last: date, run: str) -> int:
    """Write down the rows that the source itself keeps out; return their number."""
    if not isinstance(context.source, GivenFeatures):
        return 0
    found = context.source.set_aside(first, last)
    for entry in found:
        log.warning("%d rows of %s are kept out (%s): %s", entry.rows.height, entry.suite, entry.rule, entry.reason)
    entries = quarantine.written_down(((entry.suite, entry.rule, entry.reason, entry.rows) for entry in found), run, calendar.now())
    if entries.height:
        context.warehouse.append(quarantine.TABLE, entries)
    return sum(entry.rows.height for entry in found)
