"""Features of all history: polars against plain pandas, equal to 1e-9. The goal is five times as fast, P(out) excluded on both sides."""

import sys

import numpy as np
import pandas as pd
import pandas_features
import polars as pl
from common import best, given_availability, history, open_league, show, timed
from pandas_windows import Grouped, dated

from nba_ml.features import build, feature_names

TOLERANCE = 1e-9
RUNS = 3


def differing(ours: pl.DataFrame, theirs: pd.DataFrame) -> dict[str, int]:
    """Return, for each feature that is not the same, how many rows differ; a null equals a null only."""
    same_rows = (ours["player_id"].to_numpy() == theirs["player_id"]).all() and ours["game_id"].to_list() == theirs["game_id"].to_list()
    if not same_rows:
        raise SystemExit("the two ways made different rows: see tests/features/test_pandas_oracle.py")
    counts = {}
    for name in feature_names():
        left, right = ours[name].fill_null(np.nan).to_numpy(), theirs[name].to_numpy(float)
        counts[name] = int((~np.isclose(left, right, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)).sum())
    return {name: count for name, count in counts.items() if count}


def main() -> int:
    """Measure; return 1 where a feature differs."""
    source = open_league()
    box, schedule = history(source)
    with given_availability() as availability:
        ours, whole = timed(lambda: build(box, schedule))
        polars = best([timed(lambda: build(box, schedule))[1] for _ in range(RUNS)])
    p_out = availability.answers[0].select("team", "game_id", "player_id", "p_out").to_pandas()
    inputs = dated(box.to_pandas()), dated(schedule.to_pandas()), p_out
    theirs, plain = timed(lambda: pandas_features.build(*inputs))
    quick, grouped = timed(lambda: pandas_features.build(*inputs, idiom=Grouped))
    different = differing(ours, theirs) | differing(ours, quick)
    show(
        "features",
        f"{ours.height:,} rows × {len(feature_names())} features, {source.name}",
        ("", "seconds", "processor", "× polars"),
        [
            ("polars without P(out)", *polars, 1.0),
            ("pandas, one function a player", *plain, plain.cpu / polars.cpu),
            ("pandas, grouped kernels", *grouped, grouped.cpu / polars.cpu),
            ("P(out) alone", *availability.cost, availability.cost.cpu / polars.cpu),
            ("polars with P(out), first run", *whole, whole.cpu / polars.cpu),
        ],
        {
            "source": source.name,
            "rows": ours.height,
            "pandas_to_polars": plain.wall / polars.wall,
            "pandas_to_polars_cpu": plain.cpu / polars.cpu,
            "grouped_pandas_to_polars": grouped.wall / polars.wall,
            "grouped_pandas_to_polars_cpu": grouped.cpu / polars.cpu,
            "seconds": polars.wall,
            "seconds_p_out": availability.cost.wall,
            "seconds_with_p_out": whole.wall,
            "different": different,
        },
    )
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
