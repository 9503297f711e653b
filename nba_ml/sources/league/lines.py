"""Bookmakers' quotes on players' points, dated, with vig, and moved by late news."""

from datetime import datetime, time, timedelta

import numpy as np
import polars as pl
from scipy.special import ndtr

from nba_ml import calendar
from nba_ml.sources.league.board import evening_before
from nba_ml.sources.league.frames import SOURCE, UTC_TIME
from nba_ml.sources.league.rng import generator

BOOKS = ("draftkings", "fanduel", "betmgm", "caesars", "bet365")
OPENING, NOON, T150, T75, T10 = "opening", "noon", "t150", "t75", "t10"
MOMENTS = {OPENING: "open", NOON: "morning", T150: "morning", T75: "late", T10: "late"}
"""Moment of a quote → the stage of the news that it knows."""

FULL_BOARDS_SINCE = 2025
"""Seasons before this one carry two books, later ones three, and five on nationally televised games."""

_NATIONAL_SHARE = 0.06
_LEAST_POINTS = 5.5
_LEAST_PLAYS = 0.9
_SURE_OFFER = 0.95
_OFFER_SLOPE = 9.0
_OFFER_FROM = 4.0
_HOLD = 1.047
_SKEW = 0.42
_MINUTES_BEFORE = {T150: 150, T75: 75, T10: 10}


def _plan(year: int, national: bool) -> list[tuple[int, str]]:
    """Return the (book, moment) pairs that the feed kept."""
    if year < FULL_BOARDS_SINCE:
        return [(0, OPENING), (0, T150), (0, T10), (1, T10)]
    if national:
        return [(book, moment) for book in range(len(BOOKS)) for moment in MOMENTS]
    return [(0, OPENING), (0, T150), (0, T10), (1, OPENING), (1, T150), (1, T10), (2, T10)]


def _offered(appeal: np.ndarray, expected: np.ndarray, plays: np.ndarray) -> np.ndarray:
    """Return whose points a book would quote: nearly all regulars, a part of those who score less; `appeal` is uniform in 0..1."""
    chance = np.clip((expected - _OFFER_FROM) / _OFFER_SLOPE, 0, _SURE_OFFER)
    return (appeal < chance) & (expected >= _LEAST_POINTS) & (plays >= _LEAST_PLAYS)


def american(chance: np.ndarray) -> np.ndarray:
    """Return American odds, in steps of 5, whose implied probability is `chance`.

    Inverse of p = 100 / (a + 100) for a > 0, and −a / (−a + 100) for a < 0.
    """
    odds = np.where(chance >= 0.5, -100 * chance / (1 - chance), 100 * (1 - chance) / chance)
    rounded = np.rint(odds / 5) * 5
    return np.where(rounded == -100, 100, rounded)


def _quote_times(games: pl.DataFrame, moment: str, shift: np.ndarray) -> pl.DataFrame:
    """Return when each game's quote of a moment was seen, `shift` seconds early or late; null where the moment does not exist."""
    seen: list[datetime | None] = []
    for (day, tipoff), seconds in zip(games.select("game_date", "tipoff_utc").rows(), shift.tolist(), strict=True):
        if moment == OPENING:
            seen.append(evening_before(day, time(20, 30)) + timedelta(seconds=seconds * 10))
        elif moment == NOON:
            noon = calendar.at_new_york(day, time(12)) + timedelta(seconds=seconds)
            seen.append(noon if noon < tipoff - timedelta(minutes=160) else None)
        else:
            seen.append(tipoff - timedelta(minutes=_MINUTES_BEFORE[moment], seconds=seconds))
    return games.select("game_id").with_columns(pl.Series("captured_at", seen, dtype=UTC_TIME))


def prop_rows(seed: int, year: int, board: pl.DataFrame) -> pl.DataFrame:
    """Return rows of nba_raw.prop_lines for a season.

    Parameters
    ----------
    board : DataFrame
        From `board.player_games`.

    Notes
    -----
    A line is the expectation with the absences known at the time, less a constant for the skew of points, with an error that all books share,
    one that news wears off, and a small one of each book, rounded to the half point. Prices follow from a normal distribution of points
    with standard deviation 1.72·√expectation, times a hold.
    """
    rng = generator(seed, year, "prop lines")
    count = board.height
    appeal = rng.uniform(size=count)
    shared = rng.normal(size=count)
    early = rng.normal(size=count)
    games = board.select("game_id", "game_date", "tipoff_utc").unique(maintain_order=True)
    national = rng.uniform(size=games.height) < _NATIONAL_SHARE
    on_air = board["game_id"].is_in(games.filter(pl.Series(national))["game_id"].implode()).to_numpy()
    opened = _offered(appeal, board["points_open"].to_numpy(), board["plays_open"].to_numpy())
    kept = {False: set(_plan(year, national=False)), True: set(_plan(year, national=True))}
    parts = []
    for book in range(len(BOOKS)):
        for moment, stage in MOMENTS.items():
            pair = (book, moment)
            noise = rng.normal(size=count)
            shift = rng.integers(0, 240, games.height)
            wanted = np.where(on_air, pair in kept[True], pair in kept[False])
            expected, plays = board[f"points_{stage}"].to_numpy(), board[f"plays_{stage}"].to_numpy()
            listed = opened | _offered(appeal, expected, plays)
            chosen = np.flatnonzero(wanted & listed & (plays > 0))
            if not len(chosen):
                continue
            mean = expected[chosen]
            error = (0.065 * mean + 0.2) * shared[chosen] + (0.05 * mean if stage == "open" else 0.015 * mean) * early[chosen]
            median = np.maximum(mean - _SKEW + error + 0.22 * noise[chosen], 1.0)
            line = np.maximum(np.rint(median - 0.5), 0) + 0.5
            over = np.clip(ndtr((median - line) / (1.72 * np.sqrt(mean))), 0.36, 0.64)
            parts.append(
                board[chosen]
                .select("game_date", "season", "game_id", "player_id", "player_name", "team", "opponent", "tipoff_utc")
                .with_columns(
                    pl.lit(BOOKS[book]).alias("bookmaker"),
                    pl.Series("line", line),
                    pl.Series("over_odds", american(over * _HOLD)),
                    pl.Series("under_odds", american((1 - over) * _HOLD)),
                )
                .join(_quote_times(games, moment, shift), on="game_id", how="left", maintain_order="left")
                .filter(pl.col("captured_at").is_not_null())
            )
    return (
        pl.concat(parts)
        .with_columns(
            pl.col("player_name").alias("player_raw"),
            pl.lit("points").alias("market"),
            pl.lit("snapshot").alias("line_kind"),
            pl.lit(False).alias("odds_suspect"),
            pl.lit(SOURCE).alias("source"),
        )
        .sort("game_date", "game_id", "player_id", "bookmaker", "captured_at")
    )
