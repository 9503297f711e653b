"""Team and opponent features in plain pandas."""

import numpy as np
import pandas as pd
from pandas_windows import SIDE, Plain, on_side


def elo_margins(teams: pd.DataFrame) -> pd.DataFrame:
    """Return the margin that Elo expects of each team before each game."""
    rating: dict[str, float] = {}
    last_season: dict[str, str] = {}
    rows = []
    games = teams[teams["at_home"]].sort_values(["game_date", "game_id"])
    columns = [games[name].tolist() for name in ("game_id", "season", "team", "opponent", "scored", "conceded")]
    for game_id, season, home, away, scored, conceded in zip(*columns, strict=True):
        for team in (home, away):
            if last_season.get(team) != season:
                rating[team] = 1500 + 0.75 * (rating.get(team, 1500) - 1500)
                last_season[team] = season
        gap = rating[home] + 70 - rating[away]
        rows += [(home, game_id, gap / 28), (away, game_id, -gap / 28)]
        if not np.isnan(scored) and not np.isnan(conceded):
            won = scored > conceded
            multiplier = (abs(scored - conceded) + 3) ** 0.8 / (7.5 + 0.006 * (gap if won else -gap))
            step = 20 * multiplier * (won - 1 / (1 + 10 ** (-gap / 400)))
            rating[home] += step
            rating[away] -= step
    return pd.DataFrame(rows, columns=[*SIDE, "elo_margin"])


def strength(players: pd.DataFrame, teams: pd.DataFrame, box: pd.DataFrame, earlier: Plain) -> None:
    """Add scoring, conceding and pace of both teams, and the Elo margin."""
    possessions = box["fga"] + 0.44 * box["fta"] - box["oreb"] + box["tov"]
    sums = box[[*SIDE, "minutes"]].assign(possessions=possessions).groupby(SIDE)
    pace = (sums["possessions"].sum(skipna=False) / sums["minutes"].sum() * 240).rename("played_pace").reset_index()
    teams = teams.merge(pace, on=SIDE, how="left")
    facts = teams[SIDE].assign(
        scored=earlier.ewm(teams, "scored", 10, "team"),
        conceded=earlier.ewm(teams, "conceded", 10, "team"),
        pace=earlier.ewm(teams, "played_pace", 10, "team"),
    )
    on_side(players, elo_margins(teams))
    on_side(players, facts, prefix="team_")
    on_side(players, facts, prefix="opponent_", side="opponent")
    players["expected_team_points"] = (players["team_scored"] + players["opponent_conceded"]) / 2
    players["game_pace"] = (players["team_pace"] + players["opponent_pace"]) / 2


def concession(players: pd.DataFrame, teams: pd.DataFrame, earlier: Plain) -> None:
    """Add what the opponent conceded beyond its opponents' usual rates, to the player's kind and to all."""
    past = players.loc[~players["upcoming"], ["opponent", "game_id", "kind", "minutes"]]
    past = past.assign(surplus=players["points"] - players["minutes"] * players["points_rate"])
    kinds = pd.DataFrame({"kind": ["big", "guard", "shooter", "wing"]})
    games = teams[["team", "game_id", "game_date"]].rename(columns={"team": "opponent"})
    for name, keys, grid in (("kind", ["kind"], games.merge(kinds, how="cross")), ("all", [], games)):
        sums = past.groupby(["opponent", "game_id", *keys], as_index=False)[["surplus", "minutes"]].sum()
        played = grid.merge(sums, how="left").sort_values(["opponent", *keys, "game_date", "game_id"], ignore_index=True)
        per_minute = earlier.ewm(played, "surplus", 15, "opponent", *keys) / earlier.ewm(played, "minutes", 15, "opponent", *keys)
        played["conceded"] = per_minute * 36
        found = players[["opponent", "game_id", *keys]].merge(played, on=["opponent", "game_id", *keys], how="left")
        players[f"conceded_to_{name}"] = found["conceded"]
