"""What every benchmark shares: the league it runs on, clocks, and how it prints."""

import json
import os
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from nba_ml.context import Context
from nba_ml.settings import load_settings
from nba_ml.sources import Source
from nba_ml.sources.files import FilesSource
from nba_ml.sources.simulated import SimulatedSource

ROOT = Path(__file__).parents[1]
SIMULATED_UNTIL = date(2025, 6, 30)
"""Fixed, so that every run measures the same rows."""


def open_league() -> Source:
    """Return the real games (NBA_ML_FILES_DIR, else ../shared/data), or the simulated league where there are none."""
    folder = Path(os.environ.get("NBA_ML_FILES_DIR") or ROOT.parent / "shared" / "data")
    if (folder / "player_box.parquet").exists():
        return FilesSource(folder)
    settings = load_settings()
    return SimulatedSource(settings.seed, SIMULATED_UNTIL, cache=settings.home_folder / "cache" / "simulated")


def history(source: Source) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return all box scores and the schedule."""
    span = source.first_date(), source.last_date()
    return source.player_box(*span), source.schedule(*span)


def timed[T](work: Callable[[], T]) -> tuple[T, float, float]:
    """Return what `work` returns, its seconds by the clock, and its seconds of processor."""
    clock, processor = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - clock, time.process_time() - processor


def show(title: str, header: Sequence[str], rows: Sequence[Sequence[Any]], figures: dict[str, Any]) -> None:
    """Print a table, and the figures as one line of JSON."""
    print(title)
    table = [list(map(str, header)), *[[f"{cell:,.3f}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[place]) for row in table) for place in range(len(header))]
    for row in table:
        print(
            "  " + "  ".join(cell.ljust(width) if not place else cell.rjust(width) for place, (cell, width) in enumerate(zip(row, widths)))
        )
    print(json.dumps({"bench": title.split(":")[0], **figures}))
