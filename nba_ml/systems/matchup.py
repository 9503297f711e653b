"""Match-up: the season's scoring at the minutes of late, adjusted by what the opponent concedes to this kind of scorer."""

import numpy as np
import polars as pl

from nba_ml.systems.base import Numbers, column, parameters
from nba_ml.systems.moving_average import pace_factor, venue_factor


class Matchup:
    """Season's points per minute (shrunk) × recent minutes, plus the opponent's concession to the player's kind by minutes and usage.

    Abstains before a player's sixth game, and where one of these is not known.
    """

    system_id = "matchup"

    def fit(self, rows: pl.DataFrame) -> "Matchup":
        """Learn nothing: the constants are given."""
        return self

    def predict(self, rows: pl.DataFrame, history: pl.DataFrame) -> Numbers:
        """Predict from the season, the minutes and the opponent of each row."""
        constants = parameters()[self.system_id]
        minutes = column(rows, "minutes_ewm_5")
        usual = constants["level"] * minutes * column(rows, "points_shrunk") / column(rows, "minutes_shrunk")
        usage = np.nan_to_num(column(rows, "usage_rate") / constants["league_usage"], nan=1.0)
        given = constants["concession"] * column(rows, "conceded_to_kind") * minutes / 36 * usage
        number = (usual + given) * pace_factor(rows, constants["pace"]) * venue_factor(rows, constants["home"])
        return np.where(column(rows, "prior_games") >= constants["least_games"], np.maximum(number, 0), np.nan)
