"""Moving average: recent means, adjusted for venue, back-to-back and pace."""

import numpy as np
import polars as pl

from nba_ml.systems.base import Numbers, column, parameters


class MovingAverage:
    """Weighted mean of the last five games, the last ten and the season; abstains before a player's fourth game."""

    system_id = "moving_average"

    def fit(self, rows: pl.DataFrame) -> "MovingAverage":
        """Learn nothing: the constants are given."""
        return self

    def predict(self, rows: pl.DataFrame, history: pl.DataFrame) -> Numbers:
        """Predict from the means of each row."""
        constants = parameters()[self.system_id]
        mean = (
            constants["last_5"] * column(rows, "points_mean_5")
            + constants["last_10"] * column(rows, "points_mean_10")
            + constants["season"] * column(rows, "points_shrunk")
        )
        factor = venue_factor(rows, constants["home"]) * pace_factor(rows, constants["pace"])
        factor *= 1 - constants["back_to_back"] * column(rows, "back_to_back")
        return np.where(column(rows, "prior_games") >= constants["least_games"], np.maximum(mean * factor, 0), np.nan)


def venue_factor(rows: pl.DataFrame, home: float) -> np.ndarray:
    """Return 1 + home/2 at home, 1 − home/2 on the road, 1 on a neutral floor: `home` is the difference between the two."""
    side = np.where(column(rows, "is_home") == 1, 1.0, -1.0)
    return 1 + home / 2 * np.where(column(rows, "neutral_site") == 1, 0.0, side)


def pace_factor(rows: pl.DataFrame, share: float) -> np.ndarray:
    """Return how much faster than the player's own team the game is expected to be, by `share`; 1 where a pace is not known."""
    relative = column(rows, "game_pace") / column(rows, "team_pace")
    return np.nan_to_num(relative, nan=1.0) ** share
