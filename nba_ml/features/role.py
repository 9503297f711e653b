"""A player's place in his team, his absences, and what his team was missing in its last game."""

import polars as pl

from nba_ml.features.candidates import ROTATION_MINUTES, counted_games
from nba_ml.features.frame import Games, at, per_player, positions, sums

LONGEST_STREAK = 25
"""Missed team games beyond which one more says nothing."""


def role(games: Games, candidates: pl.DataFrame) -> pl.DataFrame:
    """Return one row per player-game, in the order of ``games.players``."""
    by_side = candidates.sort("order").with_columns(pl.col("side").set_sorted())
    own = by_side.select("missed", rank_in_team="rank", share_of_points=pl.col("points_now") / pl.col("points_now").sum().over("side"))
    missing = _missing_last_game(games, by_side)
    frame = games.players.hstack(at(own, positions(by_side["row"], games.players.height)))
    frame = frame.hstack(at(missing, games.players["side"]))
    frame = frame.hstack(at(missing.select(opponent_missing_points="missing_points"), games.players["other"]))
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
    """Sum, for each team-game, the usual production of rotation players who missed the team's previous game; it is over, so this is known."""
    absent = pl.col("played").eq_missing(False) & (pl.col("minutes_now") >= ROTATION_MINUTES)
    missed = {
        name: pl.when(absent).then(pl.col(value)).otherwise(0.0) for name, value in (("minutes", "minutes_now"), ("points", "points_now"))
    }
    absences = candidates.select("side", *[value.alias(f"missing_{name}") for name, value in missed.items()])
    by_game = sums(absences.drop("side"), candidates["side"], games.teams.height)
    best = absences.group_by("side", maintain_order=True).agg(missing_best=pl.col("missing_points").max())
    by_game = by_game.hstack(at(best.drop("side"), positions(best["side"], games.teams.height)))
    counted = counted_games(games)
    last = at(by_game, counted["side"]).select(pl.all().shift(1).over(counted["team"]))
    return at(last, positions(counted["side"], games.teams.height))
