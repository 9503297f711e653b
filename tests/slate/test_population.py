"""Who is on a slate, and which teams are stale."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from nba_ml.calendar import results_known_at
from nba_ml.errors import GateRefused
from nba_ml.slate import population
from tests.slate.little_league import typed

SLATE = date(2024, 1, 20)
AS_OF = datetime(2024, 1, 20, 22, tzinfo=UTC)


def game(number: int, days_ago: int, home: str, away: str, points: int | None = 50) -> dict:
    day = SLATE - timedelta(days=days_ago)
    return {
        "game_id": f"g{number}",
        "season": "2023-24",
        "season_type": "Regular Season",
        "game_date": day,
        "home": home,
        "away": away,
        "neutral_site": False,
        "home_points": points,
        "away_points": points,
        "source": "made up",
        "known_at": datetime(2023, 9, 1, tzinfo=UTC),
        "result_known_at": results_known_at(day),
    }


def row(of: dict, team: str, player: int, minutes: float = 30, points: int = 10) -> dict:
    same = {name: of[name] for name in ("game_id", "season", "season_type", "game_date", "source")}
    opponent = of["away"] if team == of["home"] else of["home"]
    person = {"player_id": player, "player_name": f"player {player}", "team": team, "opponent": opponent, "is_home": team == of["home"]}
    return {**same, **person, "minutes": minutes, "points": points, "known_at": of["result_known_at"]}


def schedule(*games: dict) -> pl.DataFrame:
    return typed("nba_raw.schedule", list(games))


def box(*rows: dict) -> pl.DataFrame:
    return typed("nba_raw.player_box", list(rows))


def quoted(*players: tuple[int, str | None]) -> pl.DataFrame:
    rows = [{"player_id": player, "player_name": f"player {player}", "team": team} for player, team in players]
    return pl.DataFrame(rows, schema={"player_id": pl.Int64, "player_name": pl.String, "team": pl.String})


TONIGHT = schedule(game(99, 0, "BOS", "NYK", None))
PAST = [game(number, 20 - 2 * number, "BOS", "CHI") for number in range(1, 10)]


def found(history: pl.DataFrame, *players: tuple[int, str | None]) -> dict[int, tuple[str, str]]:
    people, _ = population.find(TONIGHT, history, quoted(*players))
    return {person["player_id"]: (person["team"], person["in_population_by"]) for person in people.to_dicts()}


def test_line_rotation_and_both():
    history = box(*(row(PAST[8], "BOS", player) for player in (1, 2)), row(PAST[0], "BOS", 3))
    every = [row(of, "BOS", 4) for of in PAST]
    assert found(pl.concat([history, box(*every)]), (1, None), (3, None)) == {
        1: ("BOS", "both"),
        2: ("BOS", "rotation"),
        3: ("BOS", "line"),
        4: ("BOS", "rotation"),
    }


def test_out_of_the_last_five_games_is_out_of_the_rotation():
    every = [row(of, "BOS", 4) for of in PAST]
    assert 5 in found(box(*every, row(PAST[4], "BOS", 5)))
    assert 5 not in found(box(*every, row(PAST[3], "BOS", 5)))


def test_a_few_minutes_are_no_rotation():
    assert found(box(row(PAST[8], "BOS", 1, minutes=2.0), row(PAST[8], "BOS", 2, minutes=12.0))) == {2: ("BOS", "rotation")}


def test_a_traded_player_belongs_to_the_team_of_his_latest_game():
    assert found(box(row(PAST[7], "BOS", 1), row(PAST[8], "CHI", 1))) == {}
    assert found(box(row(PAST[7], "CHI", 1), row(PAST[8], "BOS", 1))) == {1: ("BOS", "rotation")}


def test_a_line_names_the_new_team_of_a_traded_player():
    history = box(row(PAST[8], "BOS", 1), row(PAST[8], "CHI", 2))
    assert found(history, (1, "NYK"), (2, "NYK")) == {1: ("NYK", "both"), 2: ("NYK", "line")}
    assert found(history, (1, "LAL")) == {1: ("BOS", "both")}


def test_who_cannot_be_placed_is_named():
    people, unplaced = population.find(TONIGHT, box(row(PAST[8], "CHI", 2)), quoted((2, None), (7, None)))
    assert people.height == 0
    assert unplaced == ["player 2", "player 7"]


def test_columns_and_sides_of_the_game():
    people, _ = population.find(TONIGHT, box(row(PAST[8], "BOS", 1)), quoted((9, "NYK")))
    assert people.columns == list(population.COLUMNS)
    assert people.select("team", "opponent", "is_home").rows() == [("BOS", "NYK", True), ("NYK", "BOS", False)]


def whole_team(of: dict, team: str, count: int = 5, points: int = 10) -> list[dict]:
    return [row(of, team, 10 + number, points=points) for number in range(count)]


LAST = [game(1, 3, "BOS", "CHI"), game(2, 2, "NYK", "CHI"), game(3, 1, "LAL", "CHI")]


def stale(history: pl.DataFrame, *games: dict, as_of: datetime = AS_OF) -> list[str]:
    rows = schedule(*(games or LAST), *TONIGHT.to_dicts())
    return population.stale_teams(TONIGHT, rows, history, SLATE, as_of)["team"].to_list()


def test_complete_last_games_are_fresh():
    assert stale(box(*whole_team(LAST[0], "BOS"), *whole_team(LAST[1], "NYK"))) == []


def test_absent_thin_or_wrong_rows_are_stale_for_their_own_team_alone():
    bos = whole_team(LAST[0], "BOS")
    assert stale(box(*bos)) == ["NYK"]
    assert stale(box(*bos, *whole_team(LAST[1], "NYK", count=4, points=12))) == ["NYK"]
    assert stale(box(*bos, *whole_team(LAST[1], "NYK", points=11))) == ["NYK"]


def test_only_the_last_game_counts():
    earlier = game(0, 10, "BOS", "NYK")
    assert stale(box(*whole_team(LAST[0], "BOS"), *whole_team(LAST[1], "NYK")), earlier, *LAST) == []


def test_a_game_that_is_not_over_yet_makes_no_one_stale():
    history = box(*whole_team(LAST[0], "BOS"), *whole_team(LAST[1], "NYK"))
    yesterday = game(4, 1, "BOS", "NYK", None)
    assert stale(history, *LAST, yesterday, as_of=yesterday["result_known_at"] - timedelta(hours=1)) == []
    assert stale(history, *LAST, yesterday) == ["BOS", "NYK"]


def test_the_quarter_itself_is_allowed():
    teams = population.stale_teams(TONIGHT, schedule(*LAST), box(*whole_team(LAST[0], "BOS")), SLATE, AS_OF)
    population.require_fresh(teams, 4, 0.25)
    with pytest.raises(GateRefused, match="nba-ml ingest --from 2024-01-18 --to 2024-01-18"):
        population.require_fresh(teams, 3, 0.25)


def test_a_kind_of_game_that_the_source_never_delivers_makes_nobody_stale():
    """Some feeds have no play-ins: their teams would be stale for ever. A first late one is still late."""
    old, fresh = (game(90 + back, back, "BOS", "NYK") | {"season_type": "PlayIn"} for back in (60, 1))
    history = box(*whole_team(LAST[0], "BOS"), *whole_team(LAST[1], "NYK"))
    assert stale(history, *LAST, fresh) == ["BOS", "NYK"]
    assert stale(history, *LAST, old, fresh) == []
