"""What a new version is held against on its own recent rows: the released version and the team's own predictions, neither of which saw them.

The candidate's numbers are those of its walk-forward backtest. The released version's are, up to the day it was trained until, those of its own
backtest, and from then on what its stored model says of the same feature rows. So every number of both sides was made without the row's outcome,
and the rows are nearly all of the backtest's, however long ago the last release was. Graded predictions would be fewer, from other moments, and
made only for the share that the version served.
"""

import logging
from collections.abc import Mapping
from io import BytesIO

import polars as pl

from nba_ml.context import Context
from nba_ml.errors import ArtefactError
from nba_ml.registry import loading, versions
from nba_ml.registry.log import ReleaseLog
from nba_ml.registry.versions import MODEL as NAME
from nba_ml.training import existing, metrics, slices
from nba_ml.training.dataset import Dataset
from nba_ml.training.gate_figures import EXISTING, RELEASED, Beside

log = logging.getLogger(__name__)

_KEY = ("slate_date", "player_id")


def beside(context: Context, version: str, data: Dataset, frame: pl.DataFrame, backtest_file: str, artefact: Mapping[str, float]) -> Beside:
    """Gather the numbers of both rivals, and whose team played on consecutive days.

    Parameters
    ----------
    version : str
        The candidate.
    data : Dataset
        Its training set.
    frame : DataFrame
        Its backtest in the contract's long format.
    backtest_file : str
        Name under which a version keeps its backtest.

    artefact : mapping
        See `candidate.measure`.

    Raises
    ------
    BadInput
        If the team's own table does not hold what it should.
    """
    first, last = frame["slate_date"].min(), frame["slate_date"].max()
    rows = data.rows.filter(pl.col("game_date").is_between(first, last))
    numbers = rows.select(slate_date="game_date", player_id="player_id").unique(maintain_order=True)
    names, absent = {}, {}
    found, released, why = _released(context, version, data, rows, backtest_file)
    if found is None:
        absent[RELEASED] = why
    else:
        numbers, names[RELEASED] = numbers.join(found, on=_KEY, how="left"), released
    theirs = context.settings.existing_grades
    if theirs is None:
        absent[EXISTING] = "NBA_ML_EXISTING_GRADES names no table"
    else:
        numbers, names[EXISTING] = numbers.join(existing.read(context, frame), on=_KEY, how="left"), theirs
    rest = None
    if slices.BACK_TO_BACK in rows.columns:
        rest = rows.select("game_id", "player_id", slices.BACK_TO_BACK)
    else:
        absent[slices.BACK_TO_BACK] = "the features don't say whose team played the day before"
    return Beside(numbers, rest, artefact, names, absent)


def _released(
    context: Context, candidate: str, data: Dataset, rows: pl.DataFrame, backtest_file: str
) -> tuple[pl.DataFrame | None, str, str]:
    """Return the released version's numbers of the rows, its name, and, where there are none, why there is nothing to compare with."""
    environment = context.settings.environment
    rollout = ReleaseLog(context.store, NAME, environment).rollout
    serving = rollout.serving
    if serving is None:
        return None, "", f"no version is released in {environment}"
    if serving == candidate:
        return None, candidate, "it is this version that is released"
    try:
        version = versions.open_version(context.store, NAME, serving, rollout.manifests[serving])
        parts = [_walked(version.files[backtest_file])]
        until = pl.lit(version.manifest["trained_until"]).str.to_date()
        later = rows.filter(pl.col("game_date") > until)
        if later.height:
            parts.append(_published(loading.verified_panel(version, data.features).predict(later, data.rows)))
    except ArtefactError as error:
        log.warning("the released version can't be compared with: %s", error)
        return None, serving, f"the released version {serving} does not run here, so nothing is replaced that does ({error})"
    return pl.concat(parts), serving, ""


def _walked(file: bytes) -> pl.DataFrame:
    return _published(pl.read_parquet(BytesIO(file)))


def _published(predictions: pl.DataFrame) -> pl.DataFrame:
    """Return the published system's number of each player and date."""
    own = predictions.filter(pl.col("system_id") == metrics.ENSEMBLE)
    return own.select(*_KEY, pl.col("predicted_points").alias(RELEASED))
