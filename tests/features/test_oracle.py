"""Features against naive loops over one player's earlier games, written to be obviously right."""

import math

import polars as pl
import pytest

from nba_ml.features import FEATURE_TABLE, LINEUP, REPORTED_PREFIX, START_POINTS, availability, build, feature_names, frame
from nba_ml.warehouse.schema import table


@pytest.fixture(scope="module")
def built(games):
    return build(*games)


@pytest.fixture(scope="module")
def pairs(games, built):
    """Each sampled feature row with its player's earlier games, oldest first."""
    box = games[0].filter(pl.col("minutes") > 0).sort("game_date")
    rows = built.sample(60, seed=3).to_dicts()
    return [
        (row, box.filter((pl.col("player_id") == row["player_id"]) & (pl.col("game_date") < row["game_date"])).to_dicts()) for row in rows
    ]


def test_rows_come_by_date_game_and_player_and_do_not_depend_on_blocks(games, built, monkeypatch):
    assert built.equals(built.sample(fraction=1.0, shuffle=True, seed=1).sort("game_date", "game_id", "player_id"))
    for rows in (1, 100):
        monkeypatch.setattr(frame, "BLOCK_ROWS", rows)
        assert build(*games).equals(built)


def ewm(values, half_life):
    decay = 0.5 ** (1 / half_life)
    weights = [decay**age for age in reversed(range(len(values)))]
    return sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights) if values else None


def mean(values):
    return sum(values) / len(values) if values else None


def this_season(row, earlier, name):
    return [game[name] for game in earlier if game["season"] == row["season"]]


ORACLES = {
    "prior_games": lambda row, earlier: len(earlier),
    "season_games": lambda row, earlier: len(this_season(row, earlier, "points")),
    "points_ewm_8": lambda row, earlier: ewm([game["points"] for game in earlier], 8),
    "minutes_ewm_2": lambda row, earlier: ewm([game["minutes"] for game in earlier], 2),
    "points_mean_5": lambda row, earlier: mean([game["points"] for game in earlier][-5:]),
    "points_mean_20": lambda row, earlier: mean([game["points"] for game in earlier][-20:]),
    "points_lag_2": lambda row, earlier: earlier[-2]["points"] if len(earlier) > 1 else None,
    "points_max_10": lambda row, earlier: max((game["points"] for game in earlier[-10:]), default=None),
    "points_season_mean": lambda row, earlier: mean(this_season(row, earlier, "points")),
    "season_avg_minutes": lambda row, earlier: mean(this_season(row, earlier, "minutes")) or ewm([game["minutes"] for game in earlier], 12),
    "points_last_season": lambda row, earlier: mean([game["points"] for game in earlier if game["season"] < row["season"]]),
    "usage_5": lambda row, earlier: mean([game["fga"] + 0.44 * game["fta"] + game["tov"] for game in earlier[-5:]]),
    "three_share": lambda row, earlier: _ratio(ewm([g["fg3a"] for g in earlier], 25), ewm([g["fga"] for g in earlier], 25)),
    "rest_days": lambda row, earlier: min((row["game_date"] - earlier[-1]["game_date"]).days, 15) if earlier else 15,
    "minutes_last_7_days": lambda row, earlier: sum(g["minutes"] for g in earlier if (row["game_date"] - g["game_date"]).days <= 7),
    "games_with_team_season": lambda row, earlier: len(this_season(row, earlier, "points")),
}


def _ratio(numerator, denominator):
    return numerator / denominator if denominator else None


@pytest.mark.parametrize("name", ORACLES)
def test_player_features_equal_a_naive_loop(name, pairs):
    for row, earlier in pairs:
        expected = ORACLES[name](row, earlier)
        if expected is None:
            assert row[name] is None, (name, row["player_id"], row["game_date"])
        else:
            assert math.isclose(row[name], expected, rel_tol=1e-9, abs_tol=1e-9), (name, row["player_id"], row["game_date"])


def test_team_form_equals_a_naive_loop(games, built):
    schedule = games[1].to_dicts()
    for row in built.sample(40, seed=4).to_dicts():
        played = [g for g in schedule if row["team"] in (g["home"], g["away"]) and g["game_date"] < row["game_date"]]
        scored = [g["home_points"] if g["home"] == row["team"] else g["away_points"] for g in played]
        expected = ewm(scored, 10)
        assert (row["team_scored"] is None) == (expected is None)
        assert expected is None or math.isclose(row["team_scored"], expected, rel_tol=1e-9)


def test_missed_games_and_what_the_team_missed_equal_a_naive_loop(games, built):
    box = games[0].filter(pl.col("minutes") > 0).to_dicts()
    team_games = {}
    for game in games[1].sort("game_date").to_dicts():
        for team in (game["home"], game["away"]):
            team_games.setdefault(team, []).append(game)
    played = {(row["game_id"], row["player_id"]) for row in box}
    for row in built.sample(40, seed=5).to_dicts():
        mine = [r for r in box if r["player_id"] == row["player_id"] and r["game_date"] < row["game_date"] and r["season"] == row["season"]]
        recent = [r for r in mine if (row["game_date"] - r["game_date"]).days <= 45]
        if not recent:
            assert row["missed_games"] is None
            continue
        last = max(r["game_date"] for r in recent)
        between = [g for g in team_games[row["team"]] if last < g["game_date"] < row["game_date"]]
        assert row["missed_games"] == min(len(between), 25)
        assert all((g["game_id"], row["player_id"]) not in played for g in between)


def test_missing_points_are_those_of_rotation_players_without_a_row_in_the_last_game(games, built):
    box, schedule = games
    present = box.filter(pl.col("minutes") > 0)
    for row in built.filter(pl.col("missing_points").is_not_null()).sample(15, seed=6).to_dicts():
        last = (
            schedule.filter(((pl.col("home") == row["team"]) | (pl.col("away") == row["team"])) & (pl.col("game_date") < row["game_date"]))
            .sort("game_date")[-1]
            .to_dicts()[0]
        )
        expected = 0.0
        for player in present.filter(pl.col("team") == row["team"])["player_id"].unique():
            earlier = (
                present.filter((pl.col("player_id") == player) & (pl.col("game_date") < last["game_date"])).sort("game_date").to_dicts()
            )
            in_reach = earlier and earlier[-1]["season"] == last["season"] and (last["game_date"] - earlier[-1]["game_date"]).days <= 45
            if not in_reach or present.filter((pl.col("game_id") == last["game_id"]) & (pl.col("player_id") == player)).height:
                continue
            if ewm([g["minutes"] for g in earlier], 8) >= 10:
                expected += ewm([g["points"] for g in earlier], 8)
        assert math.isclose(row["missing_points"], expected, rel_tol=1e-9, abs_tol=1e-9)


def test_every_feature_of_the_table_is_made_and_nothing_else(built):
    identity = [name for name in frame.IDENTITY if name not in ("is_home", "neutral_site")]
    reported = tuple(REPORTED_PREFIX + name for name in LINEUP)
    assert tuple(built.columns) == (*identity, "upcoming", *feature_names(), *reported, START_POINTS)
    assert set(built.columns) - {"upcoming"} <= set(table(FEATURE_TABLE).schema)
    assert set(LINEUP) <= set(feature_names())
    assert built.select(pl.any_horizontal(pl.col(feature_names()).is_nan().any())).item() is False


def test_a_past_game_without_any_row_counts_nobody_as_absent(games):
    box, schedule = games
    empty = schedule["game_id"][60]
    built = build(box.filter(pl.col("game_id") != empty), schedule)
    without = build(box.filter(pl.col("game_id") != empty), schedule.filter(pl.col("game_id") != empty))
    assert built["missed_games"].equals(without["missed_games"])
    assert built["missing_points"].equals(without["missing_points"])


def test_expected_absences_equal_a_naive_sum_over_team_mates(games, built):
    """Σ P(out) × usual points over rotation team-mates, by the table of streaks: this league is too small for the classifier."""
    present = games[0].filter(pl.col("minutes") > 0)
    for row in built.filter(pl.col("out_points").is_not_null()).sample(12, seed=7).to_dicts():
        expected = 0.0
        for player in present["player_id"].unique():
            earlier = (
                present.filter((pl.col("player_id") == player) & (pl.col("game_date") < row["game_date"])).sort("game_date").to_dicts()
            )
            if not earlier or player == row["player_id"] or earlier[-1]["team"] != row["team"] or earlier[-1]["season"] != row["season"]:
                continue
            if (row["game_date"] - earlier[-1]["game_date"]).days > 45 or ewm([g["minutes"] for g in earlier], 8) < 10:
                continue
            missed = (
                games[1]
                .filter(
                    ((pl.col("home") == row["team"]) | (pl.col("away") == row["team"]))
                    & (pl.col("game_date") > earlier[-1]["game_date"])
                    & (pl.col("game_date") < row["game_date"])
                )
                .height
            )
            expected += availability.STREAK[min(missed, 5)] * ewm([g["points"] for g in earlier], 8)
        assert math.isclose(row["out_points"], expected, rel_tol=1e-9, abs_tol=1e-9)
