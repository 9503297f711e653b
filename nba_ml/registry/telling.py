"""What people are told of versions: that a decision is wanted, that it was taken, and that somebody went back to an earlier version."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from nba_ml import alerts
from nba_ml.alerts import Alert
from nba_ml.context import Context
from nba_ml.registry.entry import GUARD, Entry
from nba_ml.registry.log import ReleaseLog
from nba_ml.registry.states import Rollout, State
from nba_ml.warehouse.port import LATEST

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


def went_back(context: Context, release_log: ReleaseLog) -> list[dict[str, Any]]:
    """Tell of every step back in the release log that nobody was told of yet, however the process that made it ended.

    Safe to run at any time and again.

    Returns
    -------
    list of dict
        The rows of nba_ops.alerts that were written.
    """
    # A cause is told of its last step back; one row stands for those before it.
    made = {_cause_of(entry): entry for entry in release_log.entries if entry.action == "rollback"}
    if not made:
        return []
    where = {"environment": release_log.environment, "cause": list(made)}
    known = context.warehouse.read(alerts.TABLE, as_of=LATEST, where=where, columns=["cause", "last_at"])
    told = dict(known.iter_rows())
    rows = []
    for cause, entry in made.items():
        if cause not in told or told[cause] < datetime.fromisoformat(entry.created_at):
            over = not _is_guard(entry) or release_log.rollout.state_of(str(entry.previous_version)) in _ENDED
            rows.append((alerts.note if over else alerts.write)(context, _went_back(entry, release_log.entries)))
    return rows


def _went_back(entry: Entry, entries: Sequence[Entry]) -> Alert:
    what = f"{entry.actor} went back to {entry.version}: {entry.reason}"
    if _is_guard(entry):
        shares = [earlier.share for earlier in entries[: entry.number - 1] if earlier.version == entry.previous_version]
        what = f"{entry.previous_version} was taken out at {shares[-1]:.0%}, {entry.version} predicts everything again. {entry.reason}"
    return Alert(
        cause=_cause_of(entry),
        severity="urgent" if _is_guard(entry) else "notice",
        what=what,
        next_step="nba-ml release show",
        occasion=f"entry {entry.number}",
    )


def _is_guard(entry: Entry) -> bool:
    return entry.actor.startswith(GUARD)


def _cause_of(entry: Entry) -> str:
    """Return the cause of a step back: what tripped, and of what is judged version by version, the version."""
    found = entry.actor.removeprefix(GUARD)
    if not _is_guard(entry):
        return "release.rollback"
    return found if found.startswith("monitor.") else f"{found}:{entry.previous_version}"


def _cause(version: str) -> str:
    return f"approval:{version}"
