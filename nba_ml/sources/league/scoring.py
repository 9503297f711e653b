"""From squads to expected points, and from there to a game's team totals."""

from dataclasses import dataclass

import numpy as np

from nba_ml.sources.league.condition import Condition
from nba_ml.sources.league.players import Clubs, Players
from nba_ml.sources.league.rotation import TEAM_MINUTES, Squads, expected_minutes

_SHOTS = 89.4
_FREE_THROWS = 22.2
_MEAN_TRIP_RATE = 0.262
_HOME = 0.012
_TIRED = -0.016
_QUALITY = 0.060
_MEAN_QUALITY = 0.70
_EASY_VOLUME = 0.50
_THREE_SHARE = np.array([0.47, 0.42, 0.20])
_TWO_TOUCH = np.array([0.502, 0.522, 0.586])
_THREE_TOUCH = np.array([0.362, 0.357, 0.335])
_TRIP_RATE = np.array([0.22, 0.23, 0.33])
_LINE_TOUCH = np.array([0.81, 0.785, 0.70])


@dataclass(frozen=True)
class Setting:
    """What surrounds team-games, each of shape (team-games,): opponent, log efficiency apart from the squad, log pace."""

    day: np.ndarray
    team: np.ndarray
    opponent: np.ndarray
    efficiency: np.ndarray
    pace: np.ndarray


@dataclass(frozen=True)
class Rates:
    """Per player on his night, shape (team-games, places): shots a minute (relative), share of threes, touch, trips to the line a shot."""

    volume: np.ndarray
    threes: np.ndarray
    two: np.ndarray
    three: np.ndarray
    trips: np.ndarray
    line: np.ndarray


@dataclass(frozen=True)
class Outlook:
    """What a well-informed observer expects: minutes and points per player if he plays, chance that he plays, points per team."""

    minutes: np.ndarray
    plays: np.ndarray
    points: np.ndarray
    team_points: np.ndarray


def setting(
    clubs: Clubs, day: np.ndarray, team: np.ndarray, opponent: np.ndarray, floor: np.ndarray, tired: np.ndarray, playoffs: bool
) -> Setting:
    """Return the setting of team-games; `floor` is 1 at home, -1 away, 0 on neutral ground, `tired` marks the second of back-to-back games."""
    efficiency = clubs.attack[team] + clubs.defence[opponent] + _HOME * floor + np.where(tired, _TIRED, 0.0)
    pace = clubs.pace[team] + clubs.pace[opponent] - (0.03 if playoffs else 0.0)
    return Setting(day, team, opponent, efficiency, pace)


def rates(players: Players, clubs: Clubs, state: Condition, squad: Squads, scene: Setting) -> Rates:
    """Return every player's rates against this opponent, in his present form."""
    who = squad.who
    position, skill = players.position[who], players.skill[who]
    style = players.style[who]
    versus = clubs.defence_by_position[scene.opponent[:, None], position]
    lasting = 0.27 * skill + 0.21 * style[..., 0]
    lasting = np.minimum(lasting, _EASY_VOLUME + 0.45 * np.maximum(lasting - _EASY_VOLUME, 0))
    volume = np.exp(lasting + state.form[who, scene.day[:, None]] + versus)
    return Rates(
        volume=volume,
        threes=np.clip(_THREE_SHARE[position] + 0.11 * style[..., 1] + clubs.threes[scene.team][:, None], 0.02, 0.85),
        two=np.clip(_TWO_TOUCH[position] + 0.012 * skill + 0.022 * style[..., 2], 0.35, 0.75),
        three=np.clip(_THREE_TOUCH[position] + 0.006 * skill + 0.02 * style[..., 3], 0.22, 0.48),
        trips=np.clip(_TRIP_RATE[position] + 0.02 * skill + 0.06 * style[..., 4], 0.05, 0.65),
        line=np.clip(_LINE_TOUCH[position] + 0.05 * style[..., 3], 0.45, 0.94),
    )


@dataclass(frozen=True)
class TeamShots:
    """Expected attempts and touch of each team-game, shape (team-games,)."""

    shots: np.ndarray
    three_share: np.ndarray
    two: np.ndarray
    three: np.ndarray
    free_throws: np.ndarray
    line: np.ndarray


def team_shots(rate: Rates, minutes: np.ndarray, quality: np.ndarray, scene: Setting) -> TeamShots:
    """Add players' rates up to a team's; `quality` is the mean skill on court."""
    weight = rate.volume * minutes
    total = weight.sum(axis=1)
    lift = np.exp(scene.efficiency + _QUALITY * (quality - _MEAN_QUALITY))
    shots = _SHOTS * np.exp(scene.pace)
    twos, threes, trips = weight * (1 - rate.threes), weight * rate.threes, weight * rate.trips
    return TeamShots(
        shots=shots,
        three_share=threes.sum(axis=1) / total,
        two=np.clip((twos * rate.two).sum(axis=1) / twos.sum(axis=1) * lift, 0.35, 0.72),
        three=np.clip((threes * rate.three).sum(axis=1) / threes.sum(axis=1) * lift, 0.24, 0.48),
        free_throws=_FREE_THROWS * trips.sum(axis=1) / total / _MEAN_TRIP_RATE * np.exp(scene.pace),
        line=(trips * rate.line).sum(axis=1) / trips.sum(axis=1),
    )


def outlook(players: Players, squad: Squads, rate: Rates, scene: Setting, out: np.ndarray) -> Outlook:
    """Return what to expect of a game, were exactly the players in `out` absent."""
    minutes, plays = expected_minutes(squad, out)
    mean_minutes = minutes * plays
    quality = (mean_minutes * players.skill[squad.who]).sum(axis=1) / TEAM_MINUTES
    team = team_shots(rate, mean_minutes, quality, scene)
    weight = rate.volume * minutes

    sure = weight * plays

    def share(kind: np.ndarray) -> np.ndarray:
        return weight * kind / (sure * kind).sum(axis=1)[:, None]

    made_two = team.shots * (1 - team.three_share) * team.two
    made_three = team.shots * team.three_share * team.three
    made_line = team.free_throws * team.line
    points = (
        2 * made_two[:, None] * share((1 - rate.threes) * rate.two)
        + 3 * made_three[:, None] * share(rate.threes * rate.three)
        + made_line[:, None] * share(rate.trips * rate.line)
    )
    return Outlook(minutes, plays, points, 2 * made_two + 3 * made_three + made_line)
