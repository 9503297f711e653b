"""What runs where, since when, why, and how it came to it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from nba_ml.context import Context
from nba_ml.errors import ArtefactError
from nba_ml.registry import versions
from nba_ml.registry.entry import Entry
from nba_ml.registry.log import ReleaseLog
from nba_ml.registry.projection import ENVIRONMENTS
from nba_ml.registry.rollout import follow
from nba_ml.registry.states import Rollout


def show(context: Context) -> dict[str, Any]:
    """Tell what runs in the environment of the settings and in the others.

    Returns
    -------
    dict
        "environment", `running` of it, "history" (entries, latest first), "timeline" (spans), "versions" (each with trained_until,
        created_at, passed, state, share and damage), and "elsewhere": environment → `running`, of the others that have a log.
    """
    logs = {name: ReleaseLog(context.store, versions.MODEL, name) for name in ENVIRONMENTS}
    own = logs.pop(context.settings.environment)
    names = {*versions.list_versions(context.store, versions.MODEL), *own.rollout.states}
    rows = [_version(context, own.rollout, version) for version in sorted(names)]
    return {
        "environment": own.environment,
        **running(own),
        "history": [asdict(entry) for entry in reversed(own.entries)],
        "timeline": timeline(own.entries),
        "versions": sorted(rows, key=lambda row: (row["trained_until"] or "", row["created_at"] or ""), reverse=True),
        "elsewhere": {name: running(log) for name, log in logs.items() if log.entries},
    }


def _version(context: Context, rollout: Rollout, version: str) -> dict[str, Any]:
    """Return a version's row; "damage" says what is wrong with its manifest, which is all that is looked at here."""
    manifest: dict[str, Any] = {"trained_until": None, "created_at": None, "gates": {"passed": None}}
    damage = None
    try:
        manifest, _ = versions.read_manifest(context.store, versions.MODEL, version, rollout.manifests.get(version))
    except ArtefactError as error:
        damage = str(error)
    return {
        "version": version,
        "state": str(rollout.state_of(version)),
        "share": rollout.share_of(version),
        "trained_until": manifest["trained_until"],
        "passed": manifest["gates"]["passed"],
        "created_at": manifest["created_at"],
        "damage": damage,
    }


def running(log: ReleaseLog) -> dict[str, Any]:
    """Return what runs in one environment: number (last entry), serving, challenger, share, shadows, pinned, and the entries by which it does.

    "current" is the entry by which the serving version serves, "challenge" the one that gave the challenger its share, "pin" the one that
    pinned what runs; None where there is none.
    """
    rollout = log.rollout
    pinned = [entry for entry in log.entries if entry.action == "pin"][-1:] if rollout.pinned else []
    by = {
        "current": [log.entries[rollout.serving_number - 1]] if rollout.serving_number else [],
        "challenge": [log.entries[rollout.share_number - 1]] if rollout.share_number else [],
        "pin": pinned,
    }
    return {
        "number": rollout.number,
        "serving": rollout.serving,
        "challenger": rollout.challenger,
        "share": rollout.share,
        "shadows": list(rollout.shadows),
        "pinned": rollout.pinned,
        **{name: asdict(found[0]) if found else None for name, found in by.items()},
    }


def timeline(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Return what each version was over time.

    Parameters
    ----------
    entries : sequence of Entry
        A whole log, the first one first.

    Returns
    -------
    list of dict
        One span per version and stretch of entries: version, state, share, from_number, since, until_number and until (of the entry that
        ended it; None while it lasts). Versions in the order in which the log first names them.
    """
    spans: dict[str, list[dict[str, Any]]] = {}
    rollout = Rollout()
    for entry in entries:
        rollout = follow(rollout, entry)
        for version, state in rollout.states.items():
            own = spans.setdefault(version, [])
            now = (str(state), rollout.share_of(version))
            if own and (own[-1]["state"], own[-1]["share"]) == now:
                continue
            if own:
                own[-1] |= {"until_number": entry.number, "until": entry.created_at}
            begun = {"version": version, "state": now[0], "share": now[1], "from_number": entry.number, "since": entry.created_at}
            own.append({**begun, "until_number": None, "until": None})
    return [span for own in spans.values() for span in own]
