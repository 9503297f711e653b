"""Progress on long work, on standard error: a live bar for people, a line now and then for logs."""

import sys
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

T = TypeVar("T")


def track(items: Iterable[T], label: str) -> Iterator[T]:
    """Yield `items` and show how far it is and how long it may take."""
    total = len(items) if isinstance(items, Sized) else None
    console = Console(stderr=True)
    if not sys.stderr.isatty():
        for number, item in enumerate(items, 1):
            yield item
            console.print(f"{label}: {number}{f' of {total}' if total else ''}", highlight=False)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        yield from bar.track(items, total=total, description=label)
