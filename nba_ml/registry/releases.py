"""The release log: ``releases/<name>/<environment>/00000012.json``, one numbered entry a decision, the highest in force.

An entry is created only if its number is free. Of two that race for a number one wins; the other reads the log again and decides again.
Nothing is ever skipped: a torn entry, a gap or an entry that names a missing version stops whoever reads it.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from nba_ml import calendar
from nba_ml.errors import ArtefactError, GateRefused, Unavailable, UsageError
from nba_ml.registry import versions
from nba_ml.registry.sealed import seal, unseal
from nba_ml.storage.port import ObjectStore

ENTRY_FORMAT = 1
_ATTEMPTS = 100
_REPAIR = "Restore the object from the bucket's backup: entries are never changed or removed. Predictions stop until then."


@dataclass(frozen=True)
class Entry:
    """One decision about what runs.

    Attributes
    ----------
    action : str
        What was done: ``release`` or ``rollback``.
    state : str
        What the entry means for its version: ``released``.
    share : float
        Part of the slate that the version predicts, 0..1.
    manifest_sha256 : str
        The exact version: its manifest names every file's sha256.
    """

    number: int
    name: str
    environment: str
    action: str
    version: str
    previous_version: str | None
    previous_number: int | None
    actor: str
    reason: str
    manifest_sha256: str
    gates_hash: str
    state: str
    share: float
    created_at: str
    format: int = ENTRY_FORMAT


def _prefix(name: str, environment: str) -> str:
    return f"releases/{name}/{environment}/"


def _key(name: str, environment: str, number: int) -> str:
    return f"{_prefix(name, environment)}{number:08d}.json"


def _highest(store: ObjectStore, name: str, environment: str) -> int:
    """Return the number of the last entry, 0 for an empty log, after checking that none is missing below it."""
    keys = store.list(_prefix(name, environment))
    for number, key in enumerate(keys, 1):
        expected = _key(name, environment, number)
        if key != expected:
            raise ArtefactError(f"{expected} is missing from the release log, which has {key}. {_REPAIR}")
    return len(keys)


def _read(store: ObjectStore, name: str, environment: str, number: int) -> Entry:
    key = _key(name, environment, number)
    document = unseal(store.read(key), key, _REPAIR)
    if document.get("format") != ENTRY_FORMAT:
        raise ArtefactError(f"{key}: entry format {document.get('format')!r}, this code reads {ENTRY_FORMAT}. Run the code that wrote it.")
    try:
        entry = Entry(**document)
    except TypeError as error:
        raise ArtefactError(f"{key}: {error}. Run the code that wrote it.") from None
    if (entry.number, entry.name, entry.environment) != (number, name, environment):
        raise ArtefactError(f"{key}: is entry {entry.number} of {entry.name}/{entry.environment}, moved here. {_REPAIR}")
    if not store.exists(versions.folder(name, entry.version) + versions.MANIFEST):
        raise ArtefactError(f"{key}: names version {entry.version!r}, which does not exist. {_REPAIR}")
    return entry


def current(store: ObjectStore, name: str, environment: str) -> Entry | None:
    """Return the entry in force, or None where nothing was ever released.

    Raises
    ------
    ArtefactError
        If an entry is missing, or the last one is torn, altered or names a missing version.
    """
    number = _highest(store, name, environment)
    return _read(store, name, environment, number) if number else None


def history(store: ObjectStore, name: str, environment: str) -> list[Entry]:
    """Return all entries, the first one first.

    Raises
    ------
    ArtefactError
        If any entry is missing, torn, altered or names a missing version.
    """
    return _newer(store, name, environment, 0)


def _newer(store: ObjectStore, name: str, environment: str, number: int) -> list[Entry]:
    return [_read(store, name, environment, later) for later in range(number + 1, _highest(store, name, environment) + 1)]


def _append(
    store: ObjectStore, name: str, environment: str, actor: str, reason: str, decide: Callable[[list[Entry]], tuple[str, str] | None]
) -> Entry:
    """Append what `decide` says of the log as it stands, (action, version), or return the entry in force where it says None."""
    if not reason.strip():
        raise UsageError("a release needs a reason: add --reason TEXT")
    log: list[Entry] = []
    for _ in range(_ATTEMPTS):
        log += _newer(store, name, environment, len(log))
        decision = decide(log)
        if decision is None:
            return log[-1]
        action, version = decision
        verified = versions.open_version(store, name, version)
        entry = Entry(
            number=len(log) + 1,
            name=name,
            environment=environment,
            action=action,
            version=version,
            previous_version=log[-1].version if log else None,
            previous_number=log[-1].number if log else None,
            actor=actor,
            reason=reason.strip(),
            manifest_sha256=verified.manifest_sha256,
            gates_hash=verified.manifest["gates"]["hash"],
            state="released",
            share=1.0,
            created_at=calendar.now().isoformat(),
        )
        if store.create(_key(name, environment, entry.number), seal(asdict(entry))):
            return entry
    raise Unavailable(f"the release log of {name}/{environment} grew {_ATTEMPTS} times while one entry was written: try again.")


def release(store: ObjectStore, name: str, environment: str, version: str, *, actor: str, reason: str) -> Entry:
    """Put a version in force; where it already is, change nothing.

    Raises
    ------
    ArtefactError
        If the version is not whole.
    GateRefused
        If it did not pass its gates.
    """
    manifest, _ = versions.read_manifest(store, name, version)
    if not manifest["gates"]["passed"]:
        failed = [gate["id"] for gate in manifest["gates"]["results"] if gate["mode"] == "block" and not gate["passed"]]
        raise GateRefused(f"{name}/{version} did not pass {', '.join(failed)}: it can't be released. Train again: `nba-ml train`.")

    def decide(log: list[Entry]) -> tuple[str, str] | None:
        return None if log and log[-1].version == version else ("release", version)

    return _append(store, name, environment, actor, reason, decide)


def standing(log: list[Entry]) -> list[str]:
    """Return the versions that were released and not gone back from, in the order of their release; the last one is in force."""
    stack: list[str] = []
    for entry in log:
        if entry.action == "rollback" and entry.version in stack:
            del stack[stack.index(entry.version) + 1 :]
        else:
            stack = [version for version in stack if version != entry.version] + [entry.version]
    return stack


def rollback(store: ObjectStore, name: str, environment: str, *, actor: str, reason: str, to: str | None = None) -> Entry:
    """Go back to the version in force before, or to `to`, which must have been released here; verified whole before the switch.

    Going back leaves a version behind for good: a second rollback goes further back, not forth. Two people who roll back the same version
    at once make one entry.

    Raises
    ------
    ArtefactError
        If the version to go back to is not whole; name another one with ``--to``.
    UsageError
        If there is nothing to go back to, or `to` was never released here.
    """
    seen = current(store, name, environment)

    def decide(log: list[Entry]) -> tuple[str, str] | None:
        if not log or seen is None:
            raise UsageError(f"nothing was released in {environment} yet: there is nothing to go back to. See `nba-ml release show`.")
        if to is not None:
            if to not in {entry.version for entry in log}:
                raise UsageError(f"{to!r} was never released in {environment}: `nba-ml release approve {to}` releases it.")
            return None if log[-1].version == to else ("rollback", to)
        if log[-1].version != seen.version:
            return None
        stack = standing(log)
        if len(stack) < 2:
            raise UsageError(f"{stack[0]!r} is the only version released in {environment}: name one with --to, see `nba-ml release show`.")
        return "rollback", stack[-2]

    return _append(store, name, environment, actor, reason, decide)


def left_behind(log: list[Entry], version: str) -> bool:
    """Tell whether a version was released and then gone back from: only a person may release it again."""
    return version in {entry.version for entry in log} and version not in standing(log)


def as_dict(entry: Entry | None) -> dict[str, Any] | None:
    """Return an entry as a JSON-able dict."""
    return None if entry is None else asdict(entry)
