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
from tests.contract.tables import FACTS, NUMBERS, PICKS, TABLES
from tests.contract.test_warehouse import NOON, RUN, fact, facts, picks
from tests.fault_proxy import Fault, fault_proxy

START, UPLOAD, STATE, RESULT = "POST /bigquery", "POST /upload", "GET /bigquery", "/queries/"


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
def quick(monkeypatch):
    """Make the bounds short."""
    monkeypatch.setattr(google_calls, "RETRY_SECONDS", 1.5)
    for module in (bigquery_client, bigquery_load, bigquery):
        monkeypatch.setattr(module, "REQUEST_SECONDS", 1.0)


def games(warehouse) -> list[str]:
    return warehouse.read(FACTS.name, as_of=LATEST)["game"].to_list()


@pytest.mark.parametrize("kind", [429, 500, 503, "refuse", "cut", "lose"])
def test_a_fault_that_passes_is_not_noticed_and_nothing_is_written_twice(warehouse, proxy, kind):
    proxy.faults = [Fault(kind, UPLOAD), Fault(kind, START), Fault(kind, STATE), Fault(kind, RESULT)]
    assert warehouse.upsert(FACTS.name, facts(fact("g1"), fact("g2"))) == 2
    assert games(warehouse) == ["g0", "g1", "g2"]
    assert not any(fault.times for fault in proxy.faults[:2])
    proxy.faults = [Fault(kind, START, 2)]
    assert warehouse.append(FACTS.name, facts(fact("g2"), fact("g3"))) == 1
    assert games(warehouse) == ["g0", "g1", "g2", "g3"]


def test_an_answer_that_is_lost_after_a_publication_does_not_publish_it_again(warehouse, proxy):
    warehouse.stage(PICKS.name, picks(1.0, 2.0), RUN)
    warehouse.stage(NUMBERS.name, picks(3.0).drop("player"), RUN)
    warehouse.publish([PICKS.name, NUMBERS.name], RUN)
    first = warehouse.read(PICKS.name, as_of=LATEST)
    warehouse.stage(PICKS.name, picks(5.0), RUN)
    proxy.seen.clear()
    proxy.faults = [Fault("lose", START)]
    assert warehouse.publish([PICKS.name, NUMBERS.name], RUN) == {PICKS.name: 1, NUMBERS.name: 1}
    assert warehouse.read(PICKS.name, as_of=LATEST)["points"].to_list() == [5.0]
    assert first.height == 2


@pytest.mark.parametrize("kind", [429, 500, "refuse", "cut", "lose", "hang"])
@pytest.mark.parametrize("matching", [START, RESULT])
def test_a_fault_that_stays_raises_and_names_call_tries_and_next_step(warehouse, proxy, quick, kind, matching):
    proxy.faults = [Fault(kind, matching, 10**6)]
    began = time.monotonic()
    with pytest.raises(Unavailable, match=r"reading nba_raw\.facts \(tried .*run the same command again") as refusal:
        games(warehouse)
    assert refusal.value.retryable
    assert "\n" not in str(refusal.value)
    assert time.monotonic() - began < 30
    proxy.faults = []
    assert games(warehouse) == ["g0"]


def test_silence_ends_within_half_a_minute(warehouse, proxy):
    proxy.faults = [Fault("hang", START, 10**6)]
    began = time.monotonic()
    with pytest.raises(Unavailable, match="tried"):
        games(warehouse)
    assert time.monotonic() - began < 30


def test_a_task_that_lost_its_load_finds_it_when_it_is_run_again(warehouse, proxy, quick, monkeypatch):
    monkeypatch.setattr(bigquery, "FRESH_ROWS", 1)
    rows = facts(*(fact(f"h{number}") for number in range(3)))
    tables = {name: table for name, table in TABLES.items() if name == FACTS.name}
    other = BigQueryWarehouse(warehouse.client, warehouse.names.prefix + "x", 2, tables=tables)
    other.ensure()
    proxy.faults = [Fault("lose", UPLOAD, 1), Fault(500, "GET /bigquery/v2/projects/emulated/jobs", 10**6)]
    with pytest.raises(Unavailable):
        other.upsert(FACTS.name, rows)
    proxy.faults = []
    other.upsert(FACTS.name, rows)
    assert other.count() == {FACTS.name: 3}
    assert other.read(FACTS.name, as_of=NOON).height == 3
