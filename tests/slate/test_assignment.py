"""Which version predicts a row: stable, reproducible, disjoint, balanced, and a smaller share inside a larger one."""

import subprocess
import sys
from datetime import date, timedelta

import polars as pl
import pytest

from nba_ml.registry.states import Rollout
from nba_ml.slate.assignment import assign, place

ROWS = 100_000
TEAMS, PLAYERS = 30, 10
STARTERS = 5


def slates() -> pl.DataFrame:
    """A league of 30 teams with 10 players each, every night 300 rows, until there are 100,000."""
    rows = []
    night = date(2023, 10, 24)
    while len(rows) < ROWS:
        for team in range(TEAMS):
            game = f"0022{(night - date(2023, 1, 1)).days:04d}{team // 2:02d}"
            rows += [(night, game, 1000 * team + slot, team, slot < STARTERS) for slot in range(PLAYERS)]
        night += timedelta(days=1)
    return pl.DataFrame(rows[:ROWS], schema=["slate_date", "game_id", "player_id", "team", "starter"], orient="row")


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    return slates()


def challenge(share: float) -> Rollout:
    return Rollout(number=2, serving="old", challenger="new", share=share)


def shares(rows: pl.DataFrame, share: float, by: str) -> pl.DataFrame:
    assigned = assign(rows, challenge(share))
    return assigned.group_by(by).agg(found=(pl.col("model_version") == "new").mean(), n=pl.len())


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_hundred_thousand_rows_are_within_half_a_point_of_the_share(rows, share):
    found = (assign(rows, challenge(share))["model_version"] == "new").mean()
    assert abs(found - share) < 0.005


@pytest.mark.parametrize("share", [0.1, 0.5])
@pytest.mark.parametrize("by", ["starter", "team"])
def test_teams_and_roles_are_balanced(rows, share, by):
    """Half a point, or four standard errors of a fair draw where a group has too few rows to be that close."""
    found = shares(rows, share, by)
    allowed = (share * (1 - share) / found["n"]).sqrt() * 4
    assert ((found["found"] - share).abs() < allowed.clip(lower_bound=0.005)).all()
    chi_square = (found["n"] * (found["found"] - share) ** 2 / (share * (1 - share))).sum()
    assert chi_square < {2: 10.8, 30: 59.7}[found.height]  # the 99.9 % quantile for as many groups


def test_a_tenth_is_part_of_the_half_and_nobody_has_two_versions(rows):
    tenth, half = (assign(rows, challenge(share))["model_version"] == "new" for share in (0.1, 0.5))
    assert (tenth & ~half).sum() == 0
    assert set(assign(rows, challenge(0.1))["model_version"]) == {"old", "new"}


def test_a_row_keeps_its_place_whoever_else_is_there_and_in_whatever_order(rows):
    few = rows.sample(500, seed=1)
    alone = assign(few, challenge(0.5))
    all_of_them = assign(rows, challenge(0.5)).join(few, on=["slate_date", "game_id", "player_id"], how="semi")
    key = ["slate_date", "game_id", "player_id"]
    assert alone.sort(key).equals(all_of_them.sort(key))


def test_another_process_gives_the_same_place():
    program = "from datetime import date; from nba_ml.slate.assignment import place; print(place(date(2024, 1, 12), '0022300551', 2544))"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"})
    assert float(told.stdout) == place(date(2024, 1, 12), "0022300551", 2544) == 0.7920292857734552


def test_each_row_says_the_share_of_its_version(rows):
    few = assign(rows.head(1000), challenge(0.1))
    assert dict(few.select("model_version", "share").unique().rows()) == {"old": 0.9, "new": 0.1}
    alone = assign(rows.head(1000), Rollout(number=1, serving="old"))
    assert alone.select("model_version", "share").unique().rows() == [("old", 1.0)]
    assert assign(rows.clear(), challenge(0.1)).height == 0
