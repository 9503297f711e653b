"""Rest, load, venue and the phase of the season: facts of the schedule that are known before a game."""

import polars as pl

from nba_ml.calendar import opener
from nba_ml.features.frame import Games, at, past, per_player

LONGEST_REST = 15
"""Days of rest beyond which more rest says nothing (a longer gap is an absence or a summer)."""


def team_rest(games: Games) -> pl.DataFrame:
    """Return days of rest and games within 7 and 14 days for every team-game, in the order of ``games.teams``."""
    day = pl.col("game_date").dt.epoch("d")
    teams = games.teams.with_columns(day=day)
    earlier = [(day - day.shift(lag)).over("team") for lag in range(1, 9)]
    return teams.select(
        team_rest=pl.min_horizontal(earlier[0].fill_null(LONGEST_REST), LONGEST_REST),
        team_games_7=pl.sum_horizontal([(gap <= 7).cast(pl.Int64) for gap in earlier[:5]]),
        team_games_14=pl.sum_horizontal([(gap <= 14).cast(pl.Int64) for gap in earlier]),
    )


def rest(games: Games) -> pl.DataFrame:
    """Return one row per player-game, in the order of ``games.players``."""
    teams = team_rest(games)
    openers = {season: opener(int(season[:4])) for season in games.players["season"].unique()}
    day = pl.col("game_date").dt.epoch("d")
    frame = games.players.hstack(at(teams, games.players["side"]))
    frame = frame.hstack(at(teams.select(opponent_rest="team_rest"), games.players["other"]))
    return frame.select(
        rest_days=pl.min_horizontal(per_player(day - past(day)), LONGEST_REST),
        team_rest="team_rest",
        opponent_rest="opponent_rest",
        rest_advantage=pl.col("team_rest") - pl.col("opponent_rest"),
        back_to_back=(pl.col("team_rest") == 1).cast(pl.Int64),
        team_games_7="team_games_7",
        team_games_14="team_games_14",
        minutes_last_3_days=_recent_minutes(day, 3),
        minutes_last_7_days=_recent_minutes(day, 7),
        is_home=pl.col("is_home").cast(pl.Int64),
        neutral_site=pl.col("neutral_site").fill_null(False).cast(pl.Int64),
        playoffs=(pl.col("season_type") == "Playoffs").cast(pl.Int64),
        season_day=day - pl.col("season").replace_strict(openers, return_dtype=pl.Date).dt.epoch("d"),
        weekday=pl.col("game_date").dt.weekday(),
    )


def _recent_minutes(day: pl.Expr, days: int) -> pl.Expr:
    """Minutes of a player within the last `days` days; he plays at most once a day."""
    terms = []
    for lag in range(1, days + 1):
        recent = per_player(day - day.shift(lag)) <= days
        terms.append(pl.when(recent).then(per_player(pl.col("minutes").shift(lag))).otherwise(0.0))
    return pl.sum_horizontal(terms)
