"""Seasons as tables, made once and kept as parquet files, so that the next process reads them in a moment."""

import hashlib
import os
import shutil
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
import polars as pl

from nba_ml.sources.league.board import player_games
from nba_ml.sources.league.frames import box_rows, schedule_rows
from nba_ml.sources.league.game_lines import game_line_rows
from nba_ml.sources.league.lines import prop_rows
from nba_ml.sources.league.names import names
from nba_ml.sources.league.season import simulate
from nba_ml.sources.league.status import status_rows


def season_tables(seed: int, year: int) -> dict[str, pl.DataFrame]:
    """Return the raw tables of the season that opens in `year`, whole, by their names of `port.RAW_TABLES`."""
    cast, batches = simulate(seed, year)
    labels = names(seed, cast.players.number)
    board = player_games(cast, labels, batches)
    return {
        "schedule": schedule_rows(batches),
        "player_box": box_rows(cast, labels, batches),
        "prop_lines": prop_rows(seed, year, board),
        "game_lines": game_line_rows(seed, year, batches),
        "player_status": status_rows(seed, year, board),
    }


@cache
def code_version() -> str:
    """Hash all that decides what a seed gives: the modules of the league, the calendar and numpy's version."""
    state = hashlib.sha256(np.__version__.encode())
    league = sorted(resources.files("nba_ml.sources.league").iterdir(), key=lambda entry: entry.name)
    for entry in [*league, resources.files("nba_ml") / "calendar.py"]:
        if entry.name.endswith(".py"):
            state.update(entry.read_bytes())
    return state.hexdigest()[:12]


class SeasonCache:
    """Seasons of one seed. A season is kept whole, whatever date is asked for, so tomorrow finds it too.

    Parameters
    ----------
    seed : int
    folder : Path, optional
        Where to keep files; without one, seasons stay in memory. A season's folder appears complete or not at all.
    """

    def __init__(self, seed: int, folder: Path | None) -> None:
        self._seed = seed
        self._folder = folder / f"{seed}-{code_version()}" if folder else None
        self._memory: dict[int, dict[str, pl.DataFrame]] = {}

    def table(self, year: int, name: str) -> pl.LazyFrame:
        """Return one raw table of one season."""
        if self._folder is None:
            if year not in self._memory:
                self._memory[year] = season_tables(self._seed, year)
            return self._memory[year][name].lazy()
        home = self._folder / str(year)
        if not home.is_dir():
            self._write(home, year)
        return pl.scan_parquet(home / f"{name}.parquet")

    def _write(self, home: Path, year: int) -> None:
        aside = home.with_name(f".{year}.{os.getpid()}")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        try:
            for name, frame in season_tables(self._seed, year).items():
                frame.write_parquet(aside / f"{name}.parquet", row_group_size=20_000)
            try:
                aside.rename(home)
            except OSError:
                # Another process was faster; its files have the same content.
                if not home.is_dir():
                    raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
