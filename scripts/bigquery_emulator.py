"""Runs local-bigquery without a download: its DuckDB extensions come from installed packages (run by .emulators/bigquery).

Ports may be 0. Once the service answers, the ports that it got are written to the file READY as JSON: {"rest": …, "grpc": …}.
"""

import argparse
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import uvicorn
from duckdb_extensions import import_extension

EXTENSIONS = ("ducklake", "icu", "spatial")
BOOK_SECONDS = 60
"""How long a record of the emulator's may wait for other transactions."""


def connect_offline() -> None:
    """Make DuckDB take a time zone after it has connected: as an option of the connection it would download `icu` for it."""
    connect = duckdb.connect

    def later(*arguments: Any, config: dict[str, Any] | None = None, **more: Any) -> duckdb.DuckDBPyConnection:
        options = dict(config or {})
        zone = options.pop("TimeZone", None)
        connection = connect(*arguments, config=options, **more)
        if zone:
            connection.execute(f"SET TimeZone = '{zone}'")
        return connection

    duckdb.connect = later


def keep_books_in_turn() -> None:
    """Make the emulator's own records, as of jobs and tables, bear requests that come at once.

    It would answer with an error of DuckDB's that BigQuery has no word for. A record is written again until no other transaction is in its way,
    and the second of two jobs of one id hears "Already Exists".
    """
    from local_bigquery.engine import database

    def execute(statement: str, parameters: list[Any] | None = None, once: Callable[..., None] = database.execute) -> None:
        deadline = time.monotonic() + BOOK_SECONDS
        while True:
            try:
                return once(statement, parameters)
            except (duckdb.TransactionException, duckdb.ConstraintException):
                if "emulator." not in statement or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    database.execute = execute  # before the modules are imported that take it by name
    from local_bigquery.jobs import runner

    turn = threading.Lock()

    def submit(*arguments: Any, once: Callable[..., Any] = runner.submit, **named: Any) -> Any:
        with turn:
            return once(*arguments, **named)

    runner.submit = submit


def serve(host: str, port: int, grpc_port: int, ready: Path | None) -> None:
    """Serve REST and gRPC until a signal ends the process."""
    from local_bigquery import app
    from local_bigquery.engine import database
    from local_bigquery.grpc import server

    database.connection()
    storage, grpc_port = server.start(host, grpc_port)
    rest = uvicorn.Server(uvicorn.Config(app, host=host, port=port, log_level="warning"))

    def announce() -> None:
        while not rest.started:
            time.sleep(0.02)
        ports = {"rest": rest.servers[0].sockets[0].getsockname()[1], "grpc": grpc_port}
        aside = ready.with_suffix(".part")
        aside.write_text(json.dumps(ports))
        aside.replace(ready)

    if ready:
        threading.Thread(target=announce, daemon=True).start()
    rest.run()
    storage.stop(None)


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9050)
    parser.add_argument("--grpc-port", type=int, default=9060)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--ready", type=Path)
    chosen = parser.parse_args()
    for extension in EXTENSIONS:
        import_extension(extension)
    connect_offline()
    keep_books_in_turn()
    from local_bigquery.settings import settings

    settings.data_dir = chosen.data_dir
    serve(chosen.host, chosen.port, chosen.grpc_port, chosen.ready)


if __name__ == "__main__":
    main()
