"""A span of days, one after the other: every step under its own hour, each written down, each failure an alert."""

import logging
import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Literal

import polars as pl

from nba_ml import alerts, calendar
from nba_ml.context import Context
from nba_ml.errors import NbaMlError, UsageError
from nba_ml.progress import track
from nba_ml.registry import steps as registry
from nba_ml.replay import day as days
from nba_ml.replay.journal import Journal
from nba_ml.replay.summary import summary
from nba_ml.rhythm import DAYS_AHEAD
from nba_ml.slate.publishing import PICKS
from nba_ml.warehouse.port import LATEST

log = logging.getLogger(__name__)

Retrain = Literal["weekly", "never"]
Release = Literal["gradual", "at-once"]


def replay(context: Context, first: date, last: date, *, retrain: Retrain = "weekly", release: Release = "gradual") -> dict[str, Any]:
    """Live through a span of days.

    Nothing runs yet in the home: all history before the span is ingested, and a first version trained, on the day before it. Killed and run
    again, it goes on with the step that it was in.

    Parameters
    ----------
    first, last : date
        Days, both included.
    retrain : {"weekly", "never"}
        Whether a version is trained each week, on the day of nba_train.
    release : {"gradual", "at-once"}
        How a version that passed its gates is released: 10 %, 50 % and 100 %, as its guards let it, or to 100 % by training itself.

    Returns
    -------
    dict
        See `nba_ml.replay.summary.summary`.

    Raises
    ------
    UsageError
        Outside dev, in a home in which another clock ran, for a span that is still to come, or one that begins before the clock
        of an earlier replay stood.
    """
    settings = context.settings
    if settings.environment != "dev":
        raise UsageError(
            f"a replay is refused in {settings.environment}: its rows pass for live ones of their time. Unset NBA_ML_ENVIRONMENT, and set "
            "NBA_ML_HOME to a folder of its own"
        )
    if last >= calendar.slate_date(calendar.now()):
        raise UsageError(f"{last} is not past yet: choose an earlier --to")
    context.warehouse.ensure()
    journal = Journal(settings.home_folder)
    if journal.last is None:
        _require_new(context, calendar.day_before(first))
    # The league goes as far as the clock, and a person's part is played where releases are gradual.
    told = {"simulated_until": None, "approval": "person" if release == "gradual" else "auto"}
    own = Context(settings.model_copy(update=told), context.clients)
    if registry.open_log(own).rollout.serving is None:
        eve = calendar.day_before(first)
        for step in days.steps_before(eve):
            do(own, journal, step, eve, must=True)
    for day in track(list(_days(first, last)), "days of the season"):
        for step in days.morning(day, journal):
            do(own, journal, step, day)
        for step in days.later(own, day, journal, retrain=retrain == "weekly"):
            do(own, journal, step, day)
    return summary(own, journal, first, last)


def _require_new(context: Context, eve: date) -> None:
    """Refuse a home in which another clock ran: its versions, results and schedules know what comes after the eve of the span."""
    latest = context.warehouse.query("SELECT MAX(game_date) AS last FROM nba_raw.schedule")["last"][0]
    found = [
        what
        for what, there in (
            ("predictions", context.warehouse.count([PICKS])[PICKS]),
            ("a released version", registry.open_log(context).rollout.serving),
            (f"games up to {latest}", latest is not None and latest > eve + DAYS_AHEAD),
        )
        if there
    ]
    if found:
        raise UsageError(
            f"{context.settings.home_folder} holds {' and '.join(found)} that no replay made: set NBA_ML_HOME to an empty folder"
        )


def _days(first: date, last: date) -> Iterator[date]:
    yield from (first + timedelta(days=number) for number in range((last - first).days + 1))


def do(context: Context, journal: Journal, step: days.Step, day: date, *, must: bool = False) -> None:
    """Do a step under its own hour, unless it is done. A refusal is an alert, and the day goes on; of a step that `must` be done, it is raised."""
    if journal.find(day, step.name):
        return
    if journal.last is not None and step.at < journal.last:
        raise UsageError(
            f"the clock of {journal.path} stood at {journal.last.isoformat()}, and {step.name} of {day} was not done by then: choose a later "
            "--from, or an empty folder as NBA_ML_HOME"
        )
    begun, cpu = time.monotonic(), time.process_time()
    result, error = None, None
    with calendar.clock_at(step.at):
        # As a task does, each step opens its own: the league of the source ends with the clock.
        own = Context(context.settings, context.clients)
        try:
            result = step.run(own, day)
        except NbaMlError as refused:
            if must:
                raise
            log.warning("%s of %s: %s", step.name, day, refused)
            error = f"{type(refused).__name__}: {refused}"
            alerts.write(own, _alert(step, day, error))
        else:
            alerts.resolve(own, _cause(step), f"{step.name} of {day} went through")
        raised = _raised(own)
    seconds = {"seconds": round(time.monotonic() - begun, 3), "cpu_seconds": round(time.process_time() - cpu, 3)}
    what = {"at": step.at.isoformat(), "day": day.isoformat(), "step": step.name}
    journal.write({**what, **seconds, "result": result, "error": error, "alerts": raised})


def _raised(context: Context) -> list[dict[str, Any]]:
    """Return the alerts that the present moment wrote, counted or resolved: the table keeps one row a cause."""
    now = calendar.now()
    parts = [context.warehouse.read(alerts.TABLE, as_of=LATEST, where={stamp: now}) for stamp in ("last_at", "resolved_at")]
    return pl.concat(parts).unique("id", maintain_order=True).select("cause", "severity", "count", "what", "resolution").to_dicts()


def _cause(step: days.Step) -> str:
    return f"failed:{step.name}"


def _alert(step: days.Step, day: date, error: str) -> alerts.Alert:
    return alerts.Alert(
        cause=_cause(step),
        severity="urgent" if step.name in ("ingest", "predict") else "warning",
        what=f"{step.name} of {day} was refused. {error}",
        next_step="Nothing: a replay goes on. In the season itself a person would do what the message ends with.",
        occasion=day.isoformat(),
        slate_date=day,
    )
