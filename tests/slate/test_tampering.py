"""Whatever is altered in the store, nothing is published: real versions, really opened."""

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from nba_ml.context import Context
from nba_ml.errors import ArtefactError
from nba_ml.registry import steps as registry
from nba_ml.registry.sealed import seal, sha256
from nba_ml.registry.showing import show
from nba_ml.slate import steps
from nba_ml.slate.publishing import PICKS, SYSTEMS
from nba_ml.storage.local import LocalStore
from nba_ml.warehouse.port import LATEST
from tests import real_version

SLATE = date(2024, 1, 12)
ROOT = Path(__file__).parents[2]
BY = {"actor": "test", "reason": "because"}


@pytest.fixture(scope="session")
def _stored(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("stored") / "store"
    for seed, version in enumerate(("v1", "v2"), 1):
        real_version.publish(LocalStore(folder), version, seed)
    return folder


@pytest.fixture
def published(loaded, _stored, suites, monkeypatch) -> Context:
    """Open the league with v1 at 90 % and v2 at 10 % of its rows; what five trees say would not pass the burst guard."""
    monkeypatch.setattr(steps.burst, "require", lambda *slate: [])
    shutil.copytree(_stored, loaded.settings.home_folder / "store")
    registry.approve(loaded, "v1", **BY)
    registry.approve(loaded, "v2", **BY)
    return loaded


def rows(context: Context, table: str) -> pl.DataFrame:
    return context.warehouse.read(table, as_of=LATEST)


def folder(context: Context) -> Path:
    return context.settings.home_folder / "store"


def resealed(path: Path, change: Callable[[dict], dict]) -> None:
    """Write a document anew with a checksum that fits, as somebody would who knows the format."""
    document = json.loads(path.read_text())
    del document["checksum"]
    path.write_bytes(seal(change(document)))


def flip(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + bytes([whole[len(whole) // 2] ^ 1]) + whole[len(whole) // 2 + 1 :])


def one_manifest(change: Callable[[dict], dict]) -> Callable[[Path], None]:
    """Alter the manifest of v1 and the log's sha256 of it, so that what is altered has to be found by itself."""

    def tamper(store: Path) -> None:
        path = store / "models/points/v1/manifest.json"
        resealed(path, change)
        told = sha256(path.read_bytes())
        first, second = (store / f"releases/points/dev/0000000{number}.json" for number in (1, 2))
        resealed(first, lambda entry: entry | {"manifest_sha256": told})
        resealed(second, lambda entry: entry | {"previous_sha256": sha256(first.read_bytes())})

    return tamper


def swapped_weights(store: Path) -> None:
    ours, theirs = (store / f"models/points/{version}/ensemble.json" for version in ("v1", "v2"))
    whole = ours.read_bytes()
    ours.write_bytes(theirs.read_bytes())
    theirs.write_bytes(whole)


def forged_golden(store: Path) -> None:
    """Put another version's golden vectors into v1, with a manifest and a log that name them."""
    golden = (store / "models/points/v2/golden.parquet").read_bytes()
    (store / "models/points/v1/golden.parquet").write_bytes(golden)
    listed = {"sha256": sha256(golden), "size": len(golden)}
    one_manifest(lambda manifest: manifest | {"files": manifest["files"] | {"golden.parquet": listed}})(store)


def turned_features(manifest: dict) -> dict:
    return manifest | {"feature_schema": manifest["feature_schema"][::-1]}


def old_xgboost(manifest: dict) -> dict:
    return manifest | {"packages": manifest["packages"] | {"xgboost": "2.1.4"}}


TAMPERINGS = {
    "a byte of the model": (lambda store: flip(store / "models/points/v1/model.ubj"), r"v1/model\.ubj: sha256"),
    "a byte of the challenger's model": (lambda store: flip(store / "models/points/v2/model.ubj"), r"v2/model\.ubj: sha256"),
    "a byte of the manifest": (lambda store: flip(store / "models/points/v1/manifest.json"), r"v1/manifest\.json: sha256"),
    "a manifest written anew": (
        lambda store: resealed(store / "models/points/v1/manifest.json", lambda manifest: manifest | {"trained_until": "2030-01-01"}),
        r"v1/manifest\.json: sha256",
    ),
    "the order of the features": (one_manifest(turned_features), "feature 0 is"),
    "another xgboost": (one_manifest(old_xgboost), r"made with xgboost 2\.1\.4"),
    "weights of another version": (swapped_weights, r"v1/ensemble\.json"),
    "golden vectors of another version": (forged_golden, r"golden\.parquet: predictions differ"),
    "a file that is gone": (lambda store: (store / "models/points/v1/calibration.json").unlink(), "is in the manifest and missing"),
    "a file too many": (lambda store: (store / "models/points/v1/extra.json").write_bytes(b"{}"), "is not in the manifest"),
    "an empty log": (lambda store: shutil.rmtree(store / "releases"), "no model is released in dev"),
    "an entry cut in half": (
        lambda store: (store / "releases/points/dev/00000002.json").write_bytes(b'{"action": "rel'),
        r"00000002\.json: 15 bytes that are no sealed JSON document: cut short",
    ),
    "an entry of no bytes": (lambda store: (store / "releases/points/dev/00000002.json").write_bytes(b""), "cut short"),
    "an entry that is gone": (lambda store: (store / "releases/points/dev/00000001.json").unlink(), r"00000001\.json is missing"),
    "an entry that names a missing version": (
        lambda store: resealed(store / "releases/points/dev/00000002.json", lambda entry: entry | {"version": "v9"}),
        r"models/points/v9/manifest\.json does not exist",
    ),
    "an entry of another share": (
        lambda store: resealed(store / "releases/points/dev/00000002.json", lambda entry: entry | {"share": 0.5}),
        "says that 'v2' is 10 %, which is 50 %",
    ),
    "a broken chain": (
        lambda store: resealed(store / "releases/points/dev/00000001.json", lambda entry: entry | {"actor": "somebody else"}),
        r"00000002\.json: follows an entry with sha256 .* the chain is broken",
    ),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_whatever_is_altered_nothing_is_published(published, what):
    tamper, message = TAMPERINGS[what]
    tamper(folder(published))
    with pytest.raises(ArtefactError, match=message):
        steps.predict(published, SLATE, "replay")
    assert not rows(published, PICKS).height
    assert not rows(published, SYSTEMS).height


def test_what_is_altered_while_a_slate_is_going_stops_it(published):
    ref = steps.validate(published, steps.build_features(published, steps.open_slate(published, SLATE, "replay")))
    flip(folder(published) / "models/points/v2/model.ubj")
    with pytest.raises(ArtefactError, match=r"v2/model\.ubj"):
        steps.score(published, ref)
    assert not rows(published, PICKS).height


def test_a_version_that_is_lost_is_gone_back_from(published):
    registry.approve(published, "v2", share=1.0, at_once=True, **BY)
    shutil.rmtree(folder(published) / "models/points/v2")
    with pytest.raises(ArtefactError, match=r"v2/manifest\.json does not exist"):
        steps.predict(published, SLATE, "replay")
    damaged = {row["version"]: row["damage"] for row in show(published)["versions"]}
    assert damaged["v1"] is None
    assert "does not exist" in damaged["v2"]
    assert registry.rollback(published, **BY)["current"] == "v1"
    assert steps.predict(published, SLATE, "replay")["versions"] == {"v1": 70}


def test_nobody_goes_back_to_what_is_not_whole(published):
    flip(folder(published) / "models/points/v1/ridge.json")
    with pytest.raises(ArtefactError, match=r"v1/ridge\.json"):
        registry.rollback(published, **BY)
    assert registry.open_log(published).rollout.challenger == "v2"


def test_a_rollback_by_command_shows_in_the_next_slate_within_ten_seconds(published):
    """Ten seconds of processor time: what else the machine does is not the command's."""
    before = steps.predict(published, SLATE, "replay")
    assert set(before["versions"]) == {"v1", "v2"}
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = subprocess.run(
        [sys.executable, "-m", "nba_ml.cli", "release", "rollback", "--reason", "two points high", "--json"],
        env=os.environ | {"NBA_ML_HOME": str(published.settings.home_folder)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime <= 10
    assert json.loads(told.stdout)["current"] == "v1"
    after = steps.predict(published, SLATE, "replay")
    assert (after["versions"], after["run_key"] == before["run_key"]) == ({"v1": 70}, False)
    newest = rows(published, PICKS).filter(pl.col("run_key") == after["run_key"])
    assert newest.select("model_version", "share").unique().rows() == [("v1", 1.0)]
