"""The life of a version, as the release log tells it: a pure state machine, from one entry to the next.

``candidate → shadow → 10 % → 50 % → 100 % → earlier → retired``, besides rejected and rolled_back. At most one version challenges
the one that serves; any number of shadows score along and are never published. Once a version serves, one always does.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from nba_ml.errors import GateRefused, NbaMlError, UsageError
from nba_ml.registry.entry import Entry
from nba_ml.registry.states import PINNED, SHARES, Rollout, State

_NEXT_SHARE = {State.SHADOW: 0.1, State.TENTH: 0.5, State.HALF: 1.0}
_OUT = (State.ROLLED_BACK, State.REJECTED, State.RETIRED)
_CHALLENGES = (State.TENTH, State.HALF)

ACTIONS: Mapping[str, tuple[State, ...]] = {
    "shadow": (State.CANDIDATE, *_OUT),
    "release": (State.CANDIDATE, State.SHADOW, State.EARLIER, *_CHALLENGES, *_OUT),
    "advance": tuple(_NEXT_SHARE),
    "rollback": (State.FULL, State.EARLIER, State.ROLLED_BACK),
    "retire": (State.SHADOW, State.EARLIER, State.ROLLED_BACK, State.REJECTED),
    "reject": (State.CANDIDATE,),
    "pin": (*_CHALLENGES, State.FULL),
    "unpin": (*_CHALLENGES, State.FULL),
    "promote": (State.CANDIDATE, *_OUT),
}
"""Action → states of the version that it may start from. The version of a rollback is the one to go back to."""

_HINTS = {
    State.CANDIDATE: "`nba-ml release approve` releases a candidate, `shadow` has it score along",
    State.SHADOW: "`nba-ml release advance` gives a shadow 10 %, `retire` ends it",
    State.TENTH: "`nba-ml release advance` gives it 50 %, `rollback` takes it out",
    State.HALF: "`nba-ml release advance` gives it 100 %, `rollback` takes it out",
    State.FULL: "`nba-ml release rollback` goes back to the version before it",
    State.EARLIER: "`nba-ml release rollback --to` goes back to it",
    State.ROLLED_BACK: "`nba-ml release approve` starts it again at 10 %",
    State.REJECTED: "`nba-ml release approve` releases it all the same",
    State.RETIRED: "`nba-ml release approve` starts it again at 10 %",
}


def state(log: Iterable[Entry]) -> Rollout:
    """Return what runs after all entries of a log, the first one first.

    Raises
    ------
    UsageError, GateRefused
        If an entry does what was not allowed then.
    """
    rollout = Rollout()
    for entry in log:
        rollout = follow(rollout, entry)
    return rollout


def allowed(rollout: Rollout, action: str, version: str, share: float | None = None) -> bool:
    """Tell whether an action may be taken now; see `check`."""
    try:
        check(rollout, action, version, share)
    except NbaMlError:
        return False
    return True


def check(rollout: Rollout, action: str, version: str, share: float | None = None) -> None:
    """Refuse an action that the state machine does not know from where it stands.

    Parameters
    ----------
    share : float, optional
        The version's share afterwards, where the action leaves a choice: of a release 0.1, 0.5 or 1.0, by default `share_after`.

    Raises
    ------
    UsageError
        If the version's state, another version or the share does not allow it; the message names them.
    GateRefused
        If it would advance or release something while the environment is pinned.
    """
    now = rollout.state_of(version)
    refused = f"{action} of {version!r} is refused"
    if action not in ACTIONS:
        raise UsageError(f"{action!r} is no action on a version: choose one of {', '.join(ACTIONS)}.")
    if rollout.pinned and action in ("release", "advance"):
        raise GateRefused(f"{refused}: what runs is pinned. `nba-ml release unpin --reason TEXT` ends that.")
    if action == "rollback" and version not in rollout.full:
        raise UsageError(f"{refused}: it was never at 100 % here. {_HINTS[now]}; see `nba-ml release show`.")
    if now not in ACTIONS[action]:
        raise UsageError(f"{refused}: it is {now}. {_HINTS[now]}; see `nba-ml release show`.")
    _CHECKS.get(action, _no_more)(rollout, version, share_after(rollout, action, version) if share is None else share, refused)


def share_after(rollout: Rollout, action: str, version: str) -> float:
    """Return the share that an action gives its version by default: a release everything where nothing serves yet, else 10 %."""
    if action == "release":
        return 1.0 if rollout.serving is None else 0.1
    if action == "advance":
        return _NEXT_SHARE.get(rollout.state_of(version), 0.0)
    if action in ("pin", "unpin"):
        return rollout.share_of(version)
    return 1.0 if action == "rollback" else 0.0


def loser(rollout: Rollout, action: str, version: str) -> str | None:
    """Return the version that loses rows to `version` by an action, None where none does."""
    if action == "rollback":
        return rollout.challenger if version == rollout.serving else rollout.serving
    return rollout.serving if action in ("release", "advance") else None


def follow(rollout: Rollout, entry: Entry) -> Rollout:
    """Return what runs after one more entry.

    Raises
    ------
    UsageError, GateRefused
        As `check` does.
    """
    check(rollout, entry.action, entry.version, entry.share)
    manifests = {**rollout.manifests, entry.version: entry.manifest_sha256}
    after = _moved(replace(rollout, number=entry.number, manifests=manifests), entry)
    same = (after.in_play, after.share) == (rollout.in_play, rollout.share)
    return after if same else replace(after, in_force=entry.number)


def _moved(before: Rollout, entry: Entry) -> Rollout:
    action, version, share = entry.action, entry.version, entry.share
    if action in ("pin", "unpin"):
        return replace(before, pinned=action == "pin")
    if action == "shadow":
        return _with(replace(before, shadows=(*before.shadows, version)), version, State.SHADOW)
    if action == "promote":
        return _with(before, version, State.CANDIDATE)
    after = replace(
        before,
        shadows=tuple(name for name in before.shadows if name != version),
        good=before.good if action == "rollback" else tuple(name for name in before.good if name != version),
    )
    if action in ("retire", "reject"):
        return _with(after, version, State.RETIRED if action == "retire" else State.REJECTED)
    if action == "rollback":
        return _back(after, entry)
    if share == 1.0:
        return _full(_alone(after), entry)
    challenge = replace(after, challenger=version, share=share, share_number=entry.number, share_since=entry.created_at)
    return _with(challenge, version, SHARES[share])


def state_after(rollout: Rollout, entry: Entry) -> str:
    """Return the state that an entry has to record: that of its version afterwards."""
    return PINNED if entry.action == "pin" else str(follow(rollout, entry).state_of(entry.version))


def _with(rollout: Rollout, version: str, now: State) -> Rollout:
    return replace(rollout, states={**rollout.states, version: now})


def _alone(rollout: Rollout) -> Rollout:
    """Return a rollout without its challenger, whatever becomes of that one."""
    return replace(rollout, challenger=None, share=0.0, share_number=None, share_since=None)


def _full(rollout: Rollout, entry: Entry) -> Rollout:
    before, version = rollout.serving, entry.version
    if before == version:
        return rollout
    good = (*(name for name in rollout.good if name != version), version)
    after = replace(rollout, serving=version, serving_number=entry.number, serving_since=entry.created_at, good=good)
    if before is not None:
        after = _with(after, before, State.EARLIER)
    return _with(replace(after, full=after.full | {version}), version, State.FULL)


def _back(rollout: Rollout, entry: Entry) -> Rollout:
    """Give everything to the entry's version; the challenger, and all that came after that version, are gone back from."""
    left = [rollout.challenger] if rollout.challenger else []
    good = rollout.good
    if entry.version in good:
        place = good.index(entry.version) + 1
        left += good[place:]
        good = good[:place]
    after = _full(_alone(replace(rollout, good=good)), entry)
    for name in left:
        after = _with(after, name, State.ROLLED_BACK)
    return after


def _no_more(rollout: Rollout, version: str, share: float, refused: str) -> None:
    """Ask nothing beyond the version's state."""


def _check_release(rollout: Rollout, version: str, share: float, refused: str) -> None:
    if share not in SHARES:
        raise UsageError(f"{refused}: {share:g} is no share; choose {', '.join(f'{known:g}' for known in SHARES)}.")
    if rollout.serving is None and share != 1.0:
        raise UsageError(f"{refused} at {SHARES[share]}: nothing serves the other rows yet. Release it at 1.0.")
    if rollout.challenger not in (None, version):
        at = SHARES[rollout.share]
        raise UsageError(f"{refused}: {rollout.challenger!r} is at {at}. `nba-ml release advance` or `rollback` it first.")
    if version == rollout.challenger and share <= rollout.share:
        raise UsageError(f"{refused} at {SHARES[share]}: it is at {SHARES[rollout.share]}. `nba-ml release advance` takes it further.")


def _check_advance(rollout: Rollout, version: str, share: float, refused: str) -> None:
    if rollout.serving is None:
        raise UsageError(f"{refused}: nothing serves yet. `nba-ml release approve {version} --reason TEXT` releases it.")
    if rollout.challenger not in (None, version):
        at = SHARES[rollout.share]
        raise UsageError(f"{refused}: {rollout.challenger!r} is at {at}. `nba-ml release advance` or `rollback` it first.")
    if share != _NEXT_SHARE[rollout.state_of(version)]:
        raise UsageError(f"{refused} to {share:g}: the next share is {_NEXT_SHARE[rollout.state_of(version)]:g}.")


def _check_rollback(rollout: Rollout, version: str, share: float, refused: str) -> None:
    if version == rollout.serving and rollout.challenger is None:
        raise UsageError(f"{refused}: it predicts every row already, nothing is to be gone back from. See `nba-ml release show`.")


def _check_pin(rollout: Rollout, version: str, share: float, refused: str) -> None:
    if rollout.pinned:
        raise UsageError(f"{refused}: what runs is pinned already. `nba-ml release unpin --reason TEXT` ends that.")


def _check_unpin(rollout: Rollout, version: str, share: float, refused: str) -> None:
    if not rollout.pinned:
        raise UsageError(f"{refused}: nothing is pinned. See `nba-ml release show`.")


_CHECKS: dict[str, Callable[[Rollout, str, float, str], None]] = {
    "release": _check_release,
    "advance": _check_advance,
    "rollback": _check_rollback,
    "pin": _check_pin,
    "unpin": _check_unpin,
}
