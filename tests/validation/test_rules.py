"""Every rule of every suite: holds on a good frame, fails on one broken for it, and a quarantine above its cap stops."""

import dataclasses
from datetime import timedelta

import polars as pl
import pytest

from nba_ml.validation import gate
from nba_ml.validation.suites import load_suite, suite_names


def put(column, value, rows=1):
    """Write a value into the first rows of a column."""
    expression = value if isinstance(value, pl.Expr) else pl.lit(value)

    def change(frame):
        dtype = frame.schema[column]
        if isinstance(value, float) and not dtype.is_float():
            dtype = pl.Float64()
        first = pl.int_range(pl.len()) < rows
        return frame.with_columns(pl.when(first).then(expression).otherwise(pl.col(column)).cast(dtype).alias(column))

    return change


def both(*changes):
    def change(frame):
        for one in changes:
            frame = one(frame)
        return frame

    return change


def twice(frame):
    return pl.concat([frame, frame.head(1)])


def fill(column, value):
    return lambda frame: frame.with_columns(pl.lit(value).alias(column))


NULL = pl.lit(None)
NAN = float("nan")
BREAK = {
    "schedule": {
        "game_id_known": put("game_id", NULL),
        "game_id_unique": twice,
        "game_date_known": put("game_date", NULL),
        "season_type_known": put("season_type", "Preseason"),
        "season_type_given": put("season_type", NULL),
        "teams_differ": put("away", pl.col("home")),
        "home_team_known": put("home", "EAST"),
        "away_team_known": put("away", "WEST"),
        "home_points_range": put("home_points", 30),
        "away_points_range": put("away_points", 300),
        "both_scores_or_none": put("home_points", NULL),
        "no_tie": put("away_points", pl.col("home_points")),
        "tipoff_on_the_date": put("tipoff_utc", pl.col("tipoff_utc") + timedelta(hours=12)),
        "tipoff_given": put("tipoff_utc", NULL, rows=100),
    },
    "player_box": {
        "game_id_known": put("game_id", NULL),
        "player_id_known": put("player_id", NULL),
        "game_player_unique": twice,
        "game_date_known": put("game_date", NULL),
        "season_type_known": put("season_type", "Summer League"),
        "minutes_known": put("minutes", NULL),
        "minutes_range": put("minutes", 2058.0),
        "minutes_vary": fill("minutes", 24.0),
        "points_known": put("points", NULL),
        "points_range": put("points", -1),
        "shots_made": put("fgm", 40),
        "threes_made": put("fg3m", 30),
        "free_throws_made": put("ftm", 40),
        "points_add_up": put("points", 77),
        "counts_not_negative": put("ast", -1),
        "team_known": put("team", "SEA"),
        "opponent_known": put("opponent", "SEA"),
        "teams_differ": put("opponent", pl.col("team")),
        "venue_known": put("is_home", NULL),
        "rows_per_team_game": lambda frame: frame.slice(7),
    },
    "prop_lines": {
        "game_date_known": put("game_date", NULL),
        "quote_unique": twice,
        "market_is_points": put("market", "rebounds"),
        "line_kind_known": put("line_kind", "live"),
        "line_kind_given": put("line_kind", NULL),
        "line_known": put("line", NULL),
        "line_range": put("line", 220.5),
        "line_in_halves": put("line", 12.25),
        "over_odds_american": put("over_odds", 1.91),
        "under_odds_american": put("under_odds", -50.0),
        "before_tipoff": put("captured_at", pl.col("tipoff_utc") + timedelta(minutes=30)),
        "dated_kinds_are_dated": put("captured_at", NULL),
        "no_placeholder_on_a_date": put("line", 15.5, rows=30),
        "no_placeholder_in_a_season": put("line", 15.5, rows=200),
        "player_matched": put("player_id", NULL, rows=300),
    },
    "game_lines": {
        "game_id_known": put("game_id", NULL),
        "quote_unique": twice,
        "market_known": put("market", "first quarter"),
        "line_given": both(put("market", "total"), put("line", NULL)),
        "total_range": both(put("market", "total"), put("line", 92.5)),
        "spread_range": both(put("market", "spread"), put("line", 224.5)),
        "odds_american": put("home_odds", 0.875),
        "not_in_play": put("pre_tip", False),
        "home_team_known": put("home", "SEA"),
        "away_team_known": put("away", "SEA"),
    },
    "player_status": {
        "snapshot_unique": twice,
        "kind_known": put("kind", "rumour"),
        "captured_at_known": put("captured_at", NULL),
        "game_date_known": put("game_date", NULL),
        "name_given": put("player_raw", NULL),
        "captured_near_the_date": put("captured_at", pl.col("captured_at") + timedelta(days=2)),
        "team_known": put("team", "UNK"),
        "player_matched": put("player_id", NULL, rows=20),
    },
    "training_set": {
        "enough_rows": lambda frame: frame.head(500),
        "key_unique": twice,
        "one_feature_version": put("feature_version", "w"),
        "dates_ascend": lambda frame: frame.reverse(),
        "dates_known": put("game_date", NULL),
        "target_known": put("actual_points", NULL),
        "target_range": put("actual_points", 999),
        "target_varies": fill("actual_points", 10),
        "target_mean": fill("actual_points", 30),
        "features_finite": put("points_ewm_8", NAN),
        "features_known": put("points_ewm_8", NULL, rows=900),
        "features_vary": fill("usage_rate", 0.5),
        "features_not_defaulted": put("minutes_ewm_8", 24.0, rows=700),
        "features_no_leak": lambda frame: frame.with_columns(points_mean_5=pl.col("actual_points") + 0.1 * pl.col("points_mean_5")),
        "no_placeholder_lines": put("line", 15.5, rows=200),
    },
    "slate_features": {
        "slate_size": lambda frame: frame.clear(),
        "key_unique": twice,
        "player_once": put("player_id", 79),
        "one_date": put("game_date", pl.col("game_date") + timedelta(days=1)),
        "one_feature_version": put("feature_version", "w"),
        "schema_as_trained": lambda frame: frame.drop("rest_days"),
        "features_finite": put("points_ewm_8", float("inf")),
        "features_known": put("usage_rate", NULL, rows=70),
        "history_known": put("points_ewm_8", NULL, rows=30),
        "form_varies": fill("minutes_ewm_8", 24.0),
        "team_known": put("team", "SEA"),
        "opponent_known": put("opponent", "SEA"),
        "no_placeholder_lines": put("line", 15.5, rows=30),
    },
    "predictions": {
        "slate_size": lambda frame: frame.clear(),
        "key_unique": twice,
        "numbers_finite": put("predicted_points", NAN),
        "number_range": put("predicted_points", 86.0),
        "quantiles_ordered": put("q10", 50.0),
        "quantiles_with_number": put("q90", NULL),
        "p_over_range": put("p_over", 52.4),
        "p_over_market_range": put("p_over_market", -0.1),
        "edge_adds_up": lambda frame: frame.with_columns(edge=-pl.col("edge")),
        "side_known": put("side", "OVER"),
        "side_follows_number": lambda frame: frame.with_columns(
            side=pl.when(pl.col("edge") > 0).then(pl.lit("under")).otherwise(pl.lit("over"))
        ),
        "side_needs_both": put("line", NULL),
        "agreement_within_voices": put("agreement", 4),
        "blocked_has_reasons": put("blocked", True),
        "abstained_has_reasons": put("predicted_points", NULL),
        "population_accounted_for": put("predicted_points", NULL, rows=10),
        "abstained_is_blocked": put("predicted_points", NULL),
        "numbers_vary": fill("predicted_points", 12.0),
        "sides_balanced": fill("side", "under"),
        "no_placeholder_lines": put("line", 15.5, rows=40),
        "tier_known": put("quality_tier", "platinum"),
    },
}
"""Suite → rule → what breaks it."""

ABOVE_CAP = {("prop_lines", "no_placeholder_on_a_date"): both(lambda frame: frame.head(150), put("line", 15.5, rows=60))}
"""Quarantine rules whose break grows in another way than by the number of rows; all others are tried on a frame of one broken row."""

RULES = [(name, rule) for name in suite_names() for rule in load_suite(name).rules]


@pytest.fixture
def judge(context, parameters, monkeypatch):
    """Run one rule of a suite alone."""

    def run(name, rule, frame):
        monkeypatch.setattr(gate, "load_suite", lambda _: dataclasses.replace(load_suite(name), rules=(rule,)))
        return gate.run_suite(context, name, frame, run="test:1", parameters=parameters(name))

    return run


@pytest.mark.parametrize("name", suite_names())
def test_a_good_frame_passes_every_rule(context, good, parameters, name):
    frame = good(name)
    verdict = gate.run_suite(context, name, frame, run="test:good", parameters=parameters(name))
    assert verdict.summary == f"{name}: all {len(load_suite(name).rules)} rules hold on {frame.height:,} rows"
    assert verdict.passed
    assert verdict.kept.equals(frame)
    assert (verdict.failed, verdict.warned, verdict.quarantined) == ([], [], 0)
    assert len(context.warehouse.rows["nba_ops.validation_runs"]) == len(load_suite(name).rules)
    assert "nba_ops.quarantine" not in context.warehouse.rows
    verdict.raise_if_stopped()


@pytest.mark.parametrize("name", ["schedule", "player_box", "prop_lines", "game_lines", "player_status"])
def test_a_date_without_rows_passes(context, good, name):
    verdict = gate.run_suite(context, name, good(name).clear(), run="test:empty")
    assert verdict.passed, verdict.summary
    assert verdict.kept.is_empty()


def test_every_rule_has_a_frame_that_breaks_it():
    assert {(name, rule.id) for name, rule in RULES} == {(name, rule) for name, rules in BREAK.items() for rule in rules}


@pytest.mark.parametrize(("name", "rule"), RULES, ids=[f"{name}-{rule.id}" for name, rule in RULES])
def test_a_broken_frame_fails_its_rule(judge, good, name, rule):
    frame = BREAK[name][rule.id](good(name))
    verdict = judge(name, rule, frame)
    outcome = verdict.outcomes[0]
    assert outcome.effect == rule.severity, outcome.line
    assert "could not run" not in outcome.detail
    assert verdict.passed == (rule.severity != "stop")
    assert verdict.warned == ([rule.id] if rule.severity == "warn" else [])
    assert rule.reason in verdict.summary
    if rule.severity == "quarantine":
        assert verdict.quarantined == outcome.failed_rows > 0
        assert verdict.kept.height == frame.height - verdict.quarantined
    else:
        assert verdict.kept.height == frame.height


@pytest.mark.parametrize(
    ("name", "rule"),
    [(name, rule) for name, rule in RULES if rule.severity == "quarantine"],
    ids=[f"{name}-{rule.id}" for name, rule in RULES if rule.severity == "quarantine"],
)
def test_a_quarantine_above_its_cap_stops(judge, good, name, rule):
    change = ABOVE_CAP.get((name, rule.id)) or both(BREAK[name][rule.id], lambda frame: frame.head(1))
    verdict = judge(name, rule, change(good(name)))
    assert verdict.failed == [rule.id]
    assert "above the cap" in verdict.outcomes[0].detail


@pytest.mark.parametrize(
    ("name", "rule"),
    [(name, rule) for name, rule in RULES if rule.severity != "stop"],
    ids=[f"{name}-{rule.id}" for name, rule in RULES if rule.severity != "stop"],
)
def test_a_rule_that_could_not_run_stops(judge, name, rule):
    verdict = judge(name, rule, pl.DataFrame({"another": [1, 2, 3]}))
    assert verdict.failed == [rule.id]
    assert "could not run" in verdict.outcomes[0].detail
