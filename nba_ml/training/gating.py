"""The gates that a model version passes before it is published, judged on its backtest by the thresholds of ``gates.toml``."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from nba_ml.errors import GateRefused
from nba_ml.gates import gates_hash, load_gates
from nba_ml.training import betting, metrics, probability
from nba_ml.training.intervals import clustered_mean, wilson

log = logging.getLogger(__name__)

Gate = Mapping[str, Any]


@dataclass(frozen=True)
class Figure:
    """A measured figure: its value, 95 % interval and number of rows; None where there are no rows."""

    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class _Backtest:
    frame: pl.DataFrame
    rows: pl.DataFrame

    def long(self, gate: Gate) -> pl.DataFrame:
        return metrics.population(self.frame.filter(pl.col("system_id") == gate["system"]), gate["population"])

    def wide(self, gate: Gate) -> pl.DataFrame:
        return metrics.population(self.rows, gate["population"])


def _from_interval(found: Mapping[str, Any]) -> Figure:
    return Figure(found["value"], found["low"], found["high"], found["n"])


def _rows(backtest: _Backtest, gate: Gate) -> Figure:
    rows = backtest.wide(gate).height
    return Figure(rows, None, None, rows)


def _paired(backtest: _Backtest, gate: Gate) -> Figure:
    return _from_interval(metrics.paired(backtest.wide(gate), gate["system"], gate["baseline"]))


def _ratio(backtest: _Backtest, gate: Gate) -> Figure:
    return _from_interval(metrics.ratio(backtest.wide(gate), gate["system"], gate["baseline"]))


def _abstained(backtest: _Backtest, gate: Gate) -> Figure:
    rows = backtest.wide(gate)
    return Figure(metrics.abstention(rows, gate["system"]), None, None, rows.height)


def _mean_error(backtest: _Backtest, gate: Gate) -> Figure:
    rows = backtest.wide(gate).drop_nulls(gate["system"])
    return _from_interval(clustered_mean(rows["slate_date"].to_numpy(), (rows[gate["system"]] - rows["actual_points"]).to_numpy()))


def _coverage(backtest: _Backtest, gate: Gate) -> Figure:
    found = probability.coverage(backtest.long(gate)).get(gate["system"])
    return Figure(found["coverage"], None, None, found["n"]) if found else Figure(None, None, None, 0)


def _ece(backtest: _Backtest, gate: Gate) -> Figure:
    rows = probability.decided(backtest.long(gate), "p_over")
    found = probability.scores(rows["p_over"].to_numpy(), rows["over"].to_numpy())
    return Figure(found["ece"], None, None, rows.height)


def _hit_rate(backtest: _Backtest, gate: Gate) -> Figure:
    rows = betting.bets(backtest.long(gate), gate["system"]).filter("dated")
    won = int(rows["won"].sum())
    interval = wilson(won, rows.height)
    return Figure(won / rows.height, *interval, rows.height) if interval else Figure(None, None, None, 0)


def _roi(backtest: _Backtest, gate: Gate) -> Figure:
    rows = betting.bets(backtest.long(gate), gate["system"]).filter("dated").drop_nulls("profit")
    return _from_interval(clustered_mean(rows["slate_date"].to_numpy(), rows["profit"].to_numpy()))


_MEASURES: dict[str, Callable[[_Backtest, Gate], Figure]] = {
    "rows": _rows,
    "paired": _paired,
    "ratio": _ratio,
    "abstained": _abstained,
    "mean_error": _mean_error,
    "coverage": _coverage,
    "ece": _ece,
    "hit_rate": _hit_rate,
    "roi": _roi,
}


_WORDS = {
    "rows": "player-games",
    "paired": "difference of mean absolute errors, in points,",
    "ratio": "ratio of mean absolute errors",
    "abstained": "share of rows without a number",
    "mean_error": "mean error, in points,",
    "coverage": "share of results inside the 80 % interval",
    "ece": "expected calibration error",
    "hit_rate": "hit rate",
    "roi": "profit per unit",
}


def _at_least(figure: Figure, gate: Gate) -> bool:
    value = figure.value if figure.n >= gate.get("point_rows", 0) else figure.high
    return value is None or value >= gate["threshold"]


def _at_most(figure: Figure, gate: Gate) -> bool:
    value = figure.value if figure.n >= gate.get("point_rows", 0) else figure.low
    return value is None or value <= gate["threshold"]


def _upper_end_below(figure: Figure, gate: Gate) -> bool:
    return figure.high is not None and figure.high < gate["threshold"]


def _between(figure: Figure, gate: Gate) -> bool:
    low, high = gate["threshold"]
    return figure.value is not None and low <= figure.value <= high


_RULES: dict[str, tuple[Callable[[Figure, Gate], bool], str]] = {
    "rows": (_at_least, "at least {}"),
    "paired": (_upper_end_below, "upper end of the interval below {}"),
    "ratio": (_at_least, "at least {}"),
    "abstained": (_at_most, "at most {}"),
    "mean_error": (_between, "between {} and {}"),
    "coverage": (_between, "between {} and {}"),
    "ece": (_at_least, "at least {}"),
    "hit_rate": (_at_most, "at most {}"),
    "roi": (_at_most, "at most {}"),
}


def judge(figure: Figure, gate: Gate) -> dict[str, Any]:
    """Compare a figure with its gate.

    Returns
    -------
    dict
        "id", "metric", "system", "baseline", "population", "value", "interval" ([low, high] or None), "n", "threshold", "rule" (the
        threshold in words), "mode" (block or warn), "passed", "note" (None, "not enough evidence" or "nothing to judge"), "reason".
    """
    rule, words = _RULES[gate["metric"]]
    threshold = gate["threshold"]
    passed, note = rule(figure, gate), None
    if figure.n < gate.get("least_rows", 0):
        passed, note = False, f"not enough evidence: {figure.n} rows of at least {gate['least_rows']}"
    elif figure.value is None:
        note = "nothing to judge"
    return {
        "id": gate["id"],
        "metric": gate["metric"],
        "system": gate.get("system"),
        "baseline": gate.get("baseline"),
        "population": gate["population"],
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


def evaluate(frame: pl.DataFrame, gates: Sequence[Gate] | None = None) -> list[dict[str, Any]]:
    """Judge a backtest frame by every training gate.

    Parameters
    ----------
    frame : DataFrame
        In the contract's long format; xgboost and ensemble, and the baselines that gates name, among its systems.
    gates : sequence of mapping, optional
        By default the ``[[training]]`` gates of ``gates.toml``.

    Returns
    -------
    list of dict
        See `judge`. A system that a gate names and the frame lacks counts as no evidence.
    """
    rows = metrics.wide(frame)
    backtest = _Backtest(frame, rows)
    answers = []
    for gate in load_gates()["training"] if gates is None else gates:
        absent = {gate.get("system"), gate.get("baseline")} - {None} - set(rows.columns)
        figure = Figure(None, None, None, 0) if absent else _MEASURES[gate["metric"]](backtest, gate)
        answer = judge(figure, gate)
        optional = all(str(name).endswith(metrics.WITH_LINE) for name in absent)
        if absent and not optional:
            answer |= {"passed": False, "note": f"not enough evidence: no {', '.join(sorted(map(str, absent)))} in the backtest"}
        answers.append(answer)
    return answers


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
        raise GateRefused(
            "the model is refused: " + "; ".join(map(describe, blocking)) + ". Nothing was published; what is released stays in force. "
            "Look at the months and folds that cause it: `nba-ml backtest --from D --to D --report DIR`.",
            report(results),
        )


def describe(result: Mapping[str, Any]) -> str:
    """Say in one sentence what a gate measured and what it asks for."""
    what = " against ".join(name for name in (result["system"], result["baseline"]) if name)
    of = f" of {what}" if what else ""
    figure = "no figure" if result["value"] is None else f"{result['value']:.4g}"
    if result["interval"]:
        figure += " [{:.4g}, {:.4g}]".format(*result["interval"])
    note = f" ({result['note']})" if result["note"] else ""
    return (
        f"{result['id']}: {_WORDS[result['metric']]}{of} on population {result['population']} is {figure} "
        f"over {result['n']} rows, asked is {result['rule']}{note}. {result['reason'].rstrip('.')}"
    )


def _blocking(results: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [result for result in results if result["mode"] == "block" and not result["passed"]]
