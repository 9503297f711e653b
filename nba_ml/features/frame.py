"""The frames that every feature family works on: player-games and team-games, past and coming, in one order.

A slate row is a player-game whose outcome is not known yet, so history and the coming slate go through the same code.
"""

from dataclasses import dataclass

import polars as pl

from nba_ml.games import team_games

IDENTITY = ("game_date", "game_id", "season", "season_type", "player_id", "player_name", "team", "opponent", "is_home", "neutral_site")
"""Columns that say which player-game a row is."""

STATS = ("minutes", "points", "fgm", "fga", "fg3m", "fg3a", "ftm", "fta", "oreb", "dreb", "reb", "ast", "stl", "blk", "tov", "plus_minus")
"""Box-score columns that features are made of; null in rows of a coming slate."""


@dataclass(frozen=True)
class Games:
    """Everything that features may look at.

    Attributes
    ----------
    players : DataFrame
        One row per player-game with minutes above 0, plus the rows of the slate: `IDENTITY`, `STATS` as float, `upcoming`, `row` (position).
        Sorted by player, date and game.
    teams : DataFrame
        One row per team and scheduled game: team, opponent, game_id, game_date, season, season_type, is_home, scored, conceded, and `number`,
        the rank of the game among the team's. Sorted by team, date and game.
    box : DataFrame
        All box rows, cameos of 0 minutes included, for sums over teams.
    """

    players: pl.DataFrame
    teams: pl.DataFrame
    box: pl.DataFrame


def assemble(box: pl.DataFrame, schedule: pl.DataFrame, slate: pl.DataFrame | None = None) -> Games:
    """Put history and a coming slate into the frames that features are made from.

    Parameters
    ----------
    box, schedule : DataFrame
        nba_raw.player_box and nba_raw.schedule, as known at the cut-off.
    slate : DataFrame, optional
        Population of a slate, with the columns `IDENTITY`.
    """
    stats = [pl.col(name).cast(pl.Float64) for name in STATS]
    played = box.filter(pl.col("minutes") > 0).select(*IDENTITY, *stats, upcoming=False)
    parts = [played]
    if slate is not None and slate.height:
        coming = slate.select(*IDENTITY, *[pl.lit(None, pl.Float64).alias(name) for name in STATS], upcoming=True)
        known = played.select("game_id", "player_id")
        parts.append(coming.join(known, on=["game_id", "player_id"], how="anti").select(played.columns))
    players = pl.concat(parts).sort("player_id", "game_date", "game_id").with_row_index("row")
    return Games(players, _team_games(schedule), box)


def _team_games(schedule: pl.DataFrame) -> pl.DataFrame:
    sides = team_games(schedule).select(
        *("game_id", "game_date", "season", "season_type", "team", "opponent", "is_home"),
        *[pl.col(name).cast(pl.Float64) for name in ("scored", "conceded")],
    )
    return sides.sort("team", "game_date", "game_id").with_columns(number=pl.int_range(pl.len()).over("team"))


def past(expression: pl.Expr) -> pl.Expr:
    """Shift a player's column by one game, so that a window over it ends before the row's own game."""
    return expression.shift(1)


def per_player(expression: pl.Expr) -> pl.Expr:
    """Evaluate an expression within each player's games, in their order."""
    return expression.over("player_id")


def ewm(column: str | pl.Expr, half_life: float) -> pl.Expr:
    """Exponentially weighted mean over a player's earlier games; a game without the statistic keeps the last mean."""
    expression = pl.col(column) if isinstance(column, str) else column
    return per_player(past(expression).ewm_mean(half_life=half_life, ignore_nulls=True).forward_fill())


def mean(column: str, games: int) -> pl.Expr:
    """Mean over a player's last `games` earlier games, or as many as there are."""
    return per_player(past(pl.col(column)).rolling_mean(games, min_samples=1))
