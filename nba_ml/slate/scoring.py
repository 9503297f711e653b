"""What the systems of all versions say, as rows to be published: one per player, system and version, with a number or why there is none."""

import logging

import polars as pl

from nba_ml.registry.in_force import InForce
from nba_ml.slate.assignment import assign
from nba_ml.slate.consensus import NUMBER
from nba_ml.slate.quality import WITHHELD, is_marked
from nba_ml.systems.base import VOICES

log = logging.getLogger(__name__)

SYSTEMS = ("moving_average", "matchup", "similarity", "xgboost", "ensemble")
NUMBERS = ("predicted_points", "predicted_points_with_line", "q10", "q50", "q90", "p_over")

TRAINED = tuple(system for system, voice in VOICES.items() if voice == "model")
"""Systems that a version makes; the others say the same in every version."""


def score(models: InForce, rows: pl.DataFrame, history: pl.DataFrame, lines: pl.DataFrame, slate: pl.DataFrame) -> pl.DataFrame:
    """Score a slate with every version in force.

    Parameters
    ----------
    rows : DataFrame
        Feature rows to be scored.
    history : DataFrame
        Feature rows of earlier games with the points scored.
    lines : DataFrame
        Consensus lines.
    slate : DataFrame
        As in `system_rows`.

    Returns
    -------
    DataFrame
        Rows of nba_predictions.system_predictions, ordered by game, player, system and version. A shadow that could not be opened, or fails
        here, abstains for that reason.

    Raises
    ------
    Exception
        Whatever the trained model of a published version raises.
    """
    said = {one.version: one.panel.predict(rows, history, lines) for one in models.published}
    failed = dict(models.failed)
    for one in models.shadows:
        try:
            said[one.version] = one.panel.predict(rows, history, lines)
        except Exception as error:
            log.exception("shadow %s failed", one.version)
            failed[one.version] = f"{type(error).__name__}: {error}"
    parts = [system_rows(predicted, slate, version) for version, predicted in said.items()]
    silent = said[models.serving.version].clear()
    parts += [system_rows(silent, slate, version, f"shadow failed: {why}") for version, why in failed.items()]
    return pl.concat(parts).sort("game_id", "player_id", "system_id", "model_version")


def predict_published(models: InForce, rows: pl.DataFrame, history: pl.DataFrame, lines: pl.DataFrame | None = None) -> pl.DataFrame:
    """Predict feature rows as a slate publishes them: each by the version that it is assigned to. For services outside Airflow.

    Quality filters and the checks of a slate are not part of this.

    Parameters
    ----------
    models : InForce
        As `nba_ml.registry.load_released` returns it.
    rows, history, lines : DataFrame
        As `Panel.predict` takes them.

    Returns
    -------
    DataFrame
        One row per feature row: slate_date, game_id, player_id, model_version, share, `NUMBERS` of the ensemble, abstain_reason.

    Raises
    ------
    Exception
        Whatever the trained model of a published version raises.
    """
    key = ["slate_date", "game_id", "player_id"]
    assigned = assign(rows.select("game_id", "player_id", slate_date="game_date").select(key), models.rollout)
    said = [
        one.panel.predict(rows, history, lines).filter(pl.col("system_id") == NUMBER).with_columns(model_version=pl.lit(one.version))
        for one in models.published
    ]
    numbers = pl.concat(said).select(*key, "model_version", *NUMBERS, "abstain_reason")
    return assigned.join(numbers, on=[*key, "model_version"], how="left", maintain_order="left")


def system_rows(predicted: pl.DataFrame, slate: pl.DataFrame, version: str, silence: str = "no number") -> pl.DataFrame:
    """Complete a panel's answer to one row per player of the slate and system.

    Parameters
    ----------
    predicted : DataFrame
        What `Panel.predict` returns.
    slate : DataFrame
        Staged rows of the slate: slate_date, run_key, mode, game_id, player_id, model_version (the one that the row is published from), reasons.
    version : str
        The panel's version.
    silence : str
        Reason of a row for which the panel gives none.

    Returns
    -------
    DataFrame
        Rows of nba_predictions.system_predictions (published_at apart). A row without a number has an abstain_reason. The systems that no
        version makes are listed once, with the version that the row is published from.
    """
    systems = pl.Series("system_id", sorted({*SYSTEMS, *predicted["system_id"]})).to_frame()
    named = slate.select("slate_date", "run_key", "mode", "game_id", "player_id", "model_version", "reasons").join(systems, how="cross")
    mine = (pl.col("model_version") == version) | pl.col("system_id").is_in(TRAINED)
    named = named.filter(mine).with_columns(model_version=pl.lit(version))
    said = predicted.select("game_id", "player_id", "system_id", *NUMBERS, "abstain_reason", scored=True)
    rows = named.join(said, on=["game_id", "player_id", "system_id"], how="left")
    withheld = pl.coalesce(pl.when(is_marked(name)).then(pl.lit(name)) for name in WITHHELD)
    silent = pl.coalesce("abstain_reason", withheld, pl.lit(silence))
    rows = rows.with_columns(abstain_reason=pl.when(pl.col("predicted_points").is_null()).then(silent))
    return rows.drop("reasons", "scored")
