"""Points and minutes: what a player did in his last games, at several memories, and shrunk towards last season."""

import polars as pl

from nba_ml.features.frame import Games, ewm, mean, past, per_player

SHRINK_GAMES = 8.0
"""Weight, in games, of what was known of a player before the season opened, in his season means."""

FIRST_GAME_HALF_LIFE = 12.0
"""Half-life of the minutes that stand for a season mean before the season's first game (contract.md)."""


def _season_mean(column: str) -> pl.Expr:
    """Mean over this season's earlier games; null before the first."""
    earlier = pl.col(column).shift(1).over("player_id", "season")
    return earlier.cum_sum().forward_fill().over("player_id", "season") / pl.col("season_games")


def scoring(games: Games) -> pl.DataFrame:
    """Return one row per player-game, in the order of ``games.players``."""
    counted = games.players.with_columns(
        prior_games=per_player(pl.int_range(pl.len())),
        season_games=pl.int_range(pl.len()).over("player_id", "season"),
    )
    base = counted.with_columns(
        *[ewm("points", half_life).alias(f"points_ewm_{half_life}") for half_life in (2, 5, 8, 15, 40)],
        *[mean("points", games).alias(f"points_mean_{games}") for games in (5, 10, 20)],
        *[per_player(pl.col("points").shift(lag)).alias(f"points_lag_{lag}") for lag in (1, 2, 3)],
        *[ewm("minutes", half_life).alias(f"minutes_ewm_{half_life}") for half_life in (2, 5, 8, 15, 40)],
        *[mean("minutes", games).alias(f"minutes_mean_{games}") for games in (3, 5, 10)],
        *[per_player(pl.col("minutes").shift(lag)).alias(f"minutes_lag_{lag}") for lag in (1, 2)],
        points_std_10=per_player(past(pl.col("points")).rolling_std(10, min_samples=4)),
        minutes_std_10=per_player(past(pl.col("minutes")).rolling_std(10, min_samples=4)),
        points_max_10=per_player(past(pl.col("points")).rolling_max(10, min_samples=1)),
        minutes_min_5=per_player(past(pl.col("minutes")).rolling_min(5, min_samples=1)),
        minutes_ewm_first=ewm("minutes", FIRST_GAME_HALF_LIFE),
        points_season_mean=_season_mean("points"),
        minutes_season_mean=_season_mean("minutes"),
    )
    return _with_last_season(base).select(
        "prior_games",
        "season_games",
        *[name for name in base.columns if name.startswith(("points_", "minutes_")) and name != "minutes_ewm_first"],
        "points_last_season",
        "minutes_last_season",
        *[_shrunk(column).alias(f"{column}_shrunk") for column in ("points", "minutes")],
        season_avg_minutes=pl.col("minutes_season_mean").fill_null(pl.col("minutes_ewm_first")),
        points_trend=pl.col("points_ewm_5") - pl.col("points_ewm_40"),
        minutes_trend=pl.col("minutes_ewm_5") - pl.col("minutes_ewm_40"),
        minutes_jump=pl.col("minutes_lag_1") - pl.col("minutes_ewm_8"),
    )


def _with_last_season(frame: pl.DataFrame) -> pl.DataFrame:
    seasons = frame.group_by("player_id", "season", maintain_order=True).agg(pl.col("points", "minutes").mean())
    previous = seasons.sort("player_id", "season").select(
        "player_id",
        "season",
        points_last_season=pl.col("points").shift(1).over("player_id"),
        minutes_last_season=pl.col("minutes").shift(1).over("player_id"),
    )
    return frame.join(previous, on=["player_id", "season"], how="left", maintain_order="left")


def _shrunk(column: str) -> pl.Expr:
    """Season mean, with last season's mean as `SHRINK_GAMES` games of prior evidence."""
    prior = pl.col(f"{column}_last_season").fill_null(pl.col(f"{column}_ewm_40"))
    total = pl.col(f"{column}_season_mean").fill_null(0) * pl.col("season_games")
    return (total + prior * SHRINK_GAMES) / (pl.col("season_games") + SHRINK_GAMES)
