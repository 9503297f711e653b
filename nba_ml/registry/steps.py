"""What people and DAGs do with versions: show them, release one, go back; each a function of the context that returns a JSON-able dict."""

from typing import Any

from nba_ml.context import Context
from nba_ml.registry import projection, releases, versions
from nba_ml.registry.releases import Entry


def approve_command(version: str) -> str:
    """Return the command by which a person releases a version."""
    return f"nba-ml release approve {version} --reason TEXT"


def show(context: Context) -> dict[str, Any]:
    """Tell what runs in the environment of the settings, how it came to it, and which versions could run.

    Returns
    -------
    dict
        "environment", "current" (entry or None), "history" (entries, latest first), "versions" (each with
        trained_until, created_at, passed, and state: released, left_behind, earlier or candidate).
    """
    environment = context.settings.environment
    log = releases.history(context.store, versions.MODEL, environment)
    released = {entry.version for entry in log}
    rows = []
    for version in versions.list_versions(context.store, versions.MODEL):
        manifest, _ = versions.read_manifest(context.store, versions.MODEL, version)
        state = "candidate"
        if version in released:
            state = "left_behind" if releases.left_behind(log, version) else "earlier"
        if log and log[-1].version == version:
            state = "released"
        rows.append(
            {
                "version": version,
                "state": state,
                "trained_until": manifest["trained_until"],
                "passed": manifest["gates"]["passed"],
                "created_at": manifest["created_at"],
            }
        )
    return {
        "environment": environment,
        "current": releases.as_dict(log[-1]) if log else None,
        "history": [releases.as_dict(entry) for entry in reversed(log)],
        "versions": sorted(rows, key=lambda row: (row["trained_until"], row["created_at"]), reverse=True),
    }


def approve(context: Context, version: str, *, actor: str, reason: str) -> dict[str, Any]:
    """Release a version; see `releases.release` for what is refused."""
    entry = releases.release(context.store, versions.MODEL, context.settings.environment, version, actor=actor, reason=reason)
    return _done(context, entry)


def rollback(context: Context, *, actor: str, reason: str, to: str | None = None) -> dict[str, Any]:
    """Go back to the version in force before, or to `to`; see `releases.rollback` for what is refused."""
    entry = releases.rollback(context.store, versions.MODEL, context.settings.environment, actor=actor, reason=reason, to=to)
    return _done(context, entry)


def release_trained(context: Context, version: str, *, actor: str) -> dict[str, Any]:
    """Release a version that training just published, where the settings let training do so; else leave it as a candidate.

    A version that was gone back from is never released again by training: a person does that.

    Returns
    -------
    dict
        "version", "state" (released or candidate), "number" of the entry in force, "current" version in force, "next" (the command that
        releases a candidate, or None).
    """
    environment = context.settings.environment
    log = releases.history(context.store, versions.MODEL, environment)
    if context.settings.release_approval == "auto" and not releases.left_behind(log, version):
        return approve(context, version, actor=actor, reason="released by training: NBA_ML_APPROVAL=auto")
    projection.rebuild(context)
    released = bool(log) and log[-1].version == version
    return {
        "version": version,
        "state": "released" if released else "candidate",
        "number": log[-1].number if log else None,
        "current": log[-1].version if log else None,
        "next": None if released else approve_command(version),
    }


def _done(context: Context, entry: Entry) -> dict[str, Any]:
    projection.rebuild(context)
    return {"version": entry.version, "state": entry.state, "number": entry.number, "current": entry.version, "next": None}
