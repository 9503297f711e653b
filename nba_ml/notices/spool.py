"""A folder in the home for what the warehouse could not take: the next delivery takes it in.

One JSON file for each thing to write; taking one in twice is taking it in once, so nothing is lost by a process that dies in between.
"""

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nba_ml import atomic
from nba_ml.context import Context
from nba_ml.ids import digest

log = logging.getLogger(__name__)

_FOLDER = "notices"


def files(context: Context) -> list[Path]:
    """Return what waits, the oldest first."""
    return sorted((context.settings.home_folder / _FOLDER).glob("*.json"), key=lambda path: (path.stat().st_mtime_ns, path.name))


def path_of(context: Context, kind: str, *key: object) -> Path:
    """Return the file of one thing to write: the same thing again has the same file."""
    return context.settings.home_folder / _FOLDER / f"{kind}-{digest([context.settings.environment, *key])}.json"


def keep(path: Path, document: Mapping[str, Any]) -> None:
    """Write a file whole, or not at all."""
    with atomic.whole(path) as aside:
        aside.write_text(json.dumps(document, default=str), "utf-8")


def take_in(context: Context, write: Mapping[str, Callable[[Context, Any], None]]) -> int:
    """Write what waits, by the writer of its kind; return how many files were taken in.

    A file that can't be read is set aside, with its name in the log; one that the warehouse still does not take stays.
    """
    taken = 0
    for path in files(context):
        try:
            document = json.loads(path.read_text("utf-8"))
            writer = write[path.name.partition("-")[0]]
        except FileNotFoundError:
            continue  # another delivery took it in
        except (KeyError, ValueError) as error:
            log.error("%s can't be read (%s): it is set aside as %s", path, error, path.with_suffix(".unreadable").name)
            path.replace(path.with_suffix(".unreadable"))
            continue
        writer(context, document)
        path.unlink(missing_ok=True)
        taken += 1
    return taken
