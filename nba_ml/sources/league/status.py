"""Injury reports and projected line-ups, as they were seen on the afternoon before, in the morning and shortly before tip-off."""

from datetime import time, timedelta

import numpy as np
import polars as pl

from nba_ml.sources.league.board import evening_before, morning_of
from nba_ml.sources.league.frames import SOURCE, UTC_TIME
from nba_ml.sources.league.rng import generator
from nba_ml.sources.league.rotation import LATE, MORNING, OPEN

OUT, DOUBTFUL, QUESTIONABLE, PROBABLE, AVAILABLE = "Out", "Doubtful", "Questionable", "Probable", "Available"
_SPOTS = ("PG", "SG", "SF", "PF", "C")
_WRONG_STARTER = 0.05


def _afternoon(news: np.ndarray, absent: np.ndarray, draw: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the status on the afternoon before; an empty text = not on the report."""
    known = np.where(draw < 0.9, OUT, DOUBTFUL)
    morning = np.where(draw < 0.25, "", np.where(second < 0.7, QUESTIONABLE, np.where(second < 0.95, DOUBTFUL, PROBABLE)))
    late = np.where(draw < 0.40, "", np.where(second < 0.75, QUESTIONABLE, PROBABLE))
    playing = np.where(draw < 0.30, "", np.where(second < 0.45, QUESTIONABLE, np.where(second < 0.95, PROBABLE, DOUBTFUL)))
    return np.where(absent, np.select([news == OPEN, news == MORNING], [known, morning], late), playing)


def _rows(board: pl.DataFrame, status: np.ndarray, seen: pl.Series) -> pl.DataFrame:
    frame = board.select("game_date", "team", "player_id", "player_name").with_columns(
        pl.lit("injury_report").alias("kind"),
        pl.Series("status", status),
        pl.lit(None, pl.String).alias("position"),
        seen.alias("captured_at"),
    )
    return frame.filter(pl.col("status") != "")


def _lineup(board: pl.DataFrame, five: np.ndarray, status: str, seen: pl.Series) -> pl.DataFrame:
    """Return the five starters of each team, point guard to centre by size."""
    return (
        board.select("game_id", "game_date", "team", "player_id", "player_name", "position")
        .with_columns(seen.alias("captured_at"))
        .filter(pl.Series(five))
        .sort("game_date", "game_id", "team", "position", "player_id")
        .with_columns(pl.int_range(pl.len()).over("game_id", "team").alias("spot"))
        .select(
            "game_date",
            "team",
            "player_id",
            "player_name",
            pl.lit("projected_lineup").alias("kind"),
            pl.lit(status).alias("status"),
            pl.col("spot").replace_strict(dict(enumerate(_SPOTS)), return_dtype=pl.String).alias("position"),
            "captured_at",
        )
    )


def _moments(board: pl.DataFrame) -> dict[str, pl.Series]:
    """Return when each row's game was reported on."""
    games = board.select("game_id", "game_date", "tipoff_utc").unique(maintain_order=True)
    pairs = games.select("game_date", "tipoff_utc").rows()
    games = games.with_columns(
        pl.Series("afternoon", [evening_before(day, time(17, 30)) for day, _ in pairs], dtype=UTC_TIME),
        pl.Series("morning", [morning_of(day, time(11, 30), tipoff) for day, tipoff in pairs], dtype=UTC_TIME),
        pl.Series("expected", [morning_of(day, time(13), tipoff) for day, tipoff in pairs], dtype=UTC_TIME),
        pl.Series("last", [tipoff - timedelta(minutes=90) for _, tipoff in pairs], dtype=UTC_TIME),
        pl.Series("confirmed", [tipoff - timedelta(minutes=35) for _, tipoff in pairs], dtype=UTC_TIME),
    )
    joined = board.select("game_id").join(games, on="game_id", how="left", maintain_order="left")
    return {name: joined[name] for name in ("afternoon", "morning", "expected", "last", "confirmed")}


def _expected_five(rng: np.random.Generator, board: pl.DataFrame) -> np.ndarray:
    """Return the five that a line-up service expects in the morning: now and then one of them is another player."""
    guess = board.select("game_id", "team").with_columns(
        pl.Series("starts", board["starts_morning"]),
        pl.Series("hope", board["points_morning"].to_numpy() * (board["plays_morning"].to_numpy() > 0)),
        pl.Series("draw", rng.uniform(size=board.height)),
    )
    wrong = (pl.col("starts") & (pl.col("draw") < _WRONG_STARTER)).cast(pl.Int8)
    score = pl.col("hope") + pl.when(pl.col("starts") & (wrong == 0)).then(1000).when(pl.col("starts")).then(-1000).otherwise(0)
    return guess.select((score.rank("ordinal", descending=True).over("game_id", "team") <= 5).alias("five"))["five"].to_numpy()


def status_rows(seed: int, year: int, board: pl.DataFrame) -> pl.DataFrame:
    """Return rows of nba_raw.player_status for a season; `board` is from `board.player_games`."""
    rng = generator(seed, year, "status")
    draw, second, third = rng.uniform(size=(3, board.height))
    moments = _moments(board)
    absent, news = board["absent"].to_numpy(), board["news"].to_numpy()
    reported = absent | board["ailing"].to_numpy()
    afternoon = np.where(reported, _afternoon(news, absent, draw, second), "")
    surprise = absent & (news == LATE) & (afternoon == "") & (third < 0.4)
    eased = (afternoon == QUESTIONABLE) & ~absent & (third < 0.4)
    morning = np.where(absent & (news <= MORNING), OUT, np.where(surprise, QUESTIONABLE, np.where(eased, PROBABLE, afternoon)))
    morning = np.where(~absent & (morning == DOUBTFUL), QUESTIONABLE, morning)
    last = np.where(absent, OUT, np.where(afternoon != "", AVAILABLE, ""))
    return (
        pl.concat(
            [
                _rows(board, afternoon, moments["afternoon"]),
                _rows(board, morning, moments["morning"]),
                _rows(board, last, moments["last"]),
                _lineup(board, _expected_five(rng, board), "Expected", moments["expected"]),
                _lineup(board, board["started"].to_numpy(), "Confirmed", moments["confirmed"]),
            ]
        )
        .with_columns(pl.col("player_name").alias("player_raw"), pl.lit(SOURCE).alias("source"))
        .sort("game_date", "kind", "team", "player_id", "captured_at")
    )
