"""Faults of results and schedules."""

from datetime import time, timedelta

import polars as pl

from nba_ml.sources.league import defects
from tests.faults.machine import NEXT, SLATE, Platform
from tests.faults.showing import same_grades, shows

TEN = (time(10, 15), time(13, 15))

FAINT = 0.05
"""Points by which a number may move with what the missing games say of the league as a whole."""


def players_of(teams: list[str], *slates: pl.DataFrame) -> list[int]:
    return [player for picks in slates for player in picks.filter(pl.col("team").is_in(teams))["player_id"]]


def without_scores(which: pl.Expr):
    return lambda games: games.with_columns(pl.when(~which).then(pl.col("home_points", "away_points", "overtime")))


def defect(name: str, last=SLATE):
    return lambda rows: defects.apply([name], "player_box", rows, last)


def day_after(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.col("game_date") + timedelta(days=1))


def closed(platform: Platform) -> bool:
    return platform.alerts()["resolved_at"].null_count() == 0


def test_late_results(fault, evening, clean):
    evening.feed.bend("player_box", defect("late_results"))
    evening.feed.bend("schedule", without_scores(pl.col("game_date") == SLATE))
    for _ in range(2):
        assert evening.ingest(NEXT).failed is None
    evening.morning(NEXT)
    evening.monitor(NEXT, *TEN)
    picks = evening.picks(NEXT)
    shows(fault, evening, clean.morning[NEXT], picks, touched=players_of(["PHI", "DET"], picks, clean.morning[NEXT]), within=FAINT)
    assert evening.grades(SLATE).height == 0
    evening.feed.mend()
    evening.ingest(NEXT, time(14))
    evening.monitor(NEXT, time(15, 15))
    assert same_grades(evening.grades(SLATE), clean.grades)
    assert closed(evening)


def test_empty_feed(fault, evening, clean):
    for table in evening.feed.tables:
        evening.feed.bend(table, lambda rows: rows.clear())
    before = evening.context().warehouse.count(["nba_raw.schedule", "nba_raw.prop_lines"])
    for _ in range(2):
        assert evening.ingest(NEXT).failed == "ingest"
    assert evening.morning(NEXT).failed == "refresh"
    evening.monitor(NEXT, *TEN)
    shows(fault, evening, clean.morning[NEXT], evening.picks(NEXT))
    assert evening.context().warehouse.count(["nba_raw.schedule", "nba_raw.prop_lines"]) == before


def test_half_of_the_games(fault, evening, clean):
    games = evening.feed.tables["schedule"].filter(game_date=SLATE).sort("home")["game_id"].to_list()
    gone = [game for game in games if game in games[5:] or game in philadelphia(evening)][:5]
    for table in ("schedule", "player_box", "prop_lines", "game_lines"):
        evening.feed.bend(table, lambda rows: rows.filter(~pl.col("game_id").is_in(gone)))
    evening.ingest(NEXT)
    evening.morning(NEXT)
    evening.monitor(NEXT, *TEN)
    picks = evening.picks(NEXT)
    shows(fault, evening, clean.morning[NEXT], picks, touched=players_of(["PHI"], picks, clean.morning[NEXT]), within=FAINT)
    half = evening.grades(SLATE)
    assert same_grades(half, clean.grades.filter(~pl.col("game_id").is_in(gone)))
    evening.feed.mend()
    evening.ingest(NEXT, time(14))
    assert same_grades(evening.grades(SLATE), clean.grades)


def philadelphia(platform: Platform) -> list[str]:
    return platform.feed.tables["schedule"].filter((pl.col("game_date") == SLATE) & (pl.col("home") == "PHI"))["game_id"].to_list()


def test_duplicated_feed(fault, evening, clean):
    evening.feed.bend("player_box", defect("duplicated_feed"))
    for _ in range(2):
        assert evening.ingest(NEXT).failed == "ingest"
    assert evening.morning(NEXT).failed == "refresh"
    evening.monitor(NEXT, *TEN)
    shows(fault, evening, clean.morning[NEXT], evening.picks(NEXT))
    evening.feed.mend()
    evening.ingest(NEXT, time(14))
    evening.predict(NEXT)
    assert closed(evening)
    assert same_grades(evening.grades(SLATE), clean.grades)


def test_a_feed_one_day_off(fault, evening, clean):
    before = evening.context().warehouse.read("nba_raw.schedule", as_of=evening.tipoff(NEXT))
    for table in ("schedule", "player_box"):
        evening.feed.bend(table, day_after)
    for _ in range(2):
        assert evening.ingest(NEXT).failed == "ingest"
    assert evening.morning(NEXT).failed == "refresh"
    shows(fault, evening, clean.morning[NEXT], evening.picks(NEXT))
    assert evening.context().warehouse.read("nba_raw.schedule", as_of=evening.tipoff(NEXT)).equals(before)


def test_moved_game(fault, evening, clean):
    game = evening.feed.tables["schedule"].filter((pl.col("game_date") == SLATE) & (pl.col("home") == "UTA"))["game_id"].item()
    moved, later = pl.col("game_id") == game, timedelta(days=3)
    evening.feed.bend("schedule", without_scores(moved))
    for name in ("game_date", "tipoff_utc", "result_known_at"):
        evening.feed.bend("schedule", lambda rows, name=name: rows.with_columns(pl.when(moved).then(pl.col(name) + later).otherwise(name)))
    for table in ("player_box", "prop_lines", "game_lines"):
        evening.feed.bend(table, lambda rows: rows.filter(~moved))
    for _ in range(2):
        evening.ingest(NEXT)
    evening.monitor(NEXT, *TEN)
    shows(fault, evening, clean.update[SLATE], evening.picks(SLATE))
    grades = evening.grades(SLATE)
    assert set(grades.filter(moved)["outcome"]) <= {"void", "abstained"}
    assert same_grades(grades.filter(~moved), clean.grades.filter(~moved))


def test_double_header_correction(fault, evening, clean):
    second = (
        evening.feed.tables["schedule"]
        .filter((pl.col("game_date") == NEXT + timedelta(days=2)) & (pl.col("away") == "PHI"))["game_id"]
        .item()
    )
    wrong = pl.col("game_id") == second
    evening.feed.bend(
        "schedule", lambda games: games.with_columns(pl.when(wrong).then(pl.lit(NEXT)).otherwise("game_date").alias("game_date"))
    )
    for _ in range(2):
        assert evening.ingest(NEXT).failed == "ingest"
    evening.feed.mend()
    assert evening.ingest(NEXT, time(8)).failed is None
    evening.morning(NEXT)
    evening.monitor(NEXT, *TEN)
    shows(fault, evening, clean.morning[NEXT], evening.picks(NEXT))
    assert closed(evening)
