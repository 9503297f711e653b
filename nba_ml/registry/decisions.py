"""One decision about what runs, from a form: which action, on which version."""

from nba_ml.context import Context
from nba_ml.errors import UsageError
from nba_ml.registry import steps
from nba_ml.registry.steps import Answer

_NEED_A_VERSION = {"approve": steps.approve, "shadow": steps.shadow, "reject": steps.reject, "retire": steps.retire}


def decide(context: Context, action: str, version: str | None = None, to: str | None = None, *, actor: str, reason: str) -> Answer:
    """Take one decision.

    Parameters
    ----------
    action : str
        advance, rollback, approve, shadow, reject, pin, unpin, retire or promote.
    version : str, optional
        Version that it is about, of a rollback the one to go back to. Where it is left out, the only one that can be meant.
    to : str, optional
        Environment to promote to.

    Raises
    ------
    UsageError
        If something that the action needs is missing, or something is given that it has no use for.
    NbaMlError
        As the step does.
    """
    if action != "promote" and to:
        raise UsageError(f"{action} goes to no environment: leave `to` empty")
    if action in (*_NEED_A_VERSION, "promote") and not version:
        raise UsageError(f"{action} needs a version: `nba-ml release show` lists them")
    if action == "unpin" and version:
        raise UsageError("unpin ends the pin of all that runs: leave `version` empty")
    if action in _NEED_A_VERSION:
        return _NEED_A_VERSION[action](context, version or "", actor=actor, reason=reason)
    if action == "promote":
        if not to:
            raise UsageError("promote needs `to`, the environment that the version goes to")
        return steps.promote(context, version or "", to, actor=actor, reason=reason)
    if action == "advance":
        return steps.advance(context, version, actor=actor, reason=reason)
    if action == "rollback":
        return steps.rollback(context, to=version, actor=actor, reason=reason)
    if action == "pin":
        return steps.pin(context, version or steps.open_log(context).rollout.serving or "", actor=actor, reason=reason)
    if action == "unpin":
        return steps.unpin(context, actor=actor, reason=reason)
    raise UsageError(f"{action!r} is no action: choose one of advance, rollback, {', '.join(_NEED_A_VERSION)}, pin, unpin, promote")
