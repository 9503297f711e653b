"""Players and teams from season to season: talent, style, ageing, retirement, rookies and free agents."""

from dataclasses import dataclass, fields, replace
from functools import lru_cache

import numpy as np
from scipy.special import ndtri

from nba_ml import calendar
from nba_ml.sources.league.rng import generator
from nba_ml.sources.league.teams import TEAMS

ROSTER = 17
PLAYERS = TEAMS * ROSTER
_TALENT_TAIL = 1.12
_STAY_STYLE = 0.92
_STAY_TEAM = 0.6


@dataclass(frozen=True)
class Players:
    """The players under contract when a season opens, one entry each.

    Attributes
    ----------
    number : ndarray of int
        Running number; id and name follow from it.
    team : ndarray of int
        Index into `teams.LEAGUE`.
    age, skill : ndarray of float
        Skill is in standard deviations of the league, the best near 3.5.
    position : ndarray of int
        0 guard, 1 forward, 2 centre.
    style : ndarray of float, shape (players, 6)
        Standard normal traits: shot volume, share of threes, two-point and three-point touch, trips to the line, fragility.
    """

    number: np.ndarray
    team: np.ndarray
    age: np.ndarray
    skill: np.ndarray
    position: np.ndarray
    style: np.ndarray

    def take(self, chosen: np.ndarray) -> "Players":
        """Return the chosen players."""
        return Players(*(getattr(self, field.name)[chosen] for field in fields(self)))


@dataclass(frozen=True)
class Clubs:
    """What a team brings beside its players, per team: log factors of efficiency, of what it concedes, of pace; and rotation depth."""

    attack: np.ndarray
    defence: np.ndarray
    defence_by_position: np.ndarray
    pace: np.ndarray
    depth: np.ndarray
    threes: np.ndarray


@dataclass(frozen=True)
class Cast:
    """Players and clubs of one season, and the running number that the next newcomer gets."""

    players: Players
    clubs: Clubs
    next_number: int


def _rescale(skill: np.ndarray) -> np.ndarray:
    """Give skills the league's fixed distribution, so that it does not drift over the seasons: a normal with a longer upper tail."""
    rank = np.empty(len(skill))
    rank[np.argsort(skill, kind="stable")] = np.arange(len(skill))
    score = ndtri((rank + 0.5) / len(skill))
    return np.where(score > 0, score * _TALENT_TAIL, score)


def _newcomers(rng: np.random.Generator, numbers: np.ndarray, age: np.ndarray, skill: np.ndarray) -> Players:
    count = len(numbers)
    position = rng.choice(3, count, p=(0.42, 0.40, 0.18))
    return Players(numbers, np.full(count, -1), age, skill, position, rng.normal(size=(count, 6)))


def _fresh_clubs(rng: np.random.Generator) -> Clubs:
    return Clubs(
        attack=rng.normal(0, 0.016, TEAMS),
        defence=rng.normal(0, 0.026, TEAMS),
        defence_by_position=rng.normal(0, 0.055, (TEAMS, 3)),
        pace=rng.normal(0, 0.024, TEAMS),
        depth=rng.normal(1.0, 0.09, TEAMS),
        threes=rng.normal(0, 0.06, TEAMS),
    )


def _founding(seed: int, year: int) -> Cast:
    rng = generator(seed, year, "founding")
    age = np.clip(rng.gamma(4.0, 1.9, PLAYERS) + 19.3, 19.3, 38)
    skill = _rescale(rng.normal(size=PLAYERS) - 0.012 * (age - 27) ** 2)
    players = _newcomers(rng, np.arange(PLAYERS), age, skill)
    pick = np.argsort(-(skill + rng.normal(0, 0.35, PLAYERS)), kind="stable")
    turn = np.arange(PLAYERS) % (2 * TEAMS)
    seat = rng.permutation(TEAMS)
    team = np.empty(PLAYERS, dtype=np.int64)
    team[pick] = seat[np.where(turn < TEAMS, turn, 2 * TEAMS - 1 - turn)]
    return Cast(replace(players, team=team), _fresh_clubs(rng), PLAYERS)


def _growth(age: np.ndarray) -> np.ndarray:
    """Mean change of skill over a summer at an age: growth until 27, a plateau, decline after 30."""
    return np.where(age < 27, 0.055 * (27 - age), np.where(age < 30, 0.0, -0.045 * (age - 29)))


def _summer(seed: int, year: int, last: Cast) -> Cast:
    rng = generator(seed, year, "summer")
    old = last.players
    age = old.age + 1
    skill = old.skill + _growth(age) + rng.normal(0, 0.22, PLAYERS)
    chance = 1 / (1 + np.exp(-(0.42 * (age - 36.5)))) + 0.33 / (1 + np.exp(4 * (skill + 0.9)))
    leaves = rng.uniform(size=PLAYERS) < chance
    style = _STAY_STYLE * old.style + np.sqrt(1 - _STAY_STYLE**2) * rng.normal(size=old.style.shape)
    style[:, 5] = old.style[:, 5]
    moves = rng.uniform(size=PLAYERS) < np.where(skill > 1.3, 0.07, 0.2)
    team = np.where(moves, -1, old.team)
    stayers = replace(old, age=age, skill=skill, style=style, team=team).take(~leaves)
    count = int(leaves.sum())
    numbers = last.next_number + np.arange(count)
    rookies = _newcomers(rng, numbers, rng.uniform(19.2, 23.5, count), rng.normal(-0.35, 0.75, count))
    everyone = Players(*(np.concatenate([getattr(stayers, field.name), getattr(rookies, field.name)]) for field in fields(Players)))
    everyone = replace(everyone, skill=_rescale(everyone.skill))
    signed = replace(everyone, team=_sign(rng, everyone))
    fresh = _fresh_clubs(rng)
    spread = np.sqrt(1 - _STAY_TEAM**2)
    clubs = {}
    for field in fields(Clubs):
        centre = 1.0 if field.name == "depth" else 0.0
        before, new = getattr(last.clubs, field.name) - centre, getattr(fresh, field.name) - centre
        clubs[field.name] = centre + _STAY_TEAM * before + spread * new
    return Cast(signed, Clubs(**clubs), last.next_number + count)


def _sign(rng: np.random.Generator, players: Players) -> np.ndarray:
    """Fill every team to `ROSTER`: the best free player joins the weaker of the teams that still have room."""
    team = players.team.copy()
    strength = np.zeros(TEAMS)
    held = team >= 0
    np.add.at(strength, team[held], np.maximum(players.skill[held], 0))
    room = ROSTER - np.bincount(team[held], minlength=TEAMS)
    free = np.flatnonzero(~held)
    for player in free[np.argsort(-players.skill[free], kind="stable")]:
        pull = np.where(room > 0, strength + rng.normal(0, 1.0, TEAMS), np.inf)
        choice = int(pull.argmin())
        team[player] = choice
        strength[choice] += max(players.skill[player], 0)
        room[choice] -= 1
    return team


@lru_cache(maxsize=32)
def cast(seed: int, year: int) -> Cast:
    """Return the cast of the season that opens in `year`: a function of the seed and the seasons before, never of results."""
    if year <= calendar.FIRST_SEASON:
        return _founding(seed, calendar.FIRST_SEASON)
    return _summer(seed, year, cast(seed, year - 1))
