"""Graded numbers of the runs in force, live and replay apart, as the monitor looks at them."""

import logging
from collections.abc import Sequence
from datetime import date

import polars as pl

from nba_ml.context import Context
from nba_ml.errors import ArtefactError
from nba_ml.grading import latest
from nba_ml.registry import graded, versions
from nba_ml.slate.publishing import SYSTEMS
from nba_ml.warehouse.port import LATEST

log = logging.getLogger(__name__)

SIMPLE = "moving_average"
"""The simple rule that every system is compared with: it needs no training, and its number is on every row."""

ROW = ("mode", "slate_date", "game_id", "player_id")

RUN = ("mode", "slate_date", "game_id", "run_key")
_KNOWN = ("prior_games", "season_avg_minutes")
_FACTS = ("line", "actual_points", "outcome", "closing_line_value")


def in_force(picks: pl.DataFrame) -> pl.DataFrame:
    """Return the run in force of each game in each mode, the last that was published: `RUN`."""
    last = picks.sort("published_at", "run_key").unique(["mode", "slate_date", "game_id"], keep="last", maintain_order=True)
    return last.select(RUN)


def fingerprints(context: Context, first: date, last: date) -> pl.DataFrame:
    """Return what tells whether the graded rows of a slate are still the same: mode, slate_date, and a hash of ids and revisions.

    The ensemble's rows stand for all: a correction of a result revises the grades of every system alike.
    """
    grades = context.warehouse.read(
        graded.GRADES,
        as_of=LATEST,
        dates=(first, last),
        where={"system_id": graded.PUBLISHED},
        columns=[*RUN, "prediction_id", "revision"],
    )
    picks = context.warehouse.read(graded.PICKS, as_of=LATEST, dates=(first, last), columns=[*RUN, "published_at"])
    rows = latest(grades).join(in_force(picks), on=RUN).sort("prediction_id")
    each = pl.concat_str("prediction_id", pl.col("revision").cast(pl.String), separator=":")
    return rows.group_by("mode", "slate_date", maintain_order=True).agg(each.str.join(",")).sort("mode", "slate_date")


def read(context: Context, first: date, last: date, systems: Sequence[str] | None = None) -> pl.DataFrame:
    """Return the latest grades of a span.

    Parameters
    ----------
    systems : sequence of str, optional
        Systems; all by default. `simple` is null without `SIMPLE` among them.

    Returns
    -------
    DataFrame
        `ROW`, system_id, model_version, published (whether the row was published from that version), in_sample, predicted_points, simple (what
        `SIMPLE` says of the row), line, actual_points, outcome, closing_line_value, p_over, q10, q90, prior_games and
        season_avg_minutes as known before the game; ordered.
    """
    span = (first, last)
    picks = context.warehouse.read(
        graded.PICKS, as_of=LATEST, dates=span, columns=[*RUN, "player_id", "model_version", *_KNOWN, "published_at"]
    )
    where = {"system_id": list(systems)} if systems else {}
    columns = ["prediction_id", "revision", *RUN, "player_id", "system_id", "model_version", "predicted_points", *_FACTS]
    grades = latest(context.warehouse.read(graded.GRADES, as_of=LATEST, dates=span, where=where, columns=columns))
    numbers = context.warehouse.read(SYSTEMS, as_of=LATEST, dates=span, where=where, columns=["id", "p_over", "q10", "q90"])
    own = picks.select(*RUN, "player_id", "model_version", published=pl.lit(value=True))
    simple = grades.filter(pl.col("system_id") == SIMPLE).select(*RUN, "player_id", simple="predicted_points")
    rows = (
        grades.join(in_force(picks), on=RUN)
        .join(own, on=[*RUN, "player_id", "model_version"], how="left")
        .join(simple.unique([*RUN, "player_id"]), on=[*RUN, "player_id"], how="left")
        .join(picks.select(*RUN, "player_id", *_KNOWN), on=[*RUN, "player_id"], how="left")
        .join(numbers.rename({"id": "prediction_id"}), on="prediction_id", how="left")
    )
    rows = rows.with_columns(
        pl.col("published").fill_null(value=False), in_sample=_in_sample(context, rows["model_version"].unique().to_list())
    )
    kept = ["system_id", "model_version", "published", "in_sample", "predicted_points", "simple", *_FACTS, "p_over", "q10", "q90", *_KNOWN]
    return rows.select(*ROW, *kept).sort(*ROW, "system_id", "model_version")


def _in_sample(context: Context, names: list[str]) -> pl.Expr:
    """Tell which rows are replays of what their version was trained on; a version that can't be asked counts as trained on all."""
    until = {name: _trained_until(context, name) for name in names}
    known = pl.col("model_version").replace_strict(until, return_dtype=pl.Date) if until else pl.lit(None, pl.Date)
    return (pl.col("mode") != "live") & (pl.col("slate_date") <= known)


def _trained_until(context: Context, version: str) -> date:
    try:
        return date.fromisoformat(versions.read_manifest(context.store, versions.MODEL, version)[0]["trained_until"])
    except ArtefactError as error:
        log.warning("what %s was trained on is not known, its replays count as in sample: %s", version, error)
        return date.max
