"""The steps of a rehearsed day as DAG runs in this process."""

from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

from demo_runs import DagRunError, DagRuns

from nba_ml import grading
from nba_ml.context import Context
from nba_ml.errors import GateRefused
from nba_ml.ingest import daily_span
from nba_ml.registry import steps as registry
from nba_ml.replay import day as days


class Dags:
    """The steps of a day as DAG runs."""

    def __init__(self, runs: DagRuns) -> None:
        self._runs = runs

    def own(self, step: days.Step) -> days.Step:
        """Have the DAG of its hour do a step; what no DAG does by itself, or what a person answers in the browser, stays as it is."""
        name, _, slate = step.name.partition(" ")
        runs = {"ingest": self.ingest, "predict": self.predict, "update": self.update, "release": self.release}
        run = partial(self.grade, slate=slate) if name == "grade" else runs.get(name)
        return replace(step, run=run) if run else step

    def ingest(self, context: Context, day: date) -> Any:
        """Run nba_ingest; say which slates there is something to grade of."""
        done = self._run("nba_ingest")["ingest"]
        return {"due": grading.due(context, *daily_span(context, day), done["changed"])}

    def predict(self, _: Context, day: date) -> Any:
        """Run nba_predict."""
        return self._run("nba_predict", slate=str(day))["publish"]

    def update(self, _: Context, day: date) -> Any:
        """Run nba_update."""
        return self._run("nba_update", slate=str(day))["publish"]

    def grade(self, _context: Context, _day: date, *, slate: str) -> Any:
        """Run nba_grade, which ends with the guards."""
        done = self._run("nba_grade", slate=slate)
        return {"graded": done["grade"]["graded"], "rolled_back": done["guard"]["rolled_back"]}

    def release(self, context: Context, day: date) -> Any:
        """Take the challenger a step further by nba_release; a candidate is answered for as in nba_approve."""
        challenger = registry.open_log(context).rollout.challenger
        return self.advance(challenger) if challenger else days.release(context, day)

    def advance(self, version: str) -> Any:
        """Take a version a step further by nba_release, where its guards let it."""
        try:
            return self.decide("advance", version, "its guards let it")
        except DagRunError as held:
            if held.exit_code != GateRefused.exit_code:
                raise
            return {"version": version, "held": str(held)}

    def decide(self, action: str, version: str | None, reason: str) -> Any:
        """Run nba_release."""
        return self._run("nba_release", action=action, version=version, reason=reason)["decide"]

    def _run(self, dag_id: str, **conf: Any) -> dict[str, Any]:
        try:
            return self._runs.run(dag_id, **conf)
        except DagRunError as error:
            raise DagRunError(str(error).partition("\n\n")[0], error.exit_code) from error
