"""A DuckDB file that several processes share: one connection per operation, and a bounded wait for whoever holds the file.

Airflow runs tasks as separate processes, and DuckDB lets one process at a time write a file.
"""

import fcntl
import os
import random
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import duckdb

from nba_ml.errors import BadInput, NbaMlError, PermissionMissing, Unavailable, UsageError

_CONFIG = {
    "memory_limit": "1GB",
    "threads": 2,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "enable_external_access": False,
}
_FIRST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 0.15
_LOCK_WORDS = ("could not set lock", "being used by another process")

_turns: dict[Path, threading.Lock] = {}
_turns_guard = threading.Lock()


def _forget_turns() -> None:
    """Start afresh in a forked child: the threads that held a turn do not exist there."""
    global _turns_guard
    _turns.clear()
    _turns_guard = threading.Lock()


os.register_at_fork(after_in_child=_forget_turns)


class DuckDBFile:
    """One DuckDB file.

    Parameters
    ----------
    path : Path
        The file; `open` with ``create=True`` makes it and its folder.
    wait_seconds : float
        How long an operation waits for other threads and processes.
    """

    def __init__(self, path: Path, wait_seconds: float) -> None:
        self.path = Path(path).expanduser().resolve()
        self.wait_seconds = wait_seconds

    @contextmanager
    def open(self, *, write: bool, create: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a connection; a writing one is inside a transaction that commits at the end and rolls back on any error.

        Raises
        ------
        UsageError
            If there is no file yet and `create` is not set.
        Unavailable
            If the file is still held after `wait_seconds`; the message names the holder.
        PermissionMissing
            If this user may not read or write beside the file.
        BadInput
            If it is no DuckDB file.
        NbaMlError
            If the file cannot be opened, read or written for another reason.
        """
        deadline = time.monotonic() + self.wait_seconds
        if create:
            self._make_folder()
        with _turns_guard:
            turn = _turns.setdefault(self.path, threading.Lock())
        if not turn.acquire(timeout=self.wait_seconds):
            raise Unavailable(
                f"{self.path} was held by another thread of this process (PID {os.getpid()}) for {self.wait_seconds:g} s; "
                "retry, or raise NBA_ML_LOCK_WAIT_SECONDS"
            )
        try:
            with self._alone(write, create, deadline):
                connection = self._connect(write, deadline)
                try:
                    connection.execute("SET TimeZone = 'UTC'")
                    connection.execute("SET enable_progress_bar = false")  # it goes to standard output, which carries results only
                    connection.execute("SET lock_configuration = true")
                    if not write:
                        yield connection
                        return
                    connection.execute("BEGIN TRANSACTION")
                    yield connection
                    connection.execute("COMMIT")
                finally:
                    # Closing without a commit rolls back.
                    connection.close()
        except duckdb.IOException as error:
            if "not a valid duckdb database" not in str(error).lower():
                raise self._failed(error) from error
            raise BadInput(
                f"{self.path} is no DuckDB file, or a damaged one: {_first_line(error)}. "
                "Put a copy of it back, or move it away and run `nba-ml init` and `nba-ml ingest` again"
            ) from error
        except (duckdb.OutOfMemoryException, duckdb.FatalException, duckdb.TransactionException) as error:
            raise self._failed(error) from error
        finally:
            turn.release()

    def _failed(self, error: duckdb.Error) -> NbaMlError:
        return NbaMlError(
            f"{self.path}: {_first_line(error)}; nothing was changed by this operation. "
            "Free disk space and memory, check the file's permissions, then run the same command again"
        )

    def _make_folder(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"the folder {self.path.parent} can't be made ({error}): set NBA_ML_HOME to a folder you may write") from error

    @contextmanager
    def _alone(self, write: bool, create: bool, deadline: float) -> Iterator[None]:
        """Hold a lock file beside the warehouse: alone to write, with other readers to read.

        DuckDB locks its file too, but reads the header first: a process that opens it while another one closes it may work on a file that has
        changed under it.
        """
        with self._lock_file(write, create) as lock:
            for _ in _tries(deadline):
                try:
                    fcntl.flock(lock, (fcntl.LOCK_EX if write else fcntl.LOCK_SH) | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        lock.seek(0)
                        raise self._busy(f"PID {lock.read().strip() or 'unknown'}") from None
            if write:
                lock.truncate(0)
                lock.write(str(os.getpid()))
                lock.flush()
            yield

    def _lock_file(self, write: bool, create: bool) -> TextIO:
        """Open the lock file; whoever only reads needs no more than to read it."""
        path = self.path.with_suffix(".lock")
        try:
            if not create and not self.path.exists():
                raise UsageError(f"there is no warehouse at {self.path} yet: run `nba-ml init`")
            return path.open("r" if not write and path.exists() else "a+")
        except PermissionError as error:
            may = "write" if write else "read"
            raise PermissionMissing(
                f"{path}: this user may not {may} it. Run the command as the user who owns {self.path.parent}, or let this one {may} there"
            ) from error

    def _busy(self, holder: str) -> Unavailable:
        return Unavailable(
            f"{self.path} is held by {_holder(holder)}; waited {self.wait_seconds:g} s. "
            "Retry once that process is done, end it if it hangs, or raise NBA_ML_LOCK_WAIT_SECONDS"
        )

    def _connect(self, write: bool, deadline: float) -> duckdb.DuckDBPyConnection:
        for _ in _tries(deadline):
            try:
                return duckdb.connect(str(self.path), read_only=not write, config=_CONFIG)
            except duckdb.IOException as error:
                if not any(word in str(error).lower() for word in _LOCK_WORDS):
                    raise
                if time.monotonic() >= deadline:
                    raise self._busy(str(error)) from error
        raise AssertionError("tries do not end by themselves")


def _tries(deadline: float) -> Iterator[None]:
    """Yield without end, with growing pauses between that do not reach beyond the deadline; who tries decides when to give up."""
    pause = _FIRST_PAUSE_SECONDS
    while True:
        yield
        # Jitter keeps waiting processes from knocking in step.
        time.sleep(min(pause * random.uniform(0.5, 1.5), max(deadline - time.monotonic(), 0)))  # noqa: S311
        pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def _holder(message: str) -> str:
    """Name the process in DuckDB's lock error, with its command line where that can be read."""
    found = re.search(r"PID (\d+)", message)
    if not found:
        return f"another process ({message.strip()})"
    pid = found.group(1)
    command = _command_line(pid)
    return f"process {pid} ({command})" if command else f"process {pid}"


def _command_line(pid: str) -> str:
    try:
        text = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        try:
            answer = subprocess.run(["ps", "-o", "command=", "-p", pid], capture_output=True, text=True, timeout=5, check=False)  # noqa: S603, S607
        except (OSError, subprocess.SubprocessError):
            return ""
        text = answer.stdout
    return " ".join(text.split())[:200]
