"""What can be measured on a fitted model before it is published: that it is stored whole, by which packages, how large and how fast it is."""

import logging
import time
from collections.abc import Collection
from io import BytesIO

import polars as pl

from nba_ml.context import Context
from nba_ml.registry import loading, provenance, versions
from nba_ml.registry.versions import MODEL as NAME
from nba_ml.systems.panel import Panel
from nba_ml.training.dataset import Dataset

log = logging.getLogger(__name__)

MEGABYTE = 1e6


def measure(context: Context, version: str, data: Dataset, papers: Collection[str]) -> dict[str, float]:
    """Read a fitted model back from the store, as serving will, and measure it.

    Parameters
    ----------
    version : str
        The candidate, whose files are written and whose manifest is not.
    data : Dataset
        Its training set: the last date stands for a slate.
    papers : collection of str
        Files of the version that no prediction reads: backtest, report and the like.

    Returns
    -------
    dict
        "golden": largest difference, in points, of its golden predictions from those of the model that was fitted; "packages": how many have
        another version than the project asks for; "megabytes" of the files that it predicts from; "seconds" that the slate takes with all systems.
    """
    folder = versions.folder(NAME, version)
    names = [key.removeprefix(folder) for key in context.store.list(folder)]
    files = {name: context.store.read(folder + name) for name in names if name not in papers}
    panel = Panel.from_files(files, data.features.names)
    golden = pl.read_parquet(BytesIO(files[loading.GOLDEN]))
    unasked = provenance.unasked_packages()
    if unasked:
        log.warning("packages of another version than the project asks for: %s", ", ".join(unasked))
    slate = data.rows.filter(pl.col("game_date") == data.rows["game_date"].max())
    begun = time.perf_counter()
    panel.predict(slate, data.rows)
    seconds = time.perf_counter() - begun
    return {
        "golden": float(loading.golden_differences(panel, golden).max()),
        "packages": float(len(unasked)),
        "megabytes": sum(map(len, files.values())) / MEGABYTE,
        "seconds": seconds,
    }
