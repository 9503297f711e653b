"""The emulators of BigQuery and GCS: built by scripts/emulators.sh, started once for all who share a folder, stopped with the last of them.

Each process that uses an emulator holds a shared lock on the folder's file ``users``. A keeper, a process of its own, starts the emulator
and waits for the exclusive lock, which it gets when no user lives any more, however they ended; then it stops the emulator.
As a command it starts both, prints the variables that lead to them, and stops them at Ctrl-C.
"""

import argparse
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from airflow_home import ROOT

from nba_ml.errors import NbaMlError, UsageError
from nba_ml.settings import load_settings

BUILT = ROOT / ".emulators"
PROJECT = "emulated"
SECONDS_TO_START = 90
SECONDS_TO_STOP = 10
LOG_LINES_SHOWN = 10


def build(name: str) -> None:
    """Build an emulator where it is not built yet.

    Raises
    ------
    UsageError
        Naming what has to be installed first.
    """
    BUILT.mkdir(exist_ok=True)
    with (BUILT / f"{name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run([ROOT / "scripts" / "emulators.sh", name], stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise UsageError(done.stderr.strip() or f"scripts/emulators.sh {name} ended with {done.returncode}")


@contextmanager
def share(name: str, folder: Path) -> Iterator[dict[str, str]]:
    """Use the emulator of a folder, which keeps its data there; it runs for as long as anyone uses it.

    Yields
    ------
    dict of str to str
        The environment variables that lead clients to it.
    """
    build(name)
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "users").open("a") as users:
        with (folder / "starting").open("a") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            fcntl.flock(users, fcntl.LOCK_SH)
            if not (_is_kept(folder) and (folder / "variables.json").exists()):
                _start_keeper(name, folder)
            variables = json.loads((folder / "variables.json").read_text())
        yield variables


def _is_kept(folder: Path) -> bool:
    """Tell whether a keeper lives: it holds the lock of its file."""
    with (folder / "keeper").open("a") as keeper:
        try:
            fcntl.flock(keeper, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _start_keeper(name: str, folder: Path) -> None:
    (folder / "variables.json").unlink(missing_ok=True)
    log = folder / "log"
    with log.open("ab") as output:
        command = [sys.executable, __file__, "--keep", name, "--folder", str(folder)]
        keeper = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)  # noqa: S603
    while not (folder / "variables.json").exists():
        if keeper.poll() is not None:
            end = "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:])
            raise NbaMlError(f"the emulator of {name} did not start. The end of {log}:\n{end}")
        time.sleep(0.05)


def keep(name: str, folder: Path) -> None:
    """Run an emulator until nobody holds the lock of its users."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with (folder / "users").open("a") as users, (folder / "keeper").open("a") as keeper:
        fcntl.flock(keeper, fcntl.LOCK_EX)
        with RUN[name](folder) as variables:
            aside = folder / "variables.part"
            aside.write_text(json.dumps(variables))
            aside.replace(folder / "variables.json")
            fcntl.flock(users, fcntl.LOCK_EX)


@contextmanager
def _bigquery(folder: Path) -> Iterator[dict[str, str]]:
    ready = folder / "ports.json"
    ready.unlink(missing_ok=True)
    program = [str(BUILT / "bigquery" / "bin" / "python"), str(ROOT / "scripts" / "bigquery_emulator.py")]
    # DuckDB keeps its extensions in the home: here, that of the environment.
    home = BUILT / "bigquery" / "home"
    home.mkdir(exist_ok=True)
    arguments = ["--port", "0", "--grpc-port", "0", "--data-dir", str(folder / "data"), "--ready", str(ready)]
    with _process([*program, *arguments], {"HOME": str(home)}) as process:
        _wait(process, ready.exists)
        ports = json.loads(ready.read_text())
        yield {
            "BIGQUERY_EMULATOR_HOST": f"http://127.0.0.1:{ports['rest']}",
            "BIGQUERY_STORAGE_EMULATOR_HOST": f"127.0.0.1:{ports['grpc']}",
        }


@contextmanager
def _gcs(folder: Path) -> Iterator[dict[str, str]]:
    address = f"127.0.0.1:{_port(folder / 'port')}"
    program = [str(BUILT / "gcs" / "fake-gcs-server"), "-scheme", "http", "-host", "127.0.0.1", "-port", address.partition(":")[2]]
    data = ["-backend", "filesystem", "-filesystem-root", str(folder / "data"), "-log-level", "warn"]
    # Resumable uploads are sent on to the address that the server names.
    with _process([*program, *data, "-public-host", address, "-external-url", f"http://{address}"]) as process:
        _wait(process, lambda: _answers(f"http://{address}/storage/v1/b?project={PROJECT}"))
        yield {"STORAGE_EMULATOR_HOST": f"http://{address}"}


def _port(remembered: Path) -> int:
    """Return the port of last time where it is free, so that addresses in stored rows lead somewhere again; else another."""
    for wanted in (int(remembered.read_text()) if remembered.exists() else 0, 0):
        with socket.socket() as free, suppress(OSError):
            free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            free.bind(("127.0.0.1", wanted))
            remembered.write_text(str(free.getsockname()[1]))
            break
    return int(remembered.read_text())


@contextmanager
def _process(command: list[str], variables: dict[str, str] | None = None) -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=os.environ | (variables or {}))  # noqa: S603
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait(process: subprocess.Popen, ready: Callable[[], bool]) -> None:
    until = time.monotonic() + SECONDS_TO_START
    while not ready():
        if process.poll() is not None:
            raise NbaMlError(f"{process.args[0]} ended with {process.returncode}")
        if time.monotonic() > until:
            raise NbaMlError(f"{process.args[0]} did not answer within {SECONDS_TO_START} s")
        time.sleep(0.05)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1):  # noqa: S310
            return True
    except OSError:
        return False


RUN = {"bigquery": _bigquery, "gcs": _gcs}


def main() -> None:
    """Read the command line; start both and wait for Ctrl-C, or keep one."""
    parser = argparse.ArgumentParser(description="Start the emulators of BigQuery and GCS; Ctrl-C stops them.")
    parser.add_argument("--folder", type=Path, help="where they keep their data; without it, emulators of the home")
    parser.add_argument("--keep", choices=RUN, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.keep:
        keep(chosen.keep, chosen.folder)
        return
    folder = chosen.folder or load_settings().home_folder / "emulators"
    with share("bigquery", folder / "bigquery") as bigquery, share("gcs", folder / "gcs") as gcs, suppress(KeyboardInterrupt):
        for name, value in (bigquery | gcs).items():
            sys.stdout.write(f"export {name}={value}\n")
        sys.stdout.flush()
        signal.pause()


if __name__ == "__main__":
    try:
        main()
    except NbaMlError as error:
        sys.exit(f"{type(error).__name__}: {error}")
