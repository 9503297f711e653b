"""What every benchmark shares: the league it runs on, clocks, and how it prints."""

import importlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import polars as pl

from nba_ml.settings import load_settings
from nba_ml.sources import Source
from nba_ml.sources.files import FilesSource
from nba_ml.sources.simulated import SimulatedSource

ROOT = Path(__file__).parents[1]

SIMULATED_UNTIL = date(2025, 6, 30)
"""Fixed, so that every run measures the same rows."""

MAKING = importlib.import_module("nba_ml.features.build")


class Cost(NamedTuple):
    """Seconds by the clock, and of processor: on a machine that others use too, the second is the steadier."""

    wall: float
    cpu: float


class Availability:
    """Stands in for `out_probability`: keeps its first answer, with its cost, and gives it again."""

    def __init__(self, real: Callable[..., pl.DataFrame]) -> None:
        self._real = real
        self.answers: list[pl.DataFrame] = []
        self.cost = Cost(0.0, 0.0)

    def __call__(self, *frames: Any) -> pl.DataFrame:
        """Return P(out)."""
        if not self.answers:
            answer, self.cost = timed(lambda: self._real(*frames))
            self.answers.append(answer)
        return self.answers[0]


def open_league() -> Source:
    """Return the real games (NBA_ML_FILES_DIR, else ../shared/data), or the simulated league where there are none."""
    folder = Path(os.environ.get("NBA_ML_FILES_DIR") or ROOT.parent / "shared" / "data")
    if (folder / "player_box.parquet").exists():
        return FilesSource(folder)
    settings = load_settings()
    return SimulatedSource(settings.seed, SIMULATED_UNTIL, cache=settings.home_folder / "cache" / "simulated")


def history(source: Source) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return all box scores, and the schedule up to the last of them."""
    span = source.first_date(), source.last_date()
    return source.player_box(*span), source.schedule(*span)


@contextmanager
def given_availability() -> Iterator[Availability]:
    """Make P(out) once only while the block runs."""
    stand_in = Availability(MAKING.out_probability)
    with patch.object(MAKING, "out_probability", stand_in):
        yield stand_in


def timed(work: Callable[[], Any]) -> tuple[Any, Cost]:
    """Return what `work` returns, and its cost."""
    clock, processor = time.perf_counter(), time.process_time()
    result = work()
    return result, Cost(time.perf_counter() - clock, time.process_time() - processor)


def best(costs: Sequence[Cost]) -> Cost:
    """Return the least of several runs, by each clock."""
    return Cost(min(cost.wall for cost in costs), min(cost.cpu for cost in costs))


def show(bench: str, said: str, header: Sequence[str], rows: Sequence[Sequence[Any]], figures: dict[str, Any]) -> None:
    """Print a table, and the figures as one line of JSON."""
    cells = [list(header), *[[f"{cell:,.3f}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[place]) for row in cells) for place in range(len(header))]
    print(f"{bench}: {said}")
    for first, *others in cells:
        print("  " + first.ljust(widths[0]), *[cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)], sep="  ")
    rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in figures.items()}
    print(json.dumps({"bench": bench, **rounded}), flush=True)
