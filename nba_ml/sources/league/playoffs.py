"""The play-in and the playoffs: who meets whom follows from results, and is known two days before each game."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from nba_ml.sources.league.schedule import PLAY_IN, PLAYOFFS, Fixtures
from nba_ml.sources.league.teams import LEAGUE

if TYPE_CHECKING:
    from nba_ml.sources.league.season import Batch

Play = Callable[[Fixtures, str, str, int], "Batch"]

_HOME_GAMES = (True, True, False, False, True, False, True)
_OFFSETS = (0, 2, 5, 7, 9, 11, 13)
_FINAL_OFFSETS = (0, 3, 6, 9, 12, 14, 17)
_WINS = 4


@dataclass
class Series:
    """A best-of-seven series; the better seed hosts games 1, 2, 5 and 7."""

    better: int
    other: int
    start: int
    offsets: tuple[int, ...] = _OFFSETS
    wins: dict[int, int] = field(default_factory=dict)
    last_day: int = 0

    @property
    def winner(self) -> int | None:
        """The team with four wins, if there is one yet."""
        return next((team for team, count in self.wins.items() if count == _WINS), None)


def _fixtures(games: list[tuple[int, int, int]]) -> Fixtures:
    day, home, away = (np.array(column) for column in zip(*games, strict=True))
    return Fixtures(day, home, away, np.zeros(len(games), dtype=bool))


def _winners(batch: Batch) -> list[tuple[int, int]]:
    """Return (winner, loser) of each game."""
    count = len(batch.game_ids)
    score = batch.result.score
    sides = zip(batch.fixtures.home.tolist(), batch.fixtures.away.tolist(), (score[:count] > score[count:]).tolist(), strict=True)
    return [(home, away) if won else (away, home) for home, away, won in sides]


def play_in(play: Play, order: np.ndarray, first_day: int) -> tuple[list[list[int]], list[Batch]]:
    """Play the six play-in games.

    Parameters
    ----------
    play : callable
        Plays fixtures.
    order : ndarray of int
        All teams, the one with most wins first.
    first_day : int
        The day after the regular season.

    Returns
    -------
    seeds : list of list of int
        Seeds 1 to 8 of each conference.
    batches : list of Batch
    """
    table = [[int(team) for team in order if LEAGUE[team].conference == side] for side in (0, 1)]
    openers = [(first_day + 1, line[6], line[7]) for line in table] + [(first_day + 2, line[8], line[9]) for line in table]
    first = play(_fixtures(openers), PLAY_IN, "play-in 1", 1)
    results = _winners(first)
    second = play(_fixtures([(first_day + 4, results[side][1], results[side + 2][0]) for side in (0, 1)]), PLAY_IN, "play-in 2", 5)
    eighth = [winner for winner, _ in _winners(second)]
    return [[*table[side][:6], results[side][0], eighth[side]] for side in (0, 1)], [first, second]


def playoffs(play: Play, seeds: list[list[int]], first_day: int) -> list[Batch]:
    """Play four rounds; `first_day` is the day after the regular season.

    The eighth seeds, known last, start a day after the others. A round starts two days after all series before it have ended.
    """
    batches: list[Batch] = []
    rank = {team: place for line in seeds for place, team in enumerate(line)}
    start = first_day + 5
    waiting = [
        Series(line[high], line[low], start + late) for line in seeds for high, low, late in ((0, 7, 1), (3, 4, 0), (1, 6, 1), (2, 5, 0))
    ]
    for round_number in range(1, 5):
        batches += _play_round(play, waiting, round_number)
        if round_number == 4:
            break
        winners = [series.winner for series in waiting if series.winner is not None]
        start = max(series.last_day for series in waiting) + 2
        pairs = [(winners[place], winners[place + 1]) for place in range(0, len(winners), 2)]
        offsets = _FINAL_OFFSETS if round_number == 3 else _OFFSETS
        waiting = []
        for place, (one, other) in enumerate(pairs):
            better, worse = (one, other) if rank[one] <= rank[other] else (other, one)
            waiting.append(Series(better, worse, start + place % 2, offsets))
    return batches


def _play_round(play: Play, rounds: list[Series], round_number: int) -> list[Batch]:
    batches = []
    number = 100 * round_number + 1
    for game in range(7):
        going = [series for series in rounds if series.winner is None]
        if not going:
            break
        games = []
        for series in going:
            day = series.start + series.offsets[game]
            home, away = (series.better, series.other) if _HOME_GAMES[game] else (series.other, series.better)
            games.append((day, home, away))
            series.last_day = day
        batch = play(_fixtures(games), PLAYOFFS, f"playoffs {round_number} {game + 1}", number)
        number += len(games)
        for series, (winner, _) in zip(going, _winners(batch), strict=True):
            series.wins[winner] = series.wins.get(winner, 0) + 1
        batches.append(batch)
    return batches
