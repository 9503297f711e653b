"""Which released version predicts which row of a slate while two of them share it.

A row's place is a hash of slate date, game and player, and of nothing else: it is the same whoever asks and whenever, who else is on the
slate does not move it, and the rows of a smaller share are among those of a larger one.
"""

from datetime import date

import polars as pl

from nba_ml.ids import digest
from nba_ml.registry.states import Rollout

_DIGITS = 13
"""Hexadecimal digits of the hash that are used: 52 bits, which a float64 holds exactly."""


def place(slate: date, game_id: str, player_id: int) -> float:
    """Return a row's place in [0, 1), uniform over rows."""
    return int(digest((slate, game_id, player_id))[:_DIGITS], 16) / 16**_DIGITS


def assign(rows: pl.DataFrame, rollout: Rollout) -> pl.DataFrame:
    """Say which version each row is published from.

    Parameters
    ----------
    rows : DataFrame
        With slate_date, game_id and player_id.
    rollout : Rollout
        Of an environment in which a version serves.

    Returns
    -------
    DataFrame
        `rows`, in their order, with model_version (the challenger's where the row's place is below its share) and share (of the
        slate's rows that this version predicts, 0..1).
    """
    places = pl.Series("place", [place(*row) for row in rows.select("slate_date", "game_id", "player_id").iter_rows()], pl.Float64)
    mine = places < rollout.share
    versions = (rollout.challenger or rollout.serving, rollout.serving)
    shares = tuple(rollout.share_of(version) if version else 0.0 for version in versions)
    return rows.with_columns(
        model_version=pl.when(mine).then(pl.lit(versions[0])).otherwise(pl.lit(versions[1])),
        share=pl.when(mine).then(pl.lit(shares[0])).otherwise(pl.lit(shares[1])),
    )
