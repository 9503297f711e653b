"""Simulate one season whole: the regular season, the play-in and the playoffs, in batches of games."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from nba_ml import calendar
from nba_ml.sources.league import schedule
from nba_ml.sources.league.condition import Condition, condition, rosters
from nba_ml.sources.league.games import Result, play
from nba_ml.sources.league.players import Cast, cast
from nba_ml.sources.league.playoffs import play_in, playoffs
from nba_ml.sources.league.rng import generator
from nba_ml.sources.league.rotation import LATE, MORNING, OPEN, Squads, squads
from nba_ml.sources.league.schedule import PLAY_IN, PLAYOFFS, REGULAR, Fixtures
from nba_ml.sources.league.scoring import Outlook, outlook, rates, setting
from nba_ml.sources.league.teams import TEAMS

_ID_KIND = {REGULAR: "002", PLAYOFFS: "004", PLAY_IN: "005"}


@dataclass(frozen=True)
class Batch:
    """Games that were played together.

    Attributes
    ----------
    year : int
    season_type : str
    fixtures : Fixtures
    tipoffs : list of datetime
    game_ids : list of str
    squad : Squads
        Of the home teams, then of the visitors.
    views : dict of int to Outlook
        What to expect by the absences known at `rotation.OPEN`, `MORNING` and `LATE`.
    result : Result
    """

    year: int
    season_type: str
    fixtures: Fixtures
    tipoffs: list[datetime]
    game_ids: list[str]
    squad: Squads
    views: dict[int, Outlook]
    result: Result

    @property
    def day(self) -> np.ndarray:
        """Day of each team-game."""
        return np.tile(self.fixtures.day, 2)

    @property
    def team(self) -> np.ndarray:
        """Team of each team-game."""
        return np.concatenate([self.fixtures.home, self.fixtures.away])

    @property
    def opponent(self) -> np.ndarray:
        """Opponent of each team-game."""
        return np.concatenate([self.fixtures.away, self.fixtures.home])


@dataclass
class World:
    """One season in progress: who plays where in what condition, and when each team played last."""

    seed: int
    year: int
    cast: Cast
    state: Condition
    rosters: np.ndarray
    last_played: np.ndarray

    def play(self, fixtures: Fixtures, season_type: str, purpose: str, first_number: int) -> Batch:
        """Play fixtures; `purpose` names the batch among the season's, `first_number` is its first game's number in the id."""
        day = np.tile(fixtures.day, 2)
        team = np.concatenate([fixtures.home, fixtures.away])
        opponent = np.concatenate([fixtures.away, fixtures.home])
        before = self._day_before(day, team)
        side = np.where(fixtures.neutral, 0.0, 1.0)
        late_rounds = season_type != REGULAR
        players, clubs = self.cast.players, self.cast.clubs
        rng = generator(self.seed, self.year, "availability", purpose)
        squad = squads(rng, players, clubs, self.state, self.rosters[day, team], day, team, before, late_rounds)
        scene = setting(clubs, day, team, opponent, np.concatenate([side, -side]), day - before == 1, late_rounds)
        rate = rates(players, clubs, self.state, squad, scene)
        views = {known: outlook(players, squad, rate, scene, squad.absent & (squad.news <= known)) for known in (OPEN, MORNING, LATE)}
        result = play(generator(self.seed, self.year, "games", purpose), players, squad, rate, views[LATE], scene)
        np.maximum.at(self.last_played, team, day)
        prefix = f"{_ID_KIND[season_type]}{self.year % 100:02d}"
        ids = [f"{prefix}{first_number + number:05d}" for number in range(len(fixtures.day))]
        tipoffs = schedule.tipoffs(self.seed, self.year, fixtures, purpose)
        return Batch(self.year, season_type, fixtures, tipoffs, ids, squad, views, result)

    def _day_before(self, day: np.ndarray, team: np.ndarray) -> np.ndarray:
        order = np.lexsort((day, team))
        before = self.last_played[team]
        same = team[order][1:] == team[order][:-1]
        before[order[1:]] = np.where(same, day[order][:-1], before[order[1:]])
        return before


def simulate(seed: int, year: int) -> tuple[Cast, list[Batch]]:
    """Simulate the season that opens in `year`, to its last final; a function of seed and year alone.

    Returns
    -------
    cast : Cast
        The season's players and clubs.
    batches : list of Batch
        In order of date: regular season, play-in, playoff rounds.
    """
    members = cast(seed, year)
    state = condition(seed, year, members.players)
    world = World(seed, year, members, state, rosters(state), np.full(TEAMS, -10))
    regular = world.play(schedule.regular_season(seed, year), REGULAR, "regular", 1)
    first_free = (calendar.regular_season_end(year) - calendar.opener(year)).days + 2
    seeds, rounds = play_in(world.play, standings(seed, year, regular), first_free)
    return members, [regular, *rounds, *playoffs(world.play, seeds, first_free)]


def standings(seed: int, year: int, regular: Batch) -> np.ndarray:
    """Return the teams in order of wins; ties are broken by a draw."""
    games = len(regular.game_ids)
    score = regular.result.score
    winner = np.where(score[:games] > score[games:], regular.fixtures.home, regular.fixtures.away)
    wins = np.bincount(winner, minlength=TEAMS)
    return np.lexsort((generator(seed, year, "ties").permutation(TEAMS), -wins))
