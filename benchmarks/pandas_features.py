"""Every feature in plain pandas, as an analyst would write it: the oracle of nba_ml.features and the measure of its speed.

Definitions are those of nba_ml/warehouse/tables/ml_feature_store_v2.yaml. P(out) alone is taken as given: its classifier is the same either way.
Windows come in two idioms, the one that is obviously right and pandas' fast one; the benchmark measures both.
"""

import numpy as np
import pandas as pd
from pandas_teams import concession, strength
from pandas_windows import SIDE, Plain, last_days, on_side

from nba_ml.calendar import opener

STATS = ["minutes", "points", "fgm", "fga", "fg3m", "fg3a", "ftm", "fta", "oreb", "dreb", "reb", "ast", "stl", "blk", "tov", "plus_minus"]


def build(
    box: pd.DataFrame, schedule: pd.DataFrame, p_out: pd.DataFrame, slate: pd.DataFrame | None = None, idiom: type[Plain] = Plain
) -> pd.DataFrame:
    """Make every feature of every player-game with minutes above 0, and of the slate's rows.

    Parameters
    ----------
    box, schedule : DataFrame
        nba_raw.player_box and nba_raw.schedule, dates as datetime64.
    p_out : DataFrame
        Column p_out by team, game_id and player_id.
    slate : DataFrame, optional
        Population of the coming slate.
    idiom : type
        `Plain` or `Grouped`.

    Returns
    -------
    DataFrame
        game_date, game_id, player_id and the features (NaN = not known), sorted by date, game and player.
    """
    earlier = idiom()
    players = player_games(box, slate)
    teams = team_games(schedule)
    who = candidates(players, counted_games(players, teams))
    scoring(players, earlier)
    rates(players, earlier)
    rest(players, teams)
    players = players.copy()  # pandas slows down on a frame that grew column by column
    role(players, teams, who)
    lineup(players, who.merge(p_out, on=[*SIDE, "player_id"], how="left"), earlier)
    players = players.copy()
    strength(players, teams, box, earlier)
    concession(players, teams, earlier)
    return players.replace([np.inf, -np.inf], np.nan).sort_values(["game_date", "game_id", "player_id"], ignore_index=True)


def player_games(box: pd.DataFrame, slate: pd.DataFrame | None) -> pd.DataFrame:
    """Return the player-games of history and slate, by player and date."""
    players = box[box["minutes"] > 0].assign(upcoming=False)
    if slate is not None:
        known = pd.MultiIndex.from_frame(players[["game_id", "player_id"]])
        new = slate[~pd.MultiIndex.from_frame(slate[["game_id", "player_id"]]).isin(known)]
        players = pd.concat([players, new.drop(columns=STATS, errors="ignore").assign(upcoming=True)])
    players[STATS] = players[STATS].astype(float)
    players = players.sort_values(["player_id", "game_date", "game_id"], ignore_index=True)
    players["usage"] = players["fga"] + 0.44 * players["fta"] + players["tov"]
    return players


def team_games(schedule: pd.DataFrame) -> pd.DataFrame:
    """Return two rows per scheduled game, one a team, by team and date."""
    home = schedule.rename(columns={"home": "team", "away": "opponent", "home_points": "scored", "away_points": "conceded"})
    away = schedule.rename(columns={"away": "team", "home": "opponent", "away_points": "scored", "home_points": "conceded"})
    sides = pd.concat([home.assign(at_home=True), away.assign(at_home=False)])
    sides[["scored", "conceded"]] = sides[["scored", "conceded"]].astype(float)
    return sides.sort_values(["team", "game_date", "game_id"], ignore_index=True)


def scoring(players: pd.DataFrame, earlier: Plain) -> None:
    """Add points and minutes at several memories, and shrunk towards last season."""
    by_player, by_season = players.groupby("player_id"), players.groupby(["player_id", "season"])
    players["prior_games"], players["season_games"] = by_player.cumcount(), by_season.cumcount()
    seasons = by_season[["points", "minutes"]].mean().groupby("player_id").shift()
    seasons = seasons.rename(columns={"points": "points_last_season", "minutes": "minutes_last_season"}).reset_index()
    previous = players[["player_id", "season"]].merge(seasons, how="left")
    for name, means, lags in (("points", (5, 10, 20), (1, 2, 3)), ("minutes", (3, 5, 10), (1, 2))):
        for half_life in (2, 5, 8, 15, 40):
            players[f"{name}_ewm_{half_life}"] = earlier.ewm(players, name, half_life)
        for games in means:
            players[f"{name}_mean_{games}"] = earlier.window(players, name, games, "mean")
        for lag in lags:
            players[f"{name}_lag_{lag}"] = by_player[name].shift(lag)
        players[f"{name}_std_10"] = earlier.window(players, name, 10, "std", least=4)
        season = by_season[name].shift().groupby([players["player_id"], players["season"]]).expanding().mean()
        players[f"{name}_season_mean"] = season.droplevel([0, 1])
        players[f"{name}_last_season"] = previous[f"{name}_last_season"]
        prior = players[f"{name}_last_season"].fillna(players[f"{name}_ewm_40"])
        total = players[f"{name}_season_mean"].fillna(0) * players["season_games"]
        players[f"{name}_shrunk"] = (total + 8 * prior) / (players["season_games"] + 8)
        players[f"{name}_trend"] = players[f"{name}_ewm_5"] - players[f"{name}_ewm_40"]
    players["points_max_10"] = earlier.window(players, "points", 10, "max")
    players["minutes_min_5"] = earlier.window(players, "minutes", 5, "min")
    players["season_avg_minutes"] = players["minutes_season_mean"].fillna(earlier.ewm(players, "minutes", 12))
    players["minutes_jump"] = players["minutes_lag_1"] - players["minutes_ewm_8"]


def rates(players: pd.DataFrame, earlier: Plain) -> None:
    """Add rates per minute and the kind of scorer."""
    players["expected"] = 1.09 * (players["fga"] - players["fg3a"]) + 1.08 * players["fg3a"] + 0.78 * players["fta"]
    rated = {"points_rate_8": ("points", 8), "points_rate_30": ("points", 30), "shot_points_rate": ("expected", 20)}
    rated |= {f"{name}_rate": (name, 15) for name in ("usage", "fga", "fta")}
    rated |= {f"{name}_rate": (name, 25) for name in ("reb", "ast", "blk", "tov")}
    for feature, (name, half_life) in rated.items():
        players[feature] = earlier.ewm(players, name, half_life) / earlier.ewm(players, "minutes", half_life)
    evidence = players["minutes_ewm_40"] * players["prior_games"].clip(upper=58)
    players["points_rate"] = (players["points_rate_30"] * evidence + 0.475 * 150) / (evidence + 150)
    players["three_share"] = earlier.ewm(players, "fg3a", 25) / earlier.ewm(players, "fga", 25)
    players["shot_points_8"] = earlier.ewm(players, "expected", 8)
    players["usage_5"], players["fga_5"] = earlier.window(players, "usage", 5, "mean"), earlier.window(players, "fga", 5, "mean")
    players["plus_minus_15"] = earlier.ewm(players, "plus_minus", 15)
    is_kind = [players["reb_rate"] > 0.21, players["ast_rate"] > 0.125, players["three_share"] > 0.5]
    players["kind"] = np.select(is_kind, ["big", "guard", "shooter"], "wing")
    for kind in ("big", "guard", "shooter"):
        players[f"is_{kind}"] = (players["kind"] == kind).astype(float)


def team_rest(teams: pd.DataFrame) -> pd.DataFrame:
    """Return days of rest and recent games of each team-game."""
    facts = teams[SIDE].copy()
    facts["team_rest"] = teams.groupby("team")["game_date"].diff().dt.days.clip(upper=15).fillna(15)
    facts["team_games_7"] = last_days(teams.assign(one=1.0), "team", "one", 7, "sum").clip(upper=5)
    facts["team_games_14"] = last_days(teams.assign(one=1.0), "team", "one", 14, "sum").clip(upper=8)
    return facts


def rest(players: pd.DataFrame, teams: pd.DataFrame) -> None:
    """Add rest, load, venue and the phase of the season."""
    facts = team_rest(teams)
    on_side(players, facts)
    on_side(players, facts[[*SIDE, "team_rest"]].rename(columns={"team_rest": "opponent_rest"}), side="opponent")
    players["rest_days"] = players.groupby("player_id")["game_date"].diff().dt.days.clip(upper=15).fillna(15)
    players["rest_advantage"] = players["team_rest"] - players["opponent_rest"]
    players["back_to_back"] = (players["team_rest"] == 1).astype(float).where(players["team_rest"].notna())
    for days in (3, 7):
        players[f"minutes_last_{days}_days"] = last_days(players, "player_id", "minutes", days, "sum")
    players["neutral_site"] = players["neutral_site"].eq(True)
    players["playoffs"] = players["season_type"] == "Playoffs"
    openers = {season: pd.Timestamp(opener(int(season[:4]))) for season in players["season"].unique()}
    players["season_day"] = (players["game_date"] - players["season"].map(openers)).dt.days
    players["weekday"] = players["game_date"].dt.day_of_week + 1


def counted_games(players: pd.DataFrame, teams: pd.DataFrame) -> pd.DataFrame:
    """Return the team-games that have box rows or are coming, numbered within each team."""
    counted = teams.loc[teams["game_id"].isin(players["game_id"].unique()), ["team", "season", "game_id", "game_date"]]
    return counted.assign(number=counted.groupby("team").cumcount())


def candidates(players: pd.DataFrame, counted: pd.DataFrame) -> pd.DataFrame:
    """Return one row per team-game and player whose latest earlier game, at most 45 days ago and in this season, was for the team."""
    known = players[~players["upcoming"]].copy()
    by_player = known.groupby("player_id")
    for name in ("minutes", "points", "usage"):
        known[f"{name}_now"] = by_player[name].ewm(halflife=8, ignore_na=True).mean().droplevel(0)
    known["next_game"] = by_player["game_id"].shift(-1)
    in_reach = known["game_date"] + pd.Timedelta(days=45)
    known["limit"] = by_player["game_date"].shift(-1).fillna(in_reach).clip(upper=in_reach)
    known = known.merge(counted[[*SIDE, "number"]], on=SIDE)
    latest = counted[["team", "game_date", "number"]].rename(columns={"game_date": "limit", "number": "last"})
    known = pd.merge_asof(known.sort_values("limit"), latest.sort_values("limit"), on="limit", by="team")
    spread = known.loc[known.index.repeat(known["last"] - known["number"])].rename(
        columns={"number": "last_number", "minutes": "minutes_last"}
    )
    spread["number"] = spread["last_number"] + 1 + spread.groupby(level=0).cumcount()
    reached = counted.rename(columns={"game_id": "game", "game_date": "day"})
    columns = ["team", "season", "player_id", "last_number", "number", "next_game", "minutes_now", "points_now", "usage_now"]
    found = spread[columns].merge(reached, on=["team", "season", "number"])
    found["missed"] = found["number"] - found["last_number"] - 1
    coming = found["game"].isin(players.loc[players["upcoming"], "game_id"].unique())
    found["out"] = (found["next_game"] != found["game"]).astype(float).mask(coming)
    return found.rename(columns={"game": "game_id"}).sort_values(["team", "number", "player_id"], ignore_index=True)


def role(players: pd.DataFrame, teams: pd.DataFrame, who: pd.DataFrame) -> None:
    """Add a player's place in his team, his absences, and what his team was missing in its last game."""
    by_game = who.groupby(["team", "number"])
    who["rank_in_team"] = by_game["minutes_now"].rank(method="first", ascending=False)
    who["share_of_points"] = who["points_now"] / by_game["points_now"].transform("sum")
    own = players[[*SIDE, "player_id"]].merge(who, on=[*SIDE, "player_id"], how="left")
    players["rank_in_team"], players["share_of_points"] = own["rank_in_team"], own["share_of_points"]
    players["missed_games"] = own["missed"].clip(upper=25)
    absence = own["missed"].where(own["missed"] >= 2)
    returns = absence.notna().groupby(players["player_id"]).cumsum()
    players["games_since_return"] = players.groupby(["player_id", returns]).cumcount().clip(upper=20)
    players["last_absence"] = absence.groupby(players["player_id"]).ffill().clip(upper=25)
    moves = (players["team"] != players.groupby("player_id")["team"].shift()).groupby(players["player_id"]).cumsum()
    players["games_with_team"] = players.groupby(["player_id", moves]).cumcount()
    players["games_with_team_season"] = players.groupby(["player_id", "team", "season"]).cumcount()
    absent = (who["out"] == 1) & (who["minutes_now"] >= 10)
    missing = who[["team", "number"]].assign(
        missing_minutes=who["minutes_now"].where(absent, 0.0),
        missing_points=who["points_now"].where(absent, 0.0),
        missing_best=who["points_now"].where(absent, 0.0),
    )
    how = {"missing_minutes": "sum", "missing_points": "sum", "missing_best": "max"}
    last = missing.groupby(["team", "number"], as_index=False).agg(how)
    last["number"] += 1
    facts = counted_games(players, teams)[[*SIDE, "number"]].merge(last, on=["team", "number"]).drop(columns="number")
    on_side(players, facts)
    on_side(players, facts[[*SIDE, "missing_points"]], prefix="opponent_", side="opponent")


def lineup(players: pd.DataFrame, who: pd.DataFrame, earlier: Plain) -> None:
    """Add who is expected to be missing tonight, and what that leaves for a player."""
    who = who.sort_values(["team", "number", "minutes_now", "player_id"], ascending=[True, True, False, True], ignore_index=True)
    present, rotation = 1 - who["p_out"], (who["minutes_now"] >= 10).astype(float)
    values = {"points": who["points_now"], "minutes": who["minutes_now"], "usage": who["usage_now"].fillna(0.0)}
    values["count"] = pd.Series(1.0, who.index)
    for name, value in values.items():
        who[f"out_{name}"] = who["p_out"] * rotation * value
        who[f"real_{name}"] = who["out"] * rotation * value
    who["in_points"], who["in_minutes"] = present * who["points_now"], present * who["minutes_now"]
    by_game = [who["team"], who["number"]]
    who["in_above"] = present.groupby(by_game).cumsum() - present
    who["in_above_points"] = who["in_points"].groupby(by_game).cumsum() - who["in_points"]
    sums = [name for name in who.columns if name.startswith(("out_", "real_"))] + ["in_points", "in_minutes"]
    team = who.groupby(SIDE)[sums].sum().reset_index()
    best = who.groupby(SIDE)[["out_points", "in_points"]].max().reset_index()
    own = players[[*SIDE, "player_id"]].merge(who, on=[*SIDE, "player_id"], how="left")
    on_side(players, team)
    for name in sums:
        players[name] -= own[name].fillna(0.0)
    on_side(players, best.rename(columns={"out_points": "out_best", "in_points": "in_best"}))
    on_side(players, team[[*SIDE, "out_points", "out_minutes", "in_points"]], prefix="opponent_", side="opponent")
    players["in_above"], players["in_above_points"] = own["in_above"], own["in_above_points"]
    for name in values:
        players[f"out_{name}_change"] = players[f"out_{name}"] - earlier.ewm(players, f"real_{name}", 8)
    players["minutes_left"] = players["minutes_ewm_8"] * 240 / (players["in_minutes"] + players["minutes_ewm_8"])
    players["points_left"] = players["minutes_left"] * players["points_rate"]
