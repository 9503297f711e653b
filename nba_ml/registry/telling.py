"""What people are told of versions: that a decision is wanted, that it was taken, and that somebody went back to an earlier version."""

from collections.abc import Mapping
from typing import Any

from nba_ml import alerts
from nba_ml.alerts import Alert
from nba_ml.context import Context
from nba_ml.registry.states import Rollout, State

_ENDED = (State.REJECTED, State.RETIRED)


def wanted(asked: Mapping[str, Any], occasion: str, link: str | None = None) -> Alert:
    """Return the alert that a version waits for a person; `asked` is what `nba_ml.registry.approval.question` returned."""
    version = asked["version"]
    return Alert(
        cause=_cause(version),
        severity="notice",
        what=f"{asked['subject']} It passed its gates, and waits for a person.",
        next_step=f"nba-ml release approve {version} --reason TEXT",
        occasion=occasion,
        blocks=f"{version} does not run until somebody decides.",
        link=link,
    )


def settle(context: Context, rollout: Rollout, version: str) -> None:
    """Close what was open about a version that somebody decided on: the question, and where it ended, what its guards found."""
    state = rollout.state_of(version)
    if state == State.CANDIDATE:
        return
    alerts.resolve(context, _cause(version), f"{version} is {state}.")
    if state in _ENDED:
        for cause in alerts.open_alerts(context)["cause"]:
            if cause.partition(":")[2] == version and cause.startswith(("guard.", "burst.")):
                alerts.resolve(context, cause, f"{version} is {state}.")


def went_back(context: Context, rollout: Rollout, actor: str, reason: str) -> None:
    """Tell that a person took a version out."""
    alert = Alert(
        cause="release.rollback",
        severity="notice",
        what=f"{actor} went back to {rollout.serving}: {reason}",
        next_step="nba-ml release show",
        occasion=f"entry {rollout.number}",
    )
    alerts.note(context, alert)


def _cause(version: str) -> str:
    return f"approval:{version}"
