"""The burst guard: a slate is looked at as a whole before anyone sees it, since a broken model shows in its numbers long before results are in.

Every version whose numbers would be published is compared, on the rows of the slate, with a system that has no model, and a challenger with the
version that serves. Thresholds: ``[[burst]]`` of gates.toml.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from nba_ml import alerts
from nba_ml.context import Context
from nba_ml.errors import GateRefused
from nba_ml.gates import load_gates, nearest_bound
from nba_ml.registry import guards
from nba_ml.registry.steps import open_log
from nba_ml.slate.quality import WITHHELD

Gate = Mapping[str, Any]
Result = dict[str, Any]

SERVING = "serving"
"""Baseline of gates.toml that stands for the same system of the version that serves."""

_ROW = ("game_id", "player_id")


def require(context: Context, ref: Mapping[str, Any], picks: pl.DataFrame, systems: pl.DataFrame) -> list[Result]:
    """Stop a slate whose numbers can't be right, write an alert, and take the challenger out where its numbers alone are wrong.

    Parameters
    ----------
    ref : mapping
        Of the slate's run: slate_date, mode, run_key, model_version, challenger, seconds.
    picks, systems : DataFrame
        Its staged rows.

    Returns
    -------
    list of dict
        See `check`.

    Raises
    ------
    GateRefused
        Naming each gate, its figure and threshold, and the next step.
    """
    serving, challenger = ref["model_version"], ref["challenger"]
    results = check(systems, picks, [version for version in (serving, challenger) if version], serving, ref["seconds"])
    failed = [result for result in results if not result["passed"]]
    slate = date.fromisoformat(ref["slate_date"])
    if not failed:
        alerts.resolve_under(context, [gate["id"] for gate in load_gates()["burst"]], "The slate passed.", slate_date=slate)
        return results
    said = "; ".join(map(describe, failed))
    again = f"nba-ml predict --slate {ref['slate_date']} --mode {ref['mode']}"
    step = f"`nba-ml release rollback --reason TEXT` goes back to the version before it, then run the slate again: {again}"
    if {result["version"] for result in failed} == {challenger}:
        guards.take_out(context, open_log(context), challenger, guard=failed[0]["id"], reason=f"slate {ref['slate_date']}: {said}")
        said = f"{challenger} was taken out, {serving} predicts everything again: {said}"
        step = f"Run the slate again: {again}"
    alert = alerts.Alert(
        cause=f"{failed[0]['id']}:{failed[0]['version']}",
        severity="urgent",
        what=f"The slate of {ref['slate_date']} is not published: {said}.",
        next_step=step,
        occasion=ref["run_key"],
        figure=failed[0]["value"],
        threshold=nearest_bound(failed[0]["threshold"], failed[0]["value"]),
        slate_date=slate,
        blocks="The predictions of the slate.",
    )
    alerts.write(context, alert)
    refusal = GateRefused(f"{alert.what} {step}", {"slate_date": ref["slate_date"], "run_key": ref["run_key"], "burst": results})
    refusal.alerted = alert.cause
    raise refusal


def check(systems: pl.DataFrame, lines: pl.DataFrame, versions: Sequence[str], serving: str, seconds: float) -> list[Result]:
    """Judge the numbers of a slate by every burst gate.

    Parameters
    ----------
    systems : DataFrame
        Staged rows of nba_predictions.system_predictions, of all versions.
    lines : DataFrame
        game_id, player_id and line (null without one).
    versions : sequence of str
        Versions whose numbers would be published.
    serving : str
        The version that serves; a gate against it judges the others alone.
    seconds : float
        How long scoring took.

    Returns
    -------
    list of dict
        "id", "version", "metric", "system", "baseline", "value" (None on too few rows to judge), "n", "threshold", "rule", "passed", "reason".
    """
    rows = systems.join(lines.select(*_ROW, "line"), on=_ROW, how="left", maintain_order="left")
    answers = []
    for gate in load_gates()["burst"]:
        for version in versions:
            if gate.get("baseline") != SERVING or version != serving:
                answers.append(_judge(rows, gate, version, serving, seconds))
    return answers


def _judge(rows: pl.DataFrame, gate: Gate, version: str, serving: str, seconds: float) -> Result:
    low, high = gate["threshold"]
    value, n = (seconds, 0) if gate["metric"] == "seconds" else _METRICS[gate["metric"]](_compared(rows, gate, version, serving))
    judged = value if n >= gate.get("least_rows", 0) else None
    named = {name: gate.get(name) for name in ("id", "metric", "system", "baseline", "threshold", "reason")}
    return named | {
        "version": version,
        "value": judged,
        "n": n,
        "rule": f"between {low:g} and {high:g}",
        "passed": judged is None or low <= judged <= high,
    }


def _compared(rows: pl.DataFrame, gate: Gate, version: str, serving: str) -> pl.DataFrame:
    """Return a version's numbers and, where the gate names a baseline, that one's beside them as ``simple``."""
    own = _numbers(rows, gate["system"], version)
    if "baseline" not in gate:
        return own
    if gate["baseline"] == SERVING:
        simple = _numbers(rows, gate["system"], serving)
    else:
        # Systems that no version makes are listed once, with the version that the row is published from.
        simple = (
            rows.filter(pl.col("system_id") == gate["baseline"]).select(*_ROW, number="predicted_points").unique(_ROW, maintain_order=True)
        )
    return own.join(simple.select(*_ROW, simple="number"), on=_ROW)


def _numbers(rows: pl.DataFrame, system: str, version: str) -> pl.DataFrame:
    own = rows.filter((pl.col("system_id") == system) & (pl.col("model_version") == version))
    return own.select(*_ROW, "line", "abstain_reason", number="predicted_points")


def _shift(rows: pl.DataFrame) -> tuple[float | None, int]:
    """Return the mean number divided by the mean of the baseline's."""
    both = rows.drop_nulls(["number", "simple"])
    number, base = (float(both[name].sum()) for name in ("number", "simple"))
    return (number / base if base else None), both.height


def _order(rows: pl.DataFrame) -> tuple[float | None, int]:
    """Return the correlation with the baseline; numbers that are all the same agree with nothing, and count as 0."""
    both = rows.drop_nulls(["number", "simple"])
    if both.height < 2 or not both["simple"].std():
        return None, both.height
    return (both.select(pl.corr("number", "simple")).item() if both["number"].std() else 0.0), both.height


def _one_side(rows: pl.DataFrame) -> tuple[float | None, int]:
    """Return the share of numbers on the side of the line that has the most."""
    sided = rows.filter(pl.col("number") != pl.col("line"))
    over = (sided["number"] > sided["line"]).mean()
    return (None if over is None else max(float(over), 1 - float(over))), sided.height  # type: ignore[arg-type]


def _abstained(rows: pl.DataFrame) -> tuple[float | None, int]:
    """Return the share of rows without a number, those apart that were kept from being scored."""
    asked = rows.filter(~pl.col("abstain_reason").fill_null("").is_in(WITHHELD))
    return (asked["number"].null_count() / asked.height if asked.height else None), asked.height


_METRICS: dict[str, Callable[[pl.DataFrame], tuple[float | None, int]]] = {
    "shift": _shift,
    "order": _order,
    "one_side": _one_side,
    "abstained": _abstained,
}

WORDS = {
    "shift": "mean number divided by that of the baseline",
    "order": "correlation with the baseline",
    "one_side": "share of numbers on one side of the line",
    "abstained": "share of rows without a number",
    "seconds": "time in seconds to score the slate",
}
"""Metric → what it is, as the subject of a sentence."""


def describe(result: Mapping[str, Any]) -> str:
    """Say in one sentence what a gate measured and what it asks for."""
    whose = f" of {result['system']} of {result['version']}" if result["system"] else ""
    against = f" against {result['baseline']}" if result["baseline"] else ""
    rows = f" over {result['n']} rows" if result["n"] else ""
    return (
        f"{result['id']}: {WORDS[result['metric']]}{whose}{against} is {result['value']:.4g}{rows}, asked is {result['rule']}. "
        f"{result['reason'].rstrip('.')}"
    )
