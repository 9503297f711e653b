"""A folder in the home for what the warehouse could not take: the next delivery takes it in.

One JSON file for each thing to write; taking one in twice is taking it in once, so nothing is lost by a process that dies in between.
"""

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from polars.exceptions import PolarsError

from nba_ml import atomic
from nba_ml.context import Context
from nba_ml.ids import digest

log = logging.getLogger(__name__)

_FOLDER = "notices"
_UNREADABLE = ".unreadable"

NO_GOOD = (LookupError, TypeError, ValueError, AttributeError, PolarsError)
"""What a file raises that is not what its kind is made of, while it is read or written to the warehouse."""


def files(context: Context, kind: str = "") -> list[Path]:
    """Return what waits, of a kind or of all, the oldest first."""
    return sorted(folder(context).glob(f"{kind}*.json"), key=_age)


def unreadable(context: Context) -> list[Path]:
    """Return the files that were set aside, since nothing could be made of them."""
    return sorted(folder(context).glob(f"*{_UNREADABLE}"))


def folder(context: Context) -> Path:
    """Return where the files are."""
    return context.settings.home_folder / _FOLDER


def read(path: Path) -> Any:
    """Return what a file holds."""
    return json.loads(path.read_text("utf-8"))


def path_of(context: Context, kind: str, *key: object) -> Path:
    """Return the file of one thing to write: the same thing again has the same file."""
    return folder(context) / f"{kind}-{digest([context.settings.environment, *key])}.json"


def keep(path: Path, document: Mapping[str, Any]) -> None:
    """Write a file whole, or not at all."""
    with atomic.whole(path) as aside:
        aside.write_text(json.dumps(document, default=str), "utf-8")


def take_in(context: Context, write: Mapping[str, Callable[[Context, Any], None]]) -> int:
    """Write what waits, by the writer of its kind; return how many files were taken in.

    A file of which nothing can be made is set aside, with its name in the log; one that the warehouse does not take now stays.
    """
    taken = 0
    for path in files(context):
        try:
            document = read(path)
        except FileNotFoundError:
            continue  # another delivery took it in
        except (OSError, *NO_GOOD) as error:
            _set_aside(path, error)
            continue
        try:
            write[path.name.partition("-")[0]](context, document)
        except NO_GOOD as error:
            _set_aside(path, error)
            continue
        path.unlink(missing_ok=True)
        taken += 1
    return taken


def _set_aside(path: Path, error: Exception) -> None:
    aside = path.with_suffix(_UNREADABLE)
    log.error("%s can't be taken in (%s: %s): it is set aside as %s", path, type(error).__name__, error, aside.name)
    try:
        path.replace(aside)
    except OSError as refused:
        log.error("%s can't be set aside: %s", path, refused)


def _age(path: Path) -> tuple[int, str]:
    try:
        return path.stat().st_mtime_ns, path.name
    except FileNotFoundError:
        return 0, path.name  # another delivery took it in
