"""Checks of raw tables before anything is written: structure, natural keys, and what one table says about another. For every source."""

from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Any

import polars as pl

from nba_ml import calendar
from nba_ml.errors import BadInput
from nba_ml.sources.casting import cast
from nba_ml.sources.port import Source
from nba_ml.warehouse.schema import table

Locate = Callable[[str, Mapping[str, Any]], str]
"""From a raw table's short name and some of a row's values to words that say where the row is, as in ``player_box.parquet row 12``."""

_CASTS = {"minutes": "minutes"}
_CORRECT = "correct it and run the same command again"


def locator(source: Source) -> Locate:
    """Return the source's own `locate`, which names files and rows, or one that names table and values."""
    return getattr(source, "locate", _plain)


def _plain(name: str, key: Mapping[str, Any]) -> str:
    return f"nba_raw.{name} row with " + ", ".join(f"{column} {value}" for column, value in key.items())


def structure(name: str, frame: pl.DataFrame, locate: Locate = _plain) -> pl.DataFrame:
    """Give rows of a raw table its columns and types, and its id.

    Raises
    ------
    BadInput
        Where a column is missing or unknown, a value is of another type, or a required one is null; names row and field.
    """
    target = table(f"nba_raw.{name}")
    missing = [column.name for column in target.columns if column.required and column.name not in ("id", *frame.columns)]
    unknown = sorted(set(frame.columns) - set(target.schema))
    if missing or unknown:
        problem = f"column {missing[0]} is missing" if missing else f"column {unknown[0]} is unknown"
        raise BadInput(f"{locate(name, {})}: {problem}; the table's columns are in docs/tables.md; {_CORRECT}")

    def where(position: int, field: str) -> str:
        row = frame.row(position, named=True)
        return f"{locate(name, {key: row[key] for key in target.key if key in row})}, field {field}"

    columns = []
    for column in target.columns:
        if column.name not in frame.columns or column.name == "id":
            continue
        values = frame[column.name]
        if values.dtype != column.dtype:
            values = cast(values, _CASTS.get(column.name, column.type), partial(where, field=column.name))
        if column.required and values.null_count():
            raise BadInput(f"{where(values.is_null().arg_true()[0], column.name)}: the value is missing; {_CORRECT}")
        columns.append(values)
    return target.conform(pl.DataFrame(columns))


def unique_key(name: str, frame: pl.DataFrame, locate: Locate = _plain) -> None:
    """Refuse rows that repeat a natural key.

    Raises
    ------
    BadInput
        Naming the first repeated key and where its rows are.
    """
    key = list(table(f"nba_raw.{name}").key)
    repeated = frame.filter(frame.select(key).is_duplicated())
    if repeated.height:
        row = repeated.row(0, named=True)
        values = ", ".join(f"{column} {row[column]}" for column in key)
        others = repeated.select(key).n_unique() - 1
        raise BadInput(
            f"{locate(name, {column: row[column] for column in key})}, fields {', '.join(key)}: the row is there more than once ({values})"
            f"{f', and {others} others too' if others else ''}; keep one of each and run the same command again"
        )


def cross_tables(
    schedule: pl.DataFrame,
    box: pl.DataFrame,
    locate: Locate = _plain,
    date_of: Callable[[str], date | None] = lambda game_id: None,
    *,
    whole: bool = True,
) -> None:
    """Check box scores against the schedule.

    Parameters
    ----------
    schedule, box : DataFrame
        Rows of nba_raw.schedule and nba_raw.player_box of one span.
    locate : callable
        Says where a row is.
    date_of : callable
        From the id of a game that is not in `schedule` to its date in the whole schedule, or None.
    whole : bool
        Whether the source gives every player of a game, so that their points add up to the final score.

    Raises
    ------
    BadInput
        Where a game's season is not that of its date; a team plays twice on a date; a box score's game is not scheduled, or on another date;
        its team, opponent or season is not the game's; or a team's points do not add up to its final score. A team without any rows is no
        error: coverage counts its game as incomplete.
    """
    _season_of_its_date(schedule, locate)
    _one_game_a_day(schedule, locate)
    games = schedule.select(
        *("game_id", "home", "away", "home_points", "away_points"),
        scheduled="game_date",
        scheduled_season="season",
        scheduled_type="season_type",
    )
    joined = box.join(games, on="game_id", how="left", maintain_order="left")
    _scheduled(joined, locate, date_of)
    _teams(joined, locate)
    if whole:
        _points(joined, locate)


def _key(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"game_id": row["game_id"], "player_id": row["player_id"]}


def _season_of_its_date(schedule: pl.DataFrame, locate: Locate) -> None:
    named = {day: calendar.season_of(day) for day in schedule["game_date"].unique()}
    known = pl.col("game_date").replace_strict(named, return_dtype=pl.String)
    wrong = schedule.filter(pl.col("season") != known)
    if wrong.height:
        row = wrong.row(0, named=True)
        raise BadInput(
            f"{locate('schedule', {'game_id': row['game_id']})}, field season: {row['season']!r} is not the season of {row['game_date']}, which "
            f"is written {named[row['game_date']]} ({wrong.height} games in all); {_CORRECT}"
        )


def _one_game_a_day(schedule: pl.DataFrame, locate: Locate) -> None:
    sides = pl.concat([schedule.select("game_date", "game_id", team=side) for side in ("home", "away")])
    twice = sides.filter(sides.select("game_date", "team").is_duplicated()).sort("game_date", "team", "game_id")
    if twice.height:
        first, second = twice.row(0, named=True), twice.row(1, named=True)
        raise BadInput(
            f"{locate('schedule', {'game_id': second['game_id']})}, field game_date: {first['team']} plays twice on {first['game_date']}, "
            f"in games {first['game_id']} and {second['game_id']}; one of the dates is wrong: {_CORRECT}"
        )


def _scheduled(joined: pl.DataFrame, locate: Locate, date_of: Callable[[str], date | None]) -> None:
    wrong = joined.filter(pl.col("scheduled").is_null() | (pl.col("scheduled") != pl.col("game_date")))
    if not wrong.height:
        return
    row = wrong.row(0, named=True)
    scheduled = row["scheduled"] or date_of(row["game_id"])
    games = wrong["game_id"].n_unique()
    more = f" ({wrong.height} rows of {games} game{'s' if games > 1 else ''} in all)"
    where = locate("player_box", _key(row))
    if scheduled is None:
        raise BadInput(f"{where}, field game_id: game {row['game_id']} of {row['game_date']} is not in the schedule{more}; {_CORRECT}")
    raise BadInput(
        f"{where}, field game_date: game {row['game_id']} is dated {row['game_date']}, "
        f"and the schedule has it on {scheduled}{more}; {_CORRECT}"
    )


def _teams(joined: pl.DataFrame, locate: Locate) -> None:
    home, away = pl.col("home"), pl.col("away")
    checks = {
        "team": ~pl.col("team").is_in(pl.concat_list(home, away)),
        "opponent": pl.col("opponent") != pl.when(pl.col("team") == home).then(away).otherwise(home),
        "is_home": pl.col("is_home") != (pl.col("team") == home),
        "season": pl.col("season") != pl.col("scheduled_season"),
        "season_type": pl.col("season_type") != pl.col("scheduled_type"),
    }
    for field, wrong in checks.items():
        rows = joined.filter(wrong)
        if rows.height:
            row = rows.row(0, named=True)
            raise BadInput(
                f"{locate('player_box', _key(row))}, field {field}: {row[field]} does not fit game {row['game_id']}, "
                f"{row['away']} at {row['home']} ({rows.height} rows in all); {_CORRECT}"
            )


def _points(joined: pl.DataFrame, locate: Locate) -> None:
    final = pl.when(pl.col("is_home")).then("home_points").otherwise("away_points")
    sums = joined.group_by("game_date", "game_id", "team", maintain_order=True).agg(
        pl.col("points").sum(), final.first().alias("final"), pl.col("player_id").first()
    )
    wrong = sums.filter(pl.col("points") != pl.col("final"))
    if wrong.height:
        row = wrong.row(0, named=True)
        raise BadInput(
            f"{locate('player_box', {'game_id': row['game_id'], 'team': row['team']})}, field points: the points of {row['team']} in game "
            f"{row['game_id']} on {row['game_date']} add up to {row['points']}, and the schedule's final score is {row['final']} "
            f"({wrong.height} team-games in all); {_CORRECT}"
        )
