"""Progress on long work, on standard error: a live bar for people, a line now and then for logs."""

from collections.abc import Iterable, Iterator, Sized
from time import monotonic
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

T = TypeVar("T")

_console: Console | None = None


def show_on(console: Console | None) -> None:
    """Show progress on `console`, where standard error goes to a log file; None = standard error again."""
    global _console
    _console = console


_shown = False


def track(items: Iterable[T], label: str) -> Iterator[T]:
    """Yield `items` and show how far it is and how long it may take; what goes on within an item that is tracked shows nothing of its own."""
    global _shown
    if _shown:
        yield from items
        return
    _shown = True
    try:
        yield from _shown_items(items, label)
    finally:
        _shown = False


def _shown_items(items: Iterable[T], label: str) -> Iterator[T]:
    total = len(items) if isinstance(items, Sized) else None
    console = _console or Console(stderr=True)
    if not console.is_terminal:
        begun = monotonic()
        for number, item in enumerate(items, 1):
            yield item
            left = f" of {total}, {(monotonic() - begun) / number * (total - number):.0f} s left" if total else ""
            console.print(f"{label}: {number}{left}", highlight=False)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    own = _console is None
    with Progress(*columns, console=console, redirect_stdout=own, redirect_stderr=own) as bar:
        yield from bar.track(items, total=total, description=label)
