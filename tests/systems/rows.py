"""Feature rows of a small made-up league: values that systems can be asked about one at a time."""

from datetime import date, timedelta

import numpy as np
import polars as pl

from nba_ml.features import TARGET, feature_names
from nba_ml.systems.two_stage import MINUTES


def make_rows(count: int = 400, seed: int = 1, players: int = 10) -> pl.DataFrame:
    """Feature rows whose outcome depends on the features: the half-life 8 mean, plus noise that grows with it."""
    rng = np.random.default_rng(seed)
    level = rng.gamma(3, 4, count)
    values = {name: np.abs(rng.normal(1, 0.3, count)) for name in feature_names()}
    for name in values:
        if name.startswith("points_") and "rate" not in name:
            values[name] = level * rng.normal(1, 0.05, count).clip(0.5, 1.5)
        if name.startswith("minutes_"):
            values[name] = 10 + level * rng.normal(1, 0.05, count)
    number = np.arange(count)
    fixed = {
        "prior_games": (number // players).astype(float),
        "opponent_conceded": rng.normal(113, 4, count),
        "opponent_scored": rng.normal(113, 4, count),
        "team_pace": rng.normal(100, 2, count),
        "game_pace": rng.normal(100, 2, count),
        "rest_days": rng.integers(1, 5, count).astype(float),
        "is_home": rng.integers(0, 2, count).astype(float),
        "neutral_site": np.zeros(count),
        "back_to_back": rng.integers(0, 2, count).astype(float),
        "usage_rate": rng.normal(0.48, 0.1, count).clip(0.1),
        "conceded_to_kind": rng.normal(0, 1, count),
    }
    return pl.DataFrame(
        {
            "game_date": [date(2022, 1, 1) + timedelta(days=int(i) // players) for i in number],
            "game_id": [f"g{int(i) // players}" for i in number],
            "player_id": (number % players).astype(np.int64),
            **(values | fixed),
            MINUTES: 10 + level * rng.normal(1, 0.1, count).clip(0.5, 1.5),
            TARGET: np.maximum(np.round(level + rng.normal(0, 1, count) * (1 + np.sqrt(level))), 0),
        }
    )
