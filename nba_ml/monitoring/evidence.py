"""What the tables themselves show of the work that is expected for each slate: never Airflow's own database, which knows nothing of a paused DAG."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from nba_ml import calendar, grading, rhythm
from nba_ml.context import Context
from nba_ml.games import first_tipoffs
from nba_ml.gates import load_gates
from nba_ml.ingest import without_rows
from nba_ml.rhythm import Due
from nba_ml.slate.publishing import PICKS, SYSTEMS
from nba_ml.slate_calendar import SlateCalendar
from nba_ml.validation import quarantine
from nba_ml.warehouse.port import LATEST

_EARLY = timedelta(minutes=90)
"""A live run that is checked within this time before live ends is the update, which starts 75 minutes before."""


@dataclass(frozen=True)
class Finding:
    """What the tables show of one thing that is expected.

    Attributes
    ----------
    state : str
        done, open, waiting (for what comes before it) or not_needed.
    what : str
        In a sentence.
    done_at : datetime or None
        When it was done, where that is known.
    """

    state: str
    what: str
    done_at: datetime | None = None


class Evidence:
    """The tables of a span of slates, read once.

    Parameters
    ----------
    context : Context
    first, last : date
        First and last slate that will be asked about.
    """

    def __init__(self, context: Context, first: date, last: date) -> None:
        read, span = context.warehouse.read, (first, last)
        self.slates = calendar_of(context)
        self._schedule = read("nba_raw.schedule", as_of=LATEST, dates=span)
        self._box = read("nba_raw.player_box", as_of=LATEST, dates=span, columns=["game_id", "team"])
        columns = ["suite", "rule", "game_date"]
        self._kept_out = read(quarantine.TABLE, as_of=LATEST, dates=span, where={"suite": ["schedule", "player_box"]}, columns=columns)
        self._live = read(PICKS, as_of=LATEST, dates=span, where={"mode": "live"}, columns=["slate_date", "run_key", "published_at"])
        self._numbers = read(SYSTEMS, as_of=LATEST, dates=span, columns=["slate_date", "game_id", "id"])
        self._grades = read(grading.TABLE, as_of=LATEST, dates=span, columns=["slate_date", "prediction_id", "revision", "graded_at"])
        checked = (first - timedelta(days=1), last + timedelta(days=2))
        columns = ["run", "checked_at"]
        self._audits = read("nba_ops.validation_runs", as_of=LATEST, dates=checked, where={"suite": "predictions"}, columns=columns)
        seen = (first, last + timedelta(days=30))
        self._windows = read("nba_ops.performance_daily", as_of=LATEST, dates=seen, columns=["slate_date", "computed_at"])
        self._versions = read("nba_ops.model_registry", as_of=LATEST, columns=["version", "trained_until", "created_at"])
        self._now = calendar.now()

    def find(self, due: Due) -> Finding:
        """Return what the tables show of one thing that is expected."""
        found: Finding = getattr(self, f"_{due.kind}")(due.slate_date)
        return found

    def _ingest(self, day: date) -> Finding:
        games = self._schedule.filter(pl.col("game_date") == day)
        if not games.height:
            if day in self.slates.tipoffs or self._reached(day):
                return Finding("not_needed", f"no games are scheduled on {day} any more")
            return Finding("open", f"there is no schedule for {day}, which must have games")
        missing = self._missing(day)
        if not missing:
            return Finding("done", f"the results of all {games.height} games of {day} are in")
        given_up = calendar.results_known_at(day) + timedelta(days=load_gates()["grading"]["postponed_after_days"])
        if self._now >= given_up:
            return Finding("not_needed", f"{len(missing)} games of {day} have no result and count as postponed")
        return Finding("open", f"{len(missing)} of {games.height} games of {day} have no whole result{self._why(day)}")

    def _why(self, day: date) -> str:
        """Say which rules kept rows of a slate out of the raw tables."""
        own = self._kept_out.filter(pl.col("game_date") == day)
        if not own.height:
            return ""
        rules = ", ".join(sorted({f"{suite}.{rule}" for suite, rule in own.select("suite", "rule").iter_rows()}))
        return f", {own.height} rows were kept out by {rules} (nba_ops.quarantine)"

    def _reached(self, day: date) -> bool:
        """Tell whether the schedule of a season goes on after a date, and has no hole there."""
        if self.slates.is_hole(day):
            return False
        return any(other > day for other in self.slates.tipoffs if calendar.season_year(other) == calendar.season_year(day))

    def _missing(self, day: date) -> set[str]:
        """Return the games of a slate without final score, or without box-score rows of a team."""
        games = self._schedule.filter(pl.col("game_date") == day)
        unscored = games.filter(pl.any_horizontal(pl.col("home_points", "away_points").is_null()))
        return {*unscored["game_id"], *without_rows(games, self._box, day)["game_id"]}

    def _no_games(self, day: date) -> bool:
        return not self._schedule.filter(pl.col("game_date") == day).height and self._ingest(day).state == "not_needed"

    def _predict(self, day: date) -> Finding:
        if self._no_games(day):
            return Finding("not_needed", f"no games are scheduled on {day} any more")
        live = self._live.filter(pl.col("slate_date") == day)["published_at"].to_list()
        if live:
            return Finding("done", f"{day} was first published live at {_text(min(live))}", min(live))
        return Finding("open", f"{day} is not predicted live")

    def _update(self, day: date) -> Finding:
        if self._no_games(day):
            return Finding("not_needed", f"no games are scheduled on {day} any more")
        limit = self.slates.live_until(day)
        runs = [f"predict:{day}:{key}" for key in self._live.filter(pl.col("slate_date") == day)["run_key"].unique()]
        late = self._audits.filter(pl.col("run").is_in(runs) & pl.col("checked_at").is_between(limit - _EARLY, limit))["checked_at"]
        if late.len():
            moment: datetime = late.sort()[0]
            return Finding("done", f"{day} was looked at again at {_text(moment)}", moment)
        return Finding("open", f"{day} was not predicted again before its first tip-off")

    def _grade(self, day: date) -> Finding:
        numbers = self._numbers.filter(pl.col("slate_date") == day)
        if not numbers.height:
            return Finding("not_needed" if self._now >= calendar.results_known_at(day) else "waiting", f"{day} has no predictions")
        graded = self._grades.filter(pl.col("slate_date") == day)
        ungraded = numbers.join(graded, left_on="id", right_on="prediction_id", how="anti")
        if not ungraded.height:
            firsts = graded.filter(pl.col("revision") == 0)["graded_at"].to_list()
            return Finding("done", f"all {numbers.height} numbers of {day} are graded", max(firsts))
        if set(ungraded["game_id"]) <= self._missing(day):
            return Finding("waiting", f"{ungraded.height} numbers of {day} wait for results")
        return Finding("open", f"{ungraded.height} of {numbers.height} numbers of {day} are not graded")

    def _monitor(self, day: date) -> Finding:
        graded = self._grades.filter((pl.col("slate_date") == day) & (pl.col("revision") == 0))["graded_at"].to_list()
        if not graded:
            return Finding("waiting", f"{day} is not graded")
        seen = self._windows.filter(pl.col("slate_date") >= day)["computed_at"].to_list()
        if seen:
            return Finding("done", f"the monitor has looked at {day}", min(seen))
        if self._now < max(graded) + timedelta(hours=load_gates()["expected"]["monitor_hours"]):
            return Finding("waiting", f"{day} was graded at {_text(max(graded))}, and the monitor is to look yet")
        return Finding("open", f"the monitor has not looked at {day}")

    def _train(self, day: date) -> Finding:
        last = rhythm.last_slate_before(self.slates, day) or day
        least = last - timedelta(days=load_gates()["expected"]["schedule_lag_days"])
        fresh = self._versions.filter(pl.col("trained_until") >= least).sort("created_at")
        if fresh.height:
            row = fresh.row(0, named=True)
            return Finding("done", f"{row['version']} has learned from the games up to {row['trained_until']}", row["created_at"])
        return Finding("open", f"no version has learned from the games up to {least}")


def calendar_of(context: Context) -> SlateCalendar:
    """Return the slates as the warehouse has them, which may be another machine than the one whose file the scheduler reads."""
    schedule = context.warehouse.read("nba_raw.schedule", as_of=LATEST, columns=["game_date", "tipoff_utc"])
    return SlateCalendar(first_tipoffs(schedule))


def _text(moment: datetime) -> str:
    return f"{moment.astimezone(calendar.NEW_YORK):%Y-%m-%d %H:%M} New York"
