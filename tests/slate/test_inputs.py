"""What a slate is predicted from: whole, or refused with the dates that are missing."""

from datetime import date, timedelta

import polars as pl
import pytest

from nba_ml.errors import GateRefused
from nba_ml.slate import inputs

FIRST = date(2025, 1, 3)
EVERY = [FIRST + timedelta(days=number) for number in range(15)]


def schedule(*lost: date) -> pl.DataFrame:
    return pl.DataFrame({"game_date": [day for day in EVERY if day not in lost]})


def test_days_of_the_season_that_were_never_ingested_refuse_the_slate_with_the_command_that_brings_them():
    with pytest.raises(GateRefused, match=r"no game on 4 days of the season, 2025-01-08 to 2025-01-11.*--from 2025-01-08 --to 2025-01-11"):
        inputs._require_whole(schedule(*EVERY[5:9]), EVERY[-1])
    inputs._require_whole(schedule(*EVERY[5:9]), date(2025, 11, 1))
    inputs._require_whole(schedule(*EVERY[5:7]), EVERY[-1])
