"""Tiers by count, reasons by name, and numbers that stay."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_ml.slate import quality

REQUIRED = ("points_ewm_8", "minutes_ewm_8", "rest_days")


def judged(*, games=40, missing=0, rest=2.0, number=20.0, line=19.5, agreement=3, voices=4, reasons=None, absent=False) -> dict:
    slate = pl.DataFrame(
        [
            {
                "game_id": "g",
                "player_id": 1,
                "reasons": reasons,
                "predicted_points": number,
                "line": line,
                "agreement": agreement,
                "voices": voices,
            }
        ],
        schema_overrides={"reasons": pl.String, "predicted_points": pl.Float64, "line": pl.Float64, "agreement": pl.Int64},
    )
    values = dict.fromkeys(REQUIRED, 1.0) | {"rest_days": rest}
    for name in REQUIRED[:missing]:
        values[name] = None
    features = pl.DataFrame(
        [{"game_id": "g", "player_id": 1, "prior_games": games, "season_avg_minutes": 20.0, **values}],
        schema_overrides=dict.fromkeys(("prior_games", *REQUIRED), pl.Float64),
    )
    return quality.judge(quality.assess(slate, features.clear() if absent else features, REQUIRED)).row(0, named=True)


@pytest.mark.parametrize(
    ("given_row", "tier", "blocked", "reasons"),
    [
        ({}, "gold", False, None),
        ({"games": 29}, "silver", False, None),
        ({"games": 9}, "bronze", False, None),
        ({"games": 4}, "bronze", True, "too_few_games"),
        ({"rest": 15.0}, "silver", False, "long_absence"),
        ({"missing": 1}, "bronze", True, "missing_required"),
        ({"missing": 3}, "unusable", True, "missing_required,long_absence"),
        ({"number": None, "agreement": None, "voices": 0}, "unusable", True, "abstained"),
        ({"reasons": "stale_team"}, "unusable", True, "stale_team"),
        ({"reasons": "quarantined"}, "unusable", True, "quarantined"),
        ({"agreement": 1}, "gold", False, "thin_agreement"),
        ({"agreement": 2}, "gold", False, None),
        ({"line": None, "agreement": None}, "gold", False, "no_line"),
        ({"absent": True}, "unusable", True, "missing_required,too_few_games,long_absence"),
    ],
)
def test_tiers_and_reasons(given_row, tier, blocked, reasons):
    if given_row.get("missing") == 3:
        given_row = given_row | {"rest": None}
    found = judged(**given_row)
    assert (found["quality_tier"], found["blocked"], found["reasons"]) == (tier, blocked, reasons)


def test_every_reason_says_whether_it_blocks_and_why():
    assert len(set(quality.NAMES)) == len(quality.REASONS)
    assert all(reason.meaning for reason in quality.REASONS)
    assert set(quality.BLOCKING) < set(quality.NAMES)


order = {"gold": 0, "silver": 1, "bronze": 2, "unusable": 3}
rows = st.fixed_dictionaries(
    {
        "games": st.integers(0, 60),
        "missing": st.integers(0, 2),
        "rest": st.sampled_from([1.0, 14.0, 15.0]),
        "number": st.one_of(st.none(), st.floats(0, 40)),
        "line": st.one_of(st.none(), st.just(19.5)),
        "reasons": st.sampled_from([None, "stale_team", "quarantined"]),
    }
)


@settings(max_examples=60, deadline=None)
@given(rows)
def test_a_number_is_never_changed_and_less_is_never_better(given_row):
    found = judged(**given_row)
    assert found["predicted_points"] == given_row["number"]
    worse = judged(**given_row | {"games": max(given_row["games"] - 10, 0), "missing": min(given_row["missing"] + 1, 2)})
    assert order[worse["quality_tier"]] >= order[found["quality_tier"]]
    assert worse["blocked"] >= found["blocked"]
    names = (found["reasons"] or "").split(",")
    assert found["blocked"] == any(name in quality.BLOCKING for name in names)
    assert found["missing_features"] == given_row["missing"]


@settings(max_examples=30, deadline=None)
@given(rows)
def test_judging_twice_is_judging_once(given_row):
    once = pl.DataFrame([judged(**given_row)], schema_overrides={"reasons": pl.String, "predicted_points": pl.Float64, "line": pl.Float64})
    assert quality.judge(once).equals(once)
