"""Who is expected to be missing tonight, and what that leaves for a player: sums over his team's candidates, himself left out."""

import polars as pl

from nba_ml.features.candidates import ROTATION_MINUTES
from nba_ml.features.frame import Games, ewm

TEAM_MINUTES = 240.0
"""Player-minutes of a team in a game without overtime."""

REALISED_HALF_LIFE = 8

LINEUP = (
    "out_points",
    "out_minutes",
    "out_usage",
    "out_count",
    "out_points_change",
    "out_minutes_change",
    "out_usage_change",
    "out_count_change",
    "out_best",
    "in_points",
    "in_minutes",
    "in_best",
    "in_above",
    "in_above_points",
    "minutes_left",
    "points_left",
    "opponent_out_points",
    "opponent_out_minutes",
    "opponent_in_points",
)
"""Names of the features that `lineup` makes."""

_WEIGHTS = {"points": "points_now", "minutes": "minutes_now", "usage": "usage_now", "count": None}


def lineup(games: Games, availability: pl.DataFrame, points_rate: pl.Series) -> pl.DataFrame:
    """Return one row per player-game, in the order of ``games.players``.

    Parameters
    ----------
    games : Games
    availability : DataFrame
        As `nba_ml.features.availability.out_probability` returns it.
    points_rate : Series of float
        Each row's shrunk points per minute before the game.

    Notes
    -----
    ``out_*`` is expected to be missing: Σ p × usual value over rotation players. ``out_*_change`` compares it with what really was missing in the
    player's own past games (exponentially weighted): his recent numbers were made in those line-ups.
    """
    terms = _terms(availability)
    sums = [name for name in terms.columns if name.startswith(("out_", "in_", "real_"))]
    best = (pl.col("out_points").max().alias("out_best"), pl.col("in_points").max().alias("in_best"))
    team = terms.group_by("team", "game_id", maintain_order=True).agg(*[_known_sum(name) for name in sums], *best)
    own = terms.select("team", "game_id", "player_id", "above", "above_points", *[pl.col(name).alias(f"own_{name}") for name in sums])
    opponent = team.select(
        opponent="team",
        game_id="game_id",
        opponent_out_points="out_points",
        opponent_out_minutes="out_minutes",
        opponent_in_points="in_points",
    )
    frame = games.players.with_columns(points_rate=points_rate)
    frame = frame.join(team, on=["team", "game_id"], how="left", maintain_order="left")
    frame = frame.join(own, on=["team", "game_id", "player_id"], how="left", maintain_order="left")
    frame = frame.join(opponent, on=["opponent", "game_id"], how="left", maintain_order="left")
    frame = frame.with_columns([pl.col(name) - pl.col(f"own_{name}").fill_null(0.0) for name in sums])
    usual = ewm("minutes", 8)
    frame = frame.with_columns(minutes_left=usual * TEAM_MINUTES / (pl.col("in_minutes") + usual))
    changes = [(pl.col(f"out_{name}") - ewm(f"real_{name}", REALISED_HALF_LIFE)).alias(f"out_{name}_change") for name in _WEIGHTS]
    return frame.with_columns(
        *changes,
        in_above="above",
        in_above_points="above_points",
        points_left=pl.col("minutes_left") * pl.col("points_rate"),
    ).select(LINEUP)


def _known_sum(name: str) -> pl.Expr:
    return pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum()).alias(name)


def _terms(availability: pl.DataFrame) -> pl.DataFrame:
    """Return each candidate's share of his team's sums: expected out, expected in, really out, and who is expected in above him."""
    rotation = (pl.col("minutes_now") >= ROTATION_MINUTES).cast(pl.Float64)
    values = {name: pl.col(weight).fill_null(0.0) if weight else pl.lit(1.0) for name, weight in _WEIGHTS.items()}
    present = 1 - pl.col("p_out")
    ordered = availability.sort("team", "number", "minutes_now", "player_id", descending=[False, False, True, False])
    return ordered.select(
        "team",
        "game_id",
        "player_id",
        *[(pl.col("p_out") * rotation * value).alias(f"out_{name}") for name, value in values.items()],
        *[(present * values[name]).alias(f"in_{name}") for name in ("points", "minutes")],
        *[(pl.col("out") * rotation * value).alias(f"real_{name}") for name, value in values.items()],
        above=(present.cum_sum() - present).over("team", "number"),
        above_points=((present * pl.col("points_now")).cum_sum() - present * pl.col("points_now")).over("team", "number"),
    )
