"""Names of objects: one rule for every store, so that what one takes another takes too."""

from nba_ml.errors import UsageError

ASIDE = ".partial"
"""First segment that no object has: a folder keeps half-written objects there."""


def checked(name: str) -> str:
    """Return an object's name.

    Raises
    ------
    UsageError
        If it is absolute, empty, has an empty segment, ``.`` or ``..``, a backslash or a control character.
    """
    segments = name.split("/")
    if any(segment in ("", ".", "..") for segment in segments) or segments[0] == ASIDE or "\\" in name or not name.isprintable():
        raise UsageError(f"{name!r} is no name of an object: use segments such as models/points/v1/manifest.json")
    return name


def checked_prefix(prefix: str) -> str:
    """Return a prefix of names; `UsageError` if the folder that it leads to can't be one."""
    folder = prefix.rpartition("/")[0]
    if folder:
        checked(folder)
    return prefix
