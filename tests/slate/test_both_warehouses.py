"""The same slate on DuckDB and on BigQuery gives the same rows, bit for bit."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nba_ml.context import Context
from nba_ml.settings import Settings
from nba_ml.slate import steps
from nba_ml.slate.publishing import PICKS, SYSTEMS
from nba_ml.warehouse.port import LATEST
from tests.slate.little_league import SLATE, load


def bits(frame: pl.DataFrame) -> pl.DataFrame:
    """Show floats by all their digits and the sign of zero, so that the last bit counts."""
    shown = {name: [None if value is None else value.hex() for value in frame[name]] for name in frame.select(pl.col(pl.Float64)).columns}
    return frame.with_columns(pl.Series(name, values, dtype=pl.String) for name, values in shown.items())


@pytest.mark.slow
def test_the_same_slate_gives_the_same_rows_on_both(loaded, released, suites, frames, bigquery_names, tmp_path):
    settings = {"warehouse": "bigquery", "project": bigquery_names.project, "dataset_prefix": bigquery_names.prefix}
    other = Context(Settings(home=tmp_path / "other", _env_file=None, **settings))
    load(other, frames)
    results = [steps.predict(context, SLATE, "replay") for context in (loaded, other)]
    assert results[0] == results[1]
    for table in (PICKS, SYSTEMS, *frames):
        ours, theirs = (context.warehouse.read(table, as_of=LATEST, undated=True) for context in (loaded, other))
        stamped = [name for name in ("published_at",) if name in ours.columns]
        assert ours.height
        assert_frame_equal(bits(ours.drop(stamped)), bits(theirs.drop(stamped)))
    assert steps.predict(other, SLATE, "replay") == results[1]
