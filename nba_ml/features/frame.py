"""The frames that every feature family works on: player-games and team-games, past and coming, in one order.

A slate row is a player-game whose outcome is not known yet, so history and the coming slate go through the same code. Frames point at each other
by position: names are joined once, here, and a family only looks up (`at`), which costs the same a row however many rows there are.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from nba_ml.games import team_games

IDENTITY = ("game_date", "game_id", "season", "season_type", "player_id", "player_name", "team", "opponent", "is_home", "neutral_site")
"""Columns that say which player-game a row is."""

STATS = ("minutes", "points", "fgm", "fga", "fg3m", "fg3a", "ftm", "fta", "oreb", "dreb", "reb", "ast", "stl", "blk", "tov", "plus_minus")
"""Box-score columns that features are made of; null in rows of a coming slate."""


BLOCK_ROWS = 100_000
"""Rows from which `in_blocks` begins another block."""


@dataclass(frozen=True)
class Games:
    """Everything that features may look at.

    Attributes
    ----------
    players : DataFrame
        One row per player-game with minutes above 0, plus the rows of the slate: `IDENTITY`, `STATS` as float, `upcoming`, `row` (position), and
        `side` and `other`, the positions in `teams` of his team's and of the other team's side of the game (null: no such game is scheduled).
        Sorted by player, date and game.
    teams : DataFrame
        One row per team and scheduled game: team, opponent, game_id, game_date, season, season_type, is_home, scored, conceded, `side` (position)
        and `other` (position of the opponent's side). Sorted by team, date and game.
    box : DataFrame
        All box rows, cameos of 0 minutes included, for sums over teams, with `side`.
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
    teams = _team_games(schedule)
    sides = teams.select("team", "game_id", "side")
    box = box.join(sides, on=["team", "game_id"], how="left", maintain_order="left")
    stats = [pl.col(name).cast(pl.Float64) for name in STATS]
    played = box.filter(pl.col("minutes") > 0).select(*IDENTITY, "side", *stats, upcoming=False)
    parts = [played]
    if slate is not None and slate.height:
        coming = slate.select(*IDENTITY, *[pl.lit(None, pl.Float64).alias(name) for name in STATS], upcoming=True)
        known = played.select("game_id", "player_id")
        coming = coming.join(known, on=["game_id", "player_id"], how="anti").join(sides, on=["team", "game_id"], how="left")
        parts.append(coming.select(played.columns))
    players = pl.concat(parts).sort("player_id", "game_date", "game_id").with_row_index("row")
    return Games(players.with_columns(at(teams.select("other"), players["side"])), teams, box)


def _team_games(schedule: pl.DataFrame) -> pl.DataFrame:
    sides = team_games(schedule).select(
        *("game_id", "game_date", "season", "season_type", "team", "opponent", "is_home"),
        *[pl.col(name).cast(pl.Float64) for name in ("scored", "conceded")],
    )
    ordered = sides.sort("team", "game_date", "game_id").with_row_index("side")
    opponents = ordered.select("game_id", opponent="team", other="side")
    return ordered.join(opponents, on=["game_id", "opponent"], how="left", maintain_order="left")


def at(facts: pl.DataFrame, position: pl.Series) -> pl.DataFrame:
    """Return the row of `facts` at each position; null where the position is."""
    return facts.select(pl.all().gather(position))


def in_blocks(family: Callable[[Games], pl.DataFrame], games: Games) -> pl.DataFrame:
    """Make a family that looks at a player's own games alone, some players at a time: rows that fit a processor's cache cost less."""
    block = games.players.select(pl.col("row").first().over("player_id") // BLOCK_ROWS).to_series()
    parts, start = [], 0
    for length in block.rle().struct.field("len"):
        parts.append(family(replace(games, players=games.players.slice(start, length))))
        start += length
    return pl.concat(parts) if parts else family(games)


def ordering(*keys: pl.Series) -> pl.Series:
    """Return the positions that sort rows by numbers, the first key first; a fifth of the cost of sorting a frame."""
    return pl.Series(np.lexsort([key.to_physical().to_numpy() for key in reversed(keys)]))


def positions(rows: pl.Series, height: int) -> pl.Series:
    """Return where in `rows` each of the numbers below `height` stands; null for those that are not there."""
    found = np.full(height, -1)
    known = rows.is_not_null()
    found[rows.filter(known).to_numpy()] = known.arg_true().to_numpy()
    place = pl.Series(found)
    return place.set(place < 0, None).cast(pl.get_index_type())


def sums(values: pl.DataFrame, position: pl.Series, height: int) -> pl.DataFrame:
    """Return the sum of each column's known values at each position below `height`; null where none is known.

    Values are added in the order of the rows. A grouped sum may add them in parts whose size depends on the number of rows, so that a later game
    would change the last bit of an earlier one.
    """
    totals = {}
    for column in values:
        known = column.is_not_null() & position.is_not_null()
        place = position.filter(known).to_numpy()
        total = pl.Series(np.bincount(place, column.filter(known).to_numpy(), minlength=height))
        totals[column.name] = total.set(pl.Series(np.bincount(place, minlength=height) == 0), None)
    return pl.DataFrame(totals)


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
