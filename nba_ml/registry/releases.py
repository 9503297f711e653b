"""Decisions about what runs, each one entry of the release log; whoever loses a race reads the log again and decides again."""

from collections.abc import Callable
from functools import cache

from nba_ml.errors import GateRefused, UsageError
from nba_ml.registry import versions
from nba_ml.registry.entry import Entry
from nba_ml.registry.log import Decision, ReleaseLog
from nba_ml.registry.rollout import share_after
from nba_ml.registry.states import SHARES, Rollout, State
from nba_ml.registry.versions import Version

Verify = Callable[[Version], object]
"""Looks beyond a version's bytes, as at its golden vectors; raises ArtefactError."""


def release(
    log: ReleaseLog,
    version: str,
    *,
    actor: str,
    reason: str,
    verify: Verify,
    share: float | None = None,
    seen: int | None = None,
) -> Entry:
    """Give a version its first share: everything where nothing serves yet, else 10 %; where it has as much already, change nothing.

    Parameters
    ----------
    share : float, optional
        0.1, 0.5 or 1.0; above 0.1 it skips steps.
    seen : int, optional
        Number of the entry that whoever decides looked at: if the version's state has changed since, the decision is refused.

    Raises
    ------
    ArtefactError
        If the version is not whole.
    GateRefused
        If it did not pass its gates, what runs is pinned, or the decision comes too late.
    UsageError
        If another version is challenging, or the share is none.
    """
    require_passed(log, version)

    def decide(rollout: Rollout) -> Decision | None:
        wanted = share_after(rollout, "release", version) if share is None else share
        if rollout.state_of(version) in SHARES.values() and rollout.share_of(version) >= (share or 0.0):
            return None
        _require_unchanged(log, rollout, version, seen)
        return Decision("release", version, wanted)

    return _append(log, decide, actor, reason, verify)


def shadow(log: ReleaseLog, version: str, *, actor: str, reason: str, verify: Verify, seen: int | None = None) -> Entry:
    """Have a version score every slate beside those that are published; where it does, change nothing. Raises as `release` does."""
    require_passed(log, version)

    def decide(rollout: Rollout) -> Decision | None:
        if version in rollout.shadows:
            return None
        _require_unchanged(log, rollout, version, seen)
        return Decision("shadow", version)

    return _append(log, decide, actor, reason, verify)


def reject(log: ReleaseLog, version: str, *, actor: str, reason: str, seen: int | None = None) -> Entry:
    """Note that a candidate shall not run; where that is noted, change nothing.

    Raises
    ------
    UsageError
        If it is no candidate any more.
    GateRefused
        If the decision comes too late.
    """

    def decide(rollout: Rollout) -> Decision | None:
        if rollout.state_of(version) == State.REJECTED:
            return None
        _require_unchanged(log, rollout, version, seen)
        return Decision("reject", version)

    return _append(log, decide, actor, reason)


def next_up(rollout: Rollout, version: str | None = None) -> str:
    """Return the version that `advance` takes a step further: the challenger, else the only shadow; or `version`, if it can be.

    Raises
    ------
    UsageError
        If there is none, or more than one.
    """
    if version is not None:
        return version
    if rollout.challenger is not None:
        return rollout.challenger
    if len(rollout.shadows) == 1:
        return rollout.shadows[0]
    many = f"shadows are {', '.join(rollout.shadows)}: name one" if rollout.shadows else "no version is at 10 %, at 50 % or a shadow"
    raise UsageError(f"there is no one version to advance: {many}. See `nba-ml release show`.")


def advance(log: ReleaseLog, seen: Rollout, version: str, *, actor: str, reason: str, verify: Verify) -> Entry:
    """Take a version one step further: shadow → 10 % → 50 % → 100 %.

    Parameters
    ----------
    seen : Rollout
        What ran when the step was judged. Two that advance the same step at once make one entry.

    Raises
    ------
    ArtefactError
        If the version is not whole.
    GateRefused
        If what runs is pinned.
    UsageError
        If the version can't go further, was taken out meanwhile, or another one is challenging.
    """
    wanted = share_after(seen, "advance", version)

    def decide(rollout: Rollout) -> Decision | None:
        if rollout.state_of(version) in SHARES.values() and rollout.share_of(version) >= wanted > 0:
            return None
        if version == rollout.challenger and rollout.share_number != seen.share_number:
            raise GateRefused(
                f"{version!r} was taken out and released again while its step was judged: run `nba-ml release advance` again."
            )
        return Decision("advance", version, wanted or None)

    return _append(log, decide, actor, reason, verify)


def rollback(log: ReleaseLog, *, actor: str, reason: str, verify: Verify, to: str | None = None, only: str | None = None) -> Entry:
    """Take out the challenger, else the version that serves; the last good one predicts everything from then on.

    The version to go back to is verified whole before the switch. Going back leaves a version behind for good: a second rollback goes
    further back, not forth. Two people who roll back the same version at once make one entry.

    Parameters
    ----------
    to : str, optional
        Version to go back to, which must have been at 100 % here.
    only : str, optional
        Version to take out: if it predicts nothing any more, nothing changes. By default the one that would be taken out now.

    Raises
    ------
    ArtefactError
        If the version to go back to is not whole; name another one with ``--to``.
    UsageError
        If there is nothing to go back to, or `to` was never at 100 % here.
    """
    bad = only or log.rollout.challenger or log.rollout.serving

    def decide(rollout: Rollout) -> Decision | None:
        if rollout.serving is None:
            raise UsageError(f"nothing was released in {log.environment} yet: there is nothing to go back to. See `nba-ml release show`.")
        if to is not None:
            done = rollout.serving == to and rollout.challenger is None
            return None if done else Decision("rollback", to)
        if bad not in (rollout.challenger, rollout.serving):
            return None
        if bad == rollout.challenger:
            return Decision("rollback", rollout.serving)
        if len(rollout.good) < 2:
            raise UsageError(
                f"{bad!r} is the only version in {log.environment} that is known to be good: name one with --to, see `nba-ml release show`."
            )
        return Decision("rollback", rollout.good[-2])

    return _append(log, decide, actor, reason, verify)


def retire(log: ReleaseLog, version: str, *, actor: str, reason: str) -> Entry:
    """End a version that predicts no published row; no rollback goes back to it. Where it is retired, change nothing.

    Raises
    ------
    UsageError
        If it predicts rows.
    """

    def decide(rollout: Rollout) -> Decision | None:
        return None if rollout.state_of(version) == State.RETIRED else Decision("retire", version)

    return _append(log, decide, actor, reason)


def pin(log: ReleaseLog, version: str, *, actor: str, reason: str) -> Entry:
    """Freeze what runs, of which `version` is part: nothing advances or is released until `unpin`; rolling back stays possible.

    Raises
    ------
    UsageError
        If the version predicts no published row.
    """

    def decide(rollout: Rollout) -> Decision | None:
        return None if rollout.pinned and rollout.share_of(version) > 0 else Decision("pin", version)

    return _append(log, decide, actor, reason)


def unpin(log: ReleaseLog, *, actor: str, reason: str) -> Entry:
    """End a pin.

    Raises
    ------
    UsageError
        If nothing is pinned.
    """

    def decide(rollout: Rollout) -> Decision | None:
        if rollout.serving is None or not rollout.pinned:
            raise UsageError(f"nothing is pinned in {log.environment}. See `nba-ml release show`.")
        return Decision("unpin", rollout.serving)

    return _append(log, decide, actor, reason)


def promote(source: ReleaseLog, target: ReleaseLog, version: str, *, actor: str, reason: str, verify: Verify) -> Entry:
    """Make a version that was at 100 % in one environment a candidate of another, the same bytes; where it is, change nothing.

    Raises
    ------
    ArtefactError
        If the version is not whole, or not the bytes that the source environment ran.
    UsageError
        If it never was at 100 % in the source environment, was gone back from there, or is more than a candidate in the other one.
    """
    if target.environment == source.environment:
        raise UsageError(f"{version!r} is to go from {source.environment} to {target.environment}: name another environment with --to.")
    if version not in source.rollout.good:
        raise UsageError(
            f"promotion of {version!r} is refused: it is {source.rollout.state_of(version)} in {source.environment}, and only what was at "
            "100 % there goes on. See `nba-ml release show`."
        )
    sha256 = source.rollout.manifests[version]

    def decide(rollout: Rollout) -> Decision | None:
        known = rollout.manifests.get(version)
        return None if known and rollout.state_of(version) == State.CANDIDATE else Decision("promote", version)

    return _append(target, decide, actor, reason, verify, sha256)


def require_passed(log: ReleaseLog, version: str) -> None:
    """Refuse a version that did not pass its gates.

    Raises
    ------
    ArtefactError
        If there is no such version.
    GateRefused
        If a blocking gate refused it.
    """
    manifest, _ = versions.read_manifest(log.store, log.name, version)
    if not manifest["gates"]["passed"]:
        failed = [gate["id"] for gate in manifest["gates"]["results"] if gate["mode"] == "block" and not gate["passed"]]
        raise GateRefused(f"{log.name}/{version} did not pass {', '.join(failed)}: it can't be released. Train again: `nba-ml train`.")


def _require_unchanged(log: ReleaseLog, rollout: Rollout, version: str, seen: int | None) -> None:
    since = [entry for entry in log.entries if entry.version == version and seen is not None and entry.number > seen]
    if since:
        last = since[-1]
        raise GateRefused(
            f"this decision on {version!r} comes too late: {last.actor} decided first ({last.action}, entry {last.number}, "
            f"{last.created_at[:16]} UTC: {last.reason}), and it is {rollout.state_of(version)}. Nothing was changed; see `nba-ml release show`."
        )


def _append(
    log: ReleaseLog,
    decide: Callable[[Rollout], Decision | None],
    actor: str,
    reason: str,
    verify: Verify | None = None,
    sha256: str | None = None,
) -> Entry:
    @cache
    def whole(name: str) -> tuple[str, str]:
        known = log.rollout.manifests.get(name, sha256)
        if verify is None:
            manifest, found = versions.read_manifest(log.store, log.name, name, known)
            return found, manifest["gates"]["hash"]
        version = versions.open_version(log.store, log.name, name, known)
        verify(version)
        return version.manifest_sha256, version.manifest["gates"]["hash"]

    return log.append(decide, lambda decision: whole(decision.version), actor=actor, reason=reason)
