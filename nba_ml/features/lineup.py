"""Who is expected to be missing tonight, and what that leaves for a player: sums over his team's candidates, himself left out."""

import polars as pl

from nba_ml.features.candidates import ROTATION_MINUTES
from nba_ml.features.frame import Games, at, ewm, positions, sums

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
    summed = [name for name in terms.columns if name.startswith(("out_", "in_", "real_"))]
    team = sums(terms.select(summed), terms["side"], games.teams.height)
    best = terms.group_by("side", maintain_order=True).agg(out_best=pl.col("out_points").max(), in_best=pl.col("in_points").max())
    team = team.hstack(at(best.drop("side"), positions(best["side"], games.teams.height)))
    own = terms.select("above", "above_points", *[pl.col(name).alias(f"own_{name}") for name in summed])
    opponent = team.select(opponent_out_points="out_points", opponent_out_minutes="out_minutes", opponent_in_points="in_points")
    players = games.players
    frame = players.select("player_id", "minutes", points_rate=points_rate).hstack(at(team, players["side"]))
    frame = frame.hstack(at(own, positions(terms["row"], players.height))).hstack(at(opponent, players["other"]))
    frame = frame.with_columns([pl.col(name) - pl.col(f"own_{name}").fill_null(0.0) for name in summed])
    usual = ewm("minutes", 8)
    frame = frame.with_columns(minutes_left=usual * TEAM_MINUTES / (pl.col("in_minutes") + usual))
    changes = [(pl.col(f"out_{name}") - ewm(f"real_{name}", REALISED_HALF_LIFE)).alias(f"out_{name}_change") for name in _WEIGHTS]
    return frame.with_columns(
        *changes,
        in_above="above",
        in_above_points="above_points",
        points_left=pl.col("minutes_left") * pl.col("points_rate"),
    ).select(LINEUP)


def _terms(availability: pl.DataFrame) -> pl.DataFrame:
    """Return each candidate's share of his team's sums: expected out, expected in, really out, and who is expected in above him."""
    rotation = (pl.col("minutes_now") >= ROTATION_MINUTES).cast(pl.Float64)
    values = {name: pl.col(weight).fill_null(0.0) if weight else pl.lit(1.0) for name, weight in _WEIGHTS.items()}
    present = 1 - pl.col("p_out")
    return availability.sort("order").select(
        pl.col("side").set_sorted(),
        "row",
        *[(pl.col("p_out") * rotation * value).alias(f"out_{name}") for name, value in values.items()],
        *[(present * values[name]).alias(f"in_{name}") for name in ("points", "minutes")],
        *[(pl.col("out") * rotation * value).alias(f"real_{name}") for name, value in values.items()],
        above=(present.cum_sum() - present).over("side"),
        above_points=((present * pl.col("points_now")).cum_sum() - present * pl.col("points_now")).over("side"),
    )
