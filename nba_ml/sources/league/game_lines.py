"""Two books' spreads, totals and moneylines, at the opening and just before tip-off."""

from datetime import time, timedelta

import numpy as np
import polars as pl
from scipy.special import ndtr

from nba_ml import calendar
from nba_ml.sources.league.board import evening_before
from nba_ml.sources.league.frames import SOURCE, UTC_TIME, game_dates
from nba_ml.sources.league.lines import BOOKS, american
from nba_ml.sources.league.rng import generator
from nba_ml.sources.league.rotation import LATE, OPEN
from nba_ml.sources.league.season import Batch
from nba_ml.sources.league.teams import CODES

_BOOKS = BOOKS[:2]
_MARGIN_SPREAD = 14.0
_HOLD = 1.045
_BOOK_ERROR = 0.3
_MOMENTS = (("opening", OPEN, 1.2), ("closing", LATE, 0.7))


def _half(value: np.ndarray) -> np.ndarray:
    return np.rint(value - 0.5) + 0.5


def game_line_rows(seed: int, year: int, batches: list[Batch]) -> pl.DataFrame:
    """Return rows of nba_raw.game_lines for a season."""
    games = pl.concat(
        pl.DataFrame(
            {
                "game_id": batch.game_ids,
                "game_date": game_dates(batch),
                "tipoff": pl.Series(batch.tipoffs, dtype=UTC_TIME),
                "home": np.array(CODES)[batch.fixtures.home],
                "away": np.array(CODES)[batch.fixtures.away],
                **{
                    f"{side}_{moment}": batch.views[stage].team_points[half]
                    for moment, stage, _ in _MOMENTS
                    for side, half in (("h", slice(None, len(batch.game_ids))), ("a", slice(len(batch.game_ids), None)))
                },
            }
        )
        for batch in batches
    )
    rng = generator(seed, year, "game lines")
    parts = []
    for moment, _, error in _MOMENTS:
        home, away = games[f"h_{moment}"].to_numpy(), games[f"a_{moment}"].to_numpy()
        if moment == "opening":
            seen = [evening_before(day, time(20)) for day in games["game_date"]]
        else:
            seen = [tipoff - timedelta(minutes=12) for tipoff in games["tipoff"]]
        believed_margin = home - away + error * rng.normal(size=games.height)
        believed_total = home + away + 1.5 * error * rng.normal(size=games.height)
        for book in _BOOKS:
            margin = believed_margin + _BOOK_ERROR * rng.normal(size=games.height)
            total = believed_total + _BOOK_ERROR * rng.normal(size=games.height)
            chance = np.clip(ndtr(margin / _MARGIN_SPREAD), 0.04, 0.95)
            even = np.full(games.height, -110.0)
            base = games.select("game_id", "game_date", "home", "away").with_columns(
                pl.lit(book).alias("bookmaker"), pl.Series("captured_at", seen, dtype=UTC_TIME)
            )
            nothing = np.full(games.height, np.nan)
            for market, line, for_home, for_away, over, under in (
                ("spread", _half(-margin), even, even, nothing, nothing),
                ("total", _half(total), nothing, nothing, even, even),
                ("moneyline", nothing, american(np.minimum(chance * _HOLD, 0.985)), american((1 - chance) * _HOLD), nothing, nothing),
            ):
                parts.append(
                    base.with_columns(
                        pl.lit(market).alias("market"),
                        pl.Series("line", line),
                        pl.Series("home_odds", for_home),
                        pl.Series("away_odds", for_away),
                        pl.Series("over_odds", over),
                        pl.Series("under_odds", under),
                    )
                )
    return (
        pl.concat(parts)
        .with_columns(
            pl.col("line", "home_odds", "away_odds", "over_odds", "under_odds").fill_nan(None),
            pl.lit(calendar.season_name(year)).alias("season"),
            pl.lit(True).alias("pre_tip"),
            pl.lit(0, pl.Int64).alias("ordinal"),
            pl.lit(SOURCE).alias("source"),
        )
        .sort("game_date", "game_id", "market", "bookmaker", "captured_at")
    )
