"""The registry as tables for analysts, rebuilt from the object store: never read for a decision."""

import json
import logging
from collections.abc import Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any

import polars as pl

from nba_ml.context import Context
from nba_ml.errors import NbaMlError
from nba_ml.registry import versions
from nba_ml.registry.entry import Entry
from nba_ml.registry.log import ReleaseLog
from nba_ml.settings import Settings
from nba_ml.warehouse import schema

log = logging.getLogger(__name__)

MODEL_REGISTRY = "nba_ops.model_registry"
RELEASE_EVENTS = "nba_ops.release_events"
ENVIRONMENTS: tuple[str, ...] = Settings.model_fields["environment"].annotation.__args__  # type: ignore[union-attr]


def rebuild(context: Context) -> dict[str, dict[str, int]]:
    """Write nba_ops.model_registry and nba_ops.release_events anew from manifests and release log.

    Returns
    -------
    dict
        Table → {"rows": in the store, "new": not in the table before}.

    Raises
    ------
    ArtefactError
        If a manifest or an entry of the log is altered.
    """
    logs = [ReleaseLog(context.store, versions.MODEL, environment) for environment in ENVIRONMENTS]
    found = {
        MODEL_REGISTRY: [_version_row(context, version, logs) for version in versions.list_versions(context.store, versions.MODEL)],
        RELEASE_EVENTS: [_event_row(entry) for log in logs for entry in log.entries],
    }
    done = {}
    for name, rows in found.items():
        types = {column: dtype for column, dtype in schema.table(name).schema.items() if column != "id"}
        frame = pl.DataFrame(rows, schema=types, orient="row")
        done[name] = {"rows": frame.height, "new": context.warehouse.upsert(name, frame) if frame.height else 0}
    return done


def follow(context: Context) -> None:
    """Rebuild after a decision, where the warehouse lets it: the decision stands in the release log all the same."""
    try:
        rebuild(context)
    except NbaMlError as error:
        log.warning("the tables for analysts do not show it yet (`nba-ml registry rebuild` writes them): %s", error)


def _version_row(context: Context, version: str, logs: Sequence[ReleaseLog]) -> dict[str, Any]:
    manifest, manifest_sha256 = versions.read_manifest(context.store, versions.MODEL, version)
    commit = manifest["commit"]
    return {
        "name": versions.MODEL,
        "version": version,
        "created_at": datetime.fromisoformat(manifest["created_at"]),
        "trained_until": date.fromisoformat(manifest["trained_until"]),
        "rows": manifest["data"]["rows"],
        "features": len(manifest["feature_schema"]),
        "feature_version": manifest["feature_version"],
        "code_version": f"{manifest['code_version']}+{commit}" if commit else manifest["code_version"],
        "metrics": json.dumps(manifest["metrics"], sort_keys=True),
        "lock_sha256": manifest.get("lock_sha256"),
        "data_fingerprint": manifest["data"]["fingerprint"],
        "gates_hash": manifest["gates"]["hash"],
        "passed": manifest["gates"]["passed"],
        "manifest_sha256": manifest_sha256,
        **{log.environment: str(log.rollout.state_of(version)) for log in logs},
        "url": context.store.url_of(versions.folder(versions.MODEL, version) + versions.MANIFEST).removesuffix(versions.MANIFEST),
    }


def _event_row(entry: Entry) -> dict[str, Any]:
    columns = set(schema.table(RELEASE_EVENTS).schema) & {field.name for field in fields(entry)}
    row = {column: getattr(entry, column) for column in columns}
    return row | {"created_at": datetime.fromisoformat(entry.created_at)}
