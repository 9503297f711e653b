"""The commands doctor, init and sql, as a person or a script runs them."""

import io
import json
import sys

import polars as pl
import pytest

from nba_ml import cli


@pytest.fixture
def run(monkeypatch, capfdbinary):
    """Run a command line; return its exit status, standard output (bytes) and standard error."""

    def call(*arguments: str) -> tuple[int, bytes, str]:
        monkeypatch.setattr(sys, "argv", ["nba-ml", *arguments])
        status = 0
        try:
            cli.main()
        except SystemExit as end:
            status = end.code or 0
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        return status, out, err.decode()

    return call


def test_init_makes_everything_once(run):
    status, out, _ = run("init", "--json")
    assert status == 0
    assert json.loads(out)["warehouse"] == "duckdb"
    assert any("v_latest_predictions" in sentence for sentence in json.loads(out)["done"])
    assert json.loads(run("init", "--json")[1])["done"] == []
    assert b"as this version needs them" in run("init")[1]


def test_sql_before_init_names_the_next_step(run):
    status, out, err = run("sql", "SELECT 1")
    assert (status, out) == (2, b"")
    assert "nba-ml init" in err


def test_sql_writes_each_form(run):
    run("init")
    query = "SELECT 1 AS a, 'x,y' AS b, CAST(NULL AS DOUBLE) AS c, CAST('nan' AS DOUBLE) AS d, DATE '2024-01-05' AS e"
    assert b"x,y" in run("sql", query)[1]
    assert run("sql", query, "--format", "csv")[1] == b'a,b,c,d,e\n1,"x,y",,NaN,2024-01-05\n'
    expected = [{"a": 1, "b": "x,y", "c": None, "d": None, "e": "2024-01-05"}]
    assert json.loads(run("sql", query, "--json")[1]) == expected
    assert json.loads(run("sql", query, "--format", "json")[1]) == expected
    assert pl.read_parquet(io.BytesIO(run("sql", query, "--format", "parquet")[1])).rows()[0][:2] == (1, "x,y")


def test_sql_of_no_rows_is_an_empty_list(run):
    run("init")
    assert json.loads(run("sql", "SELECT game_id FROM nba_raw.schedule", "--json")[1]) == []


def test_questions_are_listed_and_answered(run):
    run("init")
    listed = json.loads(run("questions", "--json")[1])["questions"]
    assert {"name": "graded_last_night", "question": "Was last night graded?", "asked_by": "on call"} in listed
    assert b"nba-ml sql --question NAME" in run("questions")[1]
    assert run("sql", "--question", "calibration", "--format", "csv")[:2] == (
        0,
        b"mode,bin_from,bin_to,predictions,mean_p_over,observed_over,deviations\n",
    )


@pytest.mark.parametrize("arguments", [(), ("SELECT 1", "--question", "calibration"), ("--question", "calibraton")])
def test_sql_takes_one_statement_or_question(run, arguments):
    run("init")
    status, out, err = run("sql", *arguments)
    assert (status, out) == (2, b"")
    assert "nba-ml questions" in err


@pytest.mark.parametrize("statement", ["SELECT nothing FROM nba_raw.schedule", "DROP TABLE nba_raw.schedule", "SELEC"])
def test_sql_that_fails_is_a_usage_error_and_prints_nothing(run, statement):
    run("init")
    status, out, err = run("sql", statement, "--json")
    assert (status, out) == (2, b"")
    assert "UsageError" in err


def test_doctor_reports_and_exits_by_what_is_wrong(run, monkeypatch):
    status, out, _ = run("doctor", "--json")
    found = json.loads(out)
    assert status == found["exit_status"] == 2
    assert {check["check"]: check["next"] for check in found["checks"]}["warehouse"] == "nba-ml init"
    monkeypatch.setenv("NBA_ML_STORE", "nowhere")
    status, out, _ = run("doctor")
    assert status == 2
    assert b"NBA_ML_STORE" in out
