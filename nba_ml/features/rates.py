"""Rates per minute: scoring, shots and usage where the box score has them, and the kind of scorer that a player is."""

import polars as pl

from nba_ml.features.frame import Games, ewm, mean

FREE_THROW_WEIGHT = 0.44
"""Share of free throws that end a possession (the usual constant of box-score usage, after D. Oliver, Basketball on Paper, 2004)."""

LEAGUE_POINTS_PER_MINUTE = 0.475
"""Points per player-minute of the league over 2021-24 (114 points a team in 240 minutes): the prior of a player with few minutes."""

PRIOR_MINUTES = 150.0
"""Minutes of evidence that the league's rate counts for."""

SHOT_VALUES = {"two": 1.09, "three": 1.08, "free": 0.78}
"""Mean points of a two-point attempt, a three-point attempt and a free throw in the league over 2021-24."""

RATES = (
    "points_rate_8",
    "points_rate_30",
    "usage_rate",
    "fga_rate",
    "fta_rate",
    "reb_rate",
    "ast_rate",
    "blk_rate",
    "tov_rate",
    "three_share",
    "shot_points_8",
    "shot_points_rate",
    "usage_5",
    "fga_5",
    "plus_minus_15",
)

KINDS = ("big", "guard", "shooter", "wing")
"""Kinds of scorer, told apart by rates up to the game: see `kind_of`."""


def usage() -> pl.Expr:
    """Possessions that a player ended: shots, weighted free throws and turnovers."""
    return pl.col("fga") + FREE_THROW_WEIGHT * pl.col("fta") + pl.col("tov")


def kind_of() -> pl.Expr:
    """Tell a player's kind from his earlier rates per minute.

    The source has no positions. Bigs rebound (over .21 a minute), guards pass (over .125), shooters take more than half of their shots from three;
    the rest are wings. Thresholds are near the 70th percentiles of 2021-22.
    """
    return (
        pl.when(pl.col("reb_rate") > 0.21)
        .then(pl.lit("big"))
        .when(pl.col("ast_rate") > 0.125)
        .then(pl.lit("guard"))
        .when(pl.col("three_share") > 0.5)
        .then(pl.lit("shooter"))
        .otherwise(pl.lit("wing"))
    )


def _rate(numerator: str, half_life: float) -> pl.Expr:
    return ewm(numerator, half_life) / ewm("minutes", half_life)


def rates(games: Games) -> pl.DataFrame:
    """Return one row per player-game, in the order of ``games.players``, with the text column ``kind`` among the features."""
    shots = games.players.with_columns(
        usage=usage(),
        expected=SHOT_VALUES["two"] * (pl.col("fga") - pl.col("fg3a"))
        + SHOT_VALUES["three"] * pl.col("fg3a")
        + SHOT_VALUES["free"] * pl.col("fta"),
    )
    base = shots.with_columns(
        points_rate_8=_rate("points", 8),
        points_rate_30=_rate("points", 30),
        _minutes_40=ewm("minutes", 40) * pl.min_horizontal(pl.int_range(pl.len()).over("player_id"), 58),
        usage_rate=_rate("usage", 15),
        fga_rate=_rate("fga", 15),
        fta_rate=_rate("fta", 15),
        reb_rate=_rate("reb", 25),
        ast_rate=_rate("ast", 25),
        blk_rate=_rate("blk", 25),
        tov_rate=_rate("tov", 25),
        # Nobody is a shooter before his first shot: 0/0 is not known, and not above every share.
        three_share=(ewm("fg3a", 25) / ewm("fga", 25)).fill_nan(None),
        shot_points_8=ewm("expected", 8),
        shot_points_rate=_rate("expected", 20),
        usage_5=mean("usage", 5),
        fga_5=mean("fga", 5),
        plus_minus_15=ewm("plus_minus", 15),
    )
    known = pl.col("_minutes_40")
    return base.select(
        *RATES,
        points_rate=(pl.col("points_rate_30") * known + LEAGUE_POINTS_PER_MINUTE * PRIOR_MINUTES) / (known + PRIOR_MINUTES),
        kind=kind_of(),
    )
