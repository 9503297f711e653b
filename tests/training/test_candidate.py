"""What is measured on a stored model before it is published."""

from importlib import metadata
from types import SimpleNamespace

import polars as pl
import pytest

from nba_ml.registry import provenance, versions
from nba_ml.training import candidate
from tests.registry.conftest import FEATURES, TinyPanel, golden


class Panel(TinyPanel):
    def predict(self, rows, history):
        assert rows["game_date"].unique().len() == 1
        assert history.height > rows.height


@pytest.fixture
def context(tmp_path, monkeypatch):
    from nba_ml.context import Context
    from nba_ml.settings import Settings

    monkeypatch.setattr(candidate, "Panel", Panel)
    return Context(Settings(home=tmp_path, _env_file=None))


def stored(context, shift=0.0):
    for file, content in {
        "model.ubj": b"[0.5, 0.25, 0.125]",
        "golden.parquet": golden((0.5, 0.25, 0.125), shift),
        "backtest.parquet": b"x" * 10**6,
    }.items():
        versions.write_file(context.store, versions.MODEL, "v1", file, content)
    rows = pl.DataFrame({"game_date": ["2024-01-01", "2024-01-02"]}).with_columns(pl.col("game_date").str.to_date())
    data = SimpleNamespace(rows=rows, features=SimpleNamespace(names=FEATURES))
    return candidate.measure(context, "v1", data, ["backtest.parquet"])


def test_a_stored_model_is_read_back_and_measured(context):
    found = stored(context)
    assert found["golden"] < 1e-12
    assert found["packages"] == 0
    assert 0 < found["megabytes"] < 0.1
    assert found["seconds"] < 5


def test_a_stored_model_that_predicts_something_else_shows(context):
    assert stored(context, shift=0.001)["golden"] == pytest.approx(0.001)


def test_a_package_of_another_version_is_counted_by_name(context, monkeypatch):
    true = metadata.version
    monkeypatch.setattr(provenance.metadata, "version", lambda name: "9.9" if name == "polars" else true(name))
    assert provenance.unasked_packages() == ["polars 9.9 (asked: ==2.1.0)"]
    assert stored(context)["packages"] == 1
