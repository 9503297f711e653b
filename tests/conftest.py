"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def skip_or_fail(reason: str) -> None:
    """Skip, or fail where NBA_ML_TEST_STRICT=1 asks that nothing is skipped."""
    if os.environ.get("NBA_ML_TEST_STRICT") == "1":
        pytest.fail(f"{reason} (NBA_ML_TEST_STRICT=1)")
    pytest.skip(reason)


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch, tmp_path):
    """Give each test an empty home of its own, and no setting of the machine."""
    for name in list(os.environ):
        if name.startswith("NBA_ML_") and name not in ("NBA_ML_FILES_DIR", "NBA_ML_TEST_STRICT"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NBA_ML_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def files_dir() -> Path:
    """Return the folder of real games."""
    folder = Path(os.environ.get("NBA_ML_FILES_DIR") or ROOT.parent / "shared" / "data")
    if not (folder / "player_box.parquet").exists():
        skip_or_fail(f"no real games in {folder}: set NBA_ML_FILES_DIR")
    return folder
