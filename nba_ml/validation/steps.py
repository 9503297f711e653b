"""Validation as steps: of what is stored, of a training set, of a slate's rows, of staged predictions."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import polars as pl

from nba_ml.context import Context
from nba_ml.errors import GateRefused
from nba_ml.sources.port import RAW_TABLES
from nba_ml.validation import measures
from nba_ml.validation.gate import FEATURES, Verdict, run_suite
from nba_ml.validation.measures import Finding
from nba_ml.validation.suites import load_suite
from nba_ml.warehouse.port import LATEST
from nba_ml.warehouse.schema import table

LINES = "nba_raw.prop_lines"
_EARLIEST, _LAST = date(1900, 1, 1), date(2999, 12, 31)


def validate(
    context: Context, suite: str | None = None, first: date | None = None, last: date | None = None, *, run: str
) -> dict[str, Any]:
    """Check what is stored, as ``nba-ml validate`` reports it.

    Parameters
    ----------
    suite : str, optional
        One suite; by default those of the raw tables, and those of derived tables that hold rows in the span (the training set only without
        a span: it is judged as a whole).
    first, last : date, optional
        Span of dates, both included; open by default.

    Returns
    -------
    dict
        {"passed", "suites": [{"suite", "rows", "passed", "failed", "warned", "quarantined", "docs_url"}]}. Here `quarantined` counts stored
        rows that would be kept out; nothing is written to nba_ops.quarantine.

    Raises
    ------
    UsageError
        If there is no such suite.
    """
    span = (first or _EARLIEST, last or _LAST)
    if suite:
        load_suite(suite)
        names = [suite]
    else:
        names = [*RAW_TABLES, "slate_features", "predictions", *(["training_set"] if first is None and last is None else [])]
    verdicts = []
    for name in names:
        frame = _stored(context, name, span)
        if suite or name in RAW_TABLES or not frame.is_empty():
            verdicts.append(run_suite(context, name, frame, run=run, parameters=_parameters(name), keep_out=False))
    return {"passed": all(verdict.passed for verdict in verdicts), "suites": [verdict.report for verdict in verdicts]}


def require_passed(report: Mapping[str, Any]) -> None:
    """Raise `GateRefused`, with the report, if a suite did not pass."""
    bad = [entry for entry in report["suites"] if not entry["passed"]]
    if bad:
        names = "\n".join(
            f"  {entry['suite']} ({entry['rows']:,} rows): {', '.join(entry['failed'])}; see {entry['docs_url']}" for entry in bad
        )
        steps = "; ".join(dict.fromkeys(load_suite(entry["suite"]).next_step for entry in bad))
        raise GateRefused(f"validation failed:\n{names}\nNext: {steps}", report=dict(report))


def validate_training_set(
    context: Context, frame: pl.DataFrame, *, run: str, features: Sequence[str] | None = None, min_rows: int | None = None
) -> Verdict:
    """Check the rows that a model is about to be fitted on.

    Parameters
    ----------
    frame : DataFrame
        Rows of the feature store with the outcome ``actual_points``, in the order of their dates. Without a column ``line`` the stored lines
        of its dates are looked up.
    features : sequence of str, optional
        Features that the model is fed; those of the feature store by default.
    min_rows : int, optional
        Least number of rows, in place of the suite's.
    """
    parameters = {} if min_rows is None else {"min_rows": min_rows}
    return run_suite(context, "training_set", _with_lines(context, frame, LATEST), run=run, features=features, parameters=parameters)


def validate_slate(
    context: Context,
    frame: pl.DataFrame,
    *,
    run: str,
    as_of: datetime,
    expected: Mapping[str, str | None] | Sequence[str] | None = None,
    known: Sequence[str] | None = None,
) -> Verdict:
    """Check the rows that a slate is about to be scored on.

    Parameters
    ----------
    frame : DataFrame
        Rows of the feature store for one date. Without a column ``line`` the lines known at `as_of` are looked up.
    expected : mapping or sequence of str, optional
        Features of the released model's manifest, in its order, with their types where it gives them; by default those of the feature store.
    known : sequence of str, optional
        All features that rows have; by default those of the feature store.
    """
    schema = _schema(expected)
    return run_suite(
        context,
        "slate_features",
        _with_lines(context, frame, as_of),
        run=run,
        features=[name for name in schema if name in frame.columns],
        parameters={"expected": schema, "known": list(known or table(FEATURES).features)},
    )


def validate_predictions(context: Context, frame: pl.DataFrame, *, run: str) -> Verdict:
    """Check the staged rows of a run before they are published."""
    return run_suite(context, "predictions", frame, run=run)


def compare_schema(expected: Mapping[str, str | None] | Sequence[str], frame: pl.DataFrame) -> Finding:
    """Compare names, order and types of a frame's features with those that a model was trained on."""
    return measures.same_schema(frame, _schema(expected), table(FEATURES).features)


def _schema(expected: Mapping[str, str | None] | Sequence[str] | None) -> dict[str, str | None]:
    if expected is None:
        types = table(FEATURES).schema
        return {name: str(types[name]) for name in table(FEATURES).features}
    return dict(expected) if isinstance(expected, Mapping) else dict.fromkeys(expected)


def _parameters(suite: str) -> dict[str, Any]:
    return {"expected": _schema(None), "known": list(table(FEATURES).features)} if suite == "slate_features" else {}


def _with_lines(context: Context, frame: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """Join each row's line, the median of its quotes, for the rule against placeholders alone."""
    if "line" in frame.columns:
        return frame
    if frame.is_empty():
        return frame.with_columns(line=pl.lit(None, pl.Float64))
    dates = frame.select(first=pl.col("game_date").min(), last=pl.col("game_date").max()).row(0)
    quotes = context.warehouse.read(LINES, as_of=as_of, dates=dates, columns=["game_date", "player_id", "line"], undated=True)
    lines = quotes.filter(pl.col("player_id").is_not_null()).group_by("game_date", "player_id").agg(pl.col("line").median())
    return frame.join(lines, on=["game_date", "player_id"], how="left", maintain_order="left")


def _stored(context: Context, suite: str, span: tuple[date, date]) -> pl.DataFrame:
    """Read the stored rows that a suite judges."""
    if suite not in ("training_set", "slate_features"):
        return context.warehouse.read(load_suite(suite).table, as_of=LATEST, dates=span, undated=True).drop("id", strict=False)
    from nba_ml.features.build import FEATURE_VERSION

    rows = context.warehouse.read(FEATURES, as_of=LATEST, dates=span, where={"feature_version": FEATURE_VERSION})
    if suite == "slate_features":
        rows = rows.filter(pl.col("game_date") == pl.col("game_date").max())
    else:
        box = context.warehouse.read("nba_raw.player_box", as_of=LATEST, dates=span, columns=["game_id", "player_id", "minutes", "points"])
        played = box.filter(pl.col("minutes") > 0).select("game_id", "player_id", actual_points="points")
        rows = rows.join(played, on=["game_id", "player_id"], how="inner", maintain_order="left").sort("game_date", maintain_order=True)
    return _with_lines(context, rows, LATEST)
