"""One entry of a release log: a decision about a version, by whom, when and why."""

from dataclasses import dataclass

ENTRY_FORMAT = 2

GUARD = "guard:"
"""How the actor of an entry begins that no person made, as in ``guard:evidence``: a guard that tripped and rolled back by itself."""


@dataclass(frozen=True)
class Entry:
    """One decision about what runs.

    Attributes
    ----------
    number : int
        Place in the log, from 1, without gaps.
    action : str
        What was done: one of `nba_ml.registry.rollout.ACTIONS`.
    version : str
        Version that the action is about; of a rollback, the one that predicts everything from then on.
    previous_version : str or None
        Version that loses rows to `version` by this entry.
    previous_number, previous_sha256 : int and str, or None
        The entry before and the sha256 of its bytes, by which the log is a chain; None in the first one.
    manifest_sha256 : str
        The exact version: its manifest names every file's sha256.
    gates_hash : str
        The thresholds that the version was held to.
    state : str
        What the version is after this entry: one of `nba_ml.registry.rollout.State`, or ``pinned``.
    share : float
        Part of a slate's rows that the version predicts after this entry, 0..1.
    """

    number: int
    name: str
    environment: str
    action: str
    version: str
    previous_version: str | None
    previous_number: int | None
    previous_sha256: str | None
    actor: str
    reason: str
    manifest_sha256: str
    gates_hash: str
    state: str
    share: float
    created_at: str
    format: int = ENTRY_FORMAT
