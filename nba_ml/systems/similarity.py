"""Similarity: what the player did in his own past games that were most like this one."""

import numpy as np
import polars as pl

from nba_ml.systems.base import TARGET, Numbers, column, parameters

_LOOKS = ("opponent_conceded", "rest_days", "is_home", "points_ewm_2", "points_ewm_15")


class Similarity:
    """Weighted mean of a player's similar games; abstains with fewer than five of them."""

    system_id = "similarity"

    def fit(self, rows: pl.DataFrame) -> "Similarity":
        """Learn nothing: the player's own games are in `history`."""
        return self

    def predict(self, rows: pl.DataFrame, history: pl.DataFrame) -> Numbers:
        """Predict from the player's last sixty games before each row."""
        constants = parameters()[self.system_id]
        wanted = rows.select("player_id", "game_date", "game_id", *_LOOKS, position=pl.int_range(pl.len()))
        past = history.join(rows.select("game_id", "player_id"), on=["game_id", "player_id"], how="anti")
        known = pl.concat([wanted.with_columns(pl.lit(None, pl.Float64).alias(TARGET)), _targets(rows, wanted), _past(past, wanted)])
        return _predict(known.sort("player_id", "game_date", "game_id", "position", nulls_last=True), rows.height, constants)


def _targets(rows: pl.DataFrame, wanted: pl.DataFrame) -> pl.DataFrame:
    """Return the rows to be predicted as past games of later rows, where their outcome is known."""
    if TARGET not in rows.columns:
        return wanted.with_columns(pl.lit(None, pl.Float64).alias(TARGET)).clear()
    return wanted.with_columns(rows[TARGET].cast(pl.Float64), position=pl.lit(None, pl.Int64)).filter(pl.col(TARGET).is_not_null())


def _past(history: pl.DataFrame, wanted: pl.DataFrame) -> pl.DataFrame:
    mine = history.join(wanted.select("player_id").unique(), on="player_id", how="semi").filter(pl.col(TARGET).is_not_null())
    return mine.select(*wanted.columns[:-1], pl.lit(None, pl.Int64).alias("position"), pl.col(TARGET).cast(pl.Float64))


def _predict(known: pl.DataFrame, count: int, constants: dict) -> Numbers:
    games = known.filter(pl.col("position").is_null())
    asked = known.filter(pl.col("position").is_not_null())
    ends = _first_not_before(games, asked)
    index = ends[:, None] - 1 - np.arange(constants["memory"])[None, :]
    player = games["player_id"].to_numpy()
    valid = (index >= 0) & (player[np.maximum(index, 0)] == asked["player_id"].to_numpy()[:, None]) if games.height else index >= np.inf
    index = np.clip(index, 0, max(games.height - 1, 0))
    score = np.where(valid, _score(games, asked, index, constants), -1.0) if games.height else np.full(index.shape, -1.0)
    used = score >= constants["least_score"]
    weight = np.where(used, score * 0.5 ** (np.arange(constants["memory"]) / constants["half_life"])[None, :], 0.0)
    points = column(games, TARGET)[index] if games.height else np.zeros(index.shape)
    with np.errstate(invalid="ignore"):
        number = constants["level"] * (weight * points).sum(axis=1) / weight.sum(axis=1)
    result = np.full(count, np.nan)
    result[asked["position"].to_numpy()] = np.where(used.sum(axis=1) >= constants["least_games"], number, np.nan)
    return result


def _first_not_before(games: pl.DataFrame, asked: pl.DataFrame) -> np.ndarray:
    """Return for each asked row the position in `games` (sorted by player and date) of its player's first game not before it."""

    def order(frame: pl.DataFrame) -> np.ndarray:
        return frame["player_id"].to_numpy().astype(np.int64) * 1_000_000 + frame["game_date"].cast(pl.Int32).to_numpy()

    return np.searchsorted(order(games), order(asked), side="left")


def _score(games: pl.DataFrame, asked: pl.DataFrame, index: np.ndarray, constants: dict) -> np.ndarray:
    """Score the likeness of each past game, 0..100: opponent's strength, rest, venue and the player's form."""

    def pair(name: str) -> tuple[np.ndarray, np.ndarray]:
        return column(games, name)[index], column(asked, name)[:, None]

    def closeness(then: np.ndarray, now: np.ndarray, scale: float) -> np.ndarray:
        return np.nan_to_num(np.clip(1 - np.abs(then - now) / scale, 0, 1))

    rest_then, rest_now = (np.clip(value, 1, 3) for value in pair("rest_days"))
    home_then, home_now = pair("is_home")
    short_then, short_now = pair("points_ewm_2")
    long_then, long_now = pair("points_ewm_15")
    with np.errstate(divide="ignore", invalid="ignore"):
        form_then, form_now = short_then / long_then, short_now / long_now
    return (
        constants["opponent"] * closeness(*pair("opponent_conceded"), constants["opponent_scale"])
        + constants["rest"] * closeness(rest_then, rest_now, 2.0)
        + constants["venue"] * (home_then == home_now)
        + constants["form"] * closeness(form_then, form_now, constants["form_scale"])
    )
