"""A suite as a gate: what it writes down, and that a repeat changes nothing."""

import json
import math
import re
from datetime import UTC, datetime

import polars as pl
import pytest

from nba_ml import calendar
from nba_ml.context import Context
from nba_ml.errors import GateRefused, UsageError
from nba_ml.settings import Settings
from nba_ml.validation import docs_site, quarantine
from nba_ml.validation.gate import run_suite
from nba_ml.validation.suites import Rule, load_suite
from nba_ml.warehouse.port import LATEST


def broken_box(frame):
    """One team whose points do not add up: a tenth of the rows, under every cap."""
    team = frame["team"][0]
    return frame.with_columns(points=pl.when(pl.col("team") == team).then(pl.col("points") + 1).otherwise(pl.col("points"))), team


def test_one_bad_team_never_rejects_the_others(context, good):
    frame, team = broken_box(good("player_box"))
    verdict = run_suite(context, "player_box", frame, run="ingest:2024-01-01")
    assert verdict.passed
    assert verdict.kept.equals(frame.filter(pl.col("team") != team))
    assert verdict.quarantined == frame.filter(pl.col("team") == team).height == 10
    verdict.raise_if_stopped()


def test_quarantine_holds_rule_row_and_reason(context, good):
    frame, team = broken_box(good("player_box"))
    run_suite(context, "player_box", frame, run="ingest:2024-01-01")
    rows = list(context.warehouse.rows["nba_ops.quarantine"].values())
    assert {row["rule"] for row in rows} == {"points_add_up"}
    assert {row["suite"] for row in rows} == {"player_box"}
    kept_out = sorted(json.loads(row["row"])["player_id"] for row in rows)
    assert kept_out == sorted(frame.filter(pl.col("team") == team)["player_id"])
    reason = next(rule.reason for rule in load_suite("player_box").rules if rule.id == "points_add_up")
    assert {row["reason"] for row in rows} == {reason}
    assert all(row["game_date"] is not None for row in rows)


def test_a_row_that_breaks_two_rules_counts_once_and_is_written_twice(context, good):
    first = pl.int_range(pl.len()) < 1
    frame = good("player_box").with_columns(
        points=pl.when(first).then(500).otherwise(pl.col("points")), minutes=pl.when(first).then(99.0).otherwise(pl.col("minutes"))
    )
    verdict = run_suite(context, "player_box", frame, run="ingest:2024-01-01")
    assert verdict.quarantined == 1
    rules = sorted(row["rule"] for row in context.warehouse.rows["nba_ops.quarantine"].values())
    assert rules == ["minutes_range", "points_add_up", "points_range"]


def test_a_repeat_changes_nothing_in_the_embedded_warehouse(tmp_path, good, monkeypatch):
    made = Context(Settings(home=tmp_path / "home", _env_file=None))
    made.warehouse.ensure()
    frame, _ = broken_box(good("player_box"))
    tables = ("nba_ops.quarantine", "nba_ops.validation_runs")
    first = run_suite(made, "player_box", frame, run="ingest:2024-01-01")
    quarantined = made.warehouse.read("nba_ops.quarantine", as_of=LATEST)
    monkeypatch.setattr(calendar, "now", lambda: datetime(2099, 1, 1, tzinfo=UTC))
    counts = made.warehouse.count(tables)
    again = run_suite(made, "player_box", frame, run="ingest:2024-01-01")
    assert again.docs_url == first.docs_url
    assert made.warehouse.count(tables) == counts
    assert made.warehouse.read("nba_ops.quarantine", as_of=LATEST).equals(quarantined)
    run_suite(made, "player_box", frame, run="ingest:another")
    assert made.warehouse.count(tables) == {**counts, "nba_ops.validation_runs": 2 * counts["nba_ops.validation_runs"]}


def test_a_stop_names_rule_figure_reason_page_and_next_step(context, good):
    frame = good("schedule").with_columns(away=pl.when(pl.int_range(pl.len()) < 2).then(pl.col("home")).otherwise(pl.col("away")))
    verdict = run_suite(context, "schedule", frame, run="ingest:2024-01-01")
    with pytest.raises(GateRefused) as refused:
        verdict.raise_if_stopped()
    message = str(refused.value)
    for part in ("schedule", "teams_differ", "2 of 120 rows", "joined wrongly", verdict.docs_url, load_suite("schedule").next_step):
        assert part in message
    assert refused.value.exit_code == 3
    report = refused.value.report
    assert report["passed"] is False
    assert report["suites"][0]["failed"] == ["teams_differ"]
    assert set(report["suites"][0]) >= {"suite", "rows", "passed", "failed", "warned", "quarantined"}
    json.dumps(report, allow_nan=False)


def test_a_stopped_run_keeps_no_row_out(context, good):
    frame, _ = broken_box(good("player_box"))
    verdict = run_suite(context, "player_box", pl.concat([frame, frame.tail(1)]), run="ingest:2024-01-01")
    assert not verdict.passed
    assert "nba_ops.quarantine" not in context.warehouse.rows


def test_a_verdict_can_be_read_from_the_results(context, good):
    """A row of severity stop that did not pass is a run that stopped: what the readiness check looks for."""
    all_broken = good("player_box").with_columns(points=pl.col("points") + 1)
    run_suite(context, "player_box", all_broken, run="ingest:2024-01-01")
    rows = {row["rule"]: row for row in context.warehouse.rows["nba_ops.validation_runs"].values()}
    assert (rows["points_add_up"]["severity"], rows["points_add_up"]["passed"]) == ("stop", False)
    assert rows["points_add_up"]["failed_rows"] == all_broken.height
    assert (rows["points_known"]["severity"], rows["points_known"]["passed"]) == ("quarantine", True)
    assert sum(not row["passed"] for row in rows.values()) == 1


def test_a_missing_column_stops_even_through_a_warning(context, good):
    verdict = run_suite(context, "prop_lines", good("prop_lines").drop("season"), run="ingest:2024-01-01")
    assert verdict.failed == ["no_placeholder_in_a_season"]
    assert "could not run" in verdict.summary


def test_a_count_that_differs_from_great_expectations_stops(context, good, monkeypatch):
    frame, _ = broken_box(good("player_box"))
    monkeypatch.setattr(quarantine, "offending", lambda rule, rows: pl.repeat(False, rows.height, dtype=pl.Boolean, eager=True))
    verdict = run_suite(context, "player_box", frame, run="ingest:2024-01-01")
    assert verdict.failed == ["points_add_up"]


def test_an_unknown_suite_is_refused(context):
    with pytest.raises(UsageError, match="choose one of"):
        run_suite(context, "box", pl.DataFrame(), run="x")


VALUES = [1.0, None, float("nan"), 5.0, 1.0, -2.0]


@pytest.mark.parametrize(
    ("kind", "kwargs", "expected"),
    [
        ("expect_column_values_to_not_be_null", {"column": "x"}, [0, 1, 0, 0, 0, 0]),
        ("expect_column_values_to_be_between", {"column": "x", "min_value": 0, "max_value": 4}, [0, 0, 1, 1, 0, 1]),
        ("expect_column_values_to_be_between", {"column": "x", "min_value": 0}, [0, 0, 1, 0, 0, 1]),
        ("expect_column_values_to_be_in_set", {"column": "x", "value_set": [1.0, 5.0]}, [0, 0, 1, 0, 0, 1]),
        ("expect_column_values_to_be_unique", {"column": "x"}, [1, 0, 0, 0, 1, 0]),
        ("expect_compound_columns_to_be_unique", {"column_list": ["x", "y"]}, [1, 0, 0, 0, 1, 0]),
        ("expect_rows_to_satisfy", {"condition": "x >= y"}, [0, 0, 0, 0, 0, 1]),
    ],
)
def test_offending_rows(kind, kwargs, expected):
    frame = pl.DataFrame({"x": VALUES, "y": [0] * 6})
    rule = Rule(id="r", type=kind, kwargs=kwargs, severity="stop", reason="long enough a reason")
    assert quarantine.offending(rule, frame).to_list() == [bool(value) for value in expected]


def test_rows_that_are_twice_there_are_one_entry(good):
    frame = good("player_box").head(1)
    suite = load_suite("player_box")
    mask = pl.Series([True, True])
    rows = quarantine.entries(suite, [(suite.rules[0], mask)], pl.concat([frame, frame]), "r", datetime(2024, 1, 1, tzinfo=UTC))
    assert rows.height == 1


def page_of(context, verdict):
    name = verdict.docs_url.removeprefix(context.store.url + "/")
    return context.store.read(name).decode(), name


def test_the_page_names_every_rule_and_needs_no_network(context, good):
    frame, team = broken_box(good("player_box"))
    verdict = run_suite(context, "player_box", frame, run="ingest:2024-01-01:2024-01-05")
    page, name = page_of(context, verdict)
    assert name.startswith("data_docs/player_box/ingest-2024-01-01-2024-01-05/")
    for rule in load_suite("player_box").rules:
        assert rule.id in page
        assert rule.reason.split("'")[0] in page
        assert rule.severity in page
    assert "10 of 200 rows" in page
    assert team in page
    assert "Evaluated Expectations" in page, "Great Expectations' own report is on the page"
    assert not re.search(r"https?://|<script|<link", page)


def test_the_page_of_another_outcome_is_another_one(context, good):
    frame, _ = broken_box(good("player_box"))
    bad = run_suite(context, "player_box", frame, run="ingest:2024-01-01")
    fixed = run_suite(context, "player_box", good("player_box"), run="ingest:2024-01-01")
    assert bad.docs_url != fixed.docs_url
    assert len([name for name in context.store.list("data_docs/player_box/") if name.endswith(".html")]) == 2


def test_the_result_behind_the_page_is_strict_json(context, good, parameters):
    frame = good("predictions").with_columns(p_over=pl.when(pl.int_range(pl.len()) == 3).then(math.inf).otherwise(pl.col("p_over")))
    run_suite(context, "predictions", frame, run="predict:2024-01-01", parameters=parameters("predictions"))
    name = next(name for name in context.store.list("data_docs/") if name.endswith(".json"))
    json.loads(context.store.read(name), parse_constant=lambda token: pytest.fail(f"{token} is no JSON"))


def test_text_of_the_data_is_escaped(context, good):
    frame = good("player_box").with_columns(player_name=pl.lit("<i onload=x>"), team=pl.lit("<i onclick=x>"))
    page, _ = page_of(context, run_suite(context, "player_box", frame, run="ingest:2024-01-01"))
    assert "&lt;i onload=x&gt;" in page
    assert "&lt;i onclick=x&gt;" in page.split("Evaluated Expectations")[1]
    assert "<i on" not in page


@pytest.mark.parametrize(("run", "slug"), [("ingest:2024-01-05", "ingest-2024-01-05"), ("../../x y", "x-y"), ("::", "run")])
def test_slug(run, slug):
    assert docs_site.slug(run) == slug
