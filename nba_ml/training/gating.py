"""The gates that a model version passes before it is published, judged on its backtest by the thresholds of ``gates.toml``."""

import logging
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

import polars as pl

from nba_ml.errors import GateRefused
from nba_ml.gates import gates_hash, load_gates
from nba_ml.training import metrics
from nba_ml.training.gate_figures import NO_FIGURE, WORDS, Beside, Evidence, Figure, Gate, measure
from nba_ml.training.intervals import LEAST_DATES
from nba_ml.training.slices import SLICES

log = logging.getLogger(__name__)


def _at_least(figure: Figure, gate: Gate) -> bool:
    value = figure.value if figure.n >= gate.get("point_rows", 0) else figure.high
    return value is None or _is_thin(figure, gate) or value >= gate["threshold"]


def _at_most(figure: Figure, gate: Gate) -> bool:
    value = figure.value if figure.n >= gate.get("point_rows", 0) else figure.low
    return value is None or _is_thin(figure, gate) or value <= gate["threshold"]


def _is_thin(figure: Figure, gate: Gate) -> bool:
    """Tell whether the interval of a figure that is judged by it was drawn from too few dates to say anything."""
    return figure.n < gate.get("point_rows", 0) and figure.dates is not None and figure.dates < LEAST_DATES


def _upper_end_below(figure: Figure, gate: Gate) -> bool:
    return figure.high is not None and figure.high < gate["threshold"]


def _between(figure: Figure, gate: Gate) -> bool:
    low, high = gate["threshold"]
    return figure.value is not None and low <= figure.value <= high


def _upper_end_at_most(figure: Figure, gate: Gate) -> bool:
    return figure.high is not None and figure.high <= gate["threshold"]


def _lower_end_at_most(figure: Figure, gate: Gate) -> bool:
    return figure.low is None or figure.low <= gate["threshold"]


def _known_at_most(figure: Figure, gate: Gate) -> bool:
    return figure.value is not None and figure.value <= gate["threshold"]


_RULES: dict[str, tuple[Callable[[Figure, Gate], bool], str]] = {
    "rows": (_at_least, "at least {}"),
    "paired": (_upper_end_below, "upper end of the interval below {}"),
    "ratio": (_at_least, "at least {}"),
    "not_worse": (_upper_end_at_most, "upper end of the interval at most {}"),
    "abstained": (_at_most, "at most {}"),
    "mean_error": (_between, "between {} and {}"),
    "coverage": (_between, "between {} and {}"),
    "ece": (_at_least, "at least {}"),
    "calibration": (_at_most, "at most {}"),
    "log_loss": (_lower_end_at_most, "lower end of the interval at most {}"),
    "hit_rate": (_at_most, "at most {}"),
    "roi": (_at_most, "at most {}"),
    "golden": (_known_at_most, "at most {}"),
    "packages": (_known_at_most, "at most {}"),
    "megabytes": (_known_at_most, "at most {}"),
    "seconds": (_known_at_most, "at most {}"),
}


def judge(figure: Figure, gate: Gate) -> dict[str, Any]:
    """Compare a figure with its gate.

    Returns
    -------
    dict
        "id", "metric", "system", "baseline", "rival" (version or table that the baseline is), "population", "slice", "value", "interval"
        ([low, high] or None), "n", "threshold", "rule" (the threshold in words), "mode" (block or warn), "passed", "note" (None, "not enough
        evidence …", "not applicable …", "not judged …" or "nothing to judge"), "reason".
    """
    rule, words = _RULES[gate["metric"]]
    threshold = gate["threshold"]
    passed, note = rule(figure, gate), None
    if figure.n < gate.get("least_rows", 0):
        passed, note = False, f"not enough evidence: {figure.n} rows of at least {gate['least_rows']}"
    elif figure.value is None:
        note = "nothing to judge"
    elif _is_thin(figure, gate):
        note = f"not judged: {figure.n} rows of at least {gate['point_rows']}, {figure.dates} dates of at least {LEAST_DATES}"
    elif figure.low is None and figure.n < gate.get("point_rows", 0):
        note = f"not judged: {figure.n} rows of at least {gate['point_rows']}"
    baseline = gate.get("baseline")
    return {
        "id": gate["id"],
        "metric": gate["metric"],
        "system": gate.get("system"),
        "baseline": figure.baseline or (", ".join(baseline) if isinstance(baseline, list) else baseline),
        "rival": None,
        "population": gate.get("population"),
        "slice": gate.get("slice"),
        "value": figure.value,
        "interval": None if figure.low is None else [figure.low, figure.high],
        "n": figure.n,
        "threshold": threshold,
        "rule": words.format(*(threshold if isinstance(threshold, list) else [threshold])),
        "mode": gate["mode"],
        "passed": passed,
        "note": note,
        "reason": gate["reason"],
    }


def evaluate(frame: pl.DataFrame, gates: Sequence[Gate] | None = None, *, beside: Beside | None = None) -> list[dict[str, Any]]:
    """Judge a backtest frame by every training gate.

    Parameters
    ----------
    frame : DataFrame
        In the contract's long format; xgboost and ensemble, and the baselines that gates name, among its systems.
    gates : sequence of mapping, optional
        By default the ``[[training]]`` gates of ``gates.toml``.
    beside : Beside, optional
        What else the version is held against; by default nothing, and the gates that ask for it are not applicable.

    Returns
    -------
    list of dict
        See `judge`. A system that a gate names and the frame lacks counts as no evidence.
    """
    beside = beside or Beside()
    evidence = Evidence.of(frame, beside)
    answers = [_answer(evidence, gate, beside.absent) for gate in (load_gates()["training"] if gates is None else gates)]
    return [answer | {"rival": beside.names.get(str(answer["baseline"]).partition(".")[0])} for answer in answers]


def _answer(evidence: Evidence, gate: Gate, absent: Mapping[str, str]) -> dict[str, Any]:
    asked = (gate.get("baseline"), gate.get("slice"), gate["metric"])
    for name in asked:
        if isinstance(name, str) and name in absent:
            return judge(NO_FIGURE, gate) | {"passed": True, "note": f"not applicable: {absent[name]}"}
    missing = _missing(evidence, gate)
    if not missing:
        return judge(measure(evidence, gate), gate)
    answer = judge(NO_FIGURE, gate)
    if all(name.endswith(metrics.WITH_LINE) for name in missing):
        return answer
    return answer | {"passed": False, "note": f"not enough evidence: no {', '.join(missing)} in the backtest"}


def _missing(evidence: Evidence, gate: Gate) -> list[str]:
    """Name the system that a gate asks for and the evidence lacks, and its baseline where none that it stands for is there."""
    named = gate.get("baseline")
    missing = {gate["system"]} - set(evidence.rows.columns) if "system" in gate else set()
    if named is not None and not evidence.rivals(gate):
        missing |= {named} if isinstance(named, str) else set(named)
    return sorted(missing)


def report(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a manifest says of the gates: "hash" of ``gates.toml``, "passed" (no blocking gate failed), "results"."""
    return {"hash": gates_hash(), "passed": not _blocking(results), "results": [dict(result) for result in results]}


def require(results: Sequence[Mapping[str, Any]]) -> None:
    """Warn of the gates that failed with mode warn, and stop at those that block.

    Raises
    ------
    GateRefused
        Naming each gate, its figure and threshold, and the next step.
    """
    for result in results:
        if result["mode"] == "warn" and not result["passed"]:
            log.warning("gate %s", describe(result))
    blocking = _blocking(results)
    if blocking:
        # Gates of one kind, as the slices, follow one another and have one reason: it is said once.
        said = [f"{'; '.join(map(_figure, alike))}. {reason}" for reason, alike in groupby(blocking, key=_reason)]
        raise GateRefused(
            f"the model is refused: {'. '.join(said)}. Nothing was published; what is released stays in force. "
            "Look at the months and folds that cause it: `nba-ml backtest --from D --to D --report DIR`.",
            report(results),
        )


def describe(result: Mapping[str, Any]) -> str:
    """Say what a gate measured, what it asks for, and why."""
    return f"{_figure(result)}. {_reason(result)}"


def _reason(result: Mapping[str, Any]) -> str:
    return str(result["reason"]).rstrip(".")


def _figure(result: Mapping[str, Any]) -> str:
    baseline = f"{result['baseline']} ({result['rival']})" if result["rival"] else result["baseline"]
    what = " against ".join(name for name in (result["system"], baseline) if name)
    of = f" of {what}" if what else ""
    figure = "no figure" if result["value"] is None else f"{result['value']:.4g}"
    if result["interval"]:
        figure += " [{:.4g}, {:.4g}]".format(*result["interval"])
    note = f" ({result['note']})" if result["note"] else ""
    where, rows = "", ""
    if result["population"]:
        part = f", {SLICES[result['slice']][0]}," if result["slice"] else ""
        where, rows = f" on population {result['population']}{part}", f" over {result['n']} rows"
    return f"{result['id']}: {WORDS[result['metric']]}{of}{where} is {figure}{rows}, asked is {result['rule']}{note}"


def verdict(result: Mapping[str, Any]) -> str:
    """Return passed, failed, or why a gate that passed judged nothing: not applicable, not judged, nothing to judge."""
    if not result["passed"]:
        return "failed"
    return str(result["note"]).partition(":")[0] if result["note"] else "passed"


def _blocking(results: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [result for result in results if result["mode"] == "block" and not result["passed"]]
