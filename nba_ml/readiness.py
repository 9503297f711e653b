"""Is everything there that training needs? Coverage, quality, feature completeness and grading in one answer."""

from datetime import date
from typing import Any

import polars as pl

from nba_ml import calendar, coverage
from nba_ml.context import Context
from nba_ml.gates import load_gates
from nba_ml.warehouse import LATEST

_RAW_SUITES = ("schedule", "player_box")
_FEATURES = "nba_predictions.ml_feature_store_v2"
_SHOWN = 3


def ready(context: Context, until: date) -> dict[str, Any]:
    """Answer whether the platform is ready to train and to be trusted, part by part.

    Parameters
    ----------
    context : Context
        Where the tables are.
    until : date
        Last game date that is looked at.

    Returns
    -------
    dict
        ``ready``: whether every part is; ``until``; ``coverage``, ``quality``, ``features`` and ``grading``: each with ``ready``,
        its figures, and ``next``, the command that gets it ready (null where it is).

    Notes
    -----
    Coverage is ready when its gate passes. Quality, when the suites of schedule and box scores have run and no suite's latest run broke a
    stop rule. Features, when at least the share of ``gates.toml`` (``[ready] feature_completeness``) of the players who got on court since
    the first expected season has a row of the present feature version. Grading, when every predicted slate up to `until` that
    has box scores is graded; a platform that has not predicted yet has nothing to grade.
    """
    context.warehouse.ensure()
    parts = {
        "coverage": _coverage(context, until),
        "quality": _quality(context, until),
        "features": _features(context, until),
        "grading": _grading(context, until),
    }
    return {"ready": all(part["ready"] for part in parts.values()), "until": until.isoformat(), **parts}


def _coverage(context: Context, until: date) -> dict[str, Any]:
    report = coverage.measure(context, until)
    return {"ready": report["passed"], "next": None if report["passed"] else coverage.next_command(report), **report}


def _quality(context: Context, until: date) -> dict[str, Any]:
    runs = context.warehouse.read("nba_ops.validation_runs", as_of=LATEST)
    latest = runs.filter(pl.col("run") == pl.col("run").sort_by("checked_at", "run").last().over("suite"))
    suites = []
    for (suite, run), rules in latest.group_by("suite", "run", maintain_order=True):
        broken = rules.filter(~pl.col("passed"))
        failed = broken.filter(pl.col("severity") == "stop")["rule"].sort().to_list()
        suites.append(
            {
                "suite": suite,
                "run": run,
                "checked_at": max(rules["checked_at"]).isoformat(),
                "passed": not failed,
                "failed": failed,
                "quarantining": broken.filter(pl.col("severity") == "quarantine")["rule"].sort().to_list(),
                "warned": broken.filter(pl.col("severity") == "warn")["rule"].sort().to_list(),
            }
        )
    suites.sort(key=lambda entry: entry["suite"])
    unchecked = sorted(set(_RAW_SUITES) - {entry["suite"] for entry in suites})
    failed_suites = [entry["suite"] for entry in suites if not entry["passed"]]
    is_ready = not unchecked and not failed_suites
    command = f"nba-ml validate --suite {(failed_suites or unchecked or [''])[0]}"
    return {"ready": is_ready, "next": None if is_ready else command, "suites": suites, "never_checked": unchecked}


def _features(context: Context, until: date) -> dict[str, Any]:
    from nba_ml.features import FEATURE_VERSION

    least = load_gates()["ready"]["feature_completeness"]
    span = (calendar.opener(calendar.FIRST_SEASON), until)
    key = ["game_id", "player_id"]
    as_of = calendar.end_of(until)
    box = context.warehouse.read("nba_raw.player_box", as_of=as_of, dates=span, columns=[*key, "minutes"]).filter(pl.col("minutes") > 0)
    stored = context.warehouse.read(
        _FEATURES, as_of=LATEST, dates=span, columns=key, where={"feature_version": FEATURE_VERSION}, undated=True
    )
    covered = box.join(stored.unique(key), on=key, how="semi").height
    completeness = covered / box.height if box.height else 0.0
    is_ready = completeness >= least
    return {
        "ready": is_ready,
        "next": None if is_ready else f"nba-ml features --from {span[0]} --to {until}",
        "rows": box.height,
        "with_features": covered,
        "completeness": completeness,
        "threshold": least,
        "feature_version": FEATURE_VERSION,
    }


def _grading(context: Context, until: date) -> dict[str, Any]:
    span = (calendar.opener(calendar.FIRST_SEASON), until)

    def slates(table: str, column: str = "slate_date") -> set[date]:
        rows = context.warehouse.read(table, as_of=LATEST, dates=span, columns=[column], undated=True)
        return set(rows[column].unique())

    predicted = slates("nba_predictions.player_prop_predictions")
    graded = slates("nba_predictions.prediction_accuracy")
    gradable = predicted & slates("nba_raw.player_box", "game_date") if predicted else set()
    ungraded = sorted(gradable - graded)
    return {
        "ready": not ungraded,
        "next": " && ".join(f"nba-ml grade --slate {day}" for day in ungraded[:_SHOWN]) or None,
        "slates_predicted": len(predicted),
        "slates_graded": len(predicted & graded),
        "ungraded": [day.isoformat() for day in ungraded],
    }
