"""The worker outside Airflow, run as the process that it is: it follows the release log from one message to the next."""

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from nba_ml.errors import UsageError
from nba_ml.features import TARGET
from nba_ml.registry import load_released, versions
from nba_ml.registry.log import ReleaseLog
from nba_ml.registry.releases import release, rollback
from nba_ml.slate.assignment import assign
from nba_ml.storage.local import LocalStore
from tests import real_version
from tests.systems.rows import make_rows

ROOT = Path(__file__).parents[2]
BY = {"actor": "test", "reason": "because", "verify": lambda version: None}


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> LocalStore:
    made = LocalStore(tmp_path_factory.mktemp("worker") / "store")
    for seed, version in enumerate(("v1", "v2"), 1):
        real_version.publish(made, version, seed)
    return made


@pytest.fixture
def slate(tmp_path) -> dict[str, str]:
    """Return a message: the rows of a slate, and of the games before it."""
    rows = make_rows(600, seed=9)
    rows.tail(60).drop(TARGET).write_parquet(tmp_path / "rows.parquet")
    rows.head(540).write_parquet(tmp_path / "history.parquet")
    lines = rows.tail(10).select("game_date", "player_id", line=pl.lit(12.5), p_over_market=pl.lit(None, pl.Float64))
    lines.unique(["game_date", "player_id"]).write_parquet(tmp_path / "lines.parquet")
    return {
        **{name: str(tmp_path / f"{file}.parquet") for name, file in (("features", "rows"), ("history", "history"), ("lines", "lines"))},
        "output": str(tmp_path / "out.parquet"),
    }


@pytest.fixture
def worker(store, tmp_path):
    """Start the worker with nothing but the address of the store."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    with subprocess.Popen(
        [sys.executable, str(ROOT / "examples" / "prediction_worker.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=kept | {"NBA_ML_STORE": f"file:{store.folder}", "NBA_ML_ENVIRONMENT": "production", "PYTHONPATH": str(ROOT)},
    ) as process:

        def ask(message: dict[str, str]) -> dict:
            process.stdin.write(json.dumps(message) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield ask
        process.stdin.close()
        assert process.wait(timeout=60) == 0


def test_it_follows_the_release_log_from_message_to_message(store, slate, worker, monkeypatch):
    assert "no model is released in production" in worker(slate)["error"]
    log = ReleaseLog(store, versions.MODEL, "production")
    release(log, "v1", **BY)
    assert worker(slate) == {"output": slate["output"], "rows": 60, "versions": {"v1": 60}, "release_entry": 1}
    release(log, "v2", share=0.5, **BY)
    answer = worker(slate)
    assert set(answer["versions"]) == {"v1", "v2"}
    predicted = pl.read_parquet(slate["output"])
    assert predicted["predicted_points"].null_count() == 0
    assert predicted["p_over"].count() == pl.read_parquet(slate["lines"]).height
    monkeypatch.setenv("NBA_ML_STORE", f"file:{store.folder}")
    models = load_released("production")
    assert assign(predicted.drop("model_version", "share"), models.rollout)["model_version"].equals(predicted["model_version"])
    mine = predicted.filter(pl.col("model_version") == "v2")
    alone = models.challenger.panel.predict(pl.read_parquet(slate["features"]), pl.read_parquet(slate["history"]))
    same = mine.join(alone.filter(pl.col("system_id") == "ensemble"), on=["game_id", "player_id"])
    assert same["predicted_points"].equals(same["predicted_points_right"])
    rollback(log, **BY)
    assert worker(slate)["versions"] == {"v1": 60}
    damaged = store.folder / "models/points/v1/model.ubj"
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:-1])
    assert "model.ubj" in worker(slate)["error"]
    damaged.write_bytes(whole)
    assert worker(slate)["rows"] == 60


def test_an_environment_that_is_none_is_refused(store, monkeypatch):
    with pytest.raises(UsageError, match="'moon' is no environment"):
        load_released("moon")
