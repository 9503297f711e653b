"""Who could play: for every team-game, the players whose latest earlier game was for this team, and what they were doing.

Absence has no row in a box score, so it is read off this table: a candidate without a row in a past game missed it. The table of a game is made
from earlier games only; whether a candidate played is known for past games and null for coming ones.
"""

import polars as pl

from nba_ml.features.frame import Games, at, ordering, positions
from nba_ml.features.rates import usage

LONGEST_ABSENCE_DAYS = 45
"""A player who has not played for longer is no candidate any more."""

ROTATION_MINUTES = 10.0
"""Exponentially weighted minutes from which a candidate belongs to the rotation."""

_DAYS = 1_000_000
"""More days than any date has, so that team and date make one number."""


def counted_games(games: Games) -> pl.DataFrame:
    """Return the team-games that have box rows or are coming, in their order in ``games.teams``.

    A past game without any box row says nothing about who missed it.

    Returns
    -------
    DataFrame
        side (position in ``games.teams``), team, season, game_id, game_date, number (rank among the team's), upcoming.
    """
    counted = games.teams.filter(_of_players(games.players))
    coming = counted.select(upcoming=_of_players(games.players.filter("upcoming")))
    return counted.select("side", "team", "season", "game_id", "game_date", number=pl.int_range(pl.len()).over("team")).hstack(coming)


def _of_players(players: pl.DataFrame) -> pl.Expr:
    """Tell which team-games these players' games are, seen from either side."""
    sides = pl.concat([players["side"], players["other"]]).unique()
    return pl.col("side").is_in(sides.implode())


def candidates(games: Games) -> pl.DataFrame:
    """Return one row per team-game and candidate, sorted by player and date.

    Returns
    -------
    DataFrame
        team, number (rank of the team-game), game_id, game_date, upcoming, player_id, missed (team games since his last), days_since,
        minutes_now, points_now, usage_now (exponentially weighted over his games up to the last one, half-life 8), minutes_last, played,
        side (position in ``games.teams``), row (his in ``games.players``; null where he has none), rank (1 = most minutes_now in his team) and
        order (position when sorted by side and rank).
    """
    counted = counted_games(games)
    place = pl.Series("place", positions(counted["side"], games.teams.height))
    played = _last_known(games.players.filter(~pl.col("upcoming"))).filter(pl.col("side").is_not_null())
    played = played.with_columns(at(place.to_frame(), played["side"]))
    reach = played.with_columns(last=_last_reached(counted, played)).filter(pl.col("last") > pl.col("place"))
    spread = reach.with_columns(reached=pl.int_ranges(pl.col("place") + 1, pl.col("last") + 1)).explode("reached")
    team_games = at(counted.select("side", "team", "game_id", "number", "upcoming", day="game_date"), spread["reached"])
    found = spread.drop("side", "team").hstack(team_games)
    game = at(games.teams.select(game=_game()), found["side"])["game"]
    found = found.select(
        "team",
        "number",
        "game_id",
        "upcoming",
        "player_id",
        "minutes_now",
        "points_now",
        "usage_now",
        "side",
        game_date="day",
        missed=pl.col("reached") - pl.col("place") - 1,
        days_since=(pl.col("day") - pl.col("game_date")).dt.total_days(),
        minutes_last="minutes",
        played=pl.when(~pl.col("upcoming")).then(pl.col("next_game").eq_missing(game)),
    )
    return _ranked(
        found.join(games.players.select("side", "player_id", "row"), on=["side", "player_id"], how="left", maintain_order="left")
    )


def _last_reached(counted: pl.DataFrame, played: pl.DataFrame) -> pl.Series:
    """Return the position in `counted` of the last game of his team and season that each player stays a candidate for."""
    team = counted["team"].rle_id().cast(pl.Int64)
    calendar_place = team * _DAYS + counted["game_date"].to_physical()
    limit = at(team.alias("team").to_frame(), played["place"])["team"] * _DAYS + played["limit"].to_physical()
    by_date = calendar_place.search_sorted(limit, side="right").cast(pl.Int64) - 1
    season_ends = counted.with_row_index("place").select(pl.col("place").max().over("team", "season"))
    return pl.select(pl.min_horizontal(by_date, at(season_ends, played["place"])["place"].cast(pl.Int64))).to_series()


def _ranked(found: pl.DataFrame) -> pl.DataFrame:
    position = ordering(found["side"], -found["minutes_now"], found["player_id"])
    ranks = at(found.select("side"), position).select(rank=pl.int_range(1, pl.len() + 1).over("side")).with_row_index("order")
    return found.hstack(at(ranks.select("rank", "order"), positions(position, found.height)))


def _game() -> pl.Expr:
    """Return a number that both sides of a game have in common, and no other game has."""
    return pl.min_horizontal("side", "other")


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
        "side",
        "game_date",
        "minutes",
        *recent,
        next_game=_game().shift(-1).over(player),
        limit=pl.min_horizontal(next_day, pl.col("game_date").dt.offset_by(f"{LONGEST_ABSENCE_DAYS}d")),
    )
