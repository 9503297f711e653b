"""Requests for a training: each stands while its alert is open, until a version is made or one run takes it on, and is taken on once an opening."""

from datetime import datetime
from typing import Any

from nba_ml import alerts
from nba_ml.context import Context
from nba_ml.gates import load_gates
from nba_ml.registry import versions

Row = dict[str, Any]


def standing(context: Context) -> str | None:
    """Return why a training is asked for, None where none is; writes nothing, and says the same until one was made or taken on."""
    return _said([row for row in _asking(context) if not context.store.exists(_mark(context, row))])


def take(context: Context, by: str) -> str | None:
    """Take on what stands, in the name of whoever trains then; return why a training is asked for, None where nothing is left.

    Parameters
    ----------
    by : str
        Who takes it on, as the id of a run: the same one is given the same answer again, and everybody else nothing.
    """
    name = by.encode()
    # Objects are created once: of two runs at the same time, one gets it.
    keys = {_mark(context, row): row for row in _asking(context)}
    return _said([row for key, row in keys.items() if context.store.create(key, name) or context.store.read(key) == name])


def _asking(context: Context) -> list[Row]:
    """Return the open alerts that ask for a training, and since whose opening no version was made."""
    asking = [gate["id"] for gate in load_gates()["monitor"] if gate["then"] == "retrain"]
    rows = [row for row in alerts.open_alerts(context).to_dicts() if row["cause"] in asking]
    last = _last_version_at(context) if rows else None
    return [row for row in rows if last is None or row["opened_at"] > last]


def _last_version_at(context: Context) -> datetime | None:
    manifests = (
        versions.read_manifest(context.store, versions.MODEL, name)[0] for name in versions.list_versions(context.store, versions.MODEL)
    )
    return max((datetime.fromisoformat(manifest["created_at"]) for manifest in manifests), default=None)


def _mark(context: Context, row: Row) -> str:
    """Return the name of the object that says who took on the request of one opening of an alert."""
    return f"requests/training/{context.settings.environment}/{row['cause']}/{row['opened_at']:%Y%m%dT%H%M%S.%fZ}"


def _said(rows: list[Row]) -> str | None:
    return "; ".join(f"{row['cause']}: {row['what']}" for row in rows) or None
