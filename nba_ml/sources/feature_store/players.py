"""player_lookup → player_id through the team's reference table."""

import hashlib

import polars as pl

from nba_ml.errors import BadInput

_DIGITS = 13
"""Hexadecimal digits of a hashed id: 52 bits, which a float of 64 bits holds exactly, and far above the league's own ids."""


def identity(text: str) -> int:
    """Return the player_id of a universal id that is no number, as in ``lebronjames_001``: the same everywhere and for ever."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:_DIGITS], 16)


def directory(raw: pl.DataFrame, table: str) -> pl.DataFrame:
    """Return one row per player_lookup that means one player: player_lookup, player_id, player_name.

    Parameters
    ----------
    raw : DataFrame
        Columns of `columns.PLAYERS` that the reference table has; it may list a player once a season and team.

    Raises
    ------
    BadInput
        If the table has no id, or two ids would become one.
    """
    has_number, has_text = "player_id" in raw.columns, "universal_id" in raw.columns
    if not has_number and not has_text:
        raise BadInput(
            f"{table}, field player_id: the table has neither player_id nor universal_player_id; set NBA_ML_FEATURE_STORE_PLAYERS to one "
            "that maps player_lookup to an id"
        )
    ids = pl.DataFrame({"player_lookup": raw["player_lookup"]})
    number = raw["player_id"].cast(pl.Int64, strict=False) if has_number else pl.Series([None] * raw.height, dtype=pl.Int64)
    if has_text:
        universal = raw["universal_id"].unique().drop_nulls().to_list()
        hashed = {text: identity(text) for text in universal}
        if len(set(hashed.values())) < len(hashed):
            raise BadInput(f"{table}, field universal_player_id: two ids give one number; use a table with numeric player_id")
        number = number.fill_null(raw["universal_id"].replace_strict(hashed, return_dtype=pl.Int64, default=None))
    name = raw["player_name"] if "player_name" in raw.columns else raw["player_lookup"]
    rows = ids.with_columns(number.alias("player_id"), name.fill_null(raw["player_lookup"]).alias("player_name")).drop_nulls()
    one = rows.group_by("player_lookup").agg(
        pl.col("player_id").n_unique().alias("ids"), pl.col("player_id").first(), pl.col("player_name").max()
    )
    return one.filter(pl.col("ids") == 1).drop("ids").sort("player_lookup")
