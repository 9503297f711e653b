"""Graded predictions of two versions on the same rows: the evidence for or against letting one take the place of the other."""

from datetime import date

import polars as pl

from nba_ml.context import Context
from nba_ml.warehouse.port import LATEST

GRADES = "nba_predictions.prediction_accuracy"
PICKS = "nba_predictions.player_prop_predictions"

PUBLISHED = "ensemble"
"""The system whose number is published."""

_ROW = ("slate_date", "game_id", "player_id")
_EPOCH, _END = date(1946, 11, 1), date(2999, 1, 1)


def pairs(
    context: Context,
    version: str,
    other: str,
    *,
    system: str = PUBLISHED,
    first: date | None = None,
    last: date | None = None,
    since_release: int = 0,
) -> pl.DataFrame:
    """Return the rows that both versions predicted in one run, with what each said and what was scored.

    Of several runs of a game the one in force counts, as in v_latest_predictions: a live run goes before any replay, then the last published.

    Parameters
    ----------
    system : str
        Whose numbers are compared.
    first, last : date, optional
        Slates, both included.
    since_release : int
        Least number of the release entry that was in force when the run was made.

    Returns
    -------
    DataFrame
        slate_date, game_id, player_id, run_key, mode, line, line_kind, blocked, actual_points, ``ours`` and ``theirs`` (points; null = abstained)
        and ``our_prediction`` and ``their_prediction`` (ids of the rows of system_predictions); rows of players who got on court, ordered.
    """
    dates = (first or _EPOCH, last or _END)
    columns = ["prediction_id", "revision", *_ROW, "run_key", "mode", "model_version", "predicted_points"]
    facts = ["line", "line_kind", "blocked", "actual_points"]
    where = {"system_id": system, "model_version": [version, other]}
    grades = context.warehouse.read(GRADES, as_of=LATEST, dates=dates, where=where, columns=[*columns, *facts])
    grades = grades.sort("prediction_id", "revision").unique("prediction_id", keep="last", maintain_order=True)
    grades = grades.join(_in_force(context, dates, since_release), on=["slate_date", "game_id", "run_key"])
    grades = grades.filter(pl.col("actual_points").is_not_null())
    own, rival = (grades.filter(pl.col("model_version") == name) for name in (version, other))
    theirs = rival.select(*_ROW, "run_key", theirs="predicted_points", their_prediction="prediction_id")
    joined = own.rename({"predicted_points": "ours", "prediction_id": "our_prediction"}).join(theirs, on=[*_ROW, "run_key"])
    return joined.select(*_ROW, "run_key", "mode", *facts, "ours", "theirs", "our_prediction", "their_prediction").sort(_ROW)


def _in_force(context: Context, dates: tuple[date, date], since_release: int) -> pl.DataFrame:
    """Return the run in force of each game, where it was made under a release entry from `since_release` on."""
    columns = ["slate_date", "game_id", "run_key", "mode", "published_at", "release_number"]
    picks = context.warehouse.read(PICKS, as_of=LATEST, dates=dates, columns=columns)
    runs = picks.group_by("slate_date", "game_id", "run_key").agg(
        live=(pl.col("mode") == "live").any(), published_at=pl.col("published_at").max(), release_number=pl.col("release_number").min()
    )
    runs = runs.sort("live", "published_at", "run_key").unique(["slate_date", "game_id"], keep="last", maintain_order=True)
    return runs.filter(pl.col("release_number") >= since_release).select("slate_date", "game_id", "run_key")
