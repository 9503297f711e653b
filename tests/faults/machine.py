"""A platform in a home of its own, whose DAGs are played: their tasks' functions one by one, with their retry policy and notifier."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl

from nba_ml import alerts, calendar, grading
from nba_ml.calendar import at_new_york, days_back
from nba_ml.context import Context
from nba_ml.ingest import ingest
from nba_ml.monitoring import steps as monitoring
from nba_ml.slate import inputs, steps
from nba_ml.slate.publishing import PICKS
from nba_ml.warehouse.port import LATEST
from tests.faults.feed import Clock, Feed
from tests.slack_stub import SlackStub

SLATE = date(2021, 11, 10)
NEXT = SLATE + timedelta(days=1)
TRIES = 3

Task = tuple[str, Callable[[Context, Any], Any]]


@dataclass
class Run:
    """What became of a DAG's run: results by task, the task that failed with its error, and the number of tries that were made."""

    results: dict[str, Any] = field(default_factory=dict)
    failed: str | None = None
    error: BaseException | None = None
    tries: int = 0


@dataclass(frozen=True)
class Days:
    """What the two days give: picks that count in the morning and after the update, by slate, and the grades of the first slate."""

    morning: dict[date, pl.DataFrame]
    update: dict[date, pl.DataFrame]
    grades: pl.DataFrame


class Platform:
    """One home, its feed, its clock and its Slack."""

    def __init__(self, home: Path, feed: Feed, clock: Clock, slack: SlackStub) -> None:
        self.home, self.feed, self.clock, self.slack = home, feed, clock, slack
        self._runs = 0

    def context(self) -> Context:
        """Open the platform as a task does."""
        from nba_context import open_context

        return open_context()

    def run(self, dag_id: str, tasks: Sequence[Task], slate: date | None = None) -> Run:
        """Run tasks one after the other, each on what the one before it returned; tell of failure and success as the DAG does."""
        self._runs += 1
        done, value, context = Run(), None, self.context()
        for name, call in tasks:
            value, error = self._task(done, partial(call, context), value)
            if error is not None:
                done.failed, done.error = name, error
                self.told("task failed", dag_id, name, slate, exception=error)
                return done
            done.results[name] = value
        self.told("run succeeded", dag_id, "", slate)
        return done

    def _task(self, done: Run, call: Callable[[Any], Any], value: Any) -> tuple[Any, BaseException | None]:
        from airflow.sdk.definitions.retry_policy import RetryAction
        from nba_retry_policy import NbaRetryPolicy

        for number in range(1, TRIES + 1):
            done.tries = number
            try:
                return json.loads(json.dumps(call(value))), None
            except Exception as error:
                if NbaRetryPolicy().evaluate(error, number, TRIES).action != RetryAction.RETRY or number == TRIES:
                    return None, error
        raise AssertionError("the last try returns")

    def told(self, event: Any, dag_id: str, task_id: str, slate: date | None = None, **more: Any) -> None:
        """Call what Airflow calls of a DAG on an event."""
        from nba_slack import NbaNotifier

        run_id = f"{dag_id}-{self._runs}"
        ti = SimpleNamespace(dag_id=dag_id, task_id=task_id, run_id=run_id, map_index=-1, try_number=1, log_url="http://localhost/log")
        key = slate.isoformat() if slate else None
        NbaNotifier(event)({"ti": ti, "dag": ti, "run_id": run_id, "partition_key": key, "params": {}, **more})

    def ingest(self, today: date, hour: time = time(7, 30)) -> Run:
        """Run nba_ingest, and nba_grade for each slate that it tells of."""
        self.clock.moment = at_new_york(today, hour)
        first, last = days_back(today, 9), today + timedelta(days=2)
        told: list[str] = []

        def bring(context: Context, _: Any) -> dict[str, Any]:
            report = ingest(context, first, last, run=f"ingest:{first}:{last}")
            told.extend(grading.due(context, first, last, report["changed"]))
            return report

        done = self.run("nba_ingest", [("ingest", bring)])
        for day in told:
            done.results[day] = self.grade(date.fromisoformat(day))
        return done

    def grade(self, slate: date) -> Run:
        """Run nba_grade."""
        return self.run("nba_grade", [("grade", lambda context, _: grading.grade(context, slate))], slate)

    def predict(self, slate: date, dag_id: str = "nba_predict") -> Run:
        """Run nba_predict now."""
        return self.run(dag_id, self.slate_tasks(slate), slate)

    def morning(self, slate: date) -> Run:
        """Run nba_predict at its hour."""
        self.clock.moment = at_new_york(slate, time(9))
        return self.predict(slate)

    def update(self, slate: date) -> Run:
        """Run nba_update at its hour."""
        self.clock.moment = self.tipoff(slate) - timedelta(minutes=75)
        return self.predict(slate, "nba_update")

    def monitor(self, today: date, *hours: time) -> list[Run]:
        """Run what nba_monitor does about missed runs and the windows that show that it looked, at these hours."""
        done = []
        for hour in hours:
            self.clock.moment = at_new_york(today, hour)
            start = ("start", lambda context, _: monitoring.start(context))
            done.append(self.run("nba_monitor", [start, ("missed", monitoring.missed), ("performance", monitoring.performance)]))
        return done

    def tipoff(self, slate: date) -> datetime:
        """Return the first tip-off by the true schedule."""
        games = self.feed.tables["schedule"].filter(pl.col("game_date") == slate)
        return min(games["tipoff_utc"].to_list()).astimezone(UTC)

    def slate_tasks(self, slate: date, mode: str = "auto") -> list[Task]:
        """Return the tasks of plugins/nba_slate_tasks.py; they read the slate's inputs once, as `nba_ml.slate.steps.predict` does."""

        def refresh(context: Context, _: Any) -> str:
            if slate >= calendar.slate_date(calendar.now()):
                ingest(context, calendar.day_before(slate), slate, run=f"refresh:{slate}")
            return slate.isoformat()

        def opened(context: Context, chosen: str) -> Any:
            return steps.open_slate(context, date.fromisoformat(chosen), mode)

        ready = cache(lambda as_of, live: inputs.read(self.context(), slate, datetime.fromisoformat(as_of), live))

        def on_inputs(name: str) -> Callable[[Context, Any], Any]:
            return lambda context, ref: getattr(steps, name)(context, ref, inputs=ready(ref["as_of"], ref["mode"]))

        first = [(name, on_inputs(name)) for name in ("build_features", "validate", "score")]
        last = [(name, getattr(steps, name)) for name in ("consensus", "quality", "publish")]
        return [("refresh", refresh), ("open_slate", opened), *first, *last]

    def picks(self, slate: date) -> pl.DataFrame:
        """Return the picks that count: those of the last live run, else of the last replay."""
        rows = self.context().warehouse.read(PICKS, as_of=LATEST, dates=(slate, slate))
        if not rows.height:
            return rows
        last = rows.sort(pl.col("mode") == "live", "published_at", "run_key")["run_key"][-1]
        return rows.filter(run_key=last).sort("game_id", "player_id")

    def grades(self, slate: date) -> pl.DataFrame:
        """Return the grades that count."""
        return grading.latest(self.context().warehouse.read(grading.TABLE, as_of=LATEST, dates=(slate, slate)))

    def alerts(self) -> pl.DataFrame:
        """Return all alerts, open or over."""
        return alerts.all_alerts(self.context())
