"""Who is available for a game, what is known about it when, and how a coach shares out the minutes."""

from dataclasses import dataclass

import numpy as np

from nba_ml.sources.league.condition import Condition
from nba_ml.sources.league.players import ROSTER, Clubs, Players

OPEN, MORNING, LATE = 0, 1, 2
"""When the feeds learn of an absence: the afternoon before, the morning of the game, 90 minutes before tip-off."""

TEAM_MINUTES = 240
OVERTIME_MINUTES = 25
_PROFILE = np.array([38.0, 36.6, 35.0, 33.0, 30.6, 25.4, 21.4, 18.0, 14.8, 11.5, 8.5, 6.5, 5.5, 5.0, 4.5, 4.0, 4.0])
_PLAYS = np.array([1, 1, 1, 1, 1, 0.995, 0.99, 0.965, 0.85, 0.54, 0.30, 0.18, 0.11, 0.07, 0.05, 0.04, 0.03])
_LOST = np.where(np.arange(ROSTER) < 5, 0.955, np.where(np.arange(ROSTER) < 6, 0.985, np.where(np.arange(ROSTER) < 9, 1.05, 1.20)))
"""Mean effect of blow-outs, foul trouble and injuries during a game on the minutes of the regulars and of those who step in."""
_NIGHT_SPREAD = np.where(np.arange(ROSTER) < 5, 0.115, np.where(np.arange(ROSTER) < 9, 0.20, 0.40))
_RANK_NOISE = 0.12
_CUT_SHORT = 0.035
_BLOWOUT = 15
_MOST_EXPECTED = 40.0
_MOST_PLAYED = 46.0


@dataclass(frozen=True)
class Squads:
    """The squads of a batch of team-games; arrays have the shape (team-games, places) unless said otherwise.

    Attributes
    ----------
    who : ndarray of int
        Index of the player.
    absent, resting, ailing : ndarray of bool
        Does not play; does not play to rest; plays but is on the report.
    first_missed : ndarray of bool
        Absent now, and available at the team's game before.
    news : ndarray of int
        When the absence becomes known; meaningless for others.
    rank_value : ndarray of float
        What the coach ranks by.
    ease : ndarray of float
        Factor on minutes.
    depth : ndarray of float, shape (team-games,)
        Exponent of the minutes profile: below 1, a deep rotation.
    """

    who: np.ndarray
    absent: np.ndarray
    resting: np.ndarray
    ailing: np.ndarray
    first_missed: np.ndarray
    news: np.ndarray
    rank_value: np.ndarray
    ease: np.ndarray
    depth: np.ndarray


def squads(
    rng: np.random.Generator,
    players: Players,
    clubs: Clubs,
    state: Condition,
    who: np.ndarray,
    day: np.ndarray,
    team: np.ndarray,
    day_before: np.ndarray,
    playoffs: bool,
) -> Squads:
    """Draw availability for team-games.

    Parameters
    ----------
    who : ndarray of int, shape (team-games, places)
    day, team, day_before : ndarray of int, shape (team-games,)
        `day_before` is the day of the team's game before, or -1.
    playoffs : bool
        Nobody rests, rotations are shorter, and more play through a knock.
    """
    column = day[:, None]
    since = state.injured_since[who, column]
    injured = since >= 0
    skill, age = players.skill[who], players.age[who]
    tired = (day - day_before == 1)[:, None]
    chance = np.where(skill > 1.2, np.where(age > 30, 0.30, 0.10), np.where(age > 34, 0.15, 0.01))
    resting = ~injured & tired & (rng.uniform(size=who.shape) < chance) & (not playoffs)
    absent = injured | resting
    first_missed = resting | (injured & (since > day_before[:, None]))
    draw = rng.uniform(size=who.shape)
    news = np.where(
        first_missed,
        np.where(draw < 0.35, OPEN, np.where(draw < 0.80, MORNING, LATE)),
        np.where(draw < 0.92, OPEN, np.where(draw < 0.985, MORNING, LATE)),
    )
    ailing = state.ailing[who, column] & ~absent
    ease = state.easing[who, column] * np.exp(state.load[who, column]) * np.where(ailing, 0.96, 1.0)
    ease = ease * np.where(tired & (age > 31), 0.97, 1.0)
    depth = clubs.depth[team] * (1.15 if playoffs else 1.0)
    return Squads(who, absent, resting, ailing, first_missed, news, skill + state.standing[who, column], ease, depth)


def _ranks(value: np.ndarray, out: np.ndarray) -> np.ndarray:
    order = np.argsort(np.where(out, np.inf, -value), axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.broadcast_to(np.arange(value.shape[1]), value.shape), axis=1)
    return ranks


def _share_out(weights: np.ndarray, total: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Scale weights to a total per row, none above `most`; what is cut off goes to the others."""
    full = np.zeros(weights.shape, dtype=bool)
    for _ in range(5):
        left = total - np.where(full, most, 0.0).sum(axis=1)
        scale = left / np.where(full, 0.0, weights).sum(axis=1)
        full = full | (weights * scale[:, None] > most)
    return np.where(full, most, np.minimum(weights * scale[:, None], most))


def expected_minutes(squad: Squads, out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what each player can expect if he plays and `out` are absent, and the chance that he plays at all."""
    ranks = _ranks(squad.rank_value, out)
    wanted = np.where(out, 0.0, _PROFILE[ranks] ** squad.depth[:, None] * squad.ease)
    plays = np.where(out, 0.0, _PLAYS[ranks])
    scale = TEAM_MINUTES / (wanted * plays).sum(axis=1)
    return np.minimum(wanted * scale[:, None], _MOST_EXPECTED) * _LOST[ranks], plays


def starters(squad: Squads, out: np.ndarray) -> np.ndarray:
    """Return which five start when `out` are absent."""
    return (_ranks(squad.rank_value, out) < 5) & ~out


def played_minutes(rng: np.random.Generator, squad: Squads, margin: np.ndarray, overtime: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Draw minutes.

    Parameters
    ----------
    margin : ndarray of int, shape (team-games,)
        Final margin: a blow-out rests the rotation and brings on the end of the bench.
    overtime : ndarray of bool, shape (team-games,)

    Returns
    -------
    minutes : ndarray of float, shape (team-games, places)
        They add up to 240, or 265 with an overtime.
    played : ndarray of bool
        Who got on court.
    """
    shape = squad.who.shape
    ranks = _ranks(squad.rank_value + rng.normal(0, _RANK_NOISE, shape), squad.absent)
    excess = np.maximum(np.abs(margin) - _BLOWOUT, 0)[:, None]
    garbage = np.where(ranks >= 9, 0.045, 0.0) * excess
    played = rng.uniform(size=shape) < _PLAYS[ranks] + garbage
    played = (played | starters(squad, squad.absent)) & ~squad.absent
    weights = _PROFILE[ranks] ** squad.depth[:, None] * squad.ease
    weights = weights * np.where(ranks < 6, np.maximum(1 - 0.011 * excess, 0.72), 1 + 0.02 * excess)
    weights = weights * np.exp(rng.normal(0, 1, shape) * _NIGHT_SPREAD[ranks])
    short = rng.uniform(size=shape) < _CUT_SHORT
    weights = np.where(short, weights * rng.uniform(0.1, 0.75, shape), weights)
    cameo = (ranks >= 9) & (rng.uniform(size=shape) < 0.04)
    weights = np.where(cameo, 0.2, weights)
    extra = np.where(overtime, OVERTIME_MINUTES, 0)
    most = (_MOST_PLAYED + extra / 5)[:, None]
    return _share_out(np.where(played, weights, 0.0), (TEAM_MINUTES + extra).astype(float), most), played
