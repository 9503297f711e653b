"""The state of every player on every day of a season: team after trades, injury, form, and standing with the coach."""

from dataclasses import dataclass

import numpy as np

from nba_ml.sources.league.players import PLAYERS, Players
from nba_ml.sources.league.rng import generator
from nba_ml.sources.league.teams import TEAMS

DAYS = 260
"""Days of a season that are simulated, the playoffs included."""

TRADE_DEADLINE = 113
_SWAPS = 20
_SPELLS_PER_SEASON = 4.2
_FORM_DAYS = 45
_FORM_SPREAD = 0.085
_STANDING_DAYS = 40
_STANDING_SPREAD = 0.26
_MINUTES_FORM_SPREAD = 0.05
_AILING_PER_SEASON = 2.0


@dataclass(frozen=True)
class Condition:
    """Arrays of shape (players, days).

    Attributes
    ----------
    team : ndarray of int
    injured_since : ndarray of int
        Day on which the present injury began; -1 while fit.
    ailing : ndarray of bool
        Plays, but is on the report: a knock, or fresh back from an injury.
    easing : ndarray of float
        Factor on minutes after an injury.
    form : ndarray of float
        Log factor on shot volume, slow.
    standing : ndarray of float
        Added to skill when the coach ranks his players: steps that last for weeks.
    load : ndarray of float
        Log factor on minutes, slow.
    """

    team: np.ndarray
    injured_since: np.ndarray
    ailing: np.ndarray
    easing: np.ndarray
    form: np.ndarray
    standing: np.ndarray
    load: np.ndarray


def _slow_noise(rng: np.random.Generator, spread: float, days: float) -> np.ndarray:
    """Return a stationary first-order autoregression per player with standard deviation `spread` and memory of `days`."""
    keep = np.exp(-1 / days)
    shocks = rng.normal(0, spread * np.sqrt(1 - keep**2), (DAYS, PLAYERS))
    value = rng.normal(0, spread, PLAYERS)
    path = np.empty((DAYS, PLAYERS))
    for day in range(DAYS):
        path[day] = value
        value = keep * value + shocks[day]
    return path.T.copy()


def _steps(rng: np.random.Generator, spread: float, days: float) -> np.ndarray:
    """Return levels that last `days` on average and then jump to another one."""
    jump = rng.uniform(size=(PLAYERS, DAYS)) < 1 / days
    jump[:, 0] = True
    last_jump = np.maximum.accumulate(np.where(jump, np.arange(DAYS), 0), axis=1)
    return np.take_along_axis(rng.normal(0, spread, (PLAYERS, DAYS)), last_jump, axis=1)


def _spell_length(rng: np.random.Generator) -> int:
    kind = rng.uniform()
    if kind < 0.62:
        return int(rng.integers(1, 7))
    if kind < 0.91:
        return int(rng.integers(7, 28))
    return int(rng.integers(28, 110))


def _injuries(rng: np.random.Generator, players: Players) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    since = np.full((PLAYERS, DAYS), -1)
    ailing = np.zeros((PLAYERS, DAYS), dtype=bool)
    easing = np.ones((PLAYERS, DAYS))
    frailty = np.exp(0.35 * players.style[:, 5] + 0.03 * (players.age - 27) - 0.1)
    spells = rng.poisson(_SPELLS_PER_SEASON * frailty)
    knocks = rng.poisson(_AILING_PER_SEASON * frailty)
    for player in range(PLAYERS):
        for start in sorted(rng.integers(-20, DAYS, spells[player]).tolist()):
            length = _spell_length(rng)
            begin, end = max(start, 0), min(start + length, DAYS)
            if end <= begin or since[player, begin] >= 0:
                continue
            since[player, begin:end] = begin
            back = slice(end, min(end + 6, DAYS))
            ailing[player, back] = True
            if length >= 5:
                easing[player, back] = 0.80
                easing[player, end + 6 : end + 12] = 0.91
        for start in rng.integers(0, DAYS, knocks[player]).tolist():
            ailing[player, start : start + 6] = True
    return since, ailing, easing


def _trades(rng: np.random.Generator, players: Players) -> np.ndarray:
    """Swap players of like skill between teams, most of them just before the deadline."""
    team = np.repeat(players.team[:, None], DAYS, axis=1)
    late = rng.uniform(size=_SWAPS) < 0.6
    days = np.where(late, rng.integers(TRADE_DEADLINE - 7, TRADE_DEADLINE + 1, _SWAPS), rng.integers(30, TRADE_DEADLINE - 7, _SWAPS))
    traded: set[int] = set()
    for day in np.sort(days).tolist():
        one = int(rng.choice([player for player in range(PLAYERS) if player not in traded and players.skill[player] > -1.0]))
        distance = np.abs(players.skill - players.skill[one]) + rng.uniform(0, 0.4, PLAYERS)
        distance[team[:, day] == team[one, day]] = np.inf
        distance[list(traded)] = np.inf
        other = int(distance.argmin())
        team[one, day:], team[other, day:] = team[other, day].copy(), team[one, day].copy()
        traded |= {one, other}
    return team


def condition(seed: int, year: int, players: Players) -> Condition:
    """Return the condition of a season's players, day by day."""
    since, ailing, easing = _injuries(generator(seed, year, "injuries"), players)
    return Condition(
        team=_trades(generator(seed, year, "trades"), players),
        injured_since=since,
        ailing=ailing,
        easing=easing,
        form=_slow_noise(generator(seed, year, "form"), _FORM_SPREAD, _FORM_DAYS),
        standing=_steps(generator(seed, year, "standing"), _STANDING_SPREAD, _STANDING_DAYS),
        load=_slow_noise(generator(seed, year, "load"), _MINUTES_FORM_SPREAD, _FORM_DAYS),
    )


def rosters(state: Condition) -> np.ndarray:
    """Return who is on which team: players by (day, team, place), with `players.ROSTER` places a team."""
    order = np.argsort(state.team, axis=0, kind="stable")
    return order.T.reshape(DAYS, TEAMS, -1)
