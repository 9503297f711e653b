"""A day of a season: its steps and their hours, as the DAGs have them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

from nba_ml import calendar, grading, slate_calendar
from nba_ml.context import Context
from nba_ml.errors import GateRefused
from nba_ml.gates import load_gates
from nba_ml.ingest import daily_span, ingest
from nba_ml.monitoring import requests
from nba_ml.monitoring import steps as monitoring
from nba_ml.registry import approval, guards
from nba_ml.registry import steps as registry
from nba_ml.registry.choices import Choice
from nba_ml.replay.journal import Journal
from nba_ml.rhythm import DAYS_AHEAD
from nba_ml.slate import steps as slates
from nba_ml.training import steps as training

ACTOR = "nba-ml replay"

GRADE = "grade "
"""How the name of a step begins that grades a slate; its date follows."""

MONITORED = (10, 20)
"""Hours at whose quarter nba_monitor looks. Those between are for what is late before a tip-off, and in a replay nothing is."""

UPDATE_BEFORE = timedelta(minutes=75)
"""A slate is predicted once more so long before its first tip-off, as nba_update does."""

Result = dict[str, Any] | None


@dataclass(frozen=True)
class Step:
    """One step of a day.

    Attributes
    ----------
    at : datetime
        Its moment, in UTC.
    run : callable
        From the context and the day to what was done; None where there was nothing to do.
    """

    name: str
    at: datetime
    run: Callable[[Context, date], Result]


def steps_before(day: date) -> Iterator[Step]:
    """Yield the steps of the day before the first one, where nothing runs yet."""
    yield Step("history", _at(day, 10), history)
    yield Step("first version", _at(day, 11), train)
    yield Step("first release", _at(day, 11, 30), release)


def morning(day: date, journal: Journal) -> Iterator[Step]:
    """Yield the steps after which the day's games are known; whoever asks for the next one has done the one before."""
    yield Step("ingest", _at(day, 7, 30), _ingest)
    ingested = journal.find(day, "ingest")
    done = ingested["result"] if ingested else None
    for slate in done["due"] if done else ():
        yield Step(f"{GRADE}{slate}", _at(day, 7, 40), partial(_grade, slate=date.fromisoformat(slate)))
    yield Step("guard", _at(day, 7, 45), _guard)
    yield Step("release", _at(day, 7, 50), release)


def later(context: Context, day: date, journal: Journal, *, retrain: bool) -> Iterator[Step]:
    """Yield the other steps of a day, in the order of their moments; a training that the monitor asks for comes after it."""
    slates = slate_calendar.load(context.settings.home_folder)
    steps = [Step(f"monitor at {hour}:15", _at(day, hour, 15), _monitor) for hour in MONITORED]
    if slates.is_slate(day):
        first = slates.first_tipoff(day) or _at(day, 12)
        steps += [Step("predict", _at(day, 9), _predict), Step("update", first - UPDATE_BEFORE, _predict)]
    if retrain and day.weekday() == load_gates()["expected"]["train_weekday"]:
        steps += [Step("train", _at(day, 11), train), Step("approve", _at(day, 11, 30), release)]
    for step in sorted(steps, key=lambda step: step.at):
        yield step
        entry = journal.find(day, step.name)
        cause = entry["result"].get("retrain") if entry and entry["result"] else None
        if cause and retrain:
            yield Step(f"train after {step.name}", step.at, partial(_retrain, cause=cause))
            yield Step(f"approve after {step.name}", step.at, release)


def _at(day: date, hour: int, minute: int = 0) -> datetime:
    return calendar.at_new_york(day, time(hour, minute))


def history(context: Context, day: date) -> Result:
    """Ingest everything from the source's first date up to what is known on the morning of `day`."""
    first, last = context.source.first_date(), day + DAYS_AHEAD
    return _counted(ingest(context, first, last, run=f"ingest:{first}:{last}"))


def train(context: Context, day: date, cause: str | None = None) -> Result:
    """Train a version on all that is known up to the day before, which goes through gates and approval."""
    done = training.train(context, calendar.day_before(day), cause=cause)
    return {name: done[name] for name in ("version", "rows", "trained_until", "state")}


def _retrain(context: Context, day: date, *, cause: str) -> Result:
    """Train because the monitor asks for it, and take its request on first: a training that is refused is not asked for again."""
    requests.take(context, f"{ACTOR} {day}")
    return train(context, day, cause)


def _ingest(context: Context, day: date) -> Result:
    first, last = daily_span(context, day)
    done = ingest(context, first, last, run=f"ingest:{first}:{last}")
    return {**_counted(done), "due": grading.due(context, first, last, done["changed"])}


def _counted(done: dict[str, Any]) -> dict[str, Any]:
    rows = {name.partition(".")[2]: counts["new"] for name, counts in done["tables"].items()}
    return {name: done[name] for name in ("games", "games_without_rows", "quarantined")} | {"new": rows}


def _grade(context: Context, _day: date, *, slate: date) -> Result:
    done = grading.grade(context, slate)
    return {name: done[name] for name in ("slate_date", "runs", "graded", "new", "void", "push", "waiting")}


def _guard(context: Context, day: date) -> Result:
    done = guards.judge(context)
    return {name: done[name] for name in ("serving", "challenger", "rolled_back", "entry")} if done["judged"] else None


def release(context: Context, day: date) -> Result:
    """Take the challenger a step further where its guards let it; where there is none, start the newest candidate.

    Where releases are automatic, training has done so. Where a person approves, this stands for one who approves whatever passed its gates.
    """
    if context.settings.release_approval != "person":
        return None
    challenger = registry.open_log(context).rollout.challenger
    if challenger is not None:
        try:
            return registry.advance(context, challenger, actor=ACTOR, reason="its guards let it")
        except GateRefused as refused:
            return {"version": challenger, "held": str(refused)}
    asked = approval.question(context)
    if not asked:
        return None
    return approval.answer(context, asked, Choice.APPROVE, actor=ACTOR, note="it passed its gates")


def _monitor(context: Context, day: date) -> Result:
    done = monitoring.monitor(context)
    told = ("slate_date", "windows", "drift_rows", "breached", "alerts", "resolved", "stopped", "retrain", "rolled_back", "report")
    return {name: done.get(name) for name in told}


def _predict(context: Context, day: date) -> Result:
    ingest(context, calendar.day_before(day), day, run=f"refresh:{day}")
    done = slates.predict(context, day, "auto")
    return {name: value for name, value in done.items() if name != "slate_date"}
