"""What was expected and is missing: planned from the calendar, judged by the tables, told once, closed when it comes."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import polars as pl

from nba_ml import alerts, by_hand, calendar, rhythm
from nba_ml.alerts import Alert, Severity
from nba_ml.context import Context
from nba_ml.gates import load_gates
from nba_ml.monitoring.evidence import Evidence, Finding, calendar_of
from nba_ml.rhythm import GRADE, INGEST, KINDS, MONITOR, PREDICT, TRAIN, UPDATE, Due
from nba_ml.slate import modes
from nba_ml.slate_calendar import SlateCalendar
from nba_ml.warehouse.port import LATEST

TABLE = "nba_ops.expected_runs"

DAYS_AHEAD = timedelta(days=2)

_FINAL = ("done", "late")
_MENDABLE = (INGEST, GRADE)
"""What can still be done for a slate of the past. The rest is over with the slate: the next one that is done closes the alert."""

_SAYS: dict[str, tuple[Severity, str, str, Callable[[date, date], str]]] = {
    INGEST: (
        "warning",
        "Results are missing",
        "what is not in can't be graded, and blocks its teams' next predictions",
        by_hand.ingest,
    ),
    PREDICT: (modes.SEVERITY, "Predictions are late or missing", modes.BLOCKS, lambda _, last: by_hand.predict(last)),
    UPDATE: (
        "warning",
        "The update before the first tip-off is missing",
        "the morning's predictions count",
        lambda _, last: by_hand.predict(last),
    ),
    GRADE: ("warning", "Grades are missing", "errors and guards of these slates are not known", lambda first, _: by_hand.grade(first)),
    MONITOR: ("warning", "The monitor has not looked", "drift and performance are not watched", lambda *_: "nba-ml monitor"),
    TRAIN: ("warning", "The week's training is missing", "the released model grows old", lambda *_: "nba-ml train"),
}
"""Kind → severity, headline, what it blocks, and what does it by hand for the first and the last slate that are missing."""


def cause(kind: str) -> str:
    """Return the cause under which a kind is alerted; a slate that is late has one cause, whoever notices it."""
    return modes.NOT_LIVE if kind == PREDICT else f"missed.{kind}"


def plan(context: Context, first: date, last: date, slates: SlateCalendar | None = None) -> int:
    """Write what is expected of a span of dates; return how many rows are new.

    What is planned already keeps its state; where a tip-off was moved, it gets the new hour. Dates without games plan nothing.
    """
    known = {(row["kind"], row["slate_date"]): row for row in _stored(context, first, last)}
    rows = []
    for due in _expected(context, slates or calendar_of(context), first, last):
        earlier = known.get((due.kind, due.slate_date))
        rows.append(
            _blank(context, due) if earlier is None else earlier | ({"due_at": due.due_at} if earlier["state"] == "expected" else {})
        )
    return _write(context, rows)


def missed(context: Context, ref: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Plan the days that are due for it, mark what is done and what is missing, alert of the latter once, and close what is over.

    Parameters
    ----------
    ref : mapping, optional
        What an earlier step returned, as every step is given it.

    Returns
    -------
    dict
        `ref` with "expected" (rows by state), "overdue" (see `judge`) and "alerts" (causes that were written).
    """
    today = calendar.slate_date(calendar.now())
    stored = _stored(context, *_window(today))
    slates = calendar_of(context)
    plan(context, min(today, max((row["slate_date"] for row in stored), default=today)), today + DAYS_AHEAD, slates)
    before = _stored(context, *_window(today))
    rows = judge(context, before)
    _write(context, rows)
    for earlier, row in zip(before, rows, strict=True):
        if row["state"] in _FINAL and earlier["state"] not in _FINAL:
            _close_failures(context, row)
    _close_past_updates(context, rows, today)
    counts = {state: sum(row["state"] == state for row in rows) for state in ("expected", "done", "late", "missed", "not_needed")}
    told = [written for kind in KINDS if (written := _tell(context, kind, rows))]
    return {**(ref or {}), "expected": counts, "overdue": [_brief(row) for row in overdue(rows)], "alerts": told}


def judge(context: Context, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of `TABLE` with the state that the tables show; writes nothing."""
    if not rows:
        return []
    days = [row["slate_date"] for row in rows]
    evidence, now = Evidence(context, min(days), max(days)), calendar.now()
    return [row if row["state"] in _FINAL else _judged(row, evidence.find(_due(row)), now) for row in rows]


def overdue(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the missed rows that somebody has to look at: all that can be mended, and the rest until a later slate is done."""
    found = []
    for kind in KINDS:
        own = sorted((row for row in rows if row["kind"] == kind), key=lambda row: row["slate_date"])
        after = max((row["slate_date"] for row in own if row["state"] in _FINAL), default=date.min)
        found += [row for row in own if row["state"] == "missed" and (kind in _MENDABLE or row["slate_date"] > after)]
    return found


def next_step(kind: str, late: Sequence[Mapping[str, Any]]) -> str:
    """Return the command that does what is missing, or what a person can do instead where the last slate has begun."""
    days, last = [row["slate_date"] for row in late], max(late, key=lambda row: row["slate_date"])
    if kind in (PREDICT, UPDATE) and calendar.now() >= rhythm.live_until(kind, last["due_at"]):
        return by_hand.too_late(last["slate_date"], f"nba_{kind}")
    return _SAYS[kind][3](min(days), max(days))


def outlook(context: Context) -> tuple[list[dict[str, Any]], bool]:
    """Return the rows of the last days as they stand by now, also those that nobody planned; and whether any was ever planned. Writes nothing."""
    today = calendar.slate_date(calendar.now())
    first, last = _window(today)
    stored = _stored(context, first, last)
    since = max((row["slate_date"] for row in stored), default=today - timedelta(days=2)) + timedelta(days=1)
    unplanned = [_blank(context, due) for due in _expected(context, calendar_of(context), since, today)]
    return judge(context, stored + unplanned), bool(stored)


def _expected(context: Context, slates: SlateCalendar, first: date, last: date) -> list[Due]:
    """Return what is expected of a span of dates; trainings only where they are scheduled."""
    return [due for due in rhythm.expected(slates, first, last) if due.kind != TRAIN or context.settings.retrain != "off"]


def _window(today: date) -> tuple[date, date]:
    return today - timedelta(days=load_gates()["expected"]["look_back_days"]), today + DAYS_AHEAD


def _stored(context: Context, first: date, last: date) -> list[dict[str, Any]]:
    where = {"environment": context.settings.environment}
    return context.warehouse.read(TABLE, as_of=LATEST, dates=(first, last), where=where).drop("id").to_dicts()


def _blank(context: Context, due: Due) -> dict[str, Any]:
    same = {"environment": context.settings.environment, "kind": due.kind, "slate_date": due.slate_date, "due_at": due.due_at}
    return same | {"state": "expected", "done_at": None, "what": "not looked at yet", "planned_at": calendar.now()}


def _due(row: Mapping[str, Any]) -> Due:
    return Due(row["kind"], row["slate_date"], row["due_at"])


def _judged(row: dict[str, Any], found: Finding, now: datetime) -> dict[str, Any]:
    if found.state == "done":
        late = found.done_at > row["due_at"] if found.done_at else row["state"] == "missed"
        return row | {"state": "late" if late else "done", "done_at": found.done_at or now, "what": found.what}
    if found.state == "not_needed":
        return row | {"state": "not_needed", "what": found.what}
    return row | {"state": "missed" if found.state == "open" and now >= row["due_at"] else "expected", "what": found.what}


def _write(context: Context, rows: list[dict[str, Any]]) -> int:
    types = {"done_at": pl.Datetime("us", "UTC")}
    return context.warehouse.upsert(TABLE, pl.DataFrame(rows, schema_overrides=types, infer_schema_length=None)) if rows else 0


def _tell(context: Context, kind: str, rows: list[dict[str, Any]]) -> str | None:
    """Alert of what is overdue of a kind, or close its alert; return the cause that was written."""
    severity, headline, blocks, _ = _SAYS[kind]
    late = [row for row in overdue(rows) if row["kind"] == kind]
    if late and _is_told(context, kind, late[-1]["slate_date"]):
        return None
    if not late:
        # That a slate is live again is told by the run that publishes it.
        if kind != PREDICT:
            _end(context, kind, rows)
        return None
    days, last = [row["slate_date"] for row in late], late[-1]
    more = f" So it is since {min(days)}, for {len(days)} slates." if len(days) > 1 else ""
    due = last["due_at"].astimezone(calendar.NEW_YORK)
    alert = Alert(
        cause=cause(kind),
        severity=severity,
        what=f"{headline}: {last['what']}; it was due at {due:%Y-%m-%d %H:%M} New York.{more}",
        next_step=next_step(kind, late),
        occasion=last["slate_date"].isoformat(),
        slate_date=last["slate_date"],
        blocks=blocks,
    )
    alerts.write(context, alert)
    return alert.cause


def _end(context: Context, kind: str, rows: list[dict[str, Any]]) -> None:
    """Close the alert of a kind of which nothing is overdue, and say what became of the day that it is about."""
    told = alerts.open_alerts(context).filter(pl.col("cause") == cause(kind))["slate_date"].to_list()
    found = [row["what"] for row in rows if row["kind"] == kind and row["slate_date"] in told]
    if told:
        alerts.resolve(context, cause(kind), f"{'; '.join([f'{kind}: nothing is overdue any more', *found])}.")


def _close_failures(context: Context, row: Mapping[str, Any]) -> None:
    """Close what Airflow told of runs that failed for a slate, where another run, or a person by hand, has done it."""
    if row["kind"] in (PREDICT, GRADE):
        alerts.resolve_under(context, _stems(row["kind"]), f"It was done otherwise: {row['what']}.", slate_date=row["slate_date"])


def _close_past_updates(context: Context, rows: list[dict[str, Any]], today: date) -> None:
    """Close what Airflow told of updates that failed, once their row is final or their slate is past: no run of that slate follows that could."""
    updates = {row["slate_date"]: row for row in rows if row["kind"] == UPDATE}
    for day in {told["slate_date"] for told in alerts.open_alerts(context).to_dicts() if _is_under(told["cause"], UPDATE)} - {None}:
        row = updates.get(day)
        if row and row["state"] in (*_FINAL, "not_needed"):
            alerts.resolve_under(context, _stems(UPDATE), f"It needs nobody any more: {row['what']}.", slate_date=day)
        elif day < today:
            became = row["what"] if row else "nothing can update it any more"
            alerts.resolve_under(context, _stems(UPDATE), f"The slate of {day} is over: {became}.", slate_date=day)


def _stems(kind: str) -> list[str]:
    return [f"{event}.nba_{kind}" for event in ("task", "run", "deadline")]


def _is_under(cause: str, kind: str) -> bool:
    return any(cause == stem or cause.startswith((f"{stem}.", f"{stem}:")) for stem in _stems(kind))


def _is_told(context: Context, kind: str, day: date) -> bool:
    """Tell whether an alert of Airflow's says that the DAG of a kind failed, or is late, for a slate; open, or as the slate ended."""
    stays = pl.col("resolved_at").is_null() & (pl.col("slate_date").is_null() | (pl.col("slate_date") == day))
    # What `_close_past_updates` closes would else be told a second time, as a missed run.
    past = (
        (pl.col("slate_date") == day) & (pl.col("resolved_at") >= calendar.at_new_york(day + timedelta(days=1), time())) & (kind == UPDATE)
    )
    return any(_is_under(cause, kind) for cause in alerts.all_alerts(context).filter(stays | past)["cause"])


def _brief(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"kind": row["kind"], "slate_date": row["slate_date"].isoformat(), "due_at": row["due_at"].isoformat(), "what": row["what"]}
