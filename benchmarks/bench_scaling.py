"""Cost of the features, P(out) included, as the league grows: leagues side by side, each with players, teams and games of its own."""

import argparse
import gc
import resource
import sys
from functools import partial

import polars as pl
from common import Cost, best, history, open_league, show, timed

from nba_ml.features import availability, build

DEFAULT_SIZES = (1, 2, 4, 8, 16)
RUNS = 3
"""Runs of the sizes 1× and 2×, where a run is short; the fastest counts."""


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


def main() -> None:
    """Measure each size, the smallest first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=DEFAULT_SIZES, help="how many leagues side by side; 16 take about 7 GiB")
    sizes = parser.parse_args().sizes
    source = open_league()
    box, schedule = history(source)
    costs: dict[int, Cost] = {}
    rows: dict[int, int] = {}
    peaks: dict[int, float] = {}
    for size in sorted({1, *sizes}):
        larger = grown(box, schedule, size)
        runs = []
        for _ in range(RUNS if size <= 2 else 1):
            availability._fitted.clear()  # else the second run would not fit P(out)
            frame, cost = timed(partial(build, *larger))
            runs.append(cost)
            rows[size] = frame.height
            del frame
        costs[size], peaks[size] = best(runs), peak_gib()
        del larger
        gc.collect()
    wall = {size: costs[size].wall / rows[size] / (costs[1].wall / rows[1]) for size in costs}
    cpu = {size: costs[size].cpu / rows[size] / (costs[1].cpu / rows[1]) for size in costs}
    show(
        "scaling",
        f"features with P(out), {source.name}",
        ("leagues", "rows", "seconds", "processor", "a row, by the clock", "a row, by processor", "peak GiB"),
        [(f"{size}×", f"{rows[size]:,}", *costs[size], wall[size], cpu[size], peaks[size]) for size in costs],
        {
            "source": source.name,
            "rows": rows[1],
            "per_row": {str(size): round(value, 3) for size, value in wall.items()},
            "per_row_cpu": {str(size): round(value, 3) for size, value in cpu.items()},
            "peak_gib_at_1": peaks[1],
        },
    )


if __name__ == "__main__":
    main()
