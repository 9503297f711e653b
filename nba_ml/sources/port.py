"""The Source port: where raw data comes from. Adapters: parquet files and a simulated league."""

from datetime import date
from typing import Protocol

import polars as pl

RAW_TABLES = ("schedule", "player_box", "prop_lines", "game_lines", "player_status")
"""Raw tables in the order in which they are ingested; each is a method of the port and a table of the dataset nba_raw."""


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
