"""Who could play: for every team-game, the players whose latest earlier game was for this team, and what they were doing.

Absence has no row in a box score, so it is read off this table: a candidate without a row in a past game missed it. The table of a game is made
from earlier games only; whether a candidate played is known for past games and null for coming ones.
"""

import polars as pl

from nba_ml.features.frame import Games
from nba_ml.features.rates import usage

LONGEST_ABSENCE_DAYS = 45
"""A player who has not played for longer is no candidate any more."""

ROTATION_MINUTES = 10.0
"""Exponentially weighted minutes from which a candidate belongs to the rotation."""


def counted_games(games: Games) -> pl.DataFrame:
    """Return the team-games that have box rows or are coming, with `number`, their rank among the team's.

    A past game without any box row says nothing about who missed it.
    """
    known = games.players.select("game_id").unique()
    counted = games.teams.join(known, on="game_id", how="semi", maintain_order="left")
    return counted.select("team", "season", "game_id", "game_date", number=pl.int_range(pl.len()).over("team"))


def candidates(games: Games) -> pl.DataFrame:
    """Return one row per team-game and candidate.

    Returns
    -------
    DataFrame
        team, number (rank of the team-game), game_id, game_date, upcoming, player_id, missed (team games since his last), days_since,
        minutes_now, points_now, usage_now (exponentially weighted over his games up to the last one, half-life 8), minutes_last, played.
    """
    coming = games.players.filter("upcoming")["game_id"].unique()
    teams = counted_games(games).sort("game_date", "team")
    played = _last_known(games.players.filter(~pl.col("upcoming")))
    played = played.join(teams.select("team", "game_id", "number"), on=["team", "game_id"])
    reach = played.sort("limit").join_asof(
        teams.select("team", limit="game_date", last="number"), on="limit", by="team", strategy="backward", check_sortedness=False
    )
    spread = (
        reach.with_columns(reached=pl.int_ranges("number", pl.col("last") + 1))
        .explode("reached")
        .filter(pl.col("reached") > pl.col("number"))
    )
    games_reached = teams.select("team", "season", reached="number", game="game_id", day="game_date")
    found = spread.join(games_reached, on=["team", "season", "reached"])
    upcoming = pl.col("game").is_in(coming.implode())
    return found.select(
        "team",
        number="reached",
        game_id="game",
        game_date="day",
        upcoming=upcoming,
        player_id="player_id",
        missed=pl.col("reached") - pl.col("number") - 1,
        days_since=(pl.col("day") - pl.col("game_date")).dt.total_days(),
        minutes_now="minutes_now",
        points_now="points_now",
        usage_now="usage_now",
        minutes_last="minutes",
        played=pl.when(~upcoming).then(pl.col("next_game").eq_missing(pl.col("game"))),
    ).sort("team", "number", "player_id")


def _last_known(played: pl.DataFrame) -> pl.DataFrame:
    """Add to each game of a player what is known of him after it, and how far he stays a candidate."""
    player = "player_id"
    recent = [
        value.ewm_mean(half_life=8, ignore_nulls=True).forward_fill().over(player).alias(name)
        for name, value in (("minutes_now", pl.col("minutes")), ("points_now", pl.col("points")), ("usage_now", usage()))
    ]
    next_day = pl.col("game_date").shift(-1).over(player)
    return played.select(
        player,
        "team",
        "season",
        "game_id",
        "game_date",
        "minutes",
        *recent,
        next_game=pl.col("game_id").shift(-1).over(player),
        limit=pl.min_horizontal(next_day, pl.col("game_date").dt.offset_by(f"{LONGEST_ABSENCE_DAYS}d")),
    )
