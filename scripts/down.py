"""Stop the Airflow that `make up` started in this home, with every process that it started (`make down`)."""

import contextlib
import os
import sys
import time
from collections.abc import Callable

import psutil
from airflow_home import AirflowHome, Server
from rich.console import Console

from nba_ml.errors import NbaMlError, Unavailable
from nba_ml.settings import load_settings

GRACE_SECONDS = 20

console = Console(stderr=True, highlight=False)


def family(server: Server) -> list[psutil.Process]:
    """Return the server, its descendants and whatever else is left in its session; nothing where its process id now belongs to another."""
    if psutil.pid_exists(server.pid) and server.process() is None:
        return []
    found: dict[int, psutil.Process] = {}
    with contextlib.suppress(psutil.NoSuchProcess):
        if first := server.process():
            found = {process.pid: process for process in [first, *first.children(recursive=True)]}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if os.getsid(process.pid) == server.pid:
                found.setdefault(process.pid, process)
    return list(found.values())


def is_alive(process: psutil.Process) -> bool:
    """Tell whether a process still runs; one that is over and only waits to be noticed by its parent does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def signal_and_wait(processes: list[psutil.Process], send: Callable[[psutil.Process], None]) -> list[psutil.Process]:
    """Signal processes and wait for their end; return those that go on."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            send(process)
    deadline = time.monotonic() + GRACE_SECONDS
    while (left := [process for process in processes if is_alive(process)]) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def stop(server: Server) -> int:
    """End the whole family, kindly first; return how many processes it had.

    Raises
    ------
    Unavailable
        If a process survives.
    """
    processes = [process for process in family(server) if is_alive(process)]
    left = {*signal_and_wait(processes, psutil.Process.terminate), *filter(is_alive, family(server))}
    if stubborn := signal_and_wait(list(left), psutil.Process.kill):
        raise Unavailable(f"processes {', '.join(str(process.pid) for process in stubborn)} do not end: run make down again")
    return len(processes)


def main() -> int:
    """Stop what runs in this home."""
    airflow = AirflowHome(load_settings().home_folder)
    server = airflow.remembered()
    with console.status("stopping Airflow"):
        ended = stop(server) if server else 0
    if ended:
        console.print(f"Airflow is down ({ended} processes ended).")
    else:
        console.print(f"No Airflow runs in {airflow.folder}.", markup=False, soft_wrap=True)
    airflow.server_file.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NbaMlError as error:
        console.print(f"{type(error).__name__}: {error}", style="bold red", markup=False, soft_wrap=True)
        sys.exit(error.exit_code)
