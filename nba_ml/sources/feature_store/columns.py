"""What is read of each of the team's tables: our name of a column, the names that it may have there, and its type."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nba_ml.errors import BadInput


@dataclass(frozen=True)
class Wanted:
    """One column.

    Attributes
    ----------
    name : str
        As we call it.
    accepted : tuple of str
        Names that it may have in the team's table; the first that is there is read.
    type : str
        GoogleSQL type that it is cast to; empty reads it as it is.
    needed : bool
        The table is refused without it.
    """

    name: str
    accepted: tuple[str, ...]
    type: str = ""
    needed: bool = False


_DAY = Wanted("game_date", ("game_date",), needed=True)
_LOOKUP = Wanted("player_lookup", ("player_lookup",), "STRING", needed=True)
_WRITTEN = Wanted("written_at", ("updated_at", "processed_at", "created_at"), "TIMESTAMP")


def _stat(name: str, *others: str) -> Wanted:
    return Wanted(name, (*others, name), "FLOAT64")


FEATURES = (
    _DAY,
    _LOOKUP,
    Wanted("feature_version", ("feature_version",), "STRING", needed=True),
    Wanted("quality_score", ("feature_quality_score",), "FLOAT64"),
    Wanted("features", ("features",)),
    Wanted("feature_names", ("feature_names",)),
    Wanted("default_indices", ("default_feature_indices",)),
    Wanted("default_count", ("required_default_count", "default_feature_count"), "INT64"),
    Wanted("updated_at", ("updated_at",), "TIMESTAMP"),
    Wanted("created_at", ("created_at",), "TIMESTAMP"),
)
"""Besides the columns feature_0_value, feature_1_value, …"""

OUTCOMES = (
    _DAY,
    _LOOKUP,
    Wanted("player_name", ("player_full_name", "player_name"), "STRING"),
    Wanted("team", ("team_abbr", "team_tricode", "team"), "STRING", needed=True),
    Wanted("points", ("points",), "FLOAT64", needed=True),
    Wanted("minutes", ("minutes_played", "minutes"), needed=True),
    Wanted("active", ("is_active",), "BOOL"),
    Wanted("starter", ("starter_flag", "starter"), "BOOL"),
    Wanted("won", ("win_flag", "won"), "BOOL"),
    Wanted("line", ("points_line",), "FLOAT64"),
    Wanted("line_book", ("points_line_source",), "STRING"),
    _stat("fgm", "fg_makes"),
    _stat("fga", "fg_attempts"),
    _stat("fg3m", "three_pt_makes"),
    _stat("fg3a", "three_pt_attempts"),
    _stat("ftm", "ft_makes"),
    _stat("fta", "ft_attempts"),
    _stat("oreb", "offensive_rebounds"),
    _stat("dreb", "defensive_rebounds"),
    _stat("reb", "rebounds", "total_rebounds"),
    _stat("ast", "assists"),
    _stat("stl", "steals"),
    _stat("blk", "blocks"),
    _stat("tov", "turnovers"),
    _stat("pf", "personal_fouls"),
    _stat("plus_minus"),
    _WRITTEN,
)

PLAYERS = (
    _LOOKUP,
    Wanted("player_id", ("player_id", "nba_player_id", "nba_id", "person_id")),
    Wanted("universal_id", ("universal_player_id",), "STRING"),
    Wanted("player_name", ("player_full_name", "player_name"), "STRING"),
)

SCHEDULE = (
    _DAY,
    Wanted("game_id", ("game_id",), "STRING", needed=True),
    Wanted("home", ("home_team_tricode", "home_team_abbr", "home_team", "home"), "STRING", needed=True),
    Wanted("away", ("away_team_tricode", "away_team_abbr", "away_team", "away"), "STRING", needed=True),
    Wanted("home_points", ("home_team_score", "home_score", "home_points", "home_pts"), "INT64"),
    Wanted("away_points", ("away_team_score", "away_score", "away_points", "away_pts"), "INT64"),
    Wanted("tipoff_utc", ("tipoff_utc", "game_time_utc", "game_datetime_utc", "commence_time"), "TIMESTAMP"),
    Wanted("status", ("game_status",), "STRING"),
    Wanted("season_type", ("season_type",), "STRING"),
    Wanted("is_playoffs", ("is_playoffs",), "BOOL"),
    Wanted("neutral_site", ("neutral_site_flag", "neutral_site"), "BOOL"),
    _WRITTEN,
)

LINES = (
    _DAY,
    _LOOKUP,
    Wanted("bookmaker", ("bookmaker",), "STRING", needed=True),
    Wanted("line", ("points_line", "line"), "FLOAT64", needed=True),
    Wanted("over_odds", ("over_price_american", "over_odds"), "FLOAT64"),
    Wanted("under_odds", ("under_price_american", "under_odds"), "FLOAT64"),
    Wanted("captured_at", ("snapshot_timestamp", "captured_at"), "TIMESTAMP"),
)

GRADES = (
    _DAY,
    Wanted("player_lookup", ("player_lookup",), "STRING"),
    Wanted("player_id", ("player_id",), "INT64"),
    Wanted("system_id", ("system_id",), "STRING"),
    Wanted("predicted_points", ("predicted_points",), "FLOAT64", needed=True),
    Wanted("actual_points", ("actual_points",), "FLOAT64", needed=True),
)


def chosen(wanted: Sequence[Wanted], there: Mapping[str, str], table: str) -> dict[str, str]:
    """Return our name → GoogleSQL expression, for the wanted columns that a table has.

    Parameters
    ----------
    there : mapping of str to str
        Column of the table → its GoogleSQL type.

    Raises
    ------
    BadInput
        If a needed column is absent, or game_date is no DATE.
    """
    found = {}
    for column in wanted:
        name = next((name for name in column.accepted if name in there), None)
        if name is None and column.needed:
            raise BadInput(
                f"{table}, field {column.name}: the table has no column {' or '.join(column.accepted)}; name another table "
                "(docs/feature_store.md lists the columns), or put a view over it that has one"
            )
        if name is not None:
            found[column.name] = f"CAST(`{name}` AS {column.type})" if column.type and there[name] != column.type else f"`{name}`"
    if "game_date" in found and there["game_date"] != "DATE":
        raise BadInput(f"{table}, field game_date: is {there['game_date']} and must be DATE; put a view over the table that casts it")
    return found


def statement(table: str, columns: Mapping[str, str], *, dated: bool) -> str:
    """Write the one kind of statement that reads the team's tables: columns, of the dates @first to @last where `dated`."""
    listed = ", ".join(f"{expression} AS `{name}`" for name, expression in columns.items())
    where = " WHERE `game_date` BETWEEN @first AND @last" if dated else ""
    return f"SELECT {listed} FROM `{table}`{where}"


def edge(table: str, function: str, condition: str = "TRUE") -> str:
    """Write the statement that finds the first or last game date of a table (`function` MIN or MAX) from @first on."""
    return f"SELECT {function}(`game_date`) AS `edge` FROM `{table}` WHERE `game_date` BETWEEN @first AND @last AND {condition}"
