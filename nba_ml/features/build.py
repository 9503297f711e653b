"""All features of all player-games, past and coming: the one function that history and the next slate go through."""

import polars as pl

from nba_ml.features.availability import out_probability
from nba_ml.features.candidates import candidates
from nba_ml.features.frame import IDENTITY, assemble
from nba_ml.features.lineup import lineup
from nba_ml.features.rates import rates
from nba_ml.features.rest import rest
from nba_ml.features.role import role
from nba_ml.features.scoring import scoring
from nba_ml.features.teams import teams
from nba_ml.warehouse.schema import table

FEATURE_TABLE = "nba_predictions.ml_feature_store_v2"

FEATURE_VERSION = "v2.2"
"""Raise it with every change of a definition: rows of different versions are never mixed."""

TARGET = "actual_points"
"""Column with the outcome in rows of finished games; null or absent in rows of a coming slate."""

REQUIRED = ("prior_games", "points_ewm_8", "minutes_ewm_8", "season_avg_minutes", "rest_days", "team_scored", "opponent_conceded")
"""Features without which a number is not to be used. Required means required: few, and known for anyone who has played."""


def feature_names() -> tuple[str, ...]:
    """Names of all features, in the order that every model is fed."""
    return table(FEATURE_TABLE).features


def build(box: pl.DataFrame, schedule: pl.DataFrame, slate: pl.DataFrame | None = None) -> pl.DataFrame:
    """Make every feature of every player-game with minutes above 0, and of the slate's rows.

    Parameters
    ----------
    box, schedule : DataFrame
        nba_raw.player_box and nba_raw.schedule, read at the cut-off: nothing that became known later is in them.
    slate : DataFrame, optional
        Population of the coming slate, with the columns `nba_ml.features.frame.IDENTITY`.

    Returns
    -------
    DataFrame
        Identity, `feature_names()` as float64 (null = not known), and ``upcoming`` (bool), sorted by date, game and player.

    Notes
    -----
    A row's features use only games dated strictly before its own; tests/features/test_point_in_time.py changes and deletes the rest.
    """
    games = assemble(box, schedule, slate)
    by_rate = rates(games)
    who_could_play = candidates(games)
    parts = [
        games.players.select(*(name for name in IDENTITY if name not in ("is_home", "neutral_site")), "upcoming"),
        scoring(games),
        by_rate.drop("kind"),
        rest(games),
        role(games, who_could_play),
        lineup(games, out_probability(games, who_could_play), by_rate["points_rate"]),
        teams(games, by_rate["points_rate"], by_rate["kind"]),
    ]
    frame = pl.concat(parts, how="horizontal")
    values = [_finite(pl.col(name).cast(pl.Float64)).alias(name) for name in feature_names()]
    identity = [name for name in IDENTITY if name not in ("is_home", "neutral_site")]
    return frame.select(*identity, "upcoming", *values).sort("game_date", "game_id", "player_id")


def _finite(value: pl.Expr) -> pl.Expr:
    """Turn what a division by zero left (no shots, no minutes) into "not known"."""
    return pl.when(value.is_finite()).then(value)
