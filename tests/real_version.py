"""Versions with a real panel, small and quickly fitted, for tests that open, tamper with and predict from what is stored."""

from io import BytesIO

import numpy as np
import polars as pl

from nba_ml.features import FEATURE_VERSION, TARGET, own_features
from nba_ml.registry import versions
from nba_ml.registry.loading import GOLDEN, GOLDEN_TARGET
from nba_ml.storage.port import ObjectStore
from nba_ml.systems.base import column, parameters
from nba_ml.systems.panel import Combination, Panel, member_numbers, new_members
from tests.systems.rows import make_rows

ROUNDS = 5


def fit(seed: int) -> tuple[Panel, pl.DataFrame]:
    """Fit a panel on made-up rows; return it with those rows."""
    kept = {name: parameters()[name]["rounds"] for name in ("xgboost", "two_stage")}
    try:
        for name in kept:
            parameters()[name]["rounds"] = ROUNDS
        rows = make_rows(900, seed=seed)
        train, later = rows.head(600), rows.tail(300)
        members = {name: member.fit(train) for name, member in new_members(own_features().names, seed).items()}
    finally:
        for name, rounds in kept.items():
            parameters()[name]["rounds"] = rounds
    numbers, _ = member_numbers(members, later, rows)
    nothing = np.full(later.height, np.nan)
    return Panel(members, Combination.fit(numbers, column(later, TARGET), nothing, nothing)), rows


def publish(store: ObjectStore, version: str, seed: int) -> str:
    """Publish a version with a panel of its own; return its manifest's sha256."""
    panel, rows = fit(seed)
    golden = rows.head(20).select(own_features().names)
    buffer = BytesIO()
    golden.with_columns(pl.Series(GOLDEN_TARGET, panel.predict_model(golden))).write_parquet(buffer)
    files = panel.to_files() | {GOLDEN: buffer.getvalue(), "report.html": b"<html></html>"}
    for name, content in files.items():
        versions.write_file(store, versions.MODEL, version, name, content)
    features = [{"name": name, "dtype": dtype} for name, dtype in own_features().types.items()]
    manifest = {
        "trained_until": "2022-03-31",
        "data": {"rows": 600, "rows_by_season": {"2021-22": 600}, "fingerprint": "f", "fingerprint_by_season": {"2021-22": "f"}},
        "feature_version": FEATURE_VERSION,
        "feature_schema": features,
        "golden": {"file": GOLDEN, "rows": 20},
        "parameters": {},
        "metrics": {},
        "gates": {"hash": "g", "passed": True, "results": []},
    }
    return versions.publish(store, versions.MODEL, version, manifest)
