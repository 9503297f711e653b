"""Faults of people, teams and codes."""

from datetime import time

import polars as pl

from tests.faults.machine import NEXT, SLATE, Platform
from tests.faults.showing import same_grades, shows

NEW_ID = 888_888


def test_injuries_missing(fault, evening, clean):
    evening.feed.bend("player_status", lambda rows: rows.filter(pl.col("game_date") < NEXT))
    evening.ingest(NEXT)
    for _ in range(2):
        assert evening.update(NEXT).failed is None
    shows(fault, evening, clean.update[NEXT], evening.picks(NEXT), within=1.0)


def test_time_zone_text(fault, dawn, clean):
    dawn.feed.bend("prop_lines", lambda rows: rows.with_columns(tipoff_utc=pl.lit("7:00 PM ET")))
    for _ in range(2):
        assert dawn.morning(NEXT).failed == "refresh"
    shows(fault, dawn, clean.morning[NEXT], dawn.picks(NEXT))


def test_new_team_code(fault, evening, clean):
    for table in ("schedule", "player_box"):
        names = [name for name in ("home", "away", "team", "opponent") if name in evening.feed.tables[table].columns]
        evening.feed.bend(table, lambda rows, names=names: rows.with_columns(pl.col(names).replace("CHA", "CHO")))
    evening.ingest(NEXT)
    evening.morning(NEXT)
    evening.monitor(NEXT, time(10, 15), time(13, 15))
    picks = evening.picks(NEXT)
    blocked = pl.concat([rows.filter(team="PHI")["player_id"] for rows in (picks, clean.morning[NEXT])])
    shows(fault, evening, clean.morning[NEXT], picks, touched=blocked, within=0.05)
    assert "schedule.away_team_known" in evening.alerts()["what"].item()
    lost = evening.feed.tables["schedule"].filter((pl.col("game_date") == SLATE) & (pl.col("away") == "CHA"))["game_id"].item()
    waiting = pl.col("game_id") == lost
    assert same_grades(evening.grades(SLATE), clean.grades.filter(~waiting))


def named(platform: Platform, name: str, player_id: int):
    """Return quotes on Phoenix's first player of the next slate under another name or id."""
    quotes = platform.feed.tables["prop_lines"].filter((pl.col("game_date") == NEXT) & (pl.col("team") == "PHX"))
    own = quotes.filter(player_id=quotes["player_id"].min())
    return own.with_columns(player_id=pl.lit(player_id, own.schema["player_id"]), player_name=pl.lit(name), player_raw=pl.lit(name))


def test_unknown_player(fault, dawn, clean):
    new = named(dawn, "Nobody Before", NEW_ID)
    dawn.feed.bend("prop_lines", lambda rows: pl.concat([rows, new.filter(pl.col("captured_at") <= rows["captured_at"].max())]))
    for _ in range(2):
        assert dawn.morning(NEXT).failed is None
    picks = dawn.picks(NEXT)
    shows(fault, dawn, clean.morning[NEXT], picks, touched=[NEW_ID])
    assert "too_few_games" in picks.filter(player_id=NEW_ID)["reasons"].item()


def test_a_player_with_two_ids(fault, dawn, clean):
    quotes = dawn.feed.tables["prop_lines"].filter((pl.col("game_date") == NEXT) & (pl.col("team") == "PHX"))
    player = quotes["player_id"].min()
    here = (pl.col("game_date") == NEXT) & (pl.col("player_id") == player)
    dawn.feed.bend("prop_lines", lambda rows: rows.with_columns(player_id=pl.when(here).then(NEW_ID).otherwise("player_id").cast(pl.Int64)))
    for _ in range(2):
        assert dawn.morning(NEXT).failed is None
    picks = dawn.picks(NEXT)
    shows(fault, dawn, clean.morning[NEXT], picks, touched=[NEW_ID])
    assert picks.filter(player_id=player)["blocked"].item() == clean.morning[NEXT].filter(player_id=player)["blocked"].item()
    assert " and ".join(map(str, sorted([player, NEW_ID]))) in dawn.alerts()["what"].item()
