"""The published number and how far the systems stand behind it.

The number is the ensemble's, as it is: no vote among the systems replaces it.
"""

import polars as pl

NUMBER = "ensemble"

SPEAKERS = ("moving_average", "matchup", "similarity", "xgboost")
"""The system that speaks for each independent voice of `nba_ml.systems.base.VOICES`. All models fitted on the same rows with the same
target are one voice, xgboost's; the ensemble, which combines the others, adds none."""

KEY = ("game_id", "player_id")

COLUMNS = (
    "predicted_points",
    "predicted_points_with_line",
    "q10",
    "q50",
    "q90",
    "p_over",
    "edge",
    "side",
    "agreement",
    "voices",
    "spread",
)


def side_of(number: pl.Expr, line: pl.Expr) -> pl.Expr:
    """Return over or under, the side of the line that a number lies on; null on the line itself, and without a line or a number."""
    return pl.when(number > line).then(pl.lit("over")).when(number < line).then(pl.lit("under"))


def form(slate: pl.DataFrame, systems: pl.DataFrame) -> pl.DataFrame:
    """Add the consensus to a slate's rows.

    Parameters
    ----------
    slate : DataFrame
        One row per player: game_id, player_id, model_version (the one that the row is published from), line (null where there is none), and
        whatever else, `COLUMNS` apart.
    systems : DataFrame
        One row per player, system and version, as in nba_predictions.system_predictions; only those of a row's own version count.

    Returns
    -------
    DataFrame
        `slate`, in its order, with `COLUMNS`. edge = number − line. agreement counts the voices on the number's side of
        the line, null where the number takes no side; voices those that give a number; spread is the largest minus the smallest number of
        all systems.
    """
    own = systems.join(slate.select(*KEY, "model_version"), on=[*KEY, "model_version"], how="semi")
    numbers = own.filter(pl.col("predicted_points").is_not_null())
    ensemble = own.filter(pl.col("system_id") == NUMBER).select(
        *KEY, "predicted_points", "predicted_points_with_line", "q10", "q50", "q90", "p_over"
    )
    rows = slate.drop(COLUMNS, strict=False).join(ensemble, on=KEY, how="left", maintain_order="left")
    rows = rows.with_columns(edge=pl.col("predicted_points") - pl.col("line"), side=side_of(pl.col("predicted_points"), pl.col("line")))
    spoken = numbers.filter(pl.col("system_id").is_in(SPEAKERS)).join(rows.select(*KEY, "line", "side"), on=KEY)
    agrees = side_of(pl.col("predicted_points"), pl.col("line")) == pl.col("side")
    heard = spoken.group_by(KEY).agg(voices=pl.len().cast(pl.Int64), agreement=agrees.sum().cast(pl.Int64))
    width = numbers.group_by(KEY).agg(spread=pl.col("predicted_points").max() - pl.col("predicted_points").min())
    rows = rows.join(heard, on=KEY, how="left", maintain_order="left").join(width, on=KEY, how="left", maintain_order="left")
    return rows.with_columns(
        pl.col("voices").fill_null(0),
        agreement=pl.when(pl.col("side").is_not_null()).then(pl.col("agreement").fill_null(0)),
    )
