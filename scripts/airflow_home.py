"""Airflow's home inside the platform's home: its environment, its secrets, and the server that may run in it."""

import fcntl
import json
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from nba_ml.errors import UsageError

ROOT = Path(__file__).resolve().parents[1]
USER = "admin"
DEFAULT_PORT = 8080


@dataclass(frozen=True)
class Server:
    """A running `airflow standalone`.

    Attributes
    ----------
    pid : int
        Process id of its first process, which is also its session id.
    started : float
        When that process started, in seconds since the epoch: a recycled pid is told apart by it.
    port : int
        Port of the user interface on 127.0.0.1.
    """

    pid: int
    started: float
    port: int

    def process(self) -> psutil.Process | None:
        """Return its first process, or None where that is gone or the number now belongs to another."""
        try:
            process = psutil.Process(self.pid)
            return process if abs(process.create_time() - self.started) < 1 else None
        except psutil.NoSuchProcess:
            return None

    def is_alive(self) -> bool:
        """Tell whether its first process still runs."""
        process = self.process()
        return process is not None and process.status() != psutil.STATUS_ZOMBIE


class AirflowHome:
    """The folder ``airflow`` of a platform home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home / "airflow"
        self.server_file = self.folder / "server.json"
        self.password_file = self.folder / "passwords.json"
        self.server_log = self.folder / "logs" / "server.log"
        self.demo_log = self.folder / "logs" / "demo.log"

    def create(self) -> None:
        """Create the folders, readable by their owner alone."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.server_log.parent.mkdir(exist_ok=True)

    def environment(self) -> dict[str, str]:
        """Return the variables that every Airflow process of this home needs."""
        paths = [str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
        return {
            "AIRFLOW_HOME": str(self.folder),
            "AIRFLOW__API_AUTH__JWT_SECRET": self._secret("jwt_secret"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.password_file),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.folder / 'airflow.db'}",
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.folder / "logs"),
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            # The default of 5 seconds is too short for a busy machine: its tasks fail before they start.
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
            "GX_ANALYTICS_ENABLED": "false",
            "NBA_ML_HOME": str(self.home),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
            "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
        }

    def password(self) -> str:
        """Return the password of `USER`, made up when it is first asked for."""
        if not self.password_file.exists():
            self._write(self.password_file, json.dumps({USER: secrets.token_urlsafe(12)}) + "\n")
        return json.loads(self.password_file.read_text())[USER]

    def remembered(self) -> Server | None:
        """Return the server that was last started in this home, alive or not."""
        try:
            return Server(**json.loads(self.server_file.read_text()))
        except (FileNotFoundError, json.JSONDecodeError, TypeError):
            return None

    def server(self) -> Server | None:
        """Return the server that runs in this home, or None."""
        server = self.remembered()
        return server if server and server.is_alive() else None

    @contextmanager
    def alone(self, what: str) -> Iterator[None]:
        """Hold the home's lock: one demo or one start of the server at a time.

        Raises
        ------
        UsageError
            If another process holds it.
        """
        with (self.folder / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                holder = lock.read().strip()
                raise UsageError(f"{holder} is going on in {self.home}: wait for its end, or set NBA_ML_HOME to another folder") from None
            lock.truncate(0)
            lock.write(f"{what} (process {os.getpid()})")
            lock.flush()
            yield

    def remember(self, server: Server) -> None:
        """Note which server runs in this home."""
        self._write(self.server_file, json.dumps(asdict(server)) + "\n")

    def _secret(self, name: str) -> str:
        path = self.folder / name
        if not path.exists():
            self._write(path, secrets.token_hex(64))
        return path.read_text()

    @staticmethod
    def _write(path: Path, text: str) -> None:
        """Write a file whole or not at all, readable by its owner alone."""
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        aside.touch(mode=0o600)
        aside.write_text(text)
        aside.replace(path)
