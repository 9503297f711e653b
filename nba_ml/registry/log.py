"""The release log: ``releases/<name>/<environment>/00000012.json``, one numbered entry a decision.

An entry is created only if its number is free. Of two that race for a number one wins; the other reads the log again and decides again.
Each entry names the sha256 of the one before it. Nothing is ever skipped: a torn or altered entry, a gap, a broken chain, or a step that the
state machine does not allow stops whoever reads it. Whether a version is whole, and there at all, is looked at when it is opened: one that was
lost can be gone back from.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from nba_ml import calendar
from nba_ml.errors import ArtefactError, NbaMlError, Unavailable, UsageError
from nba_ml.registry import rollout as rules
from nba_ml.registry.entry import ENTRY_FORMAT, Entry
from nba_ml.registry.sealed import seal, sha256, unseal
from nba_ml.registry.states import Rollout
from nba_ml.storage.port import ObjectStore

_ATTEMPTS = 100
_REPAIR = "Restore the object from the bucket's backup: entries are never changed or removed. Predictions stop until then."


@dataclass(frozen=True)
class Decision:
    """What is to be appended: see `nba_ml.registry.entry.Entry`.

    Attributes
    ----------
    share : float, optional
        By default what `nba_ml.registry.rollout.share_after` says.
    """

    action: str
    version: str
    share: float | None = None


class ReleaseLog:
    """The log of one model in one environment, read and verified up to `rollout`.number.

    Parameters
    ----------
    store : ObjectStore
    name, environment : str

    Raises
    ------
    ArtefactError
        If any entry is not what it has to be.
    """

    def __init__(self, store: ObjectStore, name: str, environment: str) -> None:
        self.store = store
        self.name = name
        self.environment = environment
        self.entries: list[Entry] = []
        self.rollout = Rollout()
        self._last_sha256: str | None = None
        self.refresh()

    def refresh(self) -> None:
        """Read and verify what was appended since.

        Raises
        ------
        ArtefactError
            If any new entry is not what it has to be.
        """
        prefix = self._prefix()
        keys = self.store.list(prefix)
        for number, key in enumerate(keys, 1):
            if key != self._key(number):
                raise ArtefactError(f"{self._key(number)} is missing from the release log, which has {key}. {_REPAIR}")
        if len(keys) < len(self.entries):
            raise ArtefactError(f"{self._key(len(keys) + 1)} is gone from the release log. {_REPAIR}")
        for number in range(len(self.entries) + 1, len(keys) + 1):
            self._take(number, self.store.read(self._key(number)))

    def append(
        self, decide: Callable[[Rollout], Decision | None], verify: Callable[[Decision], tuple[str, str]], *, actor: str, reason: str
    ) -> Entry:
        """Append what `decide` says of what runs, or return the last entry where it says None.

        `decide` is asked again after each race that is lost.

        Parameters
        ----------
        decide : callable
        verify : callable
            Takes the decision; makes sure that its version is whole, and returns manifest_sha256 and gates_hash.
        actor, reason : str

        Raises
        ------
        UsageError, GateRefused
            If what is decided is not allowed, or `reason` is empty.
        """
        if not reason.strip():
            raise UsageError("a release needs a reason: add --reason TEXT")
        for _ in range(_ATTEMPTS):
            self.refresh()
            decision = decide(self.rollout)
            if decision is None:
                return self.entries[-1]
            rules.check(self.rollout, decision.action, decision.version, decision.share)
            entry = self._entry(decision, *verify(decision), actor, reason.strip())
            data = seal(asdict(entry))
            if self.store.create(self._key(entry.number), data):
                self._take(entry.number, data)
                return entry
        raise Unavailable(
            f"the release log of {self.name}/{self.environment} grew {_ATTEMPTS} times while one entry was written: try again."
        )

    def _prefix(self) -> str:
        return f"releases/{self.name}/{self.environment}/"

    def _key(self, number: int) -> str:
        return f"{self._prefix()}{number:08d}.json"

    def _entry(self, decision: Decision, manifest_sha256: str, gates_hash: str, actor: str, reason: str) -> Entry:
        before, last = self.rollout, self.entries[-1] if self.entries else None
        action, version = decision.action, decision.version
        entry = Entry(
            number=len(self.entries) + 1,
            name=self.name,
            environment=self.environment,
            action=action,
            version=version,
            previous_version=rules.loser(before, action, version),
            previous_number=last.number if last else None,
            previous_sha256=self._last_sha256,
            actor=actor,
            reason=reason,
            manifest_sha256=manifest_sha256,
            gates_hash=gates_hash,
            state="",
            share=rules.share_after(before, action, version) if decision.share is None else decision.share,
            created_at=calendar.now().isoformat(),
        )
        return replace(entry, state=rules.state_after(before, entry))

    def _take(self, number: int, data: bytes) -> None:
        """Verify the next entry and move on to what runs after it."""
        key = self._key(number)
        entry = self._read(number, data)
        if entry.previous_sha256 != self._last_sha256:
            raise ArtefactError(
                f"{key}: follows an entry with sha256 {entry.previous_sha256}, the one before it has {self._last_sha256}: "
                f"the chain is broken. {_REPAIR}"
            )
        known = self.rollout.manifests.get(entry.version)
        if known not in (None, entry.manifest_sha256):
            raise ArtefactError(f"{key}: manifest of {entry.version!r} with sha256 {entry.manifest_sha256}, earlier {known}. {_REPAIR}")
        try:
            stated, after = rules.state_after(self.rollout, entry), rules.follow(self.rollout, entry)
        except NbaMlError as error:
            raise ArtefactError(f"{key}: does what was not allowed: {error} {_REPAIR}") from error
        if entry.state != stated:
            raise ArtefactError(f"{key}: says that {entry.version!r} is {entry.state}, which is {stated}. {_REPAIR}")
        self.entries.append(entry)
        self.rollout, self._last_sha256 = after, sha256(data)

    def _read(self, number: int, data: bytes) -> Entry:
        key = self._key(number)
        document: dict[str, Any] = unseal(data, key, _REPAIR)
        if document.get("format") != ENTRY_FORMAT:
            raise ArtefactError(
                f"{key}: entry format {document.get('format')!r}, this code reads {ENTRY_FORMAT}. "
                "Run the code that wrote it, or start a store of its own: NBA_ML_STORE."
            )
        try:
            entry = Entry(**document)
        except TypeError as error:
            raise ArtefactError(f"{key}: {error}. Run the code that wrote it.") from None
        if (entry.number, entry.name, entry.environment) != (number, self.name, self.environment):
            raise ArtefactError(f"{key}: is entry {entry.number} of {entry.name}/{entry.environment}, moved here. {_REPAIR}")
        return entry
