"""A version's life on the simulated league, slate by slate: shadow, 10, 50, 100 %, and the ways back.

    NBA_ML_HOME=.rehearsal .venv/bin/python scripts/rehearse_releases.py

Days pass as in `nba-ml replay`, under a simulated clock; ingest, predictions, grades and decisions are DAG runs in this process (`dag.test`), and
go to Airflow's log in the home. Versions are trained by the platform's own steps; three of them are spoilt the way real ones are: one by a feature
store that is a month late (the gates stop it), one by a join that mixed up team-mates in the fit alone (the guards), one whose features have lost
their players (the burst guard). Standard output carries the table of docs/releases.md. Killed and run again, it goes on where it was.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import chain
from typing import Any

import polars as pl
from airflow_home import AirflowHome
from demo_runs import DagRuns
from demo_screen import divert_output
from rehearsal_runs import Dags
from rehearsal_versions import late, mixed_up, scattered, train

from nba_ml import calendar
from nba_ml.context import Context
from nba_ml.errors import NbaMlError
from nba_ml.gates import load_gates
from nba_ml.progress import track
from nba_ml.registry import graded, guards
from nba_ml.registry import steps as registry
from nba_ml.registry.entry import Entry
from nba_ml.registry.states import State
from nba_ml.replay import day as days
from nba_ml.replay import journal as done
from nba_ml.replay import season
from nba_ml.replay.journal import Journal

FIRST = date(2023, 12, 5)
"""Two whole seasons lie before it: with fewer, what is known of last season is mostly missing."""
LEAST_SLATES = 42
MOST_DAYS = 90
REST_DAYS = 3
ACTOR = "rehearsal"


@dataclass(frozen=True)
class Part:
    """One part of the rehearsal: done once, on the first morning on which it is `due` and the parts before it are done."""

    name: str
    due: Callable[["Stage"], bool]
    play: Callable[[Context, date, "Stage"], Any]


@dataclass(frozen=True)
class Stage:
    """What the parts look at: the release log, and what the parts before made."""

    context: Context
    journal: Journal
    dags: Dags
    day: date

    def version(self, part: str) -> str:
        """Return the version that a part trained."""
        return str(self._entry(part)["result"]["version"])

    def state(self, part: str) -> State:
        """Return what that version is now."""
        return registry.open_log(self.context).rollout.state_of(self.version(part))

    def days_since(self, part: str) -> int:
        """Return how many days ago a part was played."""
        return (self.day - date.fromisoformat(self._entry(part)["day"])).days

    def played(self, part: str) -> bool:
        """Tell whether a part was played."""
        return any(entry["step"] == part for entry in self.journal.entries)

    def _entry(self, part: str) -> done.Entry:
        return next(entry for entry in self.journal.entries if entry["step"] == part)


def good(context: Context, day: date, stage: Stage) -> Any:
    """Train a version on a week more, and have it score along."""
    made = train(context, day)
    stage.dags.decide("shadow", made["version"], "it scores along first")
    return made


PARTS = (
    Part("good", lambda stage: stage.day >= FIRST + timedelta(days=7), good),
    Part("late", lambda stage: stage.state("good") == State.FULL, lambda context, day, _: train(context, day, everywhere=late)),
    Part("mixed up", lambda stage: True, lambda context, day, _: train(context, day, fit=mixed_up)),
    Part(
        "scattered", lambda stage: stage.state("mixed up") == State.ROLLED_BACK, lambda context, day, _: train(context, day, fit=scattered)
    ),
    Part(
        "back",
        lambda stage: stage.state("scattered") == State.ROLLED_BACK,
        lambda context, day, stage: stage.dags.decide("rollback", None, "by hand, to see it take effect"),
    ),
    Part(
        "forward",
        lambda stage: stage.days_since("back") >= REST_DAYS,
        lambda context, day, stage: registry.approve(
            context, stage.version("good"), actor=ACTOR, reason="it was good", share=1.0, at_once=True
        ),
    ),
)


def morning(context: Context, journal: Journal, dags: Dags, day: date) -> Iterator[days.Step]:
    """Yield what a person does on a morning: the shadow a step further, if its guards let it, and the next part that is due."""
    if journal.last and calendar.at_new_york(day, time(8)) < journal.last:
        return  # an earlier run was past it
    log = registry.open_log(context)
    if log.rollout.shadows and log.rollout.challenger is None:
        yield days.Step("advance", calendar.at_new_york(day, time(8)), lambda *_: dags.advance(log.rollout.shadows[0]))
    stage = Stage(context, journal, dags, day)
    part = next((part for part in PARTS if not stage.played(part.name)), None)
    if part and part.due(stage):
        yield days.Step(part.name, calendar.at_new_york(day, time(8, 10)), lambda own, when: part.play(own, when, stage))


def rehearse(context: Context, dags: Dags) -> None:
    """Live through days until every part is played and enough slates are."""
    journal = Journal(context.settings.home_folder)
    context.warehouse.ensure()
    eve = calendar.day_before(FIRST)
    for step in days.steps_before(eve):
        season.do(context, journal, step, eve, must=True)
    for day in track([FIRST + timedelta(days=number) for number in range(MOST_DAYS)], "days of the rehearsal"):
        own = (days.morning(day, journal), morning(context, journal, dags, day), days.later(context, day, journal, retrain=False))
        for step in chain(*own):
            season.do(context, journal, dags.own(step), day)
        stage = Stage(context, journal, dags, day)
        slates = len({entry["day"] for entry in journal.entries if entry["step"] == "update" and not entry["error"]})
        if slates >= LEAST_SLATES and stage.played("forward") and stage.days_since("forward") >= REST_DAYS:
            return


def table(context: Context) -> Iterator[str]:
    """Yield the table of what happened: a row for each entry of the log, with what was published under it."""
    entries = registry.open_log(context).entries
    picks = context.warehouse.query(
        "SELECT slate_date, release_number, model_version, predicted_points FROM nba_predictions.v_latest_predictions"
    )
    names = {version: chr(ord("A") + number) for number, version in enumerate(dict.fromkeys(entry.version for entry in entries))}
    yield "| entry | decided on | what | version | by | slates under it | rows published | errors of the two, then |"
    yield "|---|---|---|---|---|---|---|---|"
    for entry in entries:
        under = picks.filter((pl.col("release_number") == entry.number) & pl.col("predicted_points").is_not_null())
        rows = {names[version]: count for version, count in sorted(under["model_version"].value_counts().iter_rows())}
        span = f"{under['slate_date'].n_unique()}: {under['slate_date'].min()} to {under['slate_date'].max()}" if under.height else "none"
        moment = datetime.fromisoformat(entry.created_at).astimezone(calendar.NEW_YORK)
        yield (
            f"| {entry.number} | {moment:%Y-%m-%d %H:%M} | {entry.action}: {entry.state} | {names[entry.version]} | {entry.actor} | {span} | "
            f"{', '.join(f'{name} {count:,}' for name, count in rows.items()) or '–'} | {_evidence(context, entries, entry)} |"
        )
    yield ""
    yield "; ".join(f"{name} = `{version}`" for version, name in names.items())


def _evidence(context: Context, entries: Sequence[Entry], entry: Entry) -> str:
    """Say how the two versions of an entry stood on the slates that were graded when it was decided."""
    judged = {"advance": (entry.version, entry.previous_version), "rollback": (entry.previous_version, entry.version)}.get(entry.action)
    if judged is None or None in judged:
        return "–"
    challenger, serving = judged
    since = guards.since([other for other in entries if other.number < entry.number], str(challenger))
    graded_until = calendar.slate_date(datetime.fromisoformat(entry.created_at)) - timedelta(days=1)
    guard = next(guard for guard in load_gates()["guard"] if guard["id"] == "guard.evidence")
    rows = graded.pairs(context, str(challenger), str(serving), last=graded_until, since_release=since)
    found = guards.judge_rows(rows, guard)
    if found["interval"] is None:
        return f"{found['slates']} graded slates"
    low, high = found["interval"]
    return f"{found['value']:.4f} [{low:.4f}, {high:.4f}] over {found['n']:,} rows of {found['slates']} slates"


def main() -> int:
    """Rehearse, and print the table."""
    os.environ |= {"NBA_ML_SOURCE": "simulated", "NBA_ML_SIMULATED_UNTIL": "", "NBA_ML_ENVIRONMENT": "dev", "NBA_ML_APPROVAL": "person"}
    context = Context()
    airflow = AirflowHome(context.settings.home_folder)
    airflow.create()
    with airflow.alone("the rehearsal"):
        results, screen = divert_output(airflow.demo_log)
        runs = DagRuns(airflow, screen)
        try:
            runs.open()
            rehearse(context, Dags(runs))
        except NbaMlError as error:
            screen.print(f"{type(error).__name__}: {error}", style="bold red", markup=False, soft_wrap=True)
            return error.exit_code
        finally:
            runs.close()
        results.writelines(f"{line}\n" for line in table(context))
    return 0


if __name__ == "__main__":
    sys.exit(main())
