"""Turn played batches into rows of nba_raw.schedule and nba_raw.player_box."""

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl

from nba_ml import calendar
from nba_ml.sources.league.games import COUNTS
from nba_ml.sources.league.names import FIRST_ID
from nba_ml.sources.league.players import Cast
from nba_ml.sources.league.season import Batch
from nba_ml.sources.league.teams import CODES

SOURCE = "simulated"
UTC_TIME = pl.Datetime("us", "UTC")
_CODES = np.array(CODES)
_POSITIONS = np.array(["G", "F", "C"])
_FIVE = np.array(["G", "G", "F", "F", "C"])


def game_dates(batch: Batch) -> list[date]:
    """Return the slate date of each game."""
    first = calendar.opener(batch.year)
    return [first + timedelta(days=day) for day in batch.fixtures.day.tolist()]


def times(moments: list[datetime]) -> pl.Series:
    """Return moments as a column of UTC times."""
    return pl.Series(moments, dtype=UTC_TIME)


def schedule_rows(batches: list[Batch]) -> pl.DataFrame:
    """Return rows of nba_raw.schedule, all played."""
    frames = []
    for batch in batches:
        dates = game_dates(batch)
        games = len(dates)
        result = batch.result
        frames.append(
            pl.DataFrame(
                {
                    "game_id": batch.game_ids,
                    "season": [calendar.season_name(batch.year)] * games,
                    "season_type": [batch.season_type] * games,
                    "game_date": dates,
                    "tipoff_utc": times(batch.tipoffs),
                    "home": _CODES[batch.fixtures.home],
                    "away": _CODES[batch.fixtures.away],
                    "neutral_site": batch.fixtures.neutral,
                    "home_points": result.score[:games],
                    "away_points": result.score[games:],
                    "overtime": result.overtime[:games],
                    "source": [SOURCE] * games,
                    "known_at": times([calendar.schedule_known_at(day, batch.season_type) for day in dates]),
                    "result_known_at": times([calendar.results_known_at(day) for day in dates]),
                }
            )
        )
    return pl.concat(frames).sort("game_date", "game_id")


def _start_positions(batch: Batch, position: np.ndarray) -> np.ndarray:
    """Label the five starters of each team-game guard, guard, forward, forward, centre, smallest first; others get an empty text."""
    started = batch.result.started
    order = np.argsort(np.where(started, position[batch.squad.who], 9), axis=1, kind="stable")
    labels = np.full(started.shape, "")
    np.put_along_axis(labels, order[:, :5], np.broadcast_to(_FIVE, (len(started), 5)), axis=1)
    return labels


def box_rows(cast: Cast, names: list[str], batches: list[Batch]) -> pl.DataFrame:
    """Return rows of nba_raw.player_box: those who got on court."""
    label = np.array(names)
    frames = []
    for batch in batches:
        games = len(batch.game_ids)
        result = batch.result
        pair, place = np.nonzero(result.played)
        player = batch.squad.who[pair, place]
        game = pair % games
        dates = pl.Series(game_dates(batch))
        points = result.score
        counts = {name: values[pair, place] for name, values in result.counts.items()}
        frames.append(
            pl.DataFrame(
                {
                    "game_id": np.array(batch.game_ids)[game],
                    "player_id": FIRST_ID + cast.players.number[player],
                    "player_name": label[player],
                    "season": np.repeat(calendar.season_name(batch.year), len(player)),
                    "season_type": np.repeat(batch.season_type, len(player)),
                    "game_date": dates.gather(game),
                    "team": _CODES[batch.team[pair]],
                    "opponent": _CODES[batch.opponent[pair]],
                    "is_home": pair < games,
                    "neutral_site": batch.fixtures.neutral[game],
                    "won": points[pair] > np.roll(points, games)[pair],
                    "starter": result.started[pair, place],
                    "start_position": _start_positions(batch, cast.players.position)[pair, place],
                    "minutes": result.minutes[pair, place],
                    "points": 2 * counts["fgm"] + counts["fg3m"] + counts["ftm"],
                    **{name: counts[name] for name in COUNTS[:8]},
                    "reb": counts["oreb"] + counts["dreb"],
                    **{name: counts[name] for name in COUNTS[8:]},
                    "plus_minus": result.plus_minus[pair, place],
                    "source": np.repeat(SOURCE, len(player)),
                    "known_at": times([calendar.results_known_at(day) for day in dates]).gather(game),
                }
            )
        )
    return pl.concat(frames).with_columns(pl.col("start_position").replace("", None)).sort("game_date", "game_id", "player_id")
