"""What a replay has done, one line of JSON a step: a replay that was killed goes on after the last whole line."""

import json
import os
from datetime import date, datetime
from pathlib import Path
from typing import Any

from nba_ml.errors import BadInput

FILE = "replay.jsonl"

Entry = dict[str, Any]
"""Of each step: "at" (the simulated moment, ISO), "day", "step", "seconds" and "cpu_seconds" (real ones), "result" (dict or None), "error"
(what stopped it, or None) and "alerts" (those that it wrote, counted or resolved)."""


class Journal:
    """The journal of a home.

    Parameters
    ----------
    home : Path
        Folder of the embedded default; the journal is `FILE` in it.

    Raises
    ------
    BadInput
        If a line other than the last one is no entry.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / FILE
        self.entries: list[Entry] = []
        lines = self.path.read_bytes().split(b"\n") if self.path.exists() else [b""]
        # What follows the last line end is a line that was being written when its process was killed.
        for number, line in enumerate(lines[:-1], 1):
            try:
                self.entries.append(json.loads(line))
            except ValueError as error:
                raise BadInput(f"{self.path} line {number}: {error}. Start the replay again in an empty folder: NBA_ML_HOME") from error
        self._whole = sum(len(line) + 1 for line in lines[:-1])

    @property
    def last(self) -> datetime | None:
        """The simulated moment of the last step; None before the first one."""
        return datetime.fromisoformat(self.entries[-1]["at"]) if self.entries else None

    def find(self, day: date, step: str) -> Entry | None:
        """Return what a step of a day did; None where it was not done."""
        return next((entry for entry in self.entries if (entry["day"], entry["step"]) == (day.isoformat(), step)), None)

    def write(self, entry: Entry) -> None:
        """Append an entry; it is on the disk when this returns."""
        line = json.dumps(entry, default=str).encode() + b"\n"
        with self.path.open("ab") as file:
            file.truncate(self._whole)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        self._whole += len(line)
        self.entries.append(json.loads(line))
