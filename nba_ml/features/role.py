"""A player's place in his team, his absences, and what his team was missing in its last game."""

import polars as pl

from nba_ml.features.candidates import ROTATION_MINUTES, counted_games
from nba_ml.features.frame import Games, per_player

LONGEST_STREAK = 25
"""Missed team games beyond which one more says nothing."""


def role(games: Games, candidates: pl.DataFrame) -> pl.DataFrame:
    """Return one row per player-game, in the order of ``games.players``."""
    own = candidates.select(
        "team",
        "game_id",
        "player_id",
        "missed",
        rank_in_team=pl.col("minutes_now").rank("ordinal", descending=True).over("team", "number"),
        share_of_points=pl.col("points_now") / pl.col("points_now").sum().over("team", "number"),
    )
    frame = games.players.join(own, on=["team", "game_id", "player_id"], how="left", maintain_order="left")
    missing = _missing_last_game(games, candidates)
    frame = frame.join(missing, on=["team", "game_id"], how="left", maintain_order="left")
    there = missing.select(opponent="team", game_id="game_id", opponent_missing_points="missing_points")
    frame = frame.join(there, on=["opponent", "game_id"], how="left", maintain_order="left")
    back = per_player((pl.col("missed").fill_null(0) >= 2).cum_sum())
    return frame.select(
        missed_games=pl.col("missed").cast(pl.Float64).clip(upper_bound=LONGEST_STREAK),
        games_since_return=pl.min_horizontal(pl.int_range(pl.len()).over("player_id", back), 20),
        last_absence=per_player(pl.when(pl.col("missed") >= 2).then(pl.col("missed").cast(pl.Float64)).forward_fill()).clip(
            upper_bound=LONGEST_STREAK
        ),
        games_with_team=pl.int_range(pl.len()).over("player_id", per_player(pl.col("team").rle_id())),
        games_with_team_season=pl.int_range(pl.len()).over("player_id", "team", "season"),
        rank_in_team=pl.col("rank_in_team").cast(pl.Float64),
        share_of_points="share_of_points",
        missing_minutes="missing_minutes",
        missing_points="missing_points",
        missing_best="missing_best",
        opponent_missing_points="opponent_missing_points",
    )


def _missing_last_game(games: Games, candidates: pl.DataFrame) -> pl.DataFrame:
    """Sum the usual production of rotation players who missed the team's previous game; that game is over, so this is known."""
    absent = pl.col("played").eq_missing(False) & (pl.col("minutes_now") >= ROTATION_MINUTES)
    sums = candidates.group_by("team", "number", maintain_order=True).agg(
        missing_minutes=pl.col("minutes_now").filter(absent).sum(),
        missing_points=pl.col("points_now").filter(absent).sum(),
        missing_best=pl.col("points_now").filter(absent).max().fill_null(0.0),
    )
    following = sums.with_columns(number=pl.col("number") + 1)
    return counted_games(games).select("team", "game_id", "number").join(following, on=["team", "number"]).drop("number")
