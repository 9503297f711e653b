"""A regular season's fixtures: who meets whom, on which date, at what hour and where."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import combinations

import numpy as np

from nba_ml import calendar
from nba_ml.sources.league.rng import generator
from nba_ml.sources.league.teams import LEAGUE, TEAMS, TEAMS_PER_DIVISION

REGULAR, PLAY_IN, PLAYOFFS = "Regular Season", "PlayIn", "Playoffs"

_WEEKDAY_WEIGHT = (8.0, 5.0, 12.0, 3.5, 11.5, 8.5, 7.0)
_NEUTRAL_GAMES = 4
_EVENING = {
    0: (time(19), time(19), time(19, 30)),
    1: (time(20), time(20), time(19, 30)),
    2: (time(21), time(21, 30)),
    3: (time(22), time(22, 30)),
}
_AFTERNOON = (time(13), time(15), time(15, 30), time(17))
_AFTERNOON_SHARE = {5: 0.12, 6: 0.35}


@dataclass(frozen=True)
class Fixtures:
    """Fixtures of one season or round, in order of date; `day` counts from the opener, teams are indices into `LEAGUE`."""

    day: np.ndarray
    home: np.ndarray
    away: np.ndarray
    neutral: np.ndarray


def empty_dates(year: int) -> set[date]:
    """Return the dates of a regular season without games: Thanksgiving, Christmas Eve and six days around the all-star game."""
    november = date(year, 11, 1)
    thanksgiving = november + timedelta(days=(3 - november.weekday()) % 7 + 21)
    february = date(year + 1, 2, 1)
    presidents_day = february + timedelta(days=-february.weekday() % 7 + 14)
    break_start = presidents_day - timedelta(days=3)
    return {thanksgiving, date(year, 12, 24), *(break_start + timedelta(days=ahead) for ahead in range(6))}


def pairings(turn: int) -> list[tuple[int, int]]:
    """Return the 1,230 games (home, away): four with division rivals, four or three in the conference, two with the other.

    `turn` rotates from season to season who in the conference meets only three times. Each team hosts 41 games.
    """
    games = []
    for one, other in combinations(range(TEAMS), 2):
        first, second = LEAGUE[one], LEAGUE[other]
        if first.conference != second.conference:
            at_home, away = 1, 1
        elif first.division == second.division:
            at_home, away = 2, 2
        else:
            step = (other - one + turn) % TEAMS_PER_DIVISION
            at_home, away = (2, 1) if step == 3 else (1, 2) if step == 4 else (2, 2)
        games += [(one, other)] * at_home + [(other, one)] * away
    return games


def _targets(year: int, last_day: int) -> np.ndarray:
    first = calendar.opener(year)
    days = [first + timedelta(days=ahead) for ahead in range(last_day + 1)]
    closed = empty_dates(year)
    weights = np.array([0.0 if day in closed else _WEEKDAY_WEIGHT[day.weekday()] for day in days])
    weights[0], weights[1] = 2.0, 12.0
    return weights


def regular_season(seed: int, year: int) -> Fixtures:
    """Lay 1,230 games over a season's dates.

    Each game in turn takes the date on which both teams are free and that costs least: crowded dates, games on consecutive days, dense weeks
    and a recent meeting of the two cost. Every game finds a date, for two teams block at most 162 of the season's ≥ 163 dates.
    """
    rng = generator(seed, year, "schedule")
    last_day = (calendar.regular_season_end(year) - calendar.opener(year)).days + 1
    targets = _targets(year, last_day)
    closed = targets == 0
    games = pairings(year)
    pad = 4
    playing = np.zeros((TEAMS, last_day + 1 + 2 * pad), dtype=np.int64)
    load = np.zeros(last_day + 1)
    meetings: dict[tuple[int, int], list[int]] = {}
    days = np.empty(len(games), dtype=np.int64)
    span = np.arange(last_day + 1)

    def place(number: int, day: int) -> None:
        home, away = games[number]
        days[number] = day
        playing[[home, away], day + pad] = 1
        load[day] += 1
        meetings.setdefault((min(home, away), max(home, away)), []).append(day)

    def at(teams: list[int], shift: int) -> np.ndarray:
        return playing[teams, pad + shift : pad + shift + last_day + 1]

    order = rng.permutation(len(games))
    finale = rng.permutation(TEAMS).reshape(-1, 2)
    by_pair = {games[number]: int(number) for number in order}
    placed = {by_pair[(int(home), int(away))] for home, away in finale}
    for number in sorted(placed):
        place(number, last_day)
    opening = [int(number) for number in order if int(number) not in placed]
    first_game = opening[0]
    second_game = next(number for number in opening if not set(games[number]) & set(games[first_game]))
    for number in (first_game, second_game):
        place(number, 0)
        placed.add(number)
    for number in opening:
        if number in placed:
            continue
        home, away = games[number]
        both = [home, away]
        before, after = at(both, -1), at(both, 1)
        two_before, two_after = at(both, -2), at(both, 2)
        triple = (before & after) | (before & two_before) | (after & two_after)
        week = sum(at(both, shift) for shift in range(-3, 4))
        cost = 2.0 * load / np.where(closed, 1.0, targets) + 0.10 * np.maximum(load - 13, 0) ** 2
        cost = cost + (0.55 * (before + after) + 40.0 * triple + 0.45 * week + 6.0 * (week >= 4)).sum(axis=0)
        for day in meetings.get((min(both), max(both)), ()):
            cost = cost + np.maximum(0, 12 - np.abs(span - day)) * 0.2
        cost = cost + rng.uniform(0, 0.6, last_day + 1)
        cost[closed | at(both, 0).any(axis=0)] = np.inf
        cost[0] = np.inf
        place(number, int(cost.argmin()))

    sides = np.array(games)
    order = np.lexsort((sides[:, 1], sides[:, 0], days))
    neutral = np.zeros(len(games), dtype=bool)
    neutral[rng.choice(np.arange(40, 900), _NEUTRAL_GAMES, replace=False)] = True
    return Fixtures(days[order], sides[order, 0], sides[order, 1], neutral)


def tipoffs(seed: int, year: int, fixtures: Fixtures, purpose: str) -> list[datetime]:
    """Return each game's tip-off in UTC: evenings by the host's clock, some afternoons at weekends."""
    rng = generator(seed, year, "tipoff", purpose)
    first = calendar.opener(year)
    draws = rng.uniform(size=(len(fixtures.day), 2))
    moments = []
    for day, home, neutral, (afternoon, slot) in zip(
        fixtures.day.tolist(), fixtures.home.tolist(), fixtures.neutral.tolist(), draws.tolist(), strict=True
    ):
        game_date = first + timedelta(days=day)
        early = neutral or afternoon < _AFTERNOON_SHARE.get(game_date.weekday(), 0.0)
        hours = _AFTERNOON if early else _EVENING[LEAGUE[home].clock]
        moments.append(calendar.at_new_york(game_date, hours[int(slot * len(hours))]))
    return moments
