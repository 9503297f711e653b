"""Windows over earlier games in plain pandas, in the idiom that is obviously right and in pandas' fast one."""

import pandas as pd

SIDE = ["team", "game_id"]
"""Key of a team-game."""


class Plain:
    """Windows over earlier games as most notebooks have them: one function, applied to each player's (or team's) own series."""

    def ewm(self, frame: pd.DataFrame, column: str, half_life: float, *keys: str) -> pd.Series:
        """Return the exponentially weighted mean over earlier games; a game without the statistic keeps the last mean."""
        own = frame.groupby(list(keys or ["player_id"]))[column]
        return own.transform(lambda games: games.shift().ewm(halflife=half_life, ignore_na=True).mean())

    def window(self, frame: pd.DataFrame, column: str, games: int, how: str, least: int = 1) -> pd.Series:
        """Return a statistic of a player's last earlier games."""
        own = frame.groupby("player_id")[column]
        return own.transform(lambda values: values.shift().rolling(games, min_periods=least).agg(how))


class Grouped(Plain):
    """The same windows by pandas' grouped kernels, whose results have to be put back into the frame's order."""

    def ewm(self, frame: pd.DataFrame, column: str, half_life: float, *keys: str) -> pd.Series:
        """Return the exponentially weighted mean over earlier games; a game without the statistic keeps the last mean."""
        names = list(keys or ["player_id"])
        shifted = frame.groupby(names)[column].shift()
        means = shifted.groupby([frame[name] for name in names]).ewm(halflife=half_life, ignore_na=True).mean()
        return means.droplevel(list(range(len(names)))).reindex(frame.index)

    def window(self, frame: pd.DataFrame, column: str, games: int, how: str, least: int = 1) -> pd.Series:
        """Return a statistic of a player's last earlier games."""
        shifted = frame.groupby("player_id")[column].shift()
        return shifted.groupby(frame["player_id"]).rolling(games, min_periods=least).agg(how).droplevel(0).reindex(frame.index)


def last_days(frame: pd.DataFrame, key: str, column: str, days: int, how: str) -> pd.Series:
    """Return a statistic over the `days` days before each game's own, 0 without a game in them; the frame is sorted by key and date."""
    dated = frame.set_index("game_date").groupby(key, sort=True)[column].rolling(f"{days}D", closed="left")
    return pd.Series(getattr(dated, how)().to_numpy(), frame.index).fillna(0.0)


def on_side(players: pd.DataFrame, facts: pd.DataFrame, prefix: str = "", side: str = "team") -> None:
    """Add facts of the row's team-game, or of the other team's where `side` is opponent."""
    columns = [name for name in facts.columns if name not in SIDE]
    keyed = facts.rename(columns={"team": side})
    found = players[[side, "game_id"]].merge(keyed, on=[side, "game_id"], how="left")
    for name in columns:
        players[prefix + name] = found[name].to_numpy()


def dated(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with its dates as datetime64."""
    return frame.assign(game_date=pd.to_datetime(frame["game_date"]))
