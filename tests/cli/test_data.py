"""The data commands: what goes to standard output, and the exit status."""

import json
import sys
from datetime import date

import pytest

from nba_ml import cli
from tests import files_factory


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    files = files_factory.write(tmp_path / "files", files_factory.league(date(2021, 10, 19), date(2021, 11, 20)))
    monkeypatch.setenv("NBA_ML_SOURCE", "files")
    monkeypatch.setenv("NBA_ML_FILES_DIR", str(files))

    def command(*words):
        monkeypatch.setattr(sys, "argv", ["nba-ml", *words])
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        out, err = capsys.readouterr()
        return code, out, err

    return command


def test_from_ingest_to_ready(run):
    code, out, err = run("coverage", "--json")
    assert (code, json.loads(out)["passed"]) == (3, False)
    assert "nba-ml ingest --from 2021-10-19 --to 2021-11-20" in err

    code, out, _ = run("ingest", "--from", "2021-10-19", "--to", "2021-11-20", "--json")
    assert (code, json.loads(out)["tables"]["nba_raw.schedule"]["rows"]) == (0, 66)

    code, out, _ = run("coverage", "--json")
    report = json.loads(out)
    assert (code, report["passed"], report["until"], report["coverage"]) == (0, True, "2021-11-20", 1.0)

    code, out, err = run("ready", "--json")
    assert (code, json.loads(out)["features"]["ready"]) == (3, False)
    assert "features, next: nba-ml features --from 2021-10-19 --to 2021-11-20" in err

    code, out, _ = run("validate", "--suite", "schedule", "--json")
    assert (code, json.loads(out)["suites"][0]["rows"]) == (0, 66)


def test_people_get_a_table_and_the_refusal(run):
    code, out, err = run("coverage", "--until", "2021-11-20")
    assert code == 3
    assert "2021-22" in out
    assert "too thin" in err


def test_bad_input_and_bad_words(run, tmp_path):
    assert run("ingest", "--from", "yesterday", "--to", "2021-11-20")[0] == 2
    (tmp_path / "files" / "schedule.parquet").unlink()
    code, out, err = run("ingest", "--from", "2021-10-19", "--to", "2021-10-19", "--json")
    assert (code, out) == (4, "")
    assert "schedule.parquet is missing" in err


@pytest.mark.parametrize("command", ["ingest", "features", "validate", "backtest"])
def test_a_span_the_wrong_way_round_and_dates_of_another_form_are_usage_errors(command, monkeypatch):
    for first, last in (("2024-02-02", "2024-02-01"), ("2024-W05-1", "2024-02-10"), ("20240131", "2024-02-10")):
        monkeypatch.setattr("sys.argv", ["nba-ml", command, "--from", first, "--to", last])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == 2
