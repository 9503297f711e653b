"""The simulated league as a source: every season since 2021-22 up to a date, and what is known of the days after it."""

from datetime import date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path

import polars as pl

from nba_ml import calendar
from nba_ml.errors import UsageError
from nba_ml.settings import Settings
from nba_ml.sources.league import defects as faults
from nba_ml.sources.league.cache import SeasonCache

UPCOMING_DAYS = 7


class SimulatedSource:
    """A league made out of a seed (docs/simulated.md). What it says about a date never depends on `until`.

    Parameters
    ----------
    seed : int
    until : date
        Last date that is played. Of the seven days after it the schedule is given without scores, and such quotes and reports as were seen
        before noon of the first of them, or before `seen_until`.
    defects : sequence of str
        Names of `league.defects.NAMES`.
    cache : Path, optional
        Folder that keeps generated seasons between processes.
    seen_until : datetime, optional
        Moment up to which quotes and reports were seen.

    Raises
    ------
    UsageError
        If a defect is unknown or `until` lies before the first season.
    """

    name = "simulated"

    def __init__(
        self,
        seed: int,
        until: date,
        defects: tuple[str, ...] | list[str] = (),
        cache: Path | None = None,
        seen_until: datetime | None = None,
    ) -> None:
        if until < self.first_date():
            raise UsageError(
                f"the simulated league opens on {self.first_date()}: set NBA_ML_SIMULATED_UNTIL to that date or later, not {until}"
            )
        self.seed = seed
        self.until = until
        self.defects = faults.check(defects)
        self._seen_until = seen_until or calendar.at_new_york(until + timedelta(days=1), time(12))
        self._seasons = SeasonCache(seed, cache)

    @classmethod
    def from_settings(cls, settings: Settings) -> "SimulatedSource":
        """Open the league of the settings; without NBA_ML_SIMULATED_UNTIL it is played up to yesterday in New York."""
        if settings.simulated_until:
            try:
                until = date.fromisoformat(settings.simulated_until)
            except ValueError:
                raise UsageError(f"NBA_ML_SIMULATED_UNTIL={settings.simulated_until!r} is no date: write it as in 2025-01-31") from None
        else:
            until = calendar.day_before(calendar.slate_date(calendar.now()))
        # The hour of a clock that runs is left out: what is ingested twice on one day is the same.
        cache = settings.home_folder / "cache" / "simulated"
        return cls(
            settings.seed, until, settings.simulated_defects.split(","), cache, None if settings.simulated_until else calendar.held()
        )

    def first_date(self) -> date:
        """Return the opener of the first season."""
        return calendar.opener(calendar.FIRST_SEASON)

    def last_date(self) -> date:
        """Return the last date up to `until` on which games are played."""
        return self._last

    @cached_property
    def _last(self) -> date:
        played = self._seasons.table(calendar.season_year(self.until), "schedule").filter(pl.col("game_date") <= self.until)
        return played.select(pl.col("game_date").max()).collect().item()

    def _rows(self, table: str, first: date, last: date) -> pl.DataFrame:
        """Return one table's rows of a span, seasons after `until` and its upcoming days left out."""
        first = max(first, self.first_date())
        last = min(last, self.until + timedelta(days=UPCOMING_DAYS))
        span = pl.col("game_date").is_between(first, last)
        years = range(calendar.season_year(first), calendar.season_year(max(first, last)) + 1)
        return pl.concat([self._seasons.table(year, table).filter(span).collect() for year in years])

    def schedule(self, first: date, last: date) -> pl.DataFrame:
        """Return scheduled games; those after `until` carry no score, and only those whose teams are known by then appear."""
        until = self._last - timedelta(days=faults.STALE_DAYS) if faults.STALE_SCHEDULE in self.defects else self.until
        horizon = until + timedelta(days=UPCOMING_DAYS)
        played = pl.col("game_date") <= until
        known = played | ((pl.col("game_date") <= horizon) & (pl.col("known_at") <= calendar.end_of(until)))
        return (
            self._rows("schedule", first, last)
            .filter(known)
            .with_columns(pl.when(played).then(pl.col("home_points", "away_points", "overtime")))
        )

    def player_box(self, first: date, last: date) -> pl.DataFrame:
        """Return box scores."""
        return self._with_defects("player_box", self._rows("player_box", first, min(last, self.until)), first, last)

    def prop_lines(self, first: date, last: date) -> pl.DataFrame:
        """Return quotes on players' points."""
        return self._with_defects("prop_lines", self._seen("prop_lines", first, last), first, last)

    def game_lines(self, first: date, last: date) -> pl.DataFrame:
        """Return quotes on games."""
        return self._seen("game_lines", first, last)

    def player_status(self, first: date, last: date) -> pl.DataFrame:
        """Return injury reports and projected line-ups."""
        return self._seen("player_status", first, last)

    def _seen(self, table: str, first: date, last: date) -> pl.DataFrame:
        seen = pl.col("captured_at") < self._seen_until
        return self._rows(table, first, last).filter((pl.col("game_date") <= self.until) | seen)

    def _with_defects(self, table: str, rows: pl.DataFrame, first: date, last: date) -> pl.DataFrame:
        if last < self._last or first > self.until + timedelta(days=UPCOMING_DAYS):
            return rows
        return faults.apply(self.defects, table, rows, self._last)
