import hashlib
from pathlib import Path

import pytest

import nba_ml
from nba_ml.gates import gates_hash, load_gates
from nba_ml.training import gate_figures, gating, metrics, slices

GATES = load_gates()["training"]


def test_the_hash_is_that_of_the_file():
    assert gates_hash() == hashlib.sha256((Path(nba_ml.__file__).parent / "gates.toml").read_bytes()).hexdigest()


def test_ids_are_unique():
    ids = [gate["id"] for gate in GATES]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate["id"])
def test_a_gate_says_what_it_blocks_and_why(gate):
    fields = {"id", "metric", "system", "baseline", "population", "threshold", "mode", "reason", "least_rows", "point_rows", "slice"}
    assert set(gate) <= fields
    assert gate["mode"] in ("block", "warn")
    assert (gate["metric"] in gate_figures.ARTEFACT) or gate["population"] in metrics.POPULATIONS
    assert gate.get("slice") in {None, *slices.SLICES}
    assert len(gate["reason"]) > 20
    answer = gating.judge(gate_figures.NO_FIGURE, gate)
    assert str(gate["threshold"] if not isinstance(gate["threshold"], list) else gate["threshold"][0]) in answer["rule"]
    assert gating.describe(answer)
