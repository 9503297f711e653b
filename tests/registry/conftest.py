"""A store with published versions of a tiny model, and a context over it."""

import json
from io import BytesIO
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from nba_ml.context import Context
from nba_ml.registry import versions
from nba_ml.settings import Settings
from nba_ml.storage.local import LocalStore
from nba_ml.warehouse import schema

FEATURES = schema.table("nba_predictions.ml_feature_store_v2").features[:3]


class TinyPanel:
    """Points are a weighted sum of three features; the weights are its one file."""

    def __init__(self, weights):
        self.weights = np.array(weights)

    @classmethod
    def from_files(cls, files, names):
        return cls(json.loads(files["model.ubj"]))

    def predict_model(self, rows):
        return rows.to_numpy() @ self.weights


class TableWarehouse:
    """Checks rows against the tables' YAML and counts ids, as a warehouse does; it keeps no rows to be read."""

    def __init__(self):
        self.ids = {}

    def upsert(self, table, rows):
        ids = set(schema.table(table).conform(rows)["id"])
        assert len(ids) == rows.height
        new = ids - self.ids.setdefault(table, set())
        self.ids[table] |= ids
        return len(new)

    def read(self, table, **_):
        return pl.DataFrame(schema=schema.table(table).schema)


def golden(weights, shift=0.0):
    rows = pl.DataFrame(np.arange(15.0).reshape(5, 3), schema=list(FEATURES))
    expected = TinyPanel(weights).predict_model(rows) + shift
    buffer = BytesIO()
    rows.with_columns(expected_points=pl.Series(expected)).write_parquet(buffer)
    return buffer.getvalue()


def manifest(**changes):
    from nba_ml.features import FEATURE_VERSION

    return {
        "trained_until": "2024-04-14",
        "data": {"rows": 1000, "rows_by_season": {"2023-24": 1000}, "fingerprint": "f"},
        "feature_version": FEATURE_VERSION,
        "feature_schema": [{"name": name, "dtype": "float64"} for name in FEATURES],
        "golden": {"file": "golden.parquet", "rows": 5},
        "parameters": {"depth": 4},
        "metrics": {"mae": 4.5},
        "gates": {"hash": "g", "passed": True, "results": []},
    } | changes


def publish_version(store, version="v1", weights=(0.5, 0.25, 0.125), shift=0.0, **changes):
    versions.write_file(store, versions.MODEL, version, "model.ubj", json.dumps(list(weights)).encode())
    versions.write_file(store, versions.MODEL, version, "golden.parquet", golden(weights, shift))
    versions.write_file(store, versions.MODEL, version, "report.html", b"<html></html>")
    return versions.publish(store, versions.MODEL, version, manifest(**changes))


@pytest.fixture
def tiny():
    return SimpleNamespace(FEATURES=FEATURES, Panel=TinyPanel, manifest=manifest, publish=publish_version, golden=golden)


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "store")


@pytest.fixture
def make_context(store, tmp_path, monkeypatch):
    from nba_ml.registry import loading
    from nba_ml.systems import panel

    monkeypatch.setattr(panel, "Panel", TinyPanel)
    monkeypatch.setattr(loading, "_panels", {})

    def make(**settings):
        context = Context(Settings(home=tmp_path, **settings))
        context.__dict__["warehouse"] = TableWarehouse()
        return context

    return make


@pytest.fixture
def context(make_context):
    return make_context()


@pytest.fixture
def evidence(monkeypatch):
    """Let the guards, which test_guards tests, say what a test wants of them: nothing, or what it puts under "refused"."""
    from nba_ml.registry import guards

    told = {"asked": []}

    def require(context, log, version):
        told["asked"].append(version)
        if "refused" in told:
            raise told["refused"]

    monkeypatch.setattr(guards, "require_evidence", require)
    return told
