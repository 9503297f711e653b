"""Stop the Airflow that `make up` started in this home, with every process that it started (`make down`)."""

import contextlib
import os
import sys

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


def stop(server: Server) -> int:
    """End the whole family, kindly first; return how many processes it had.

    Raises
    ------
    Unavailable
        If a process survives.
    """
    processes = family(server)
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    psutil.wait_procs(processes, timeout=GRACE_SECONDS)
    stubborn = [process for process in {*processes, *family(server)} if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
    for process in stubborn:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    _, alive = psutil.wait_procs(stubborn, timeout=GRACE_SECONDS)
    if alive:
        raise Unavailable(f"processes {', '.join(str(process.pid) for process in alive)} do not end: run make down again")
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
