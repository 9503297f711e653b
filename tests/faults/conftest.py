"""A platform on the morning of a slate, one on the morning after it, and the same two days without any fault to compare with."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import time, timedelta
from pathlib import Path

import polars as pl
import pytest

from nba_ml import calendar, sources
from nba_ml.context import Context
from nba_ml.ids import frame_fingerprint
from nba_ml.settings import Settings
from nba_ml.slate import inputs, steps
from nba_ml.sources import checks
from nba_ml.sources.port import RAW_TABLES
from nba_ml.validation import docs_site, engine
from nba_ml.warehouse.duckdb import DuckDBWarehouse
from tests.faults import formula
from tests.faults.declared import BY_NAME, Fault
from tests.faults.feed import OPENER, Clock, Feed, league
from tests.faults.machine import NEXT, SLATE, Days, Platform
from tests.slack_stub import SlackStub, slack_stub

LAST = SLATE + timedelta(days=4)


def _once(function):
    """Have a function answer what it was asked before without working it out again: most inputs are those of the days without fault."""
    known = {}

    def remembered(*values, **named):
        key = tuple(frame_fingerprint(value) if isinstance(value, pl.DataFrame) else repr(value) for value in (*values, *named.values()))
        if key not in known:
            known[key] = function(*values, **named)
        return known[key]

    return remembered


_check, _build = _once(engine.check), _once(inputs.build)


@contextmanager
def _platform(home: Path, tables, stub: SlackStub) -> Iterator[Platform]:
    """Open a platform: a formula is in force, the clock stands, the feed is the league, and Slack the stub."""
    address, _, token = stub.url.partition("/services/")
    connection = json.dumps({"conn_type": "slackwebhook", "host": f"{address}/services", "password": token})
    clock, feed = Clock(calendar.at_new_york(SLATE, time(7))), Feed(tables)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "load_released", formula.load_released)
        patch.setattr(calendar, "now", clock)
        patch.setattr(sources, "open_source", lambda *_: feed)
        patch.setattr(docs_site, "publish", lambda *_, **__: "file:data-docs")
        patch.setattr(engine, "check", _check)
        patch.setattr(inputs, "build", _build)
        patch.setattr(DuckDBWarehouse, "ensure", lambda _: None)
        patch.setenv("NBA_ML_HOME", str(home))
        patch.setenv("AIRFLOW_CONN_SLACK_WEBHOOK", connection)
        patch.setenv("AIRFLOW_CONN_SLACK_WEBHOOK_NOTICES", connection)
        yield Platform(home, feed, clock, stub)


@pytest.fixture(scope="session")
def tables():
    """Return all that the league tells in these days."""
    return league(LAST)


@pytest.fixture(scope="session")
def morning_home(airflow_home, tables, tmp_path_factory) -> Path:
    """Make the home of a platform that is ready for the slate: history is in, and the day is planned."""
    home = tmp_path_factory.mktemp("faults") / "morning"
    Context(Settings(home=home, _env_file=None)).warehouse.ensure()
    with slack_stub() as stub, _platform(home, tables, stub) as platform:
        context = platform.context()
        for name in RAW_TABLES:
            rows = getattr(platform.feed, name)(OPENER, SLATE + timedelta(days=2))
            context.warehouse.upsert(f"nba_raw.{name}", checks.structure(name, rows))
        platform.monitor(SLATE, time(7, 45))
        assert not platform.alerts().height
    return home


@pytest.fixture(scope="session")
def evening_home(morning_home, tables) -> Path:
    """Make the home of a platform that predicted the slate before its first tip-off."""
    home = morning_home.with_name("evening")
    shutil.copytree(morning_home, home)
    with slack_stub() as stub, _platform(home, tables, stub) as platform:
        platform.update(SLATE)
        platform.monitor(SLATE, time(20, 15))
        assert not platform.alerts().height
    return home


@pytest.fixture(scope="session")
def _next_day(evening_home, tables) -> tuple[Path, Days]:
    """Make the home of a platform that has graded the slate and is ready for the next one; and take the next day to its end, without faults."""
    home, end = evening_home.with_name("dawn"), evening_home.with_name("end")
    shutil.copytree(evening_home, home)
    with slack_stub() as stub, _platform(home, tables, stub) as platform:
        slate = platform.picks(SLATE)
        platform.ingest(NEXT)
        platform.monitor(NEXT, time(7, 45))
    shutil.copytree(home, end)
    with slack_stub() as stub, _platform(end, tables, stub) as platform:
        platform.morning(NEXT)
        morning = platform.picks(NEXT)
        platform.update(NEXT)
        platform.monitor(NEXT, time(20, 15))
        assert not platform.alerts().height
        return home, Days({NEXT: morning}, {SLATE: slate, NEXT: platform.picks(NEXT)}, platform.grades(SLATE))


@pytest.fixture(scope="session")
def dawn_home(_next_day) -> Path:
    return _next_day[0]


@pytest.fixture(scope="session")
def clean(_next_day) -> Days:
    """Return what the two days give without any fault."""
    return _next_day[1]


@pytest.fixture
def fault(request) -> Fault:
    """Return what the calendar declares of the fault that a test is named after."""
    return BY_NAME[request.function.__name__.removeprefix("test_")]


@contextmanager
def _copy(template: Path, tmp_path: Path, tables) -> Iterator[Platform]:
    shutil.copytree(template, tmp_path / "home", dirs_exist_ok=True)
    with slack_stub() as stub, _platform(tmp_path / "home", tables, stub) as platform:
        yield platform
        assert stub.refused == []


@pytest.fixture
def evening(evening_home, tables, tmp_path) -> Iterator[Platform]:
    """Return a platform that has predicted the slate, whose results are still to come."""
    with _copy(evening_home, tmp_path, tables) as platform:
        yield platform


@pytest.fixture
def dawn(dawn_home, tables, tmp_path) -> Iterator[Platform]:
    """Return a platform that has graded the slate, and is to predict the next one."""
    with _copy(dawn_home, tmp_path, tables) as platform:
        yield platform
