"""What is wrong with a project or its tables is said at once, in one line that ends with the next step."""

import time

import pytest
from google.cloud import bigquery

from nba_ml.errors import NbaMlError, Unavailable, UsageError
from nba_ml.settings import Settings
from nba_ml.warehouse.bigquery import BigQueryWarehouse
from nba_ml.warehouse.bigquery_open import open_client
from nba_ml.warehouse.port import LATEST
from tests.contract.tables import FACTS, PICKS, make_table
from tests.contract.test_warehouse import fact, facts
from tests.fault_proxy import fault_proxy

TABLES = {table.name: table for table in (FACTS, PICKS)}


def opened(names, project=None) -> BigQueryWarehouse:
    return BigQueryWarehouse(open_client(Settings(project=project or names.project)), names.prefix, 2, tables=TABLES)


def refused(kind, words, call) -> str:
    began = time.monotonic()
    with pytest.raises(kind) as refusal:
        call()
    message = str(refusal.value)
    assert type(refusal.value).__mro__.index(NbaMlError) < 4
    assert time.monotonic() - began < 30
    assert "\n" not in message
    assert words in message
    return message


def test_a_project_that_cannot_be_is_named(bigquery_names):
    warehouse = opened(bigquery_names, "Not_A_Project")
    for call in (warehouse.ensure, warehouse.count, lambda: warehouse.read(FACTS.name, as_of=LATEST)):
        assert "Not_A_Project" in refused(UsageError, "Set NBA_ML_PROJECT", call)


def test_a_dataset_that_is_not_there_is_named(bigquery_names):
    warehouse = opened(bigquery_names)
    for call in (warehouse.count, lambda: warehouse.upsert(FACTS.name, facts(fact()))):
        assert bigquery_names.prefix in refused(UsageError, "nba-ml init", call)


def test_a_permission_that_is_missing_is_named_with_a_role(bigquery_names, bigquery_emulator, monkeypatch):
    with fault_proxy(bigquery_emulator.url) as proxy:
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", proxy.url)
        warehouse = opened(bigquery_names)
        proxy.fail("POST", 403)
        refused(UsageError, "Ask for roles/bigquery.", lambda: warehouse.count([FACTS.name]))
        proxy.fail("POST", 401)
        refused(UsageError, "gcloud auth application-default login", lambda: warehouse.count([FACTS.name]))


def test_a_service_that_is_not_there_is_no_empty_answer(bigquery_names, monkeypatch):
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:1")
    warehouse = opened(bigquery_names)
    refused(Unavailable, "run the same command again", lambda: warehouse.read(FACTS.name, as_of=LATEST))


def test_a_table_of_somebody_else_is_refused_with_what_differs_and_stays_as_it_is(bigquery_names):
    warehouse = opened(bigquery_names)
    client, table = warehouse.client, bigquery_names.table(FACTS.name)
    client.run(f"CREATE SCHEMA `{bigquery_names.dataset('nba_raw')}`")
    client.run(f"CREATE TABLE `{table}` (game INT64, colour STRING)")
    message = refused(UsageError, "and then `nba-ml init`", warehouse.ensure)
    for difference in (
        "facts.game is INT64, not STRING",
        "facts has the column colour too",
        "lacks the required column id",
        "partitioned by nothing, not by day",
    ):
        assert difference in message
    assert "ALTER TABLE" in message
    assert [item.name for item in client.client.get_table(table).schema] == ["game", "colour"]
    refused(UsageError, "nba-ml init", lambda: warehouse.read(FACTS.name, as_of=LATEST))


def test_a_view_in_the_place_of_a_table_is_refused(bigquery_names):
    warehouse = opened(bigquery_names)
    warehouse.client.run(f"CREATE SCHEMA `{bigquery_names.dataset('nba_raw')}`")
    warehouse.client.run(f"CREATE VIEW `{bigquery_names.table(FACTS.name)}` AS SELECT 1 AS a")
    refused(UsageError, "is a view, not a table", warehouse.ensure)


def test_tables_are_made_as_their_yaml_says(bigquery_names):
    layout = {"partition": "day", "cluster": ["game"], "partition_expiration_days": 30, "require_partition_filter": True}
    table = make_table("nba_raw.laid_out", ["game", "player", "day", "known_at"], ["game", "day"], **layout)
    client = open_client(Settings(project=bigquery_names.project))
    warehouse = BigQueryWarehouse(client, bigquery_names.prefix, tables={table.name: table, PICKS.name: PICKS})
    warehouse.ensure()
    made = client.client.get_table(bigquery_names.table(table.name))
    assert {item.name: item.mode for item in made.schema if item.mode == "REQUIRED"} == dict.fromkeys(("id", "game", "day"), "REQUIRED")
    assert [item.description for item in made.schema] == [column.description for column in table.columns]
    assert made.description == "A table. Grain: one row per key."
    assert made.labels == {"application": "nba-ml", "owner": "tests"}
    assert made.time_partitioning == bigquery.TimePartitioning(field="day", expiration_ms=30 * 24 * 3600 * 1000)
    assert made.clustering_fields == ["game"]
    assert made.require_partition_filter
    staging = client.client.get_dataset(bigquery_names.dataset("nba_staging"))
    assert staging.default_table_expiration_ms == 48 * 3600 * 1000
    assert client.client.get_table(bigquery_names.table(PICKS.name, staged=True)).expires is None

    with pytest.raises(UsageError, match="filter"):
        warehouse.query("SELECT COUNT(*) AS n FROM nba_raw.laid_out")
    warehouse.upsert(table.name, facts(fact("g1"), fact("g2")).select("game", "player", "day", "known_at"))
    assert warehouse.count() == {table.name: 2, PICKS.name: 0}
    assert warehouse.read(table.name, as_of=LATEST, where={"game": "g2"}).height == 1

    looser = make_table("nba_raw.laid_out", ["game", "player", "day", "known_at"], ["game", "day"], partition="day", cluster=["player"])
    later = BigQueryWarehouse(client, bigquery_names.prefix, tables={table.name: looser})
    assert len(later.ensure()) == 3
    assert later.ensure() == []
    assert later.query("SELECT COUNT(*) AS n FROM nba_raw.laid_out")["n"].item() == 2
