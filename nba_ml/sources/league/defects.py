"""Faults that real feeds have shown, put into the simulated feed on request, to see the gates work."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta

import polars as pl

from nba_ml.errors import UsageError

PLACEHOLDER = 15.5
STALE_DAYS = 7
_PLACEHOLDER_SHARE = (2, 5)
_IN_PLAY = timedelta(minutes=25)


def _duplicated_feed(box: pl.DataFrame, last: date) -> pl.DataFrame:
    return pl.concat([box, box.filter(game_date=last)])


def _clock_minutes(box: pl.DataFrame, last: date) -> pl.DataFrame:
    """Return box scores as a feed gives them that writes the last date's minutes as text: "34:00"."""
    clock = pl.col("minutes").cast(pl.Int64).cast(pl.String) + ":00"
    plain = pl.col("minutes").cast(pl.String)
    return box.with_columns(pl.when(pl.col("game_date") == last).then(clock).otherwise(plain).alias("minutes"))


def _missing_team(box: pl.DataFrame, last: date) -> pl.DataFrame:
    day = box.filter(game_date=last).sort("game_id", "team")
    if day.is_empty():
        return box
    gone = day.row(0, named=True)
    return box.filter((pl.col("game_id") != gone["game_id"]) | (pl.col("team") != gone["team"]))


def _late_results(box: pl.DataFrame, last: date) -> pl.DataFrame:
    return box.filter(pl.col("game_date") != last)


def _in_play_quotes(lines: pl.DataFrame, last: date) -> pl.DataFrame:
    closing = lines.filter(game_date=last).sort("captured_at").group_by("game_id", "player_id", "bookmaker", maintain_order=True).last()
    live = closing.with_columns(pl.col("tipoff_utc").add(_IN_PLAY).alias("captured_at"), pl.col("line") + 2.0)
    return pl.concat([lines, live.select(lines.columns)])


def _placeholder_line(lines: pl.DataFrame, last: date) -> pl.DataFrame:
    some, of = _PLACEHOLDER_SHARE
    rank = pl.col("player_id").rank("dense").over("game_date")
    stuck = (pl.col("game_date") >= last) & (rank % of < some)
    return lines.with_columns(pl.when(stuck).then(PLACEHOLDER).otherwise("line").alias("line"))


_DEFECTS: dict[str, tuple[str, Callable[[pl.DataFrame, date], pl.DataFrame]]] = {
    "duplicated_feed": ("player_box", _duplicated_feed),
    "clock_minutes": ("player_box", _clock_minutes),
    "missing_team": ("player_box", _missing_team),
    "late_results": ("player_box", _late_results),
    "in_play_quotes": ("prop_lines", _in_play_quotes),
    "placeholder_line": ("prop_lines", _placeholder_line),
}

STALE_SCHEDULE = "stale_schedule"

NAMES = (*_DEFECTS, STALE_SCHEDULE)
"""duplicated_feed: box scores of the last date twice. clock_minutes: that date's minutes as text. missing_team: one team's rows absent from a
game of it. late_results: all its rows absent. in_play_quotes: quotes from after tip-off on it. placeholder_line: two of five players of it
and of later dates at 15.5. stale_schedule: the schedule as it was a week before it."""


def check(names: Iterable[str]) -> tuple[str, ...]:
    """Return the defects asked for.

    Raises
    ------
    UsageError
        Listing the valid ones, if one is unknown.
    """
    wanted = tuple(name.strip() for name in names if name.strip())
    unknown = [name for name in wanted if name not in NAMES]
    if unknown:
        raise UsageError(
            f"unknown defect {', '.join(unknown)} of the simulated feed; valid are {', '.join(NAMES)}: correct NBA_ML_SIMULATED_DEFECTS"
        )
    return wanted


def apply(wanted: Iterable[str], table: str, frame: pl.DataFrame, last: date) -> pl.DataFrame:
    """Put the wanted defects of one table into its rows; `last` is the last played date."""
    for name in wanted:
        if name in _DEFECTS and _DEFECTS[name][0] == table:
            frame = _DEFECTS[name][1](frame, last)
    return frame
