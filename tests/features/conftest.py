"""A small league of random box scores, cheap enough for properties and oracles."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

TEAMS = ("ATL", "BOS", "CHA", "DEN", "LAL", "MIA")
SHOTS = ("fgm", "fga", "fg3m", "fg3a", "ftm", "fta", "oreb", "dreb", "reb", "ast", "stl", "blk", "tov")


def league(seed: int = 7, days: int = 50, roster: int = 7) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Two stretches of a league in two seasons: each team plays about every other day, and each player misses one game in five."""
    rng = np.random.default_rng(seed)
    box, schedule = [], []
    for season, first in (("2021-22", date(2021, 11, 1)), ("2022-23", date(2022, 11, 1))):
        for offset in range(days):
            day = first + timedelta(days=offset)
            order = rng.permutation(len(TEAMS))
            for pair in range(rng.integers(1, 3)):
                home, away = TEAMS[order[2 * pair]], TEAMS[order[2 * pair + 1]]
                game = f"00{season[2:4]}{offset:03d}{pair}"
                scores = {}
                for team, other in ((home, away), (away, home)):
                    scores[team] = 0
                    for place in range(roster):
                        if rng.random() < 0.2:
                            continue
                        points, minutes = int(rng.poisson(4 + 2 * place)), float(rng.integers(0 if place == 0 else 5, 40))
                        scores[team] += points
                        stats = {name: int(rng.integers(0, 9)) for name in SHOTS}
                        who = 100 * TEAMS.index(team) + place
                        box.append(
                            {"game_id": game, "player_id": who, "player_name": f"p{who}", "season": season, "season_type": "Regular Season"}
                            | {"game_date": day, "team": team, "opponent": other, "is_home": team == home, "neutral_site": False}
                            | {"minutes": minutes, "points": points, "plus_minus": int(rng.integers(-20, 20))}
                            | stats
                        )
                schedule.append(
                    {"game_id": game, "season": season, "season_type": "Regular Season", "game_date": day, "home": home, "away": away}
                    | {"neutral_site": False, "home_points": scores[home], "away_points": scores[away]}
                )
    return pl.DataFrame(box), pl.DataFrame(schedule)


@pytest.fixture(scope="session")
def games() -> tuple[pl.DataFrame, pl.DataFrame]:
    return league()


@pytest.fixture(scope="session")
def make_league():
    return league
