"""Whether this machine is fit to run the platform: settings, versions, and each connection tried."""

import platform
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from nba_ml import alerts, by_hand, calendar, slate_calendar
from nba_ml.context import Context
from nba_ml.doctor_google import trials
from nba_ml.errors import NbaMlError, PermissionMissing, Unavailable, UsageError
from nba_ml.notices.health import SET_UP, health
from nba_ml.redaction import MASK, without_login
from nba_ml.settings import Settings, load_settings

LIBRARIES = (
    "apache-airflow",
    "apache-airflow-providers-google",
    "duckdb",
    "google-cloud-bigquery",
    "google-cloud-storage",
    "great-expectations",
    "numpy",
    "pandas",
    "polars",
    "pyarrow",
    "scikit-learn",
    "xgboost-cpu" if sys.platform != "darwin" else "xgboost",
)

LEAST_FREE_BYTES = 2 * 1024**3
"""Five seasons of real games take about 0.5 GB; the rest is room for Airflow's logs and for DuckDB to spill."""

_SECRET_NAME = re.compile(r"token|secret|password|webhook|api_key|credential", re.IGNORECASE)


@dataclass(frozen=True)
class Check:
    """One finding; `next` is the next step where it is not ok, or where it could be better."""

    check: str
    ok: bool
    detail: str
    next: str | None = None


@dataclass(frozen=True)
class Advice:
    """What a check found that is no fault, but could be better."""

    detail: str
    next: str


def diagnose(settings: Callable[[], Settings] = load_settings) -> dict[str, Any]:
    """Try all that the settings name; a check that fails is reported, never raised.

    Returns
    -------
    dict
        ``ok``, ``exit_status`` (0; 2 where settings or set-up are wrong; else 1), ``settings`` with secrets masked, ``versions`` and
        ``checks``, a list of {check, ok, detail, next}.
    """
    checks: list[Check] = []
    statuses: list[int] = []
    shown: dict[str, Any] = {}

    def run(name: str, look: Callable[[], str | Advice], next_step: str, grant: str | None = None) -> Exception | None:
        try:
            seen = look()
            checks.append(Check(name, True, seen.detail, seen.next) if isinstance(seen, Advice) else Check(name, True, seen))
        except NbaMlError as error:
            step = grant if grant and isinstance(error, PermissionMissing) else next_step
            checks.append(Check(name, False, str(error), "run `nba-ml doctor` again in a minute" if error.retryable else step))
            statuses.append(error.exit_code)
            return error
        except Exception as error:
            checks.append(Check(name, False, f"{type(error).__name__}: {error}", next_step))
            statuses.append(1)
            return error
        return None

    loaded: list[Settings] = []

    def read_settings() -> str:
        loaded.append(settings())
        return f"environment {loaded[0].environment}, home {loaded[0].home_folder}"

    run("libraries", _libraries, "make env")
    run("settings", read_settings, "correct the variable named above in the environment or in .env, then run `nba-ml doctor` again")
    if loaded:
        context = Context(loaded[0])
        shown = masked(loaded[0])
        run("disk", lambda: _disk(loaded[0].home_folder), "free disk space, or set NBA_ML_HOME to a larger disk")
        run("calendar", lambda: _calendar(loaded[0].home_folder), by_hand.ingest())
        shut = _google(context, run)
        if "bigquery" not in shut and run("warehouse", lambda: _warehouse(context), "nba-ml init") is None:
            run("alerts", lambda: _alerts(context), "nba-ml alerts send")
        if "gcs" not in shut:
            run("store", lambda: _store(context), "set NBA_ML_STORE to a folder or bucket that you may write")
        run("source", lambda: _source(context), "set NBA_ML_SOURCE, and what that source needs (see README.md)")
    status = 2 if UsageError.exit_code in statuses else min(statuses, default=0)
    return {
        "ok": not statuses,
        "exit_status": status if status in (0, UsageError.exit_code) else 1,
        "settings": shown,
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in LIBRARIES},
        "checks": [asdict(check) for check in checks],
    }


def masked(settings: Settings) -> dict[str, str | None]:
    """Return the settings by variable name, as text, defaults filled in; secrets, and logins inside addresses, are masked."""
    effective = {name: getattr(settings, name) for name in type(settings).model_fields}
    effective |= {"store": settings.store_url, "approval": settings.release_approval}
    return {f"NBA_ML_{name.upper()}": _shown(name, value) for name, value in effective.items()}


def _shown(name: str, value: object) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, SecretStr) or _SECRET_NAME.search(name):
        return MASK
    return without_login(str(value))


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _libraries() -> str:
    absent = [name for name in LIBRARIES if _version(name) is None]
    if absent:
        raise UsageError(f"not installed: {', '.join(absent)}")
    return f"all {len(LIBRARIES)} key libraries are installed, Python {platform.python_version()}"


def _disk(home: Path) -> str:
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    text = f"{free / 1024**3:.1f} GB free at {there}"
    if free < LEAST_FREE_BYTES:
        raise NbaMlError(f"{text}, less than {LEAST_FREE_BYTES / 1024**3:.0f} GB")
    return text


def _calendar(home: Path) -> str:
    found = slate_calendar.load(home).tipoffs
    if not found:
        return f"no {slate_calendar.FILE} in {home} yet: until the first ingest a rule says which dates are slates"
    return f"{len(found)} slates, {min(found)} to {max(found)}, in {home / slate_calendar.FILE}"


def _warehouse(context: Context) -> str:
    counts = context.warehouse.count()
    return f"{context.settings.warehouse}: {len(counts)} tables, {sum(counts.values()):,} rows"


def _alerts(context: Context) -> str | Advice:
    found, number = health(context), alerts.open_alerts(context).height
    if found["down"]:
        raise NbaMlError(f"{' '.join(found['down'])} {found['waiting']} alerts are still to be told")
    last = f", Slack took the last message at {found['last_delivered']:%Y-%m-%d %H:%M} UTC" if found["last_delivered"] else ""
    waiting = found["waiting"] + found["files"]
    advice = []
    if found["unreadable"]:
        advice.append(Advice(f"nothing could be made of {', '.join(found['unreadable'])}", "read what that says, then delete it"))
    if found["refused"]:
        why = ", ".join(f"{cause} ({reason})" for cause, reason in found["refused"].items())
        advice.append(Advice(f"Slack takes no message about {why}", "nba-ml alerts"))
    if not found["configured"]:
        advice.append(Advice("no Slack webhook is set here: nobody is told but by `nba-ml alerts`", SET_UP))
    elif waiting:
        advice.append(Advice("", "nba-ml alerts send"))
    detail = "; ".join(filter(None, [f"{number} open, {waiting} still to be told{last}", *(each.detail for each in advice)]))
    return Advice(detail, "; ".join(each.next for each in advice)) if advice else detail


def _store(context: Context) -> str:
    name, data = f"doctor/{calendar.now():%Y-%m-%d}.txt", b"Written by `nba-ml doctor` to try the store.\n"
    context.store.create(name, data)
    if context.store.read(name) != data:
        raise NbaMlError(f"{context.store.url_of(name)} reads back other than it was written")
    return f"{context.store.url} can be written and read"


def _google(context: Context, run: Callable[[str, Callable[[], str], str, str], Exception | None]) -> set[str]:
    """Try each permission that the settings need on Google; return the services that can't be worked with."""
    shut = set()
    for service, tried in trials(context).items():
        for trial in tried:
            error = run(trial.check, trial.look, "do what the line says, then run `nba-ml doctor` again", trial.grant)
            if error and (trial.opens or isinstance(error, Unavailable)):
                shut.add(service)
                break
    return shut


def _source(context: Context) -> str:
    return f"{context.source.name}: {context.source.first_date()} to {context.source.last_date()}"
