"""Cost of the features and of P(out) as the league grows: leagues side by side, each with players, teams and games of its own.

Players, teams and games grow together, and each has as long a history as before: a league that is only older would leave the tables of one
date small, and with them the cost of looking up. P(out) learns from the same number of rows in every league, so its cost grows more slowly.
The goal is that a row costs the same, within 15 %, at every size.
"""

import argparse
import gc
import resource
import sys
from functools import partial

import polars as pl
from common import Cost, best, given_availability, history, open_league, show, timed

from nba_ml.features import availability, build

DEFAULT_SIZES = (1, 2, 4, 8, 16)
RUNS = 2
"""Runs of each size; the fastest counts, since the first one of a size pays for memory that the machine has not handed out yet."""


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
    features: dict[int, Cost] = {}
    p_out: dict[int, Cost] = {}
    rows: dict[int, int] = {}
    peaks: dict[int, float] = {}
    for size in sorted({1, *sizes}):
        larger = grown(box, schedule, size)
        runs = []
        for _ in range(RUNS):
            availability._fitted.clear()  # else the second run would not fit P(out)
            with given_availability() as stand_in:
                frame, whole = timed(partial(build, *larger))
            runs.append((Cost(whole.wall - stand_in.cost.wall, whole.cpu - stand_in.cost.cpu), stand_in.cost))
            rows[size] = frame.height
            del frame, stand_in
        features[size], p_out[size] = (best(part) for part in zip(*runs, strict=True))
        peaks[size] = peak_gib()
        del larger
        gc.collect()

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
