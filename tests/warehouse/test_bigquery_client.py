"""The BigQuery client: what needs no server."""

from datetime import UTC, date, datetime
from types import SimpleNamespace

import polars as pl
import pyarrow as pa
import pytest
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from nba_ml.errors import UsageError
from nba_ml.settings import Settings
from nba_ml.warehouse.bigquery import BigQueryWarehouse
from nba_ml.warehouse.bigquery_client import BigQueryClient, labels_of
from nba_ml.warehouse.bigquery_open import open_client
from nba_ml.warehouse.bigquery_values import frame, parameter


def test_labels_are_brought_into_bigquerys_form():
    found = labels_of({"DAG": "nba_predict", "1st task": "Score.Systems", "slate": "2024-01-05", "long": "x" * 80, "--": "y"})
    assert found == {"dag": "nba_predict", "st_task": "score_systems", "slate": "2024-01-05", "long": "x" * 63}


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        (True, "BOOL"),
        (1, "INT64"),
        (1.5, "FLOAT64"),
        ("a", "STRING"),
        (None, "STRING"),
        (date(2024, 1, 5), "DATE"),
        (datetime(2024, 1, 5, tzinfo=UTC), "TIMESTAMP"),
    ],
)
def test_a_parameter_has_the_type_of_its_value(value, type_):
    assert parameter("x", value) == bigquery.ScalarQueryParameter("x", type_, value)
    assert parameter("x", [value]) == bigquery.ArrayQueryParameter("x", type_, [value])


def test_an_empty_list_needs_a_type_of_its_own():
    assert parameter("x", [], "INT64").to_api_repr()["parameterType"] == {"type": "ARRAY", "arrayType": {"type": "INT64"}}
    with pytest.raises(UsageError, match="can't be a query parameter"):
        parameter("x", object())


def test_arrow_becomes_polars_with_plain_numbers_and_utc():
    table = pa.table(
        {
            "whole": pa.array([2], pa.decimal128(38, 0)),
            "part": pa.array([pa.scalar("1.5").cast(pa.decimal128(38, 9)).as_py()], pa.decimal128(38, 9)),
            "at": pa.array([datetime(2024, 1, 5, 17, tzinfo=UTC)], pa.timestamp("us", "UTC")),
            "text": pa.array([None], pa.string()),
        }
    )
    found = frame(table)
    assert found.schema == {"whole": pl.Int64, "part": pl.Float64, "at": pl.Datetime("us", "UTC"), "text": pl.String}
    assert found.rows() == [(2, 1.5, datetime(2024, 1, 5, 17, tzinfo=UTC), None)]


def test_an_emulator_needs_a_project_too(monkeypatch):
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:1")
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    with pytest.raises(UsageError, match="NBA_ML_PROJECT"):
        open_client(Settings())
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "theirs")
    assert open_client(Settings()).project == "theirs"
    assert open_client(Settings(project="ours")).project == "ours"


def test_without_credentials_the_login_is_named(monkeypatch, tmp_path):
    monkeypatch.delenv("BIGQUERY_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(UsageError, match="gcloud auth application-default login"):
        open_client(Settings(project="p"))


def test_ready_clients_are_taken_as_they_are(monkeypatch):
    monkeypatch.delenv("BIGQUERY_EMULATOR_HOST", raising=False)
    ready = bigquery.Client(project="theirs", credentials=AnonymousCredentials())
    opened = open_client(Settings(), client=ready, labels={"dag": "nba_predict"})
    assert (opened.client, opened.reader, opened.project, opened.labels) == (ready, None, "theirs", {"dag": "nba_predict"})


def test_without_permission_for_the_storage_read_api_rows_come_over_rest(caplog):
    class Reader:
        def create_read_session(self, **request):
            raise exceptions.PermissionDenied("Permission bigquery.readsessions.create denied")

    class Job:
        destination = bigquery.TableReference.from_string("p.d.t")

    pages = SimpleNamespace(to_arrow=lambda create_bqstorage_client: pa.table({"n": [1]}))
    client = BigQueryClient(SimpleNamespace(project="p", list_rows=lambda table, **how: pages), Reader(), 1)
    assert client.read(Job()).to_pydict() == {"n": [1]}
    assert client.reader is None
    assert "roles/bigquery.readSessionUser" in caplog.text


def test_an_analysts_rows_keep_their_order_so_they_come_in_one_stream(monkeypatch):
    asked = []

    def create_read_session(**request):
        asked.append(request["max_stream_count"])
        schema = pa.schema([("a", pa.int64())]).serialize().to_pybytes()
        return SimpleNamespace(arrow_schema=SimpleNamespace(serialized_schema=schema), streams=[])

    job = SimpleNamespace(statement_type="SELECT", destination=bigquery.TableReference.from_string("p.d.t"))
    client = BigQueryClient(SimpleNamespace(project="p"), SimpleNamespace(create_read_session=create_read_session), 1)
    monkeypatch.setattr(BigQueryClient, "run", lambda *_, **__: job)
    warehouse = BigQueryWarehouse(client)
    monkeypatch.setattr(warehouse, "_require", lambda: None)
    assert warehouse.query("SELECT a FROM nba_raw.schedule ORDER BY a").columns == ["a"]
    assert asked == [1]
