from collections import Counter
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest

from nba_ml import calendar
from nba_ml.sources.league import players
from nba_ml.sources.league.schedule import empty_dates, pairings, regular_season, tipoffs
from nba_ml.sources.league.teams import CODES, LEAGUE, TEAMS

YEARS = range(2021, 2028)


@pytest.fixture(scope="module", params=YEARS)
def season(request):
    return request.param, regular_season(7, request.param)


def test_thirty_teams():
    assert len(set(CODES)) == len(LEAGUE) == TEAMS == 30


@pytest.mark.parametrize("turn", range(5))
def test_pairings(turn):
    games = pairings(turn)
    assert len(games) == 1230
    assert set(Counter(team for game in games for team in game).values()) == {82}
    assert set(Counter(home for home, _ in games).values()) == {41}


def test_empty_dates():
    assert {date(2024, 11, 28), date(2024, 12, 24), date(2025, 2, 14), date(2025, 2, 19)} <= empty_dates(2024)
    assert len(empty_dates(2024)) == 8


def test_a_season_is_whole_and_nobody_plays_twice_a_day(season):
    year, fixtures = season
    playing = np.zeros((TEAMS, 180), dtype=int)
    np.add.at(playing, (fixtures.home, fixtures.day), 1)
    np.add.at(playing, (fixtures.away, fixtures.day), 1)
    assert (playing.sum(axis=1) == 82).all()
    assert playing.max() == 1
    assert fixtures.day.min() == 0
    back_to_back = (playing[:, 1:] & playing[:, :-1]).sum(axis=1)
    assert 9 < back_to_back.mean() < 17
    dates = {calendar.opener(year) + timedelta(days=int(day)) for day in fixtures.day}
    assert not dates & empty_dates(year)
    assert 160 <= len(dates) <= 166
    assert fixtures.neutral.sum() == 4


def test_the_calendar_finds_no_season_short(season):
    year, fixtures = season
    dates = [calendar.opener(year) + timedelta(days=int(day)) for day in fixtures.day]
    expected = calendar.expected_seasons(dates, calendar.regular_season_end(year))[-1]
    assert expected.season == calendar.season_name(year)
    assert not expected.short


def test_tipoffs_are_on_the_slate_date(season):
    year, fixtures = season
    for moment, day in zip(tipoffs(7, year, fixtures, "regular"), fixtures.day.tolist(), strict=True):
        local = moment.astimezone(calendar.NEW_YORK)
        assert calendar.slate_date(moment) == calendar.opener(year) + timedelta(days=day)
        assert 13 <= local.hour <= 22


def test_casts_keep_their_shape_over_the_years():
    for before, after in pairwise(YEARS):
        old, new = players.cast(7, before).players, players.cast(7, after).players
        assert (np.bincount(new.team) == players.ROSTER).all()
        assert len(set(new.number.tolist())) == players.PLAYERS
        stayed = len(set(old.number.tolist()) & set(new.number.tolist()))
        assert 380 < stayed < 490
        assert new.age.max() < 42
        assert abs(new.skill.max() - old.skill.max()) < 1e-9
