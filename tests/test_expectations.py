"""The suite files: each loads, each rule says who it is and why, and Great Expectations drops none."""

import re

import pytest

from nba_ml.errors import UsageError
from nba_ml.validation import docs
from nba_ml.validation.suites import TEAMS, folder, load_suite, parse_suite, suite_names
from nba_ml.warehouse.schema import table

EXPECTED = ["game_lines", "player_box", "player_status", "predictions", "prop_lines", "schedule", "slate_features", "training_set"]


def test_there_is_a_suite_per_stage():
    assert suite_names() == EXPECTED


@pytest.mark.parametrize("name", EXPECTED)
def test_rules_are_complete_and_great_expectations_takes_them_all(name):
    suite = load_suite(name)
    features = table("nba_predictions.ml_feature_store_v2").features
    parameters = {"expected": dict.fromkeys(features), "known": list(features)} if name == "slate_features" else {}
    resolved = suite.resolved(features, parameters)
    built = resolved.to_gx()
    assert [expectation.meta["id"] for expectation in built.expectations] == [rule.id for rule in suite.rules]
    for rule in resolved.rules:
        assert rule.severity in ("stop", "quarantine", "warn")
        assert len(rule.reason) >= 10
        assert "$" not in str(rule.kwargs)


@pytest.mark.parametrize("name", EXPECTED)
def test_one_rule_per_line(name):
    lines = (folder() / f"{name}.yaml").read_text("utf-8").splitlines()
    assert sum(bool(re.match(r"  - \{id: \w+, type: \w+,.*reason: \".+\"\}$", line)) for line in lines) == len(load_suite(name).rules)


def test_teams_are_thirty_and_distinct():
    assert len(set(TEAMS)) == 30


def test_the_page_of_all_rules_is_up_to_date():
    assert docs.main(["--check"]) == 0


HEAD = "name: odd\ntable: nba_raw.schedule\ndescription: d\nnext_step: n\nkey: [game_id]\nparameters: {low: 1}\nrules:\n"
RULE = '  - {id: %s, type: %s, kwargs: {column: game_id}, severity: %s, reason: "long enough to be one"}\n'
NOT_NULL = "expect_column_values_to_not_be_null"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (RULE % ("a", NOT_NULL, "sotp"), "severity"),
        (RULE % ("a", NOT_NULL, "stop") * 2, "repeats the rule a"),
        (RULE % ("a", NOT_NULL, "quarantine"), "has a cap"),
        ((RULE % ("a", NOT_NULL, "stop")).replace("reason", "cap: 0.5, reason"), "has a cap"),
        ((RULE % ("a", NOT_NULL, "stop")).replace("long enough to be one", "short"), "reason"),
        ((RULE % ("a", NOT_NULL, "stop")).replace("kwargs", "kwrags"), "kwrags"),
        ((RULE % ("a", "expect_columns_to_vary", "quarantine")).replace("reason", "cap: 0.5, reason"), "judges no single row"),
        ("  - {id: [}", "odd.yaml"),
    ],
)
def test_a_wrong_file_is_refused(body, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        parse_suite(HEAD + body, "odd")


def test_a_file_of_another_name_or_table_is_refused():
    with pytest.raises(UsageError, match="says name odd"):
        parse_suite(HEAD + RULE % ("a", NOT_NULL, "stop"), "other")
    with pytest.raises(UsageError, match=r"table nba_raw\.nothing"):
        parse_suite((HEAD + RULE % ("a", NOT_NULL, "stop")).replace("nba_raw.schedule", "nba_raw.nothing"), "odd")


def test_a_type_that_great_expectations_drops_is_refused():
    suite = parse_suite(HEAD + RULE % ("a", NOT_NULL, "stop") + RULE % ("b", "expect_column_values_to_not_be_nul", "stop"), "odd")
    with pytest.raises(UsageError, match="dropped b"):
        suite.resolved([]).to_gx()


def test_arguments_that_great_expectations_refuses_are_refused():
    suite = parse_suite(HEAD + (RULE % ("a", NOT_NULL, "stop")).replace("column: game_id", "column: game_id, mostly: 2"), "odd")
    with pytest.raises(UsageError, match="refuses a rule"):
        suite.resolved([]).to_gx()


def test_unknown_suites_and_parameters_are_refused():
    with pytest.raises(UsageError, match="choose one of game_lines, player_box"):
        load_suite("nothing")
    with pytest.raises(UsageError, match="has no parameter min_row:"):
        load_suite("training_set").resolved([], {"min_row": 1})
    suite = parse_suite(HEAD + (RULE % ("a", NOT_NULL, "stop")).replace("column: game_id", "column: $high"), "odd")
    with pytest.raises(UsageError, match=r"\$high is no parameter"):
        suite.resolved([])
