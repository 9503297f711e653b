"""What a replayed season came to: every slate accounted for, errors beside line and baseline on the same rows, releases, alerts, time."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

import polars as pl

from nba_ml.context import Context
from nba_ml.registry import steps as registry
from nba_ml.registry.graded import PUBLISHED
from nba_ml.replay.day import GRADE
from nba_ml.replay.journal import Entry, Journal
from nba_ml.training.intervals import clustered_mean
from nba_ml.warehouse.port import LATEST

BASELINE = "moving_average"

_COVERAGE = "SELECT * FROM nba_predictions.v_slate_coverage WHERE slate_date BETWEEN $first AND $last ORDER BY slate_date"
_GRADED = """
SELECT slate_date, game_id, player_id, system_id, predicted_points, actual_points, closing_line
FROM nba_predictions.v_graded_predictions
WHERE slate_date BETWEEN $first AND $last AND mode = 'live' AND system_id IN ($published, $baseline)
"""


def summary(context: Context, journal: Journal, first: date, last: date) -> dict[str, Any]:
    """Sum up a span of days.

    Returns
    -------
    dict
        "from", "to"; "slates": "scheduled", "predicted", "graded", "with_lines" (counts), "not_predicted" and "not_graded" (date → why); "rows":
        "population", "predicted", "abstained", "blocked", "graded"; "errors": of the whole span and "months", each as `errors` returns it;
        "releases": entries of the log; "trained" and "refused" versions (counts), "alerts": rows by cause; "time": seconds, by step and a slate.
    """
    span = {"first": first, "last": last}
    schedule = context.warehouse.read("nba_raw.schedule", as_of=LATEST, dates=(first, last), columns=["game_date"])
    slates = schedule["game_date"].unique().sort().to_list()
    coverage = context.warehouse.query(_COVERAGE, span)
    graded = context.warehouse.query(_GRADED, span | {"published": PUBLISHED, "baseline": BASELINE})
    rows = paired(graded)
    entries = [entry for entry in journal.entries if first <= date.fromisoformat(entry["day"]) <= last + timedelta(days=1)]
    trained = [entry for entry in entries if entry["step"].split()[0] == "train"]
    months = rows.with_columns(month=pl.col("slate_date").dt.strftime("%Y-%m")).partition_by("month", as_dict=True)
    own = [entry for entry in entries if date.fromisoformat(entry["day"]) <= last]
    return {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "slates": {
            "scheduled": len(slates),
            "predicted": coverage.height,
            "with_lines": coverage.filter(pl.col("with_line") > 0).height,
            "graded": rows["slate_date"].n_unique(),
            "not_predicted": _why(slates, coverage["slate_date"], _predictions(entries), "its step has not come yet"),
            "not_graded": _why(coverage["slate_date"], rows["slate_date"], _by_slate(entries), "no box score of it has come"),
        },
        "rows": {name: int(coverage[name].sum()) for name in ("population", "predicted", "abstained", "blocked")} | {"graded": rows.height},
        "errors": errors(rows),
        "months": {month: errors(part) for (month,), part in sorted(months.items())},
        "releases": [_released(entry) for entry in registry.open_log(context).entries],
        "trained": sum(entry["error"] is None for entry in trained),
        "refused": {entry["day"]: entry["error"] for entry in trained if entry["error"]},
        "alerts": _alerts(entries),
        "time": _time(own, len(slates)),
    }


def paired(graded: pl.DataFrame) -> pl.DataFrame:
    """Put the published number, the baseline's and the closing line of each row beside its result; rows of players who got on court."""
    key = ["slate_date", "game_id", "player_id"]
    known = graded.filter(pl.col("actual_points").is_not_null() & pl.col("predicted_points").is_not_null())
    ours = known.filter(pl.col("system_id") == PUBLISHED).select(*key, "actual_points", "closing_line", number="predicted_points")
    theirs = known.filter(pl.col("system_id") == BASELINE).select(*key, baseline="predicted_points")
    return ours.join(theirs, on=key).sort(key)


def errors(rows: pl.DataFrame) -> dict[str, Any]:
    """Return mean absolute errors in points, each beside those of others on the same rows, with 95 % intervals of the differences over dates.

    Returns
    -------
    dict
        "slates", "n", "mae", "baseline_mae", "difference" ([low, high] of ours minus the baseline's), and on rows with a closing line "lined_n",
        "lined_mae", "line_mae", "line_minus_half_mae", "line_difference".
    """
    lined = rows.filter(pl.col("closing_line").is_not_null())
    close = pl.col("closing_line")
    return {
        "slates": rows["slate_date"].n_unique(),
        "n": rows.height,
        "mae": _mae(rows, pl.col("number")),
        "baseline_mae": _mae(rows, pl.col("baseline")),
        "difference": _difference(rows, pl.col("baseline")),
        "lined_n": lined.height,
        "lined_mae": _mae(lined, pl.col("number")),
        "line_mae": _mae(lined, close),
        "line_minus_half_mae": _mae(lined, close - 0.5),
        "line_difference": _difference(lined, close),
    }


def _mae(rows: pl.DataFrame, number: pl.Expr) -> float | None:
    return rows.select((number - pl.col("actual_points")).abs().mean()).item()


def _difference(rows: pl.DataFrame, other: pl.Expr) -> list[float] | None:
    actual = pl.col("actual_points")
    found = rows.select("slate_date", by=(pl.col("number") - actual).abs() - (other - actual).abs())
    interval = clustered_mean(found["slate_date"].to_numpy(), found["by"].to_numpy())
    return None if interval["low"] is None or interval["high"] is None else [float(interval["low"]), float(interval["high"])]


def _predictions(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Return the first prediction of each day."""
    return {entry["day"]: entry for entry in entries if entry["step"] == "predict"}


def _by_slate(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Return the last grading of each slate."""
    return {entry["step"].removeprefix(GRADE): entry for entry in entries if entry["step"].startswith(GRADE)}


def _why(slates: Iterable[date], done: pl.Series, entries: Mapping[str, Entry], never: str) -> dict[str, str]:
    """Say of each slate that is not among those `done` what stopped its step, or that it `never` came; `entries` by slate."""
    said = {slate.isoformat(): entries.get(slate.isoformat()) for slate in sorted(set(slates) - set(done))}
    return {slate: (entry["error"] or "nothing to show for it") if entry else never for slate, entry in said.items()}


def _released(entry: Any) -> dict[str, Any]:
    names = ("number", "created_at", "action", "version", "previous_version", "state", "share", "actor", "reason")
    return {name: getattr(entry, name) for name in names}


def _alerts(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return each cause with how often it was seen, on which days, and what was said first."""
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        for alert in entry["alerts"]:
            row = found.setdefault(
                alert["cause"], {"cause": alert["cause"], "severity": alert["severity"], "days": [], "resolved": 0, "what": alert["what"]}
            )
            row["resolved"] += bool(alert["resolution"])
            if not alert["resolution"]:
                row["days"].append(entry["day"])
    return [{**row, "count": len(row["days"])} for row in found.values()]


def _time(entries: Iterable[Mapping[str, Any]], slates: int) -> dict[str, Any]:
    steps, cpu, by_day = Counter[str](), 0.0, Counter[str]()
    for entry in entries:
        steps[entry["step"].split()[0]] += entry["seconds"]
        by_day[entry["day"]] += entry["seconds"]
        cpu += entry["cpu_seconds"]
    total = sum(steps.values())
    return {
        "seconds": round(total, 1),
        "cpu_seconds": round(cpu, 1),
        "seconds_a_slate": round(total / slates, 2) if slates else None,
        "longest_day": max(by_day.items(), key=lambda item: item[1], default=None),
        "by_step": {name: round(seconds, 1) for name, seconds in steps.most_common()},
    }
