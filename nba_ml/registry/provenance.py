"""What made a model: code, git commit, the lock of its packages, Python, and the packages whose version a stored model depends on."""

import hashlib
import os
import platform
import shutil
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

import nba_ml

_PACKAGES = ("numpy", "polars", "scikit-learn")


def xgboost_version() -> str:
    """Return the version of XGBoost that is installed, whichever of its two distributions it comes from."""
    try:
        return metadata.version("xgboost-cpu")
    except metadata.PackageNotFoundError:
        return metadata.version("xgboost")


def packages() -> dict[str, str]:
    """Return the versions of Python and of the packages that a model's bytes and predictions depend on."""
    return {"python": platform.python_version(), "xgboost": xgboost_version()} | {name: metadata.version(name) for name in _PACKAGES}


def unasked_packages() -> list[str]:
    """Return those packages, as in ``numpy 2.1.0 (asked: >=2.2)``, that are here in a version that the project does not ask for."""
    from packaging.requirements import Requirement

    asked = [Requirement(text) for text in metadata.requires("nba-ml") or []]
    asked = [
        one for one in asked if one.name.removesuffix("-cpu") in ("xgboost", *_PACKAGES) and (one.marker is None or one.marker.evaluate())
    ]
    found = [(one, metadata.version(one.name)) for one in asked]
    return [
        f"{one.name} {version} (asked: {one.specifier})" for one, version in found if not one.specifier.contains(version, prereleases=True)
    ]


@cache
def git_commit() -> str | None:
    """Return the commit that the code runs from, with ``-dirty`` where files differ from it, or None where it can't be told.

    NBA_ML_COMMIT says it where the code runs without its repository, as in an image.
    """
    if told := os.environ.get("NBA_ML_COMMIT"):
        return told
    root = Path(nba_ml.__file__).parents[1]
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return None
    command = [git, "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    answer = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"})  # noqa: S603
    return answer.stdout.strip() or None if answer.returncode == 0 else None


def lock_sha256() -> str | None:
    """Return the sha256 of the lock that the environment was built from, or None where the code runs without it."""
    lock = Path(nba_ml.__file__).parents[1] / "requirements.txt"
    return hashlib.sha256(lock.read_bytes()).hexdigest() if lock.is_file() else None


def code() -> dict[str, str | None]:
    """Return the package's version and its git commit."""
    return {"version": nba_ml.__version__, "commit": git_commit()}
