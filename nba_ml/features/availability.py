"""How likely each candidate is to sit out a game, told from his absences alone: the part of the line-up that is known without a report.

Which team-mates play is the largest piece of information that box scores lack. A season's probabilities come from a classifier that saw earlier
seasons only, so they know nothing of the season itself.
"""

import hashlib
from collections.abc import Collection
from typing import Any

import numpy as np
import polars as pl

from nba_ml.features.frame import Games, at
from nba_ml.features.rest import team_rest
from nba_ml.features.teams import elo_margins

COLUMNS = (
    "missed",
    "days_since",
    "minutes_now",
    "points_now",
    "minutes_last",
    "minutes_last_share",
    "present_10",
    "present_40",
    "present_ewm",
    "missed_15",
    "seen",
    "rank",
    "playoffs",
    "team_rest",
    "team_games_7",
    "elo_margin",
    "is_home",
    "month",
)
"""What the classifier looks at, all of it known before the game."""

PARAMETERS = {
    "objective": "binary:logistic",
    "tree_method": "hist",
    "max_depth": 5,
    "eta": 0.2,
    "min_child_weight": 50,
    "subsample": 0.7,
    "colsample_bytree": 0.6,
    "max_bin": 64,
    "nthread": 2,
    "seed": 1,
}
ROUNDS = 40
"""Chosen on 2021-22 to 2023-24, where its log-loss on players of 10 minutes or more is .33 to .36 a season."""

LEAST_ROWS = 20_000
MOST_ROWS = 60_000
"""Earlier candidates below which the table of streaks stands in for the classifier, and the newest of them that it learns from."""

STREAK = np.array([0.14, 0.57, 0.68, 0.72, 0.78, 0.90])
"""Share of candidates who sat out after 0, 1, … 5 or more missed games, in 2020-21 (the season before the first that is judged)."""


_KEPT = 12
_fitted: dict[str, Any] = {}
"""Classifiers by the hash of what they were fitted on: a process that works on several slates fits each season's once."""


def out_probability(games: Games, candidates: pl.DataFrame, seasons: Collection[str] | None = None) -> pl.DataFrame:
    """Add to each candidate his probability of sitting out.

    Parameters
    ----------
    games : Games
    candidates : DataFrame
        As `nba_ml.features.candidates.candidates` returns it.
    seasons : collection of str, optional
        Seasons that are asked for; the others' probabilities are null. All by default.

    Returns
    -------
    DataFrame
        `candidates` with ``season``, ``out`` (1.0 = sat out; null for a coming game) and ``p_out`` (0..1).
    """
    frame = _looks(games, candidates)
    looks = frame.select(pl.col(COLUMNS).cast(pl.Float32)).to_numpy()
    out = frame["out"].to_numpy()
    season = frame["season"].to_numpy()
    day = frame["game_date"].to_numpy()
    by_streak = STREAK[np.minimum(frame["missed"].to_numpy(), len(STREAK) - 1)]
    probability = np.full(frame.height, np.nan)
    for name in np.unique(season) if seasons is None else seasons:
        now = season == name
        earlier = np.flatnonzero((season < name) & ~np.isnan(out))
        if len(earlier) < LEAST_ROWS:
            probability[now] = by_streak[now]
            continue
        newest = np.sort(earlier[np.argsort(day[earlier], kind="stable")[-MOST_ROWS:]])
        probability[now] = _classify(looks[newest], out[newest], looks[now])
    return frame.with_columns(p_out=pl.Series(probability, dtype=pl.Float64).fill_nan(None))


def _classify(looks: np.ndarray, out: np.ndarray, now: np.ndarray) -> np.ndarray:
    import xgboost

    key = hashlib.sha256(looks.tobytes() + out.tobytes()).hexdigest()
    if key not in _fitted:
        data = xgboost.QuantileDMatrix(looks, out, max_bin=PARAMETERS["max_bin"])
        _fitted[key] = xgboost.train(PARAMETERS, data, ROUNDS)
        for oldest in list(_fitted)[:-_KEPT]:
            del _fitted[oldest]
    return _fitted[key].predict(xgboost.DMatrix(now))


def _looks(games: Games, candidates: pl.DataFrame) -> pl.DataFrame:
    facts = games.teams.select("season", "season_type", "is_home", elo_margin=elo_margins(games.teams)).hstack(team_rest(games))
    frame = candidates.hstack(at(facts, candidates["side"])).with_columns(out=1.0 - pl.col("played").cast(pl.Float64))
    before, player = pl.col("out").shift(1), "player_id"
    return frame.with_columns(
        minutes_last_share=pl.col("minutes_last") / pl.col("minutes_now").clip(lower_bound=1),
        present_10=1 - before.rolling_mean(10, min_samples=1).over(player),
        present_40=1 - before.rolling_mean(40, min_samples=1).over(player),
        present_ewm=1 - before.ewm_mean(half_life=20, ignore_nulls=True).forward_fill().over(player),
        missed_15=before.rolling_sum(15, min_samples=1).over(player),
        seen=pl.int_range(pl.len()).over(player),
        playoffs=pl.col("season_type") == "Playoffs",
        month=pl.col("game_date").dt.month(),
    ).select(*candidates.columns, "season", "out", *[name for name in COLUMNS if name not in candidates.columns])
