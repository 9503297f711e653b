"""What a projected line-up says of a player's points beyond his features: a surprise starter plays more, a regular left out of the five less.

It is added to what trained models say when a game is predicted. No model is trained on it: line-ups exist for a part of history only.
"""

import numpy as np
import polars as pl

from nba_ml import calendar
from nba_ml.features.reports import with_line_up

START_POINTS = "reported_start_points"
"""Column with the points to be added; null in games of a team without a projected line-up."""

HALF_STARTER, SLOPE = 23.0, 2.5
"""Weighted minutes at which a player starts every second game, and how fast that changes: logistic of 2023-24 (accuracy study)."""

ALPHA = 100.0
"""Ridge penalty. On 2024-01 to 2024-06 penalties of 30 to 300 were equal (docs/accuracy.md)."""

LEAST_ROWS = 300
MOST_ROWS = 5_000
"""Earlier player-games with a line-up below which nothing is added, and the newest of them that are learned from."""

FORM = (
    "points_ewm_8",
    "points_ewm_2",
    "points_shrunk",
    "points_left",
    "minutes_left",
    "minutes_ewm_8",
    "minutes_ewm_2",
    "minutes_lag_1",
    "out_points_change",
    "out_minutes_change",
    "missed_games",
)
"""Features that stand for the models in the fit, so that the line-up is not thanked for what they know."""


def start_points(rows: pl.DataFrame, points: pl.Series, status: pl.DataFrame, cutoffs: pl.DataFrame) -> pl.Series:
    """Return the points to be added to each row.

    Parameters
    ----------
    rows : DataFrame
        Feature rows with the columns `FORM`, those of the line-up as reports have them.
    points : Series of float
        Points of finished games; null in coming ones.
    status, cutoffs : DataFrame
        As for `nba_ml.features.reports.reported_probability`.

    Notes
    -----
    Points are regressed (ridge) on `FORM`, on s = starts − P(starts | weighted minutes), on max(s, 0) and on s × minutes / 30; what the three
    say is returned. Fitted anew each week on the rows before it, of this season and the one before.
    """
    frame = with_line_up(rows.with_row_index("place").with_columns(scored=points), status, cutoffs).filter(pl.col("starts").is_not_null())
    ordered = frame.sort("game_date", "game_id", "player_id").with_columns(week=pl.col("game_date").dt.truncate("1w"))
    parts = [pl.DataFrame(schema={"place": ordered.schema["place"], START_POINTS: pl.Float64})]
    for (season, week), now in ordered.group_by("season", "week", maintain_order=True):
        recent = pl.col("season").is_in([season, calendar.season_before(season)])
        before = ordered.filter(recent & (pl.col("week") < week) & pl.col("scored").is_not_null()).tail(MOST_ROWS)
        if before.height >= LEAST_ROWS:
            said = (_surprise(now) * _fit(before)).sum(axis=1)
            parts.append(now.select("place", pl.Series(START_POINTS, said)))
    return rows.with_row_index("place").join(pl.concat(parts), on="place", how="left", maintain_order="left")[START_POINTS]


def _fit(before: pl.DataFrame) -> np.ndarray:
    from sklearn.linear_model import Ridge

    form = before.select(pl.col(FORM).fill_null(0.0)).to_numpy()
    surprise = _surprise(before)
    coefficients: np.ndarray = Ridge(alpha=ALPHA).fit(np.hstack([form, surprise]), before["scored"].to_numpy()).coef_
    return coefficients[len(FORM) :]


def _surprise(rows: pl.DataFrame) -> np.ndarray:
    minutes = rows["minutes_ewm_8"].fill_null(0.0).to_numpy()
    surprise = rows["starts"].to_numpy() - 1 / (1 + np.exp((HALF_STARTER - minutes) / SLOPE))
    return np.column_stack([surprise, np.maximum(surprise, 0), surprise * minutes / 30])
