"""What a person sees while the demo works: one line a stage, and a sign of life in long ones."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner

from nba_ml import progress

SECONDS_BETWEEN_SIGNS_OF_LIFE = 15


def divert_output(log: Path) -> tuple[TextIO, Console]:
    """Send all that this process writes to `log`, and return what leads to the standard output and error of before."""
    sys.stdout.flush()
    sys.stderr.flush()
    results = os.fdopen(os.dup(1), "w", buffering=1)
    screen = Console(file=os.fdopen(os.dup(2), "w", buffering=1), highlight=False)
    progress.show_on(screen)
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    return results, screen


class Stages:
    """Names of stages with the time that each took."""

    def __init__(self, screen: Console) -> None:
        self._screen = screen
        self._name = ""
        self._begun = 0.0

    def begin(self, name: str) -> None:
        """Say that a stage begins."""
        self._name, self._begun = name, time.monotonic()
        if not self._screen.is_terminal:
            self._screen.print(f"  {name} …")

    def end(self, outcome: str = "") -> None:
        """Say that the stage is over, if one is going on."""
        if self._name:
            self._screen.print(f"  {self._name:<15} {self._elapsed():6.1f} s {outcome}")
        self._name = ""

    @contextmanager
    def alive(self) -> Iterator[None]:
        """Show that the stages within go on: a spinner for people, a line now and then for logs."""
        over = threading.Event()
        show = self._spin if self._screen.is_terminal else self._tick
        thread = threading.Thread(target=show, args=(over,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _elapsed(self) -> float:
        return time.monotonic() - self._begun

    def _spin(self, over: threading.Event) -> None:
        spinner = Spinner("dots")
        with Live(spinner, console=self._screen, transient=True, redirect_stdout=False, redirect_stderr=False):
            while not over.wait(0.2):
                spinner.update(text=f"{self._name} {self._elapsed():.0f} s" if self._name else "")

    def _tick(self, over: threading.Event) -> None:
        while not over.wait(SECONDS_BETWEEN_SIGNS_OF_LIFE):
            if self._name and self._elapsed() >= SECONDS_BETWEEN_SIGNS_OF_LIFE:
                self._screen.print(f"  {self._name} … {self._elapsed():.0f} s")
