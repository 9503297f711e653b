"""Faults of lines."""

from datetime import time

import polars as pl

from nba_ml.calendar import at_new_york
from nba_ml.sources.league import defects
from tests.faults.machine import NEXT, SLATE
from tests.faults.showing import same_grades, shows


def test_lines_missing(fault, evening, clean):
    evening.feed.bend("prop_lines", lambda rows: rows.filter(pl.col("game_date") < NEXT))
    evening.ingest(NEXT)
    for _ in range(2):
        assert evening.update(NEXT).failed is None
    picks = evening.picks(NEXT)
    shows(fault, evening, clean.update[NEXT], picks, other_lines=True)
    assert picks["line"].count() == 0
    assert picks["reasons"].str.contains("no_line").all()


def test_lines_frozen(fault, dawn, clean):
    seen = pl.col("captured_at") < at_new_york(NEXT, time(7))
    dawn.feed.bend("prop_lines", lambda rows: rows.filter(seen | (pl.col("game_date") < NEXT)))
    for _ in range(2):
        assert dawn.update(NEXT).failed is None
    picks = dawn.picks(NEXT)
    shows(fault, dawn, clean.update[NEXT], picks, other_lines=True)
    assert (picks["line_captured_at"] < at_new_york(NEXT, time(7))).drop_nulls().all()


def test_placeholder_lines(fault, evening, clean):
    evening.feed.bend("prop_lines", lambda rows: defects.apply(["placeholder_line"], "prop_lines", rows, NEXT))
    evening.ingest(NEXT)
    for _ in range(2):
        assert evening.update(NEXT).failed is None
    picks = evening.picks(NEXT)
    shows(fault, evening, clean.update[NEXT], picks, other_lines=True)
    both = picks.join(clean.update[NEXT].select("player_id", true="line"), on="player_id").drop_nulls("line")
    assert both.filter((pl.col("line") == defects.PLACEHOLDER) & (pl.col("true") != defects.PLACEHOLDER)).height == 0


def test_in_play_lines(fault, evening, clean):
    evening.feed.bend("prop_lines", lambda rows: defects.apply(["in_play_quotes"], "prop_lines", rows, SLATE))
    for _ in range(2):
        assert evening.ingest(NEXT).failed is None
    evening.morning(NEXT)
    shows(fault, evening, clean.morning[NEXT], evening.picks(NEXT))
    assert same_grades(evening.grades(SLATE), clean.grades)
    assert evening.context().warehouse.count(["nba_ops.quarantine"])["nba_ops.quarantine"] > 0
