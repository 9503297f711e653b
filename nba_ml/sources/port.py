"""The Source port: where raw data comes from. Adapters: parquet files, a simulated league, a team's own feature store."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol, runtime_checkable

import polars as pl

RAW_TABLES = ("schedule", "player_box", "prop_lines", "game_lines", "player_status")
"""Raw tables in the order in which they are ingested; each is a method of the port and a table of the dataset nba_raw."""

GIVEN_TABLES = ("given_feature_names", "given_features", "given_dates")
"""The same of a source that is `GivenFeatures`, after `RAW_TABLES`."""


class Source(Protocol):
    """A source of raw data.

    Each method returns the rows of one nba_raw table whose game_date lies in the span, both ends included, with the columns of the table's
    YAML (``id`` apart), natural keys unique. What cannot be read raises `nba_ml.errors.BadInput` with file, row and field.
    """

    name: str

    def last_date(self) -> date:
        """Return the last date that has box scores."""

    def first_date(self) -> date:
        """Return the first date that has scheduled games."""

    def schedule(self, first: date, last: date) -> pl.DataFrame:
        """Return scheduled games, with scores where they are played."""

    def player_box(self, first: date, last: date) -> pl.DataFrame:
        """Return box scores."""

    def prop_lines(self, first: date, last: date) -> pl.DataFrame:
        """Return quotes on players' points."""

    def game_lines(self, first: date, last: date) -> pl.DataFrame:
        """Return quotes on games."""

    def player_status(self, first: date, last: date) -> pl.DataFrame:
        """Return injury reports and projected line-ups."""


@dataclass(frozen=True)
class SetAside:
    """Rows of a source that can't be, or may not become, rows of a raw table.

    Attributes
    ----------
    suite : str
        Name of the source's table.
    rule, reason : str
        The rule that they break, and why there is one.
    rows : DataFrame
        As the source holds them, with ``game_date``.
    """

    suite: str
    rule: str
    reason: str
    rows: pl.DataFrame


@runtime_checkable
class GivenFeatures(Source, Protocol):
    """A source that also holds features which its team makes itself, of players whom the team names in its own way.

    Players whom its reference table does not know are set aside, so that a team's points need not add up to the final score.
    """

    def given_features(self, first: date, last: date) -> pl.DataFrame:
        """Return accepted feature rows."""

    def given_feature_names(self, first: date, last: date) -> pl.DataFrame:
        """Return the names of their values."""

    def given_dates(self, first: date, last: date) -> pl.DataFrame:
        """Return how much of each date was accepted."""

    def set_aside(self, first: date, last: date) -> list[SetAside]:
        """Return the rows that are kept out, by rule."""
