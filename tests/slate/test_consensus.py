"""The published number and the voices behind it."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_ml.slate import consensus
from nba_ml.systems.base import VOICES

SYSTEMS = tuple(VOICES)


def form(numbers: dict[str, float | None], line: float | None) -> dict:
    slate = pl.DataFrame(
        {"game_id": ["g"], "player_id": [1], "model_version": ["v"], "line": [line]}, schema_overrides={"line": pl.Float64}
    )
    nothing = dict.fromkeys(("predicted_points_with_line", "q10", "q50", "q90", "p_over"))
    who = {"game_id": "g", "player_id": 1, "model_version": "v"}
    rows = [{**who, "system_id": name, "predicted_points": number, **nothing} for name, number in numbers.items()]
    types = dict.fromkeys(("predicted_points", *nothing), pl.Float64)
    return consensus.form(slate, pl.DataFrame(rows, schema_overrides=types)).row(0, named=True)


def test_one_speaker_for_each_independent_voice():
    spoken = [VOICES[system] for system in consensus.SPEAKERS]
    assert sorted(spoken) == sorted(set(VOICES.values()))


def test_trained_models_are_one_voice():
    against = {"moving_average": 18.0, "matchup": 18.0, "similarity": 18.0, "ridge": 22.0, "xgboost": 22.0, "ensemble": 21.0}
    found = form(against, 20.5)
    assert (found["side"], found["agreement"], found["voices"]) == ("over", 1, 4)


def test_the_number_is_the_ensembles_against_any_majority():
    found = form({"moving_average": 30.0, "matchup": 30.0, "similarity": 30.0, "xgboost": 30.0, "ensemble": 10.0}, 20.5)
    assert (found["predicted_points"], found["side"], found["edge"], found["agreement"]) == (10.0, "under", -10.5, 0)


def test_an_abstaining_ensemble_is_no_number_and_never_zero():
    found = form({"moving_average": 18.0, "matchup": None, "similarity": None, "xgboost": None, "ensemble": None}, 20.5)
    assert (found["predicted_points"], found["side"], found["agreement"], found["voices"]) == (None, None, None, 1)


def test_without_a_line_voices_are_counted_and_no_side_taken():
    found = form({"moving_average": 18.0, "matchup": 19.0, "similarity": None, "xgboost": 21.0, "ensemble": 20.0}, None)
    assert (found["side"], found["edge"], found["agreement"], found["voices"]) == (None, None, None, 3)
    assert found["spread"] == pytest.approx(3.0)


def test_running_twice_gives_the_same_columns():
    slate = pl.DataFrame({"game_id": ["g"], "player_id": [1], "model_version": ["v"], "line": [20.5]})
    systems = pl.DataFrame(
        {"game_id": ["g"], "player_id": [1], "model_version": ["v"], "system_id": ["ensemble"], "predicted_points": [21.0]}
        | {name: [20.0] for name in ("predicted_points_with_line", "q10", "q50", "q90", "p_over")}
    )
    once = consensus.form(slate, systems)
    assert consensus.form(once, systems).equals(once)


numbers = st.fixed_dictionaries({name: st.one_of(st.none(), st.floats(0, 50)) for name in SYSTEMS})


@settings(max_examples=80, deadline=None)
@given(numbers, st.one_of(st.none(), st.integers(0, 50).map(lambda points: points + 0.5)))
def test_side_edge_and_agreement_cohere(given_numbers, line):
    found = form(given_numbers, line)
    number = given_numbers["ensemble"]
    assert found["predicted_points"] == number
    if number is None or line is None:
        assert found["side"] is None
        assert found["edge"] is None
        assert found["agreement"] is None
    else:
        assert found["edge"] == pytest.approx(number - line)
        assert (found["side"] == "over") == (found["edge"] > 0)
        assert 0 <= found["agreement"] <= found["voices"]
    assert found["voices"] == sum(given_numbers[name] is not None for name in consensus.SPEAKERS)
    assert found["voices"] <= 4
    said = [value for value in given_numbers.values() if value is not None]
    assert found["spread"] == (pytest.approx(max(said) - min(said)) if said else None)


@settings(max_examples=40, deadline=None)
@given(numbers, st.floats(0, 50), st.integers(0, 50))
def test_another_trained_model_changes_no_voice(given_numbers, other, line):
    found, changed = form(given_numbers, line + 0.5), form(given_numbers | {"ridge": other}, line + 0.5)
    assert (found["agreement"], found["voices"], found["side"]) == (changed["agreement"], changed["voices"], changed["side"])
