"""Guards on a release: graded evidence before each step forward, and a step back by itself where a version turns out worse.

Both versions score every row, whoever's number is published, so they are compared on the same rows. Figures are looked at every day, so their
intervals are confidence sequences (`nba_ml.sequential`), which hold at all looks together. Thresholds: ``[[guard]]`` of gates.toml.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from nba_ml import alerts, sequential
from nba_ml.context import Context
from nba_ml.errors import GateRefused
from nba_ml.gates import load_gates
from nba_ml.registry import graded, projection, releases, telling, versions
from nba_ml.registry.entry import GUARD, Entry
from nba_ml.registry.loading import verified_panel
from nba_ml.registry.log import ReleaseLog

log = logging.getLogger(__name__)

Guard = Mapping[str, Any]
Result = dict[str, Any]

_GIVES_SHARE = ("shadow", "release", "advance")

_NO_FIGURE: Mapping[str, Any] = {"value": None, "interval": None, "passed": True, "note": None}


def evidence(context: Context, serving: str, challenger: str, *, since_release: int) -> list[Result]:
    """Judge a challenger by every guard, on the slates graded since a release entry.

    Parameters
    ----------
    serving, challenger : str
        Versions.
    since_release : int
        Number of the entry that gave the challenger its present share.

    Returns
    -------
    list of dict
        "id", "metric", "system", "value", "interval" ([low, high] or None), "slates", "n", "threshold", "rule" (in words), "trips" (hold or
        roll_back), "passed", "note" (why it does not pass, or judged nothing), "reason".
    """
    guards = load_gates()["guard"]
    systems = dict.fromkeys(guard["system"] for guard in guards)
    rows = {name: graded.pairs(context, challenger, serving, system=name, since_release=since_release) for name in systems}
    return [judge_rows(rows[guard["system"]], guard) for guard in guards]


def judge_rows(rows: pl.DataFrame, guard: Guard) -> Result:
    """Judge paired rows, as `graded.pairs` returns them, by one guard; see `evidence`."""
    measure, words = _METRICS[guard["metric"]]
    both = rows.drop_nulls(["ours", "theirs"])
    slates, n = both["slate_date"].n_unique(), both.height
    answer = {
        **{name: guard[name] for name in ("id", "metric", "system", "threshold", "trips", "reason")},
        "rule": words.format(guard["threshold"]),
        "slates": slates,
        "n": n,
        **_NO_FIGURE,
        **measure(rows, both, guard),
    }
    least_slates, least_rows = guard.get("least_slates", 0), guard.get("least_rows", 0)
    if slates < least_slates or n < least_rows:
        few = f"{slates} graded slates and {n} rows, at least {least_slates} and {least_rows} are needed"
        thin = "not enough evidence" if guard["trips"] == "hold" else "not judged"
        answer |= {"passed": guard["trips"] != "hold", "note": f"{thin}: {few}"}
    return answer


def _errors(both: pl.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    actual = both["actual_points"].to_numpy()
    ours, theirs = (np.abs(both[name].to_numpy() - actual) for name in ("ours", "theirs"))
    return both["slate_date"].to_numpy(), ours, theirs


def _ratio(both: pl.DataFrame) -> tuple[float | None, list[float] | None]:
    """Return the ratio of mean absolute errors with its interval; the error below the line is taken as known, it varies far less."""
    dates, ours, theirs = _errors(both)
    if not len(dates) or not theirs.any():
        return None, None
    found, base = sequential.mean(dates, ours - theirs), float(theirs.mean())
    value = None if found.value is None else 1 + found.value / base
    return value, None if found.low is None or found.high is None else [1 + found.low / base, 1 + found.high / base]


def _not_worse(rows: pl.DataFrame, both: pl.DataFrame, guard: Guard) -> Mapping[str, Any]:
    value, interval = _ratio(both)
    passed = interval is not None and interval[1] <= guard["threshold"]
    note = None
    if not passed:
        note = "not enough evidence: the interval still holds more than that" if interval is None or interval[0] <= 1 else "surely worse"
    return {"value": value, "interval": interval, "passed": passed, "note": note}


def _surely_worse(rows: pl.DataFrame, both: pl.DataFrame, guard: Guard) -> Mapping[str, Any]:
    value, interval = _ratio(both)
    return {"value": value, "interval": interval, "passed": interval is None or interval[0] <= guard["threshold"]}


def _worst_slate(rows: pl.DataFrame, both: pl.DataFrame, guard: Guard) -> Mapping[str, Any]:
    """Find the slate with the highest ratio of errors among those with enough rows."""
    dates, ours, theirs = _errors(both)
    if not len(dates):
        return {}
    (own, sizes), (base, _) = sequential.slate_means(dates, ours), sequential.slate_means(dates, theirs)
    judged = (sizes >= guard["slate_rows"]) & (base > 0)
    if not judged.any():
        return {"note": f"not judged: no slate of at least {guard['slate_rows']} rows"}
    worst = float((own[judged] / base[judged]).max())
    return {"value": worst, "passed": worst <= guard["threshold"]}


def _abstained(rows: pl.DataFrame, both: pl.DataFrame, guard: Guard) -> Mapping[str, Any]:
    expected = rows.filter(pl.col("theirs").is_not_null())
    if not expected.height:
        return {}
    share = expected["ours"].null_count() / expected.height
    return {"value": share, "passed": share <= guard["threshold"]}


_METRICS: dict[str, tuple[Callable[[pl.DataFrame, pl.DataFrame, Guard], Mapping[str, Any]], str]] = {
    "not_worse": (_not_worse, "upper end of the interval at most {}"),
    "surely_worse": (_surely_worse, "lower end of the interval at most {}"),
    "worst_slate": (_worst_slate, "at most {} on any slate"),
    "abstained": (_abstained, "at most {}"),
}

WORDS = {
    "not_worse": "ratio of mean absolute errors",
    "surely_worse": "ratio of mean absolute errors",
    "worst_slate": "ratio of mean absolute errors of the worst slate",
    "abstained": "share of rows without a number where the other version has one",
}
"""Metric → what it is, as the subject of a sentence."""


def since(entries: Sequence[Entry], version: str) -> int:
    """Return the number of the entry that gave a version the share that it has, or made it a shadow; 0 without one."""
    return max((entry.number for entry in entries if entry.version == version and entry.action in _GIVES_SHARE), default=0)


def standing(context: Context, release_log: ReleaseLog, version: str) -> list[Result]:
    """Return the evidence on a challenger or shadow since it has its share; none where nothing else serves."""
    serving = release_log.rollout.serving
    if serving is None or serving == version:
        return []
    return evidence(context, serving, version, since_release=since(release_log.entries, version))


def require_evidence(context: Context, release_log: ReleaseLog, version: str) -> list[Result]:
    """Stop a step forward on evidence that is thin or bad.

    Returns
    -------
    list of dict
        See `evidence`.

    Raises
    ------
    GateRefused
        Naming each guard, its figure, interval, slates, rows and threshold, and the next step.
    """
    results = standing(context, release_log, version)
    failed = [result for result in results if not result["passed"]]
    if failed:
        raise GateRefused(
            f"{version} goes no step further beside {release_log.rollout.serving}: {'; '.join(map(describe, failed))}. What runs stays as it is. "
            "Grade more slates (`nba-ml grade --slate D`) and advance again, or take it out: `nba-ml release rollback --reason TEXT`.",
            {"version": version, "serving": release_log.rollout.serving, "guards": results},
        )
    return results


def describe(result: Mapping[str, Any]) -> str:
    """Say in one sentence what a guard measured and what it asks for."""
    figure = "no figure" if result["value"] is None else f"{result['value']:.4g}"
    if result["interval"]:
        figure += " [{:.4g}, {:.4g}]".format(*result["interval"])
    note = f" ({result['note']})" if result["note"] else ""
    return (
        f"{result['id']}: {WORDS[result['metric']]} of {result['system']} is {figure} over {result['n']} rows of {result['slates']} slates, "
        f"asked is {result['rule']}{note}. {result['reason'].rstrip('.')}"
    )


def judge(context: Context) -> dict[str, Any]:
    """Look at every version that is in play beside the one that serves; take the challenger out where a guard trips, and alert.

    Safe to run at any time and again: a version that was taken out is in play no more, and who was not told of it is told then.

    Returns
    -------
    dict
        "serving", "challenger", "judged" (version → `evidence`), "rolled_back" (version or None), "entry" (number of the rollback or None),
        "alerts" (rows of nba_ops.alerts).
    """
    release_log = ReleaseLog(context.store, versions.MODEL, context.settings.environment)
    rollout = release_log.rollout
    judged = {version: standing(context, release_log, version) for version in rollout.in_play if version != rollout.serving}
    answer: dict[str, Any] = {
        "serving": rollout.serving,
        "challenger": rollout.challenger,
        "judged": judged,
        "rolled_back": None,
        "entry": None,
        "alerts": [],
    }
    for version, results in judged.items():
        tripped = [result for result in results if result["trips"] == "roll_back" and not result["passed"]]
        if tripped:
            said = "; ".join(map(describe, tripped))
            if version == rollout.challenger:
                entry = take_out(context, release_log, version, guard=tripped[0]["id"], reason=said)
                answer |= {"rolled_back": version, "entry": entry.number}
            else:
                answer["alerts"].append(_unfit(context, version, rollout.serving, tripped[0], said))
    answer["alerts"] += telling.went_back(context, release_log)
    return answer


def take_out(context: Context, release_log: ReleaseLog, version: str, *, guard: str, reason: str) -> Entry:
    """Roll a version back in the name of a guard; where it predicts nothing any more, change nothing. Whoever calls tells of it."""
    entry = releases.rollback(release_log, actor=f"{GUARD}{guard}", reason=reason, verify=verified_panel, only=version)
    projection.follow(context)
    return entry


def _unfit(context: Context, version: str, serving: str | None, first: Mapping[str, Any], said: str) -> dict[str, Any]:
    """Alert of a shadow that must not be released."""
    alert = alerts.Alert(
        cause=f"{first['id']}:{version}",
        severity="warning",
        what=f"The shadow {version} is not fit to be released beside {serving}. {said}.",
        next_step=f"nba-ml release retire {version} --reason TEXT",
        occasion=f"{first['slates']} slates",
        figure=first["value"],
        threshold=first["threshold"],
    )
    return alerts.write(context, alert)
