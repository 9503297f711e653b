"""What people and DAGs do with versions, each a function of the context that returns a JSON-able dict.

Every decision is one entry of the release log and is in force from then on. The tables for analysts follow it where the warehouse lets them;
where it does not, the decision stands, and `nba-ml registry rebuild` writes them later.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nba_ml.context import Context
from nba_ml.errors import NbaMlError, UsageError
from nba_ml.registry import guards, projection, releases, telling, versions
from nba_ml.registry import rollout as rules
from nba_ml.registry.loading import verified_panel
from nba_ml.registry.log import ReleaseLog
from nba_ml.registry.states import Rollout, State

logger = logging.getLogger(__name__)

Answer = dict[str, Any]
"""Of every decision: "version" (the one it is about), its "state" and "share", "number" of the log's last entry, "current" (the version that
serves), "challenger", "shadows", "pinned", and "next" (the command that takes the version further, or None)."""

_FIRST_SHARE = 0.1


def open_log(context: Context, environment: str | None = None) -> ReleaseLog:
    """Read the release log of an environment, by default the settings'."""
    return ReleaseLog(context.store, versions.MODEL, environment or context.settings.environment)


def approve(
    context: Context, version: str, *, actor: str, reason: str, share: float | None = None, at_once: bool = False, seen: int | None = None
) -> Answer:
    """Start a version's gradual release at 10 %, or at everything where nothing serves yet; see `releases.release` for what is refused.

    Parameters
    ----------
    share : float, optional
        0.1, 0.5 or 1.0. More than 0.1 while another version serves skips the evidence that `advance` asks for, and needs `at_once`.
    seen : int, optional
        Number of the last entry when the question was asked: an answer that comes after another one on the same version is refused.
    """
    log = open_log(context)
    serving = log.rollout.serving
    if share is not None and share > _FIRST_SHARE and serving not in (None, version) and not at_once:
        raise UsageError(
            f"{version!r} at {share:.0%} at once is refused: {serving!r} serves, and no graded slate compares the two. Start it at 10 % "
            "(leave --share out) and `nba-ml release advance`, or say --at-once."
        )
    releases.release(log, version, actor=actor, reason=reason, verify=verified_panel, share=share, seen=seen)
    return _done(context, log, version)


def shadow(context: Context, version: str, *, actor: str, reason: str, seen: int | None = None) -> Answer:
    """Have a version score every slate without being published; see `releases.shadow` for what is refused."""
    log = open_log(context)
    releases.shadow(log, version, actor=actor, reason=reason, verify=verified_panel, seen=seen)
    return _done(context, log, version)


def reject(context: Context, version: str, *, actor: str, reason: str, seen: int | None = None) -> Answer:
    """Note that a candidate shall not run; see `releases.reject` for what is refused."""
    log = open_log(context)
    releases.reject(log, version, actor=actor, reason=reason, seen=seen)
    return _done(context, log, version)


def advance(context: Context, version: str | None = None, *, actor: str, reason: str) -> Answer:
    """Take a version one step further, shadow → 10 % → 50 % → 100 %, if the guards on its graded slates let it.

    See `releases.advance` and `guards.require_evidence` for what is refused.

    Parameters
    ----------
    version : str, optional
        By default the challenger, else the only shadow.
    """
    log = open_log(context)
    seen = log.rollout
    chosen = releases.next_up(seen, version)
    rules.check(seen, "advance", chosen)
    guards.require_evidence(context, log, chosen)
    releases.advance(log, seen, chosen, actor=actor, reason=reason, verify=verified_panel)
    return _done(context, log, chosen)


def rollback(context: Context, *, actor: str, reason: str, to: str | None = None, only: str | None = None) -> Answer:
    """Take out the challenger, else the version that serves; see `releases.rollback` for what is refused."""
    log = open_log(context)
    releases.rollback(log, actor=actor, reason=reason, verify=verified_panel, to=to, only=only)
    with _decision_stands("people are told by the next look of a guard or of the monitor"):
        telling.went_back(context, log)
    return _done(context, log, log.rollout.serving or "")


def retire(context: Context, version: str, *, actor: str, reason: str) -> Answer:
    """End a version that predicts no published row; see `releases.retire` for what is refused."""
    log = open_log(context)
    releases.retire(log, version, actor=actor, reason=reason)
    return _done(context, log, version)


def pin(context: Context, version: str, *, actor: str, reason: str) -> Answer:
    """Freeze what runs, of which `version` is part; see `releases.pin` for what is refused."""
    log = open_log(context)
    releases.pin(log, version, actor=actor, reason=reason)
    return _done(context, log, version)


def unpin(context: Context, *, actor: str, reason: str) -> Answer:
    """End a pin; see `releases.unpin` for what is refused."""
    log = open_log(context)
    releases.unpin(log, actor=actor, reason=reason)
    return _done(context, log, log.rollout.serving or "")


def promote(context: Context, version: str, to: str, *, actor: str, reason: str) -> Answer:
    """Make a version of the settings' environment a candidate of the environment `to`, the same bytes.

    Where a person approves in that environment, the version waits for that; see `releases.promote` for what is refused.
    """
    if to not in projection.ENVIRONMENTS:
        raise UsageError(f"{to!r} is no environment: choose one of {', '.join(projection.ENVIRONMENTS)}.")
    source, target = open_log(context), open_log(context, to)
    releases.promote(source, target, version, actor=actor, reason=reason, verify=verified_panel)
    there = context.settings.model_copy(update={"environment": to})
    if there.release_approval == "auto" and free_to_release(target.rollout, version):
        reason = f"promoted from {source.environment} with NBA_ML_APPROVAL=auto: {reason}"
        releases.release(target, version, actor=actor, reason=reason, verify=verified_panel, share=1.0)
    return _done(context, target, version)


def release_trained(context: Context, version: str, *, actor: str, cause: str | None = None) -> Answer:
    """Release a version that training just published, where the settings let training do so; else leave it as a candidate."""
    log = open_log(context)
    if context.settings.release_approval == "auto" and free_to_release(log.rollout, version):
        reason = "released by training: NBA_ML_APPROVAL=auto" + (f"; trained because {cause}" if cause else "")
        releases.release(log, version, actor=actor, reason=reason, verify=verified_panel, share=1.0)
    return _done(context, log, version)


def standing(context: Context, version: str) -> Answer:
    """Decide nothing; tell where a version stands."""
    return _done(context, open_log(context), version)


def free_to_release(rollout: Rollout, version: str) -> bool:
    """Tell whether a version may be released without a person.

    What was gone back from, rejected or retired, and what scores along as a shadow, a person releases. Neither is anything released past a
    challenger, or while what runs is pinned.
    """
    return rollout.state_of(version) in (State.CANDIDATE, State.EARLIER) and rollout.challenger is None and not rollout.pinned


def next_command(rollout: Rollout, version: str, environment: str) -> str | None:
    """Return the command that takes a version further, None where there is nothing to be done."""
    state, where = rollout.state_of(version), "" if environment == "dev" else f"NBA_ML_ENVIRONMENT={environment} "
    if state in (State.FULL, State.RETIRED, State.EARLIER):
        return None
    if rollout.pinned:
        return f"{where}nba-ml release unpin --reason TEXT"
    if rollout.challenger or state == State.SHADOW:
        return f"{where}nba-ml release advance {rollout.challenger or version} --reason TEXT"
    return f"{where}nba-ml release approve {version} --reason TEXT"


@contextmanager
def _decision_stands(consequence: str) -> Iterator[None]:
    """Go on where the warehouse takes nothing: the log of releases has the decision."""
    try:
        yield
    except NbaMlError as error:
        logger.warning("%s: %s", consequence, error)


def _done(context: Context, log: ReleaseLog, version: str) -> Answer:
    rollout = log.rollout
    state = rollout.state_of(version)
    logger.info("%s is %s in %s (entry %d); %s serves", version, state, log.environment, rollout.number, rollout.serving)
    projection.follow(context)
    with _decision_stands("alerts about it stay open (`nba-ml alerts close` ends them)"):
        telling.settle(context, rollout, version)
    return {
        "version": version,
        "state": str(state),
        "share": rollout.share_of(version),
        "number": rollout.number or None,
        "current": rollout.serving,
        "challenger": rollout.challenger,
        "shadows": list(rollout.shadows),
        "pinned": rollout.pinned,
        "next": next_command(rollout, version, log.environment),
    }
