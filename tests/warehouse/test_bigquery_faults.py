"""BigQuery behind a line that fails: what may heal does, nothing is written twice, and no fault reads as an empty answer."""

import time

import pytest

from nba_ml import google_calls
from nba_ml.errors import Unavailable
from nba_ml.settings import Settings
from nba_ml.warehouse import bigquery, bigquery_client, bigquery_load
from nba_ml.warehouse.bigquery import BigQueryWarehouse
from nba_ml.warehouse.bigquery_open import open_client
from nba_ml.warehouse.port import LATEST
from tests.contract.tables import FACTS, NUMBERS, PICKS
from tests.contract.test_warehouse import RUN, fact, facts, picks
from tests.fault_proxy import CUT, LOST, SILENT, fault_proxy

START, UPLOAD, STATE, RESULT = (
    r"^POST /bigquery/v2/projects/\w+/jobs",
    r"^POST /upload",
    r"^GET /bigquery/v2/projects/\w+/jobs",
    r"/data",
)
FOREVER = 1000


@pytest.fixture
def proxy(bigquery_names, bigquery_emulator, monkeypatch):
    with fault_proxy(bigquery_emulator.url) as proxy:
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", proxy.url)
        monkeypatch.delenv("BIGQUERY_STORAGE_EMULATOR_HOST")  # rows come over REST, through the proxy too
        yield proxy


@pytest.fixture
def warehouse(proxy, bigquery_names):
    tables = {table.name: table for table in (FACTS, PICKS, NUMBERS)}
    warehouse = BigQueryWarehouse(open_client(Settings(project=bigquery_names.project)), bigquery_names.prefix, 5, tables=tables)
    warehouse.ensure()
    warehouse.upsert(FACTS.name, facts(fact("g0")))
    return warehouse


@pytest.fixture
def bounds(monkeypatch):
    """Set the longest wait for one answer, and for how long a request is repeated."""

    def put(request_seconds: float, retry_seconds: float) -> None:
        monkeypatch.setattr(google_calls, "RETRY_SECONDS", retry_seconds)
        for module in (bigquery_client, bigquery_load, bigquery):
            monkeypatch.setattr(module, "REQUEST_SECONDS", request_seconds)

    return put


def games(warehouse) -> list[str]:
    return warehouse.read(FACTS.name, as_of=LATEST)["game"].to_list()


def test_a_fault_that_passes_is_not_noticed_and_nothing_is_written_twice(warehouse, proxy):
    expected = ["g0"]
    for fault in (429, 500, 503, CUT, LOST):
        new = [f"{fault} {number}" for number in range(3)]
        for pattern in (UPLOAD, START, STATE, RESULT):
            proxy.fail(pattern, fault)
        assert warehouse.upsert(FACTS.name, facts(fact(new[0]), fact(new[1]))) == 2, fault
        proxy.fail(START, fault, fault)
        assert warehouse.append(FACTS.name, facts(fact(new[1]), fact(new[2]))) == 1, fault
        expected += new
        assert games(warehouse) == sorted(expected), fault
        proxy.heal()


def test_an_answer_that_is_lost_after_a_publication_does_not_publish_it_again(warehouse, proxy):
    warehouse.stage(PICKS.name, picks(1.0, 2.0), RUN)
    warehouse.stage(NUMBERS.name, picks(3.0).drop("player"), RUN)
    warehouse.publish([PICKS.name, NUMBERS.name], RUN)
    warehouse.stage(PICKS.name, picks(5.0), RUN)
    proxy.seen.clear()
    proxy.fail(START, LOST)
    assert warehouse.publish([PICKS.name, NUMBERS.name], RUN) == {PICKS.name: 1, NUMBERS.name: 1}
    assert warehouse.read(PICKS.name, as_of=LATEST)["points"].to_list() == [5.0]


@pytest.mark.parametrize("pattern", [START, RESULT], ids=["start", "result"])
def test_a_fault_that_stays_raises_and_names_call_tries_and_next_step(warehouse, proxy, bounds, pattern):
    for fault in (429, 500, CUT, LOST, SILENT):
        bounds(2, 1.5)
        proxy.fail(pattern, *[fault] * FOREVER)
        began = time.monotonic()
        with pytest.raises(Unavailable, match=r"reading nba_raw\.facts \(tried .*run the same command again") as refusal:
            games(warehouse)
        assert refusal.value.retryable
        assert "\n" not in str(refusal.value)
        assert time.monotonic() - began < 30
        proxy.heal()
        bounds(12, 12)
        assert games(warehouse) == ["g0"], fault


def test_silence_ends_within_half_a_minute(warehouse, proxy):
    proxy.fail(START, *[SILENT] * FOREVER)
    began = time.monotonic()
    with pytest.raises(Unavailable, match="tried"):
        games(warehouse)
    assert time.monotonic() - began < 30


def test_a_task_that_lost_sight_of_its_load_finds_it_when_it_is_run_again(warehouse, proxy, bounds, monkeypatch):
    monkeypatch.setattr(bigquery, "FRESH_ROWS", 1)
    other = BigQueryWarehouse(warehouse.client, f"{warehouse.names.prefix}other_", 2, tables={FACTS.name: FACTS})
    other.ensure()
    rows = facts(*(fact(f"h{number}") for number in range(3)))
    proxy.fail(UPLOAD, LOST)
    proxy.fail(r"^GET /bigquery/v2/projects/\w+/jobs/nba_ml_load", *[500] * FOREVER)
    bounds(12, 1.5)
    with pytest.raises(Unavailable, match="loading"):
        other.upsert(FACTS.name, rows)
    proxy.heal()
    bounds(12, 12)
    other.upsert(FACTS.name, rows)
    assert other.count() == {FACTS.name: 3}
