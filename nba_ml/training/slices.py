"""Parts of a population that two predictors are compared on apart: a version may gain overall and lose the players that matter."""

import polars as pl

STARTER_MINUTES = 24.0
"""Half a game: who plays as much counts as a starter. Who really starts is known before tip-off only from line-ups, which are not stored."""

BACK_TO_BACK = "back_to_back"
"""Column that says, with 1, that the player's team played the day before."""

LEVEL = "level"
"""Column with the mean of what the two predictors say. A band cut by one of them alone would hold the rows that this one sets too high."""

LEVELS = (0.0, 5.0, 10.0, 15.0, 20.0)
"""Lower bounds, in points, of the bands of predicted level; above 20 there are too few rows in twelve weeks to cut again."""


def _band(low: float, high: float | None) -> pl.Expr:
    above = pl.col(LEVEL) >= low if low else pl.col(LEVEL).is_not_null()
    return above & (pl.col(LEVEL) < high if high is not None else pl.lit(value=True))


SLICES: dict[str, tuple[str, pl.Expr]] = {
    "starters": (f"starters: at least {STARTER_MINUTES:.0f} minutes a game this season", pl.col("season_avg_minutes") >= STARTER_MINUTES),
    "bench": (f"bench: under {STARTER_MINUTES:.0f} minutes a game this season", pl.col("season_avg_minutes") < STARTER_MINUTES),
    BACK_TO_BACK: ("back-to-back: the team played the day before", pl.col(BACK_TO_BACK) == 1),
    **{
        f"level_{low:.0f}": (f"{low:.0f}–{high:.0f} predicted points" if high else f"{low:.0f} and more predicted points", _band(low, high))
        for low, high in zip(LEVELS, (*LEVELS[1:], None), strict=True)
    },
}
"""Name → what it holds in words, and the filter on rows with season_avg_minutes, `BACK_TO_BACK` and `LEVEL`."""


def cut(rows: pl.DataFrame, name: str, predictor: str, other: str) -> pl.DataFrame:
    """Return the rows of one slice.

    Parameters
    ----------
    rows : DataFrame
        Wide rows with the columns that the slice asks for; without `BACK_TO_BACK` that slice is empty.
    name : str
        Key of `SLICES`.
    predictor, other : str
        The two columns of predicted points that are compared.
    """
    if BACK_TO_BACK not in rows.columns:
        rows = rows.with_columns(pl.lit(None, pl.Float64).alias(BACK_TO_BACK))
    levelled = rows.with_columns(((pl.col(predictor) + pl.col(other)) / 2).alias(LEVEL))
    return levelled.filter(SLICES[name][1]).drop(LEVEL)
