"""What people and DAGs do with versions: show them, release one, go back; each a function of the context that returns a JSON-able dict."""

from dataclasses import asdict
from typing import Any

from nba_ml.context import Context
from nba_ml.registry import projection, releases, versions
from nba_ml.registry.loading import verified_panel
from nba_ml.registry.log import ReleaseLog
from nba_ml.registry.states import SHARES, State


def approve_command(version: str) -> str:
    """Return the command by which a person releases a version."""
    return f"nba-ml release approve {version} --reason TEXT"


def show(context: Context) -> dict[str, Any]:
    """Tell what runs in the environment of the settings, how it came to it, and which versions could run.

    Returns
    -------
    dict
        "environment", "number" (last entry), "serving", "challenger", "share", "shadows", "pinned", "current" (the entry by which `serving`
        serves, or None), "history" (entries, latest first), "versions" (each with trained_until, created_at, passed and state).
    """
    log = open_log(context)
    rollout = log.rollout
    rows = []
    for version in versions.list_versions(context.store, versions.MODEL):
        manifest, _ = versions.read_manifest(context.store, versions.MODEL, version)
        rows.append(
            {
                "version": version,
                "state": str(rollout.state_of(version)),
                "trained_until": manifest["trained_until"],
                "passed": manifest["gates"]["passed"],
                "created_at": manifest["created_at"],
            }
        )
    return {
        "environment": log.environment,
        "number": rollout.number,
        "serving": rollout.serving,
        "challenger": rollout.challenger,
        "share": rollout.share,
        "shadows": list(rollout.shadows),
        "pinned": rollout.pinned,
        "current": asdict(log.entries[rollout.serving_number - 1]) if rollout.serving_number else None,
        "history": [asdict(entry) for entry in reversed(log.entries)],
        "versions": sorted(rows, key=lambda row: (row["trained_until"], row["created_at"]), reverse=True),
    }


def open_log(context: Context) -> ReleaseLog:
    """Read the release log of the settings' environment."""
    return ReleaseLog(context.store, versions.MODEL, context.settings.environment)


def approve(context: Context, version: str, *, actor: str, reason: str) -> dict[str, Any]:
    """Release a version; see `releases.release` for what is refused."""
    log = open_log(context)
    releases.release(log, version, actor=actor, reason=reason, verify=verified_panel, share=1.0)
    return _done(context, log, version)


def rollback(context: Context, *, actor: str, reason: str, to: str | None = None) -> dict[str, Any]:
    """Go back to the version in force before, or to `to`; see `releases.rollback` for what is refused."""
    log = open_log(context)
    entry = releases.rollback(log, actor=actor, reason=reason, verify=verified_panel, to=to)
    return _done(context, log, entry.version)


def release_trained(context: Context, version: str, *, actor: str) -> dict[str, Any]:
    """Release a version that training just published, where the settings let training do so; else leave it as a candidate.

    What was gone back from, rejected or retired, and what scores along as a shadow, a person releases. Neither is anything released past a
    challenger, or while what runs is pinned.

    Returns
    -------
    dict
        "version", "state", "number" of the last entry of the log, "current" version in force, "next" (the command that releases a
        candidate, or None).
    """
    log = open_log(context)
    rollout = log.rollout
    free = rollout.state_of(version) in (State.CANDIDATE, State.EARLIER) and rollout.challenger is None and not rollout.pinned
    if context.settings.release_approval == "auto" and free:
        return approve(context, version, actor=actor, reason="released by training: NBA_ML_APPROVAL=auto")
    return _done(context, log, version)


def _done(context: Context, log: ReleaseLog, version: str) -> dict[str, Any]:
    projection.rebuild(context)
    rollout = log.rollout
    state = rollout.state_of(version)
    waits = state not in (*SHARES.values(), State.SHADOW)
    return {
        "version": version,
        "state": str(state),
        "number": rollout.number or None,
        "current": rollout.serving,
        "next": approve_command(version) if waits else None,
    }
