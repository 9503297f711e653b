"""Two versions of known quality, compared on graded rows in a real warehouse: figures, verdicts, page and commands."""

import json
import re
from datetime import date

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from nba_ml.context import Context
from nba_ml.errors import ArtefactError, BadInput
from nba_ml.monitoring import comparison, comparison_page
from nba_ml.registry import graded
from nba_ml.settings import Settings
from tests.registry import duel
from tests.registry.conftest import publish_version
from tests.registry.duel import CHALLENGER, SERVING

SPAN = (date(2024, 1, 1), date(2024, 12, 31))
SLATES = 45


@pytest.fixture(scope="module")
def context(tmp_path_factory) -> Context:
    context = Context(Settings(home=tmp_path_factory.mktemp("home"), _env_file=None))
    context.warehouse.ensure()
    duel.challenge(context, publish_version)
    duel.play(context, SLATES, worse=0.06, apart=0.8)
    return context


@pytest.fixture(scope="module")
def found(context):
    return comparison.compare(context, CHALLENGER, SERVING, *SPAN)


def test_the_worse_version_is_told_by_its_error(found):
    mae = found["overall"]["mae"]
    assert (mae["verdict"], mae["n"], mae["slates"]) == (SERVING, SLATES * 120, SLATES)
    assert 0 < mae["low"] < 0.06 < mae["high"]
    assert mae["value"] == pytest.approx(mae["ours"] - mae["theirs"])
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_of_equal_versions_there_is_no_verdict_and_how_long_one_takes_is_said():
    equal = comparison.figures(frame(), "mae", ("a", "b"))
    assert equal["low"] < 0 < equal["high"]
    assert (equal["verdict"], equal["slates"]) == (comparison.NO_VERDICT, 12)
    assert equal["needed"] is None or equal["needed"] > 12


def test_figures_agree_with_the_rows(context, found):
    rows = graded.pairs(context, CHALLENGER, SERVING)
    off = rows.select(ours=pl.col("ours") - pl.col("actual_points"), theirs=pl.col("theirs") - pl.col("actual_points"))
    for side in ("ours", "theirs"):
        assert found["overall"]["mae"][side] == pytest.approx(off[side].abs().mean())
        assert found["overall"]["rmse"][side] == pytest.approx((off[side] ** 2).mean() ** 0.5)
    rmse = found["overall"]["rmse"]
    assert rmse["value"] == pytest.approx(rmse["ours"] - rmse["theirs"])
    lined = rows.filter(pl.col("line").is_not_null())
    won = ((lined["ours"] > lined["line"]) == (lined["actual_points"] > lined["line"])).mean()
    assert found["overall"]["hit_rate"]["ours"] == pytest.approx(won)
    assert found["overall"]["log_loss"]["n"] == lined.height


def test_turned_round_it_says_the_same_the_other_way(context, found):
    turned = comparison.compare(context, SERVING, CHALLENGER, *SPAN)
    assert turned["overall"]["mae"]["value"] == pytest.approx(-found["overall"]["mae"]["value"])
    assert turned["overall"]["mae"]["verdict"] == SERVING
    assert [part["n"] for part in turned["slices"]] == [part["n"] for part in found["slices"]]


def test_parts_cover_the_rows_and_are_harder_to_tell(found):
    parts = {part["name"]: part for part in found["slices"]}
    assert parts["starters"]["n"] + parts["bench"]["n"] == found["rows"]
    assert sum(part["n"] for name, part in parts.items() if name.startswith("level_")) == found["rows"]
    assert "back_to_back" not in parts
    assert [month["name"] for month in found["months"]] == ["2024-01", "2024-02"]
    one = comparison.figures(frame(), "mae", ("a", "b"))
    many = comparison.figures(frame(), "mae", ("a", "b"), looks=8)
    assert many["high"] - many["low"] > one["high"] - one["low"]


def frame():
    _, _, grades = duel.rows_of(12)
    ours, theirs = (
        grades.filter((grades["model_version"] == name) & (grades["system_id"] == "ensemble")) for name in (CHALLENGER, SERVING)
    )
    return ours.select("slate_date", "actual_points", ours="predicted_points").hstack(theirs.select(theirs="predicted_points"))


def test_undated_lines_count_for_errors_and_not_for_sides(context):
    rows = graded.pairs(context, CHALLENGER, SERVING).with_columns(
        line_kind=pl.lit("undated_snapshot"), our_p_over=pl.lit(0.5), their_p_over=pl.lit(0.5)
    )
    for metric, n in (("mae", rows.height), ("hit_rate", 0), ("log_loss", 0)):
        assert comparison.figures(rows, metric, ("a", "b"))["n"] == n


def test_too_few_slates_say_nothing(tmp_path):
    context = Context(Settings(home=tmp_path, _env_file=None))
    context.warehouse.ensure()
    duel.challenge(context, publish_version)
    duel.play(context, 2, worse=3.0)
    mae = comparison.compare(context, CHALLENGER, SERVING, *SPAN)["overall"]["mae"]
    assert (mae["verdict"], mae["low"], mae["needed"]) == (comparison.NO_VERDICT, None, None)


def test_versions_that_never_met_or_are_none_are_refused_with_the_next_step(context):
    with pytest.raises(BadInput, match=r"no graded row from 2023-01-01 to 2023-02-01 .*nba-ml release show"):
        comparison.compare(context, CHALLENGER, SERVING, date(2023, 1, 1), date(2023, 2, 1))
    with pytest.raises(ArtefactError, match="v9"):
        comparison.compare(context, "v9", SERVING, *SPAN)


def test_the_view_holds_the_same_figures_slate_by_slate(context, found):
    sql = "SELECT SUM(graded) AS n, SUM(graded * difference) / SUM(graded) AS d, SUM(sided * hit_rate) / SUM(sided) AS h, "
    sql += "SUM(with_probability * log_loss) / SUM(with_probability) AS l FROM nba_predictions.v_version_comparison "
    row = context.warehouse.query(sql + "WHERE system_id = 'ensemble' AND version = 'v1' AND other_version = 'v2'").row(0, named=True)
    overall = found["overall"]
    assert row["n"] == found["rows"]
    assert row["d"] == pytest.approx(-overall["mae"]["value"])
    assert row["h"] == pytest.approx(overall["hit_rate"]["theirs"])
    assert row["l"] == pytest.approx(overall["log_loss"]["theirs"])


def test_the_page_stands_alone_and_names_the_verdict_the_method_and_every_part(found, tmp_path):
    page = comparison_page.write(found, tmp_path / "deep")
    html = page.read_text()
    assert page.name == "comparison.html"
    assert "v1 is better." in html
    assert found["method"] in html
    assert html.count("<svg ") == 3
    assert not re.search(r"(?:src|href)=\"(?!#)", html)
    for part in found["slices"]:
        assert part["words"].partition(":")[0] in html
    assert comparison_page.write(found, tmp_path / "again").read_bytes() == page.read_bytes()


@pytest.fixture
def run(context, monkeypatch):
    from nba_ml.cli import evidence, release

    app = typer.Typer()
    release.register(app)
    evidence.register(app)
    monkeypatch.setattr("nba_ml.context.Context", lambda: context)
    monkeypatch.setattr("nba_ml.registry.guards.verified_panel", duel.unchecked)

    def call(*arguments):
        return CliRunner().invoke(app, ["release", *arguments], catch_exceptions=False)

    return call


def test_the_commands_answer_in_json_and_in_tables(run, found, tmp_path):
    asked = ["compare", CHALLENGER, SERVING, "--from", "2024-01-01", "--to", "2024-12-31"]
    assert json.loads(run(*asked, "--json").stdout) == found
    human = run(*asked, "--report", str(tmp_path / "page")).stdout
    assert "report:" in human
    assert "starters" in human
    assert (tmp_path / "page" / "comparison.html").exists()
    judged = json.loads(run("judge", "--json").stdout)
    assert judged["rolled_back"] == CHALLENGER
    assert "nothing to judge" in run("judge").stdout
