"""Play games: team totals first, then each player's part of them, so that every box score adds up."""

from dataclasses import dataclass

import numpy as np

from nba_ml.sources.league.players import Players
from nba_ml.sources.league.rotation import Squads, played_minutes, starters
from nba_ml.sources.league.scoring import Outlook, Rates, Setting, team_shots

_PACE_NIGHT = 0.036
_TOUCH_NIGHT = 0.85
_HOT_NIGHT = 0.17
_CLOSE_GAMES_TIED = 0.45
_OVERTIME_SHARE = 5 / 48
COUNTS = ("fgm", "fga", "fg3m", "fg3a", "ftm", "fta", "oreb", "dreb", "ast", "stl", "blk", "tov", "pf")


@dataclass(frozen=True)
class Result:
    """Played games: the first half of the team-games are the home teams', the second half their opponents', in the same order.

    Attributes
    ----------
    score : ndarray of int, shape (team-games,)
    overtime : ndarray of bool, shape (team-games,)
    minutes : ndarray of float, shape (team-games, places)
    played, started : ndarray of bool, shape (team-games, places)
    counts : dict of ndarray of int, shape (team-games, places)
        The columns `COUNTS`.
    plus_minus : ndarray of int, shape (team-games, places)
    """

    score: np.ndarray
    overtime: np.ndarray
    minutes: np.ndarray
    played: np.ndarray
    started: np.ndarray
    counts: dict[str, np.ndarray]
    plus_minus: np.ndarray


@dataclass
class _Totals:
    """A team's totals, each of shape (team-games,)."""

    made_two: np.ndarray
    missed_two: np.ndarray
    made_three: np.ndarray
    missed_three: np.ndarray
    made_line: np.ndarray
    missed_line: np.ndarray

    @property
    def points(self) -> np.ndarray:
        return 2 * self.made_two + 3 * self.made_three + self.made_line


def _made(rng: np.random.Generator, tries: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Draw makes, a little less spread than independent shots: teams play to the score."""
    spread = _TOUCH_NIGHT * np.sqrt(tries * chance * (1 - chance))
    return np.clip(np.rint(tries * chance + spread * rng.normal(size=tries.shape)), 0, tries).astype(np.int64)


def _totals(rng: np.random.Generator, rate: Rates, view: Outlook, scene: Setting, quality: np.ndarray, share: float) -> _Totals:
    """Draw team totals over `share` of a regulation game."""
    team = team_shots(rate, view.minutes * view.plays, quality, scene)
    teams = len(scene.day)
    night = np.tile(rng.normal(0, _PACE_NIGHT, teams // 2), 2)
    trips = np.maximum(team.free_throws * share + 6.0 * np.sqrt(share) * rng.normal(size=teams), 0)
    shots = team.shots * share * np.exp(night) - 0.44 * (trips - team.free_throws * share) + 3.5 * np.sqrt(share) * rng.normal(size=teams)
    threes = shots * np.clip(team.three_share + 0.05 / np.sqrt(share) * rng.normal(size=teams), 0.1, 0.75)
    tries_three, tries_line = np.rint(threes).astype(np.int64), np.rint(trips).astype(np.int64)
    tries_two = np.maximum(np.rint(shots - threes), 0).astype(np.int64)
    two, three, line = _made(rng, tries_two, team.two), _made(rng, tries_three, team.three), _made(rng, tries_line, team.line)
    return _Totals(two, tries_two - two, three, tries_three - three, line, tries_line - line)


def _with_overtime(rng: np.random.Generator, first: _Totals, second: _Totals) -> tuple[_Totals, np.ndarray]:
    """Send ties and some one-point games to an overtime, whose totals are `second`; return all totals and who played one.

    A one-point game is tied by a free throw of the team behind; a tie after the overtime is broken by a free throw.
    """
    games = len(first.made_two) // 2
    margin = first.points[:games] - first.points[games:]
    tied = (margin == 0) | ((np.abs(margin) == 1) & (rng.uniform(size=games) < _CLOSE_GAMES_TIED))
    behind = np.concatenate([tied & (margin == -1), tied & (margin == 1)])
    first.made_line += behind
    both = np.tile(tied, 2)
    for name in vars(first):
        setattr(first, name, getattr(first, name) + np.where(both, getattr(second, name), 0))
    level = first.points[:games] == first.points[games:]
    lucky = rng.uniform(size=games) < 0.5
    first.made_line += np.concatenate([level & lucky, level & ~lucky])
    return first, both


def _deal(rng: np.random.Generator, total: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Deal a total per team-game out to its players by weight."""
    return rng.multinomial(total, weight / weight.sum(axis=1, keepdims=True))


def _other_columns(
    rng: np.random.Generator, players: Players, squad: Squads, totals: _Totals, minutes: np.ndarray, rate: Rates
) -> dict[str, np.ndarray]:
    """Draw rebounds, assists, steals, blocks, turnovers and fouls out of what both teams did."""
    games = len(totals.made_two) // 2
    swap = np.roll(np.arange(2 * games), games)
    position = players.position[squad.who]
    big = np.array([0.6, 1.1, 1.9])[position]
    ball = np.array([1.5, 0.9, 0.7])[position] * rate.volume
    missed = totals.missed_two + totals.missed_three + (0.4 * totals.missed_line).astype(np.int64)
    offensive = rng.binomial(missed, 0.21)
    defensive = rng.binomial(missed[swap] - offensive[swap], 0.87)
    turnovers = rng.poisson(13.2, 2 * games)
    fouls = _deal(rng, rng.poisson(19.3, 2 * games), minutes * np.sqrt(big))
    return {
        "oreb": _deal(rng, offensive, minutes * big**1.5),
        "dreb": _deal(rng, defensive, minutes * big),
        "ast": _deal(rng, rng.binomial(totals.made_two + totals.made_three, 0.62), minutes * ball**1.3),
        "stl": _deal(rng, rng.binomial(turnovers[swap], 0.57), minutes / np.sqrt(big)),
        "blk": _deal(rng, rng.binomial(totals.missed_two[swap], 0.2), minutes * big**2),
        "tov": _deal(rng, turnovers, minutes * ball),
        "pf": np.minimum(fouls, 6),
    }


def play(rng: np.random.Generator, players: Players, squad: Squads, rate: Rates, view: Outlook, scene: Setting) -> Result:
    """Play a batch of games.

    Parameters
    ----------
    view : Outlook
        With exactly the absent players out; it carries the strength of the team that plays.
    """
    quality = (view.minutes * view.plays * players.skill[squad.who]).sum(axis=1) / (view.minutes * view.plays).sum(axis=1)
    regulation = _totals(rng, rate, view, scene, quality, 1.0)
    totals, overtime = _with_overtime(rng, regulation, _totals(rng, rate, view, scene, quality, _OVERTIME_SHARE))
    games = len(totals.made_two) // 2
    score = totals.points
    margin = score - np.roll(score, games)
    exact, played = played_minutes(rng, squad, np.where(overtime, 0, margin), overtime)
    minutes = np.rint(exact)
    hot = rate.volume * minutes * np.exp(rng.normal(0, _HOT_NIGHT, minutes.shape))
    twos, threes, trips = hot * (1 - rate.threes), hot * rate.threes, hot * rate.trips
    made_two = _deal(rng, totals.made_two, twos * rate.two)
    missed_two = _deal(rng, totals.missed_two, twos * (1 - rate.two))
    made_three = _deal(rng, totals.made_three, threes * rate.three)
    missed_three = _deal(rng, totals.missed_three, threes * (1 - rate.three))
    made_line = _deal(rng, totals.made_line, trips * rate.line)
    missed_line = _deal(rng, totals.missed_line, trips * (1 - rate.line))
    counts = {
        "fgm": made_two + made_three,
        "fga": made_two + missed_two + made_three + missed_three,
        "fg3m": made_three,
        "fg3a": made_three + missed_three,
        "ftm": made_line,
        "fta": made_line + missed_line,
    }
    counts |= _other_columns(rng, players, squad, totals, minutes, rate)
    on_court = minutes / (48 + 5 * overtime[:, None])
    swing = 11.0 * np.sqrt(np.clip(on_court * (1 - on_court), 0, None)) * rng.normal(size=minutes.shape)
    plus_minus = np.rint(margin[:, None] * on_court + swing).astype(np.int64)
    return Result(score, overtime, minutes, played, starters(squad, squad.absent), counts, plus_minus)
