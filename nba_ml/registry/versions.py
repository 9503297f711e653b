"""Immutable model versions: ``models/<name>/<version>/<file>``, each created once, the manifest last.

A version exists when its manifest does; a folder without one is an unfinished publication, which the same training can finish.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nba_ml import calendar
from nba_ml.errors import ArtefactError
from nba_ml.registry import provenance
from nba_ml.registry.sealed import canonical, seal, sha256, unseal
from nba_ml.storage.port import ObjectStore

log = logging.getLogger(__name__)

MODEL = "points"
"""Name of the model that the platform trains."""

MANIFEST = "manifest.json"
REPORT = "report.html"
MANIFEST_FORMAT = 1

CONTENT = ("trained_until", "data", "feature_version", "feature_schema", "golden", "parameters", "metrics", "gates")
"""What whoever publishes says of a version; `publish` adds the rest.

``trained_until`` ISO date · ``data`` {"rows", "rows_by_season", "fingerprint", "fingerprint_by_season"} · ``feature_schema``
[{"name", "dtype"}, …] in the model's order, types as in the table's YAML · ``golden`` {"file", "rows"} · ``gates``
{"hash", "passed", "results"}.
"""

_STAMPS = ("created_at", "commit", "lock_sha256", "packages")
_SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_PUBLISH_AGAIN = "Train again under a new version: `nba-ml train`."
_ROLL_BACK = "Go back to a whole version: `nba-ml release rollback --reason TEXT`, or train a new one: `nba-ml train`."


@dataclass(frozen=True)
class Version:
    """One version, every byte of it verified.

    Attributes
    ----------
    files : dict of str to bytes
        All files but the manifest.
    manifest : dict
        See `CONTENT`; besides ``name``, ``version``, ``files``, ``code_version``, ``commit``, ``lock_sha256``, ``packages`` and
        ``created_at``.
    manifest_sha256 : str
        sha256 of the manifest's bytes, by which a release entry names it.
    """

    name: str
    version: str
    files: dict[str, bytes]
    manifest: dict[str, Any]
    manifest_sha256: str


def folder(name: str, version: str) -> str:
    """Return the prefix of a version's objects, ending with a slash."""
    for part in (name, version):
        if not _SAFE_NAME.fullmatch(part):
            raise ArtefactError(f"{part!r} is no name of a model or version (letters, digits, _ . -); see `nba-ml release show`.")
    return f"models/{name}/{version}/"


def write_file(store: ObjectStore, name: str, version: str, file: str, data: bytes) -> str:
    """Write one file of a version that is not published yet; return its sha256.

    Raises
    ------
    ArtefactError
        If the file is there with other bytes, or the version is published and the file is not part of it.
    """
    if file == MANIFEST or not _SAFE_NAME.fullmatch(file):
        raise ArtefactError(f"{file!r} can't be the name of a file of {name}/{version}. Use letters, digits, _ . - only.")
    prefix = folder(name, version)
    key, found = prefix + file, sha256(data)
    if not store.exists(key):
        if store.exists(prefix + MANIFEST):
            raise ArtefactError(f"{key}: {name}/{version} is published and has no such file. {_PUBLISH_AGAIN}")
        if store.create(key, data):
            return found
    stored = sha256(store.read(key))
    if stored != found:
        raise ArtefactError(f"{key} is there with sha256 {stored}, the one to write has {found}: a version never changes. {_PUBLISH_AGAIN}")
    return found


def publish(store: ObjectStore, name: str, version: str, manifest: Mapping[str, Any]) -> str:
    """Write the manifest of a version whose files are written, which makes it exist; return the manifest's sha256.

    Publishing the same content again changes nothing; the first time, commit, lock and packages stay on record.

    Parameters
    ----------
    manifest : mapping
        Exactly the keys of `CONTENT`.

    Raises
    ------
    ArtefactError
        If the version is published with other content.
    """
    if set(manifest) != set(CONTENT):
        wrong = sorted(set(manifest) ^ set(CONTENT))
        raise ValueError(f"the manifest of {name}/{version} lacks, or should not have, {', '.join(wrong)}")
    prefix = folder(name, version)
    files = {}
    for key in store.list(prefix):
        if key != prefix + MANIFEST:
            data = store.read(key)
            files[key.removeprefix(prefix)] = {"sha256": sha256(data), "size": len(data)}
    code = provenance.code()
    document = {
        **manifest,
        "format": MANIFEST_FORMAT,
        "name": name,
        "version": version,
        "files": files,
        "code_version": code["version"],
        "commit": code["commit"],
        "lock_sha256": provenance.lock_sha256(),
        "packages": provenance.packages(),
        "created_at": calendar.now().isoformat(),
    }
    if store.create(prefix + MANIFEST, seal(document)):
        return sha256(seal(document))
    there, there_sha256 = read_manifest(store, name, version)
    for field in sorted((set(document) | set(there)) - set(_STAMPS)):
        if canonical(document.get(field)) != canonical(there.get(field)):
            raise ArtefactError(
                f"{prefix}{MANIFEST}: published with another {field!r} than the one to publish: a version never changes. {_PUBLISH_AGAIN}"
            )
    return there_sha256


def read_manifest(store: ObjectStore, name: str, version: str, sha256_expected: str | None = None) -> tuple[dict[str, Any], str]:
    """Return a version's manifest and the sha256 of its bytes.

    Raises
    ------
    ArtefactError
        If there is none, it is altered or another one than expected, or its format is unknown.
    """
    key = folder(name, version) + MANIFEST
    try:
        data = store.read(key)
    except FileNotFoundError:
        raise ArtefactError(f"{key} does not exist: {version!r} is no published version of {name!r}. See `nba-ml release show`.") from None
    found = sha256(data)
    if sha256_expected is not None and found != sha256_expected:
        raise ArtefactError(f"{key}: sha256 is {found}, the release entry says {sha256_expected}: altered. {_ROLL_BACK}")
    manifest = unseal(data, key, _ROLL_BACK)
    if manifest.get("format") != MANIFEST_FORMAT:
        raise ArtefactError(
            f"{key}: manifest format {manifest.get('format')!r}, this code reads {MANIFEST_FORMAT}. "
            "Run the code that made it, or train again: `nba-ml train`."
        )
    if (manifest["name"], manifest["version"]) != (name, version):
        raise ArtefactError(f"{key}: is the manifest of {manifest['name']}/{manifest['version']}, moved here. {_ROLL_BACK}")
    return manifest, found


def open_version(store: ObjectStore, name: str, version: str, sha256_expected: str | None = None) -> Version:
    """Read a version and verify it whole.

    Parameters
    ----------
    sha256_expected : str, optional
        sha256 of the manifest, where a release entry names it.

    Raises
    ------
    ArtefactError
        If the manifest or any file is missing, added or altered, or the version was made with another XGBoost.
    """
    manifest, manifest_sha256 = read_manifest(store, name, version, sha256_expected)
    prefix = folder(name, version)
    made, here = manifest["packages"]["xgboost"], provenance.xgboost_version()
    if made != here:
        raise ArtefactError(
            f"{prefix}{MANIFEST}: made with xgboost {made}, this is xgboost {here}: its predictions may silently differ. "
            f"Install xgboost {made} (`make env`), or train again: `nba-ml train`."
        )
    _compare_packages(prefix, manifest["packages"])
    there = {key.removeprefix(prefix) for key in store.list(prefix)} - {MANIFEST}
    for file in sorted(there ^ set(manifest["files"])):
        what = "is not in the manifest" if file in there else "is in the manifest and missing"
        raise ArtefactError(f"{prefix}{file} {what}. {_ROLL_BACK}")
    files = {file: read_file(store, manifest, file) for file in sorted(manifest["files"])}
    return Version(name, version, files, manifest, manifest_sha256)


def read_file(store: ObjectStore, manifest: Mapping[str, Any], file: str) -> bytes:
    """Return one file of a published version.

    Raises
    ------
    ArtefactError
        If it is not what the manifest says.
    """
    key, expected = folder(manifest["name"], manifest["version"]) + file, manifest["files"][file]
    data = store.read(key)
    if len(data) != expected["size"]:
        raise ArtefactError(f"{key}: {len(data)} bytes, the manifest says {expected['size']}. {_ROLL_BACK}")
    if sha256(data) != expected["sha256"]:
        raise ArtefactError(f"{key}: sha256 is {sha256(data)}, the manifest says {expected['sha256']}. {_ROLL_BACK}")
    return data


def _compare_packages(prefix: str, made: Mapping[str, str]) -> None:
    """Warn of other packages than the version was made with: its golden vectors decide whether they matter."""
    here = provenance.packages()
    other = [f"{name} {made.get(name)}, here {here[name]}" for name in here if name != "python" and made.get(name) != here[name]]
    if other:
        log.warning("%s%s: made with %s", prefix, MANIFEST, "; ".join(other))


def list_versions(store: ObjectStore, name: str) -> list[str]:
    """Return the published versions of a model, by name."""
    prefix = f"models/{name}/"
    parts = (key.removeprefix(prefix).split("/") for key in store.list(prefix))
    return sorted(part[0] for part in parts if part[1:] == [MANIFEST])
