"""What follows from what the monitor finds, as ``[[monitor]]`` of gates.toml says: a warning, a request to train again, a stop, a step back.

Each consequence is one alert of one cause. It is told once, and resolved when its figure is as it should be again; a stop is lifted by a person.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from nba_ml import alerts, calendar
from nba_ml.context import Context
from nba_ml.errors import UsageError
from nba_ml.gates import load_gates, nearest_bound
from nba_ml.monitoring import drift, performance, requests
from nba_ml.registry import graded, guards, telling
from nba_ml.registry.log import ReleaseLog
from nba_ml.registry.steps import open_log
from nba_ml.slate import stops
from nba_ml.warehouse.port import LATEST

log = logging.getLogger(__name__)

Gate = Mapping[str, Any]
Result = dict[str, Any]

_SHOWN_NAMES = 5
_LONGEST_GAP = timedelta(days=400)

ROWS_OF = {
    "accounted": "everyone",
    "line_coverage": "everyone",
    "box_age_hours": "everyone",
    "inside": "intervals",
    "ece": "probabilities",
    "vs_baseline_low": "baseline_n",
}
"""Column of nba_ops.performance_daily that is judged → the column with the rows behind it. Every other metric is a kind of drift."""

WORDS = {
    "accounted": "share of players with a number or a named reason for none",
    "line_coverage": "share of the population that has a line",
    "box_age_hours": "age in hours of the newest box score",
    "inside": "share of results in the 80 % interval",
    "ece": "calibration error of p_over",
    "vs_baseline_low": "lower end of the error's difference to the moving average, in points",
    "absent": "features of the model that the feature rows lack",
    "nulls": "rise of a feature's share of nulls",
    "constant": "features with one value on the whole slate",
    "frozen": "rise of the share of players whose feature stands still",
    "feature": "distance of a feature from its references, in what it ever did by itself",
    "residual": "drift of the mean error, as a share of points",
    "target": "drift of the points scored, as a share",
    "concept": "loss of the lead over the moving average, as a share of its error",
    "calibration": "drift of the share of overs from p_over",
    "confidence": "drift of the log-loss from what p_over leads to expect",
}
"""Metric → what it is, as the subject of a sentence."""

ACTIONS = ("warn", "retrain", "stop", "roll_back")


def judge(context: Context, slate: date, mode: str) -> list[Result]:
    """Judge what is written of a graded slate by every gate.

    Returns
    -------
    list of dict
        "id", "metric", "then", "threshold", "rule" (in words), "value" (None where nothing is known), "n", "window", "first_slate" (of what was
        judged), "names" (what drifted, the worst first), "judged" (enough rows), "passed", "reason".
    """
    whole = {"mode": mode, "in_sample": False, "system_id": graded.PUBLISHED, "model_version": performance.PUBLISHED, "population": "all"}
    windows = {
        row["window_slates"]: row
        for row in context.warehouse.read(performance.TABLE, as_of=LATEST, dates=(slate, slate), where=whole).to_dicts()
    }
    version = open_log(context).rollout.serving
    drifted = context.warehouse.read(drift.TABLE, as_of=LATEST, dates=(slate, slate), where={"mode": mode, "model_version": version or ""})
    return [_judge(gate, windows, drifted, slate) for gate in load_gates()["monitor"]]


def _judge(gate: Gate, windows: Mapping[int, Mapping[str, Any]], drifted: pl.DataFrame, slate: date) -> Result:
    metric, names = gate["metric"], []
    if metric in ROWS_OF:
        row = windows.get(gate["window"], {})
        value, n, first = row.get(metric), row.get(ROWS_OF[metric]) or 0, row.get("first_slate") or slate
    else:
        rows = drifted.filter(pl.col("kind") == metric).drop_nulls("value").sort(pl.col("value").abs(), "name", descending=[True, False])
        beyond = rows.filter(~_holds(gate, pl.col("value")))
        names = beyond["name"].to_list()
        value, n = (rows["value"][0], rows["n"][0]) if rows.height else (None, 0)
        first = slate
    judged = value is not None and n >= gate["least_n"]
    return {
        **{name: gate.get(name) for name in ("id", "metric", "then", "threshold", "window", "reason")},
        "rule": _rule(gate),
        "value": value,
        "n": n,
        "first_slate": first.isoformat(),
        "names": names,
        "judged": judged,
        "passed": not judged or bool(pl.select(_holds(gate, pl.lit(value))).item()),
    }


def _holds(gate: Gate, value: pl.Expr) -> pl.Expr:
    threshold = gate["threshold"]
    if isinstance(threshold, list):
        return value.is_between(*threshold)
    return (value if gate["metric"] in ROWS_OF else value.abs()) <= threshold


def _rule(gate: Gate) -> str:
    threshold = gate["threshold"]
    if isinstance(threshold, list):
        return f"between {threshold[0]:g} and {threshold[1]:g}"
    return f"at most {threshold:g}"


def follow(context: Context, slate: date, mode: str) -> dict[str, Any]:
    """Judge a slate, and do what follows; nothing follows from a slate after which others are graded already.

    Returns
    -------
    dict
        "judged" (see `judge`), "breached" (ids), "alerts" (causes that were told of now), "resolved" (causes), "retrain" (why a training is asked
        for, None where no request stands), "stopped" (causes of stops that are open), "rolled_back" (version or None).
    """
    results = judge(context, slate, mode)
    breached = [result for result in results if not result["passed"]]
    answer: dict[str, Any] = {
        "judged": results,
        "breached": [result["id"] for result in breached],
        **{name: [] for name in ("alerts", "resolved", "stopped")},
        "retrain": None,
        "rolled_back": None,
    }
    _tell_steps_back(context, open_log(context), answer)
    later = (slate, slate + _LONGEST_GAP)
    newest = context.warehouse.read(performance.TABLE, as_of=LATEST, where={"mode": mode}, columns=["slate_date"], dates=later)
    if newest["slate_date"].max() == slate:
        for result in results:
            if result["passed"]:
                _settle(context, result, answer)
            else:
                _ACT[result["then"]](context, result, slate, answer)
        answer["retrain"] = requests.standing(context)
    found = alerts.open_alerts(context)["cause"].to_list()
    answer["stopped"] = [cause for cause in found if cause.startswith(stops.STOP)]
    return answer


def _settle(context: Context, result: Result, answer: dict[str, Any]) -> None:
    if result["judged"] and result["then"] != "stop" and alerts.resolve(context, result["id"], f"It is {_figure(result)} again."):
        answer["resolved"].append(result["id"])


def _warn(context: Context, result: Result, slate: date, answer: dict[str, Any]) -> None:
    _tell(context, result, slate, answer, next_step="nba-ml monitor")


def _retrain(context: Context, result: Result, slate: date, answer: dict[str, Any]) -> None:
    _tell(context, result, slate, answer, next_step=f"nba-ml train --cause {result['id']}", blocks="A training is asked for.")


def _stop(context: Context, result: Result, slate: date, answer: dict[str, Any]) -> None:
    cause = stops.STOP + result["id"].removeprefix("monitor.")
    lifted = _last_end(context, cause)
    if lifted is None or result["first_slate"] > lifted:
        _tell(context, result, slate, answer, cause=cause, next_step=stops.lift(cause), blocks=f"Slates after {slate} are not published.")


def _roll_back(context: Context, result: Result, slate: date, answer: dict[str, Any]) -> None:
    """Take the version that serves out, where it made all of the slates that are judged since the last step back; with none to go back to, stop."""
    release_log = open_log(context)
    serving, since = release_log.rollout.serving, _last_rollback(release_log)
    if serving is None or (since is not None and result["first_slate"] <= since):
        return
    try:
        guards.take_out(context, release_log, serving, guard=result["id"], reason=_say(result))
    except UsageError as error:
        log.warning("%s", error)
        _stop(context, result, slate, answer)
        return
    answer["rolled_back"] = serving
    _tell_steps_back(context, release_log, answer)


def _tell_steps_back(context: Context, release_log: ReleaseLog, answer: dict[str, Any]) -> None:
    answer["alerts"] += [row["cause"] for row in telling.went_back(context, release_log)]


_ACT: Mapping[str, Callable[[Context, Result, date, dict[str, Any]], None]] = {
    "warn": _warn,
    "retrain": _retrain,
    "stop": _stop,
    "roll_back": _roll_back,
}


def _tell(
    context: Context,
    result: Result,
    slate: date,
    answer: dict[str, Any],
    *,
    next_step: str,
    cause: str | None = None,
    blocks: str | None = None,
) -> None:
    alert = alerts.Alert(
        cause=cause or result["id"],
        severity="urgent" if result["then"] in ("stop", "roll_back") else "warning",
        what=_say(result),
        next_step=next_step,
        occasion=slate.isoformat(),
        figure=result["value"],
        threshold=nearest_bound(result["threshold"], result["value"]),
        slate_date=slate,
        blocks=blocks,
    )
    if alerts.write(context, alert)["new"]:
        answer["alerts"].append(alert.cause)


def _say(result: Result) -> str:
    where = f" over the last {result['window']} slates" if result["window"] else ""
    named = ", ".join(result["names"][:_SHOWN_NAMES])
    more = f" and {len(result['names']) - _SHOWN_NAMES} more" if len(result["names"]) > _SHOWN_NAMES else ""
    whose = f" ({named}{more})" if named else ""
    return f"The {WORDS[result['metric']]}{where} is {_figure(result)}, asked is {result['rule']}{whose}. {result['reason']}"


def _figure(result: Result) -> str:
    return f"{result['value']:.4g} ({result['n']} rows)"


def _last_end(context: Context, cause: str) -> str | None:
    """Return the slate date (ISO) on which a cause was last resolved."""
    ended = alerts.all_alerts(context).filter((pl.col("cause") == cause) & pl.col("resolved_at").is_not_null())
    return calendar.slate_date(ended["resolved_at"][0]).isoformat() if ended.height else None


def _last_rollback(release_log: ReleaseLog) -> str | None:
    """Return the slate date (ISO) on which a version was last gone back to."""
    made = [entry.created_at for entry in release_log.entries if entry.action == "rollback"]
    return calendar.slate_date(datetime.fromisoformat(made[-1])).isoformat() if made else None
