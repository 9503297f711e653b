"""A backtest over any span, for people who ask whether the numbers are real: nothing of it is published."""

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from nba_ml import atomic, calendar
from nba_ml.context import Context
from nba_ml.errors import UsageError
from nba_ml.features import store
from nba_ml.training import canaries, dataset, gating, metrics, walk_forward


def backtest(
    context: Context, first: date, last: date, *, refit_days: int, predictions: Path | None = None, report: Path | None = None
) -> dict[str, Any]:
    """Walk forward over a span.

    Parameters
    ----------
    refit_days : int
        Days between refits.
    predictions : Path, optional
        Parquet file for every prediction of every system, in the format of contract.md.
    report : Path, optional
        Folder for report.html.

    Returns
    -------
    dict
        The figures of `nba_ml.training.metrics.summary`, with "folds", "left_out" (see `Dataset`), "gates", "canaries" (see `canaries.check`), and
        the paths "predictions" and "report" (or None).

    Raises
    ------
    BadInput
        If the span has no rows, or too little history lies before it.
    UsageError
        If `predictions` or `report` can't be written to.
    """
    _refuse_unwritable(predictions, report)
    context.warehouse.ensure()
    # Planned on the box scores first: a span that can't be walked is refused before all features are made for it.
    walk_forward.plan_folds(store.finished(context.warehouse, calendar.end_of(last)), first, last, refit_days)
    store.refresh(context, context.source.first_date(), last)
    data = dataset.load(context, last)
    folds = walk_forward.plan_folds(data.rows, first, last, refit_days, lines=data.lines)
    seed = context.settings.seed
    cache = walk_forward.cache_folder(context.settings)
    frame, out_of_fold = walk_forward.walk_forward(data.rows, data.lines, folds, names=data.features.names, seed=seed, cache=cache)
    checked = canaries.check(data.rows, data.lines, folds, frame, out_of_fold, names=data.features.names, seed=seed)
    gates = gating.evaluate(frame)
    if predictions is not None:
        with atomic.whole(predictions) as aside:
            frame.write_parquet(aside)
    page = report / "report.html" if report is not None else None
    if page is not None:
        from nba_ml.training import report_inputs
        from nba_ml.training.report import report as render

        inside = data.rows.filter(pl.col("game_date") >= first)
        inputs, notes = report_inputs.read(context, inside, last, data.features), report_inputs.notes(context, inside)
        weights = walk_forward.weights(out_of_fold)
        title = f"Backtest {first} to {last}"
        render(frame, page, title=title, notes=notes, gates=gates, canaries=checked, inputs=inputs, weights=weights)
    return metrics.summary(frame) | {
        "folds": sum(not fold.warm_up for fold in folds),
        "left_out": data.left_out,
        "gates": gating.report(gates),
        "canaries": checked,
        "predictions": str(predictions) if predictions else None,
        "report": str(page) if page else None,
    }


def _refuse_unwritable(predictions: Path | None, report: Path | None) -> None:
    """Refuse paths that nothing could be written to, before minutes of work."""
    if predictions is not None and predictions.is_dir():
        raise UsageError(f"--predictions {predictions} is a folder: name a file in it, such as {predictions / 'predictions.parquet'}")
    for option, path in (("--predictions", predictions and predictions.parent), ("--report", report)):
        if path is not None:
            nearest = next(part for part in (path, *path.parents) if part.exists())
            if not nearest.is_dir():
                raise UsageError(f"{option}: {nearest} is a file, and a folder is needed there: choose another path")
