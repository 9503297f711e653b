"""Cost of the features and of P(out) as the league grows: leagues side by side, each with players, teams and games of its own.

Players, teams and games grow together, and each has as long a history as before: a league that is only older would leave the tables of one
date small, and with them the cost of looking up. P(out) learns from the same number of rows in every league, so its cost grows more slowly.
The goal is that a row costs the same, within 15 %, at every size.
"""

import argparse
import multiprocessing
import resource
import sys
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from functools import partial
from typing import NamedTuple

import numpy as np
import polars as pl
from common import Cost, best, given_availability, history, open_league, show, timed

from nba_ml.features import build

DEFAULT_SIZES = (1, 2, 4, 8, 16)
RUNS = 3
"""Runs of each size, of which the fastest counts; each in a process of its own, as whoever needs features pays for memory once."""

WARM_UP = timedelta(days=60)
"""Newest games that a process works on before it is timed, so that no size pays for imports and thread pools."""

TOUCHED_GIB = 0.3
"""Memory of a league, less than its features need, that a process touches before it is timed: what a virtual machine has given back, its host
hands out anew at 5 µs and more a page, which made sixteen leagues cost 1.1 to 1.5 a row by the state of the host."""


class Measured(NamedTuple):
    """One run: player-games, cost of the features and of P(out), and the peak memory of its process."""

    rows: int
    features: Cost
    p_out: Cost
    peak_gib: float


def grown(box: pl.DataFrame, schedule: pl.DataFrame, size: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return `size` copies of a league, with ids of their own."""
    boxes, schedules = [], []
    for copy in range(size):
        ids = {"game_id": pl.col("game_id") + f"_{copy}"}
        sides = {name: pl.col(name) + str(copy) for name in ("team", "opponent")}
        boxes.append(box.with_columns(**ids, **sides, player_id=pl.col("player_id") + copy * 100_000_000))
        schedules.append(schedule.with_columns(**ids, **{name: pl.col(name) + str(copy) for name in ("home", "away")}))
    return pl.concat(boxes), pl.concat(schedules)


def peak_gib() -> float:
    """Return the peak memory of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**30 if sys.platform == "darwin" else peak / 2**20


def measure(size: int) -> Measured:
    """Make the features of `size` leagues once."""
    box, schedule = history(open_league())
    newest = [frame.filter(pl.col("game_date") > box["game_date"].max() - WARM_UP) for frame in (box, schedule)]
    build(*newest)
    larger = grown(box, schedule, size)
    np.ones(int(size * TOUCHED_GIB * 2**30) // 8)
    with given_availability() as stand_in:
        frame, whole = timed(partial(build, *larger))
    features = Cost(whole.wall - stand_in.cost.wall, whole.cpu - stand_in.cost.cpu)
    return Measured(frame.height, features, stand_in.cost, peak_gib())


def main() -> None:
    """Measure each size, the smallest first, again and again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=DEFAULT_SIZES, help="how many leagues side by side; 16 take about 5 GiB")
    sizes = sorted({1, *parser.parse_args().sizes})
    source = open_league()
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as alone:
        runs = list(alone.map(measure, sizes * RUNS))
    of_size = {size: runs[place :: len(sizes)] for place, size in enumerate(sizes)}
    rows = {size: found[0].rows for size, found in of_size.items()}
    features = {size: best([run.features for run in found]) for size, found in of_size.items()}
    p_out = {size: best([run.p_out for run in found]) for size, found in of_size.items()}
    peaks = {size: max(run.peak_gib for run in found) for size, found in of_size.items()}

    def a_row(costs: dict[int, Cost], clock: str) -> dict[int, float]:
        return {size: getattr(cost, clock) / rows[size] / (getattr(costs[1], clock) / rows[1]) for size, cost in costs.items()}

    both = {size: Cost(*(sum(pair) for pair in zip(features[size], p_out[size], strict=True))) for size in features}
    parts = {"features": features, "p_out": p_out, "both": both}
    ratios = {(name, clock): a_row(costs, clock) for name, costs in parts.items() for clock in ("wall", "cpu")}
    show(
        "scaling",
        f"features and P(out), {source.name}; costs of a row beside those of the smallest, by the clock and by processor",
        (
            "leagues",
            "rows",
            "features, s",
            "P(out), s",
            "features a row",
            "processor",
            "P(out) a row",
            "processor",
            "both a row",
            "processor",
            "GiB",
        ),
        [
            (
                *(f"{size}×", f"{rows[size]:,}", features[size].wall, p_out[size].wall),
                *(ratios[name, clock][size] for name in parts for clock in ("wall", "cpu")),
                peaks[size],
            )
            for size in features
        ],
        {
            "source": source.name,
            "rows": rows[1],
            "peak_gib_at_1": peaks[1],
            **{
                f"{name}_per_row{'' if clock == 'wall' else '_cpu'}": {str(size): round(value, 3) for size, value in found.items()}
                for (name, clock), found in ratios.items()
            },
        },
    )


if __name__ == "__main__":
    main()
