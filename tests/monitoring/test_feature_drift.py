"""Drift of features on made-up seasons: what is planted is found soon, and honest slates are quiet."""

import inspect
import itertools
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from nba_ml.features.rest import rest
from nba_ml.gates import load_gates
from nba_ml.monitoring import feature_drift, reference, schema_drift

TEAMS, ROSTER, SLATES = 24, 8, 60
SEASONS = ("2021-22", "2022-23", "2023-24")
NAMES = ("points_ewm_8", "season_games", "usage_rate", "team_pace", "weekday")
GATES = {gate["metric"]: gate for gate in load_gates()["monitor"]}


def league(seed=1) -> pl.DataFrame:
    """Make feature rows of three seasons in which form wanders, games add up, and the league scores more every year."""
    rng = np.random.default_rng(seed)
    rows = []
    for year, season in enumerate(SEASONS):
        level = rng.gamma(4, 2.5, TEAMS * ROSTER) * (1 + 0.03 * year)
        usage = rng.normal(0.2, 0.05, TEAMS * ROSTER)
        pace = rng.normal(100, 2, TEAMS)
        for day in range(SLATES):
            playing = rng.permutation(TEAMS)[:14]
            for team in playing:
                for slot in range(ROSTER):
                    who = team * ROSTER + slot
                    rows.append(
                        {
                            "season": season,
                            "season_type": "Regular Season",
                            "game_date": date(2021 + year, 10, 20) + timedelta(days=day),
                            "game_id": f"{year}-{day}-{team}",
                            "player_id": who,
                            "team": f"T{team}",
                            "points_ewm_8": level[who] + rng.normal(0, 0.7),
                            "season_games": float(day),
                            "usage_rate": usage[who] + rng.normal(0, 0.005),
                            "team_pace": pace[team] + day * 0.01,
                            "weekday": float(day % 7),
                        }
                    )
    frame = pl.DataFrame(rows)
    return frame.join(reference.with_days(frame.select("season", "season_type", "game_date")), on=["season", "game_date"]).sort("game_date")


@pytest.fixture(scope="module")
def rows():
    return league()


def day(number: int) -> date:
    return date(2023, 10, 20) + timedelta(days=number)


def breached(rows: pl.DataFrame, slate: date) -> set[tuple[str, str]]:
    compared = feature_drift.compare(rows.filter(pl.col("game_date") <= slate), slate, NAMES).with_columns(kind=pl.lit("feature"))
    found = [*schema_drift.check(rows.filter(pl.col("game_date") <= slate), slate, NAMES).to_dicts(), *compared.to_dicts()]
    return {(row["kind"], row["name"]) for row in found if row["value"] > GATES[row["kind"]]["threshold"]}


def plant(rows: pl.DataFrame, start: int, name: str, changed: pl.Expr) -> pl.DataFrame:
    return rows.with_columns(pl.when(pl.col("game_date") >= day(start)).then(changed).otherwise(pl.col(name)).alias(name))


def test_honest_slates_are_quiet_from_opening_night_on(rows):
    assert [found for number in range(0, SLATES, 4) if (found := breached(rows, day(number)))] == []


@pytest.mark.parametrize(
    ("name", "changed", "kind", "within"),
    [
        ("points_ewm_8", pl.col("points_ewm_8") * 1.35, "feature", 6),
        ("usage_rate", pl.col("usage_rate") + 0.05, "feature", 6),
        ("team_pace", pl.col("team_pace") + 10, "feature", 6),
        ("usage_rate", pl.when(pl.col("player_id") % 2 == 0).then(pl.col("usage_rate")), "nulls", 1),
        ("points_ewm_8", pl.lit(0.0), "constant", 1),
    ],
    ids=["scaled", "shifted", "a team's", "nulls", "a default"],
)
def test_what_is_planted_is_found(rows, name, changed, kind, within):
    planted = plant(rows, 45, name, changed)
    first = next(number for number in range(45, SLATES) if (kind, name) in breached(planted, day(number)))
    assert first - 45 < within


def test_a_feature_that_stands_still_is_found(rows):
    late = pl.col("game_date") >= day(45)
    still = rows.with_columns(pl.when(~late).then("usage_rate").forward_fill().over("player_id").alias("usage_rate"))
    assert [number for number in (44, 45, 48, 51) if ("frozen", "usage_rate") in breached(still, day(number))] == [45, 48, 51]


def test_without_two_earlier_seasons_there_is_no_measure(rows):
    young = rows.filter(pl.col("season") > SEASONS[0])
    assert feature_drift.compare(young, day(40), NAMES).is_empty()
    assert schema_drift.check(young, day(40), NAMES).height > 0


def test_a_small_slate_is_not_judged(rows):
    small = rows.filter((pl.col("game_date") < day(40)) | (pl.col("team") == "T1"))
    assert schema_drift.check(small, day(59), NAMES).is_empty()


def test_spans_hold_the_same_weeks_and_the_weeks_before_and_nothing_later(rows):
    dates = rows.select("season", "game_date", "regular", "day").unique().sort("game_date")
    found = reference.spans(dates, day(50))
    assert found[-1][1] == day(50)
    assert found[0] == (date(2021, 10, 20), date(2021, 10, 20) + timedelta(days=59))
    assert reference.spans(dates, day(100)) == []


def test_psi_agrees_with_its_formula():
    rng = np.random.default_rng(3)
    values, others = rng.normal(0.5, 1, 400), rng.normal(0, 1, 2000)
    bounds = [-np.inf, *np.quantile(others, np.arange(1, 10) / 10), np.inf]
    p, q = (
        np.array([((part > low) & (part <= high)).sum() + 0.5 for low, high in itertools.pairwise(bounds)]) for part in (values, others)
    )
    p, q = p / p.sum(), q / q.sum()
    assert feature_drift.psi(values, others) == pytest.approx(((p - q) * np.log(p / q)).sum())
    assert feature_drift.psi(others, others) == 0


def test_the_calendar_s_features_are_those_of_rest():
    """What the schedule alone decides is one module of features."""
    source = inspect.getsource(rest)
    assert [name for name in reference.CALENDAR if f"{name}=" not in source] == []


def test_absent_features_are_counted():
    assert schema_drift.absent({"a": "float64", "b": "int64", "c": "float64"}, {"a": "float64", "b": "float64"}) == 2
