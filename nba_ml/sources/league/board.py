"""All player-games of a season in one long table: what was expected of whom at each stage of the news, and what came of it."""

from datetime import date, datetime, time, timedelta

import numpy as np
import polars as pl

from nba_ml import calendar
from nba_ml.sources.league.frames import UTC_TIME, game_dates, times
from nba_ml.sources.league.names import FIRST_ID
from nba_ml.sources.league.players import Cast
from nba_ml.sources.league.rotation import LATE, MORNING, OPEN, starters
from nba_ml.sources.league.season import Batch
from nba_ml.sources.league.teams import CODES

STAGES = {"open": OPEN, "morning": MORNING, "late": LATE}
_LEAST_NOTICE = timedelta(hours=4)


def evening_before(day: date, hour: time) -> datetime:
    """Return a New York hour on the day before a slate."""
    return calendar.at_new_york(day - timedelta(days=1), hour)


def morning_of(day: date, hour: time, tipoff: datetime) -> datetime:
    """Return a New York hour on the day of a game, at least four hours before its tip-off."""
    return min(calendar.at_new_york(day, hour), tipoff - _LEAST_NOTICE)


def player_games(cast: Cast, names: list[str], batches: list[Batch]) -> pl.DataFrame:
    """Return one row per player under contract and game.

    Returns
    -------
    DataFrame
        Identity columns; absent, first_missed, news, ailing, started; and for each stage of `STAGES` what was expected with the absences
        known by then: points_<stage>, plays_<stage> (0 where known to be out) and starts_<stage>.
    """
    label = np.array(names)
    codes = np.array(CODES)
    frames = []
    for batch in batches:
        games = len(batch.game_ids)
        squad = batch.squad
        teams, places = squad.who.shape
        game = np.repeat(np.arange(teams) % games, places)
        who = squad.who.ravel()
        columns = {
            "game_id": np.array(batch.game_ids)[game],
            "game_date": pl.Series(game_dates(batch)).gather(game),
            "tipoff_utc": times(batch.tipoffs).gather(game),
            "player_id": FIRST_ID + cast.players.number[who],
            "player_name": label[who],
            "team": np.repeat(codes[batch.team], places),
            "opponent": np.repeat(codes[batch.opponent], places),
            "position": cast.players.position[who],
            "absent": squad.absent.ravel(),
            "first_missed": squad.first_missed.ravel(),
            "news": squad.news.ravel(),
            "ailing": squad.ailing.ravel(),
            "started": batch.result.started.ravel(),
        }
        for stage, known in STAGES.items():
            view = batch.views[known]
            columns[f"points_{stage}"] = view.points.ravel()
            columns[f"plays_{stage}"] = view.plays.ravel()
            columns[f"starts_{stage}"] = starters(squad, squad.absent & (squad.news <= known)).ravel()
        frames.append(pl.DataFrame(columns))
    return pl.concat(frames).with_columns(
        pl.col("tipoff_utc").cast(UTC_TIME), pl.lit(calendar.season_name(batches[0].year)).alias("season")
    )
