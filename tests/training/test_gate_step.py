"""The step that judges a version: its answer is kept with the version once it passes, and never before."""

import json
from types import SimpleNamespace

import polars as pl
import pytest

from nba_ml.errors import GateRefused
from nba_ml.registry import versions
from nba_ml.storage.local import LocalStore
from nba_ml.training import steps
from nba_ml.training.gate_figures import Beside

PLANNED = {"version": "v2", "until": "2024-01-10", "report": "r"}
GATE = {
    "id": "released.not_worse",
    "metric": "not_worse",
    "system": "ensemble",
    "baseline": "released",
    "population": "A",
    "threshold": 1.005,
    "mode": "block",
    "reason": "Nothing worse may take its place.",
}


@pytest.fixture
def context(tmp_path, make_frame, monkeypatch):
    """Keep a backtest with the version; what is released says the same, until a test makes it better."""
    frame = make_frame(days=20, players=40)
    store = LocalStore(tmp_path / "store")
    frame.write_parquet(tmp_path / "backtest")
    versions.write_file(store, versions.MODEL, "v2", steps.PREDICTIONS, (tmp_path / "backtest").read_bytes())
    versions.write_file(store, versions.MODEL, "v2", steps.CANARIES, b"[]")
    own = frame.filter(pl.col("system_id") == "ensemble").select("slate_date", "player_id", "actual_points", released="predicted_points")
    context = SimpleNamespace(store=store, released=own.drop("actual_points"), better=own.with_columns(released="actual_points"))
    monkeypatch.setattr(steps, "_load", lambda context, planned: SimpleNamespace(rows=None))
    monkeypatch.setattr(steps.candidate, "measure", lambda *given: {})
    monkeypatch.setattr(steps.rivals, "beside", lambda context, *given: Beside(context.released, names={"released": "v1"}, absent={}))
    evaluate = steps.gating.evaluate
    monkeypatch.setattr(steps.gating, "evaluate", lambda frame, *, beside: evaluate(frame, [GATE], beside=beside))
    return context


def test_what_was_judged_stays_judged_though_another_version_is_released_meanwhile(context):
    first = steps.gate(context, PLANNED)
    assert (first["passed"], first["results"][0]["rival"]) == (True, "v1")
    context.released = context.better.drop("actual_points")
    assert steps.gate(context, PLANNED) == first
    assert json.loads(context.store.read("models/points/v2/gates.json"))["results"] == first["results"]


def test_a_refusal_is_not_kept_and_is_judged_anew(context):
    equal, context.released = context.released, context.better.drop("actual_points")
    with pytest.raises(GateRefused, match=r"released\.not_worse: .* against released \(v1\)"):
        steps.gate(context, PLANNED)
    assert not context.store.exists("models/points/v2/gates.json")
    context.released = equal
    assert steps.gate(context, PLANNED)["passed"]
