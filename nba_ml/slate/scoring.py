"""What the systems say, as rows to be published: one per player and system, with a number or the reason why there is none."""

import polars as pl

SYSTEMS = ("moving_average", "matchup", "similarity", "xgboost", "ensemble")
NUMBERS = ("predicted_points", "predicted_points_with_line", "q10", "q50", "q90", "p_over")


def system_rows(predicted: pl.DataFrame, slate: pl.DataFrame) -> pl.DataFrame:
    """Complete the panel's answer to one row per player of the slate and system.

    Parameters
    ----------
    predicted : DataFrame
        What `Panel.predict` returns.
    slate : DataFrame
        Staged rows of the slate: slate_date, run_key, mode, game_id, player_id, model_version, reasons.

    Returns
    -------
    DataFrame
        Rows of nba_predictions.system_predictions (published_at apart), ordered by game, player and system. A row
        without a number has an abstain_reason.
    """
    systems = pl.Series("system_id", sorted({*SYSTEMS, *predicted["system_id"]})).to_frame()
    named = slate.select("slate_date", "run_key", "mode", "game_id", "player_id", "model_version", "reasons").join(systems, how="cross")
    said = predicted.select("game_id", "player_id", "system_id", *NUMBERS, "abstain_reason", scored=True)
    rows = named.join(said, on=["game_id", "player_id", "system_id"], how="left")
    withheld = pl.when(pl.col("reasons").fill_null("").str.split(",").list.contains("quarantined")).then(pl.lit("quarantined"))
    silent = pl.coalesce("abstain_reason", withheld, pl.lit("no number"))
    rows = rows.with_columns(abstain_reason=pl.when(pl.col("predicted_points").is_null()).then(silent))
    return rows.drop("reasons", "scored").sort("game_id", "player_id", "system_id")
