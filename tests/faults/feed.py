"""The simulated league as a feed at a moment: what it tells grows with the clock, and a fault may bend it."""

from collections.abc import Callable
from datetime import date, datetime

import polars as pl

from nba_ml import calendar
from nba_ml.sources.port import RAW_TABLES
from nba_ml.sources.simulated import SimulatedSource

Bend = Callable[[pl.DataFrame], pl.DataFrame]

OPENER = calendar.opener(calendar.FIRST_SEASON)


def league(last: date) -> dict[str, pl.DataFrame]:
    """Return all that the simulated league ever tells of its first season up to a date; table → rows."""
    source = SimulatedSource(20211019, last)
    return {name: getattr(source, name)(OPENER, last) for name in RAW_TABLES}


class Feed:
    """A source (`nba_ml.sources.port.Source`) that tells what is known now.

    Parameters
    ----------
    tables : dict
        As `league` returns it.
    """

    name = "simulated"

    def __init__(self, tables: dict[str, pl.DataFrame]) -> None:
        self.tables = tables
        self.bends: list[tuple[str, Bend]] = []

    def bend(self, table: str, fault: Bend) -> None:
        """Have a table told as `fault` makes it of what is true, until `mend`."""
        self.bends.append((table, fault))

    def mend(self) -> None:
        """Tell the truth again."""
        self.bends.clear()

    def first_date(self) -> date:
        """Return the opener."""
        return OPENER

    def last_date(self) -> date:
        """Return the last date whose results are known now."""
        dates = self.tables["schedule"]["game_date"].unique().to_list()
        return max(day for day in dates if calendar.results_known_at(day) <= calendar.now())

    def schedule(self, first: date, last: date) -> pl.DataFrame:
        """Return games, with scores where they are known now."""
        return self._told("schedule", self._with_results_known_now(self.tables["schedule"]), first, last)

    def player_box(self, first: date, last: date) -> pl.DataFrame:
        """Return the box scores that are known now."""
        box = self.tables["player_box"]
        return self._told("player_box", box.filter(pl.col("game_date") <= self.last_date()), first, last)

    def prop_lines(self, first: date, last: date) -> pl.DataFrame:
        """Return the quotes that were seen by now."""
        return self._seen("prop_lines", first, last)

    def game_lines(self, first: date, last: date) -> pl.DataFrame:
        """Return the quotes on games that were seen by now."""
        return self._seen("game_lines", first, last)

    def player_status(self, first: date, last: date) -> pl.DataFrame:
        """Return the reports that were seen by now."""
        return self._seen("player_status", first, last)

    def _with_results_known_now(self, games: pl.DataFrame) -> pl.DataFrame:
        known = pl.col("game_date") <= self.last_date()
        return games.with_columns(pl.when(known).then(pl.col("home_points", "away_points", "overtime")))

    def _seen(self, table: str, first: date, last: date) -> pl.DataFrame:
        rows, now = self.tables[table], calendar.now()
        return self._told(table, rows.filter(pl.col("captured_at") <= now), first, last)

    def _told(self, table: str, rows: pl.DataFrame, first: date, last: date) -> pl.DataFrame:
        for bent, fault in self.bends:
            if bent == table:
                rows = fault(rows)
        return rows.filter(pl.col("game_date").is_between(first, last))


class Clock:
    """The clock of the platform, which tests set."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment
