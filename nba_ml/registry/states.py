"""What a version is in one environment, and what runs there after an entry of the release log."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """What a version is in one environment."""

    CANDIDATE = "candidate"
    SHADOW = "shadow"
    TENTH = "10 %"
    HALF = "50 %"
    FULL = "100 %"
    EARLIER = "earlier"
    """It was at 100 %, another one took its place, and a rollback may go back to it."""
    ROLLED_BACK = "rolled_back"
    REJECTED = "rejected"
    RETIRED = "retired"


PINNED = "pinned"
"""State that the entry of a pin records: its version runs on at its share, and nothing advances or is released."""

SHARES = {0.1: State.TENTH, 0.5: State.HALF, 1.0: State.FULL}
"""Shares that a version is released at, step by step; 10 % of the rows are among the 50 %."""


@dataclass(frozen=True)
class Rollout:
    """What runs after an entry of the log.

    Attributes
    ----------
    number : int
        The entry; 0 where nothing was ever decided.
    in_force : int
        The last entry that changed which versions score: `serving`, `challenger`, `share` or `shadows`.
    serving : str or None
        Version that predicts all rows but the challenger's; None only where nothing was ever released.
    challenger : str or None
        Version that predicts `share` of the rows.
    share : float
        The challenger's share, 0.1 or 0.5; 0 without one.
    serving_number, serving_since : int and str, or None
        The entry that gave `serving` its place, and when it was made (ISO time, UTC).
    share_number, share_since : int and str, or None
        The entry that gave the challenger its share, and when it was made.
    shadows : tuple of str
        Versions that score every row and are never published, in the order in which they became shadows.
    pinned : bool
        Whether nothing advances and nothing is released until it is unpinned.
    good : tuple of str
        Versions that were at 100 % and were not gone back from or retired; the last one serves.
    states : mapping of str to State
        Every version that the log speaks of.
    full : frozenset of str
        Versions that were ever at 100 %.
    manifests : mapping of str to str
        Version → sha256 of its manifest, the same in all of its entries.
    """

    number: int = 0
    in_force: int = 0
    serving: str | None = None
    challenger: str | None = None
    share: float = 0.0
    serving_number: int | None = None
    serving_since: str | None = None
    share_number: int | None = None
    share_since: str | None = None
    shadows: tuple[str, ...] = ()
    pinned: bool = False
    good: tuple[str, ...] = ()
    states: Mapping[str, State] = field(default_factory=dict)
    full: frozenset[str] = frozenset()
    manifests: Mapping[str, str] = field(default_factory=dict)

    def state_of(self, version: str) -> State:
        """Return what a version is; one that the log never named is a candidate."""
        return self.states.get(version, State.CANDIDATE)

    def share_of(self, version: str) -> float:
        """Return the share of a slate's rows that a version predicts, 0..1."""
        if version == self.challenger:
            return self.share
        return 1.0 - self.share if version == self.serving else 0.0

    @property
    def in_play(self) -> tuple[str, ...]:
        """All versions that score a slate: the one that serves, the challenger, the shadows."""
        published = (version for version in (self.serving, self.challenger) if version)
        return (*published, *self.shadows)
