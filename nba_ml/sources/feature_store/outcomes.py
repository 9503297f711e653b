"""The team's schedule and outcomes as rows of nba_raw.schedule and nba_raw.player_box."""

import polars as pl

from nba_ml import calendar
from nba_ml.games import team_games
from nba_ml.sources.casting import cast
from nba_ml.sources.feature_store.columns import OUTCOMES
from nba_ml.warehouse.schema import table

_KINDS = {"002": "Regular Season", "004": "Playoffs", "005": "PlayIn", "006": "Cup Final"}
"""First digits of the league's game ids; others (exhibition, all-star) are no games of a season."""

_LEAGUE_ID = r"^00\d{8}$"
_FINAL = ("3", "final", "Final", "FINAL")
_MOMENT = pl.Datetime("us", "UTC")
_STATS = [
    column.name
    for column in OUTCOMES
    if column.name in table("nba_raw.player_box").schema and column.name not in ("points", "minutes", "team")
]


def schedule_rows(raw: pl.DataFrame, outcomes: pl.DataFrame, source: str) -> pl.DataFrame:
    """Return rows of nba_raw.schedule.

    Parameters
    ----------
    raw : DataFrame
        Columns of `columns.SCHEDULE` that the team's schedule has; a game may be there once for each state it went through.
    outcomes : DataFrame
        See `played`. Where the schedule holds no score, the final score is the sum of a team's points there.
    source : str
        Table that the rows come from.
    """
    raw = _with(
        raw, {"home_points": pl.Int64, "away_points": pl.Int64, "tipoff_utc": _MOMENT, "status": pl.String, "season_type": pl.String}
    )
    raw = _with(raw, {"is_playoffs": pl.Boolean, "neutral_site": pl.Boolean, "written_at": _MOMENT})
    final = pl.col("status").is_null() | pl.col("status").is_in(_FINAL)
    scored = final & (pl.col("home_points") + pl.col("away_points") > 0)
    games = raw.with_columns(pl.when(scored).then(pl.col("home_points", "away_points")), season_type=_season_type())
    games = games.filter(pl.col("season_type").is_not_null())
    best = ["home_points", "written_at", "game_date"]
    games = games.sort(pl.col("home_points").is_not_null(), *best[1:], nulls_last=False).unique("game_id", keep="last", maintain_order=True)
    sums = outcomes.group_by("game_date", "team").agg(pl.col("points").sum().cast(pl.Int64))
    for side in ("home", "away"):
        games = games.join(sums.rename({"team": side, "points": f"{side}_sum"}), on=["game_date", side], how="left", maintain_order="left")
    derived = pl.col("home_points").is_null() & pl.col("home_sum").is_not_null() & pl.col("away_sum").is_not_null()
    games = games.with_columns(
        pl.when(derived).then(f"{side}_sum").otherwise(f"{side}_points").alias(f"{side}_points") for side in ("home", "away")
    )
    known = [calendar.schedule_known_at(day, kind) for day, kind in games.select("game_date", "season_type").iter_rows()]
    return games.select(
        "game_id",
        pl.Series("season", [calendar.season_name(calendar.season_year(day)) for day in games["game_date"]], dtype=pl.String),
        *("season_type", "game_date", "tipoff_utc", "home", "away", "neutral_site", "home_points", "away_points"),
        pl.lit(None, pl.Boolean).alias("overtime"),
        pl.lit(source).alias("source"),
        pl.Series("known_at", known, dtype=_MOMENT),
        _morning_after(games).alias("result_known_at"),
    ).sort("game_date", "game_id")


def played(raw: pl.DataFrame, where: str) -> pl.DataFrame:
    """Return the outcomes of players who got on court, or may have: rows of the inactive, and those without points and minutes, are left out.

    Minutes may be written as 34:12. Of rows that are there twice the one written last counts.

    Raises
    ------
    BadInput
        For minutes that are none, with the row.
    """
    raw = _with(raw, {"player_name": pl.String, "active": pl.Boolean, "line": pl.Float64, "line_book": pl.String, "written_at": _MOMENT})
    raw = _with(raw, {name: table("nba_raw.player_box").schema[name] for name in _STATS})
    raw = raw.sort("game_date", "player_lookup", "team", "written_at", nulls_last=False)
    raw = raw.unique(["game_date", "player_lookup", "team"], keep="last", maintain_order=True)

    def place(position: int) -> str:
        row = raw.row(position, named=True)
        return f"{where} row of {row['game_date']}, player {row['player_lookup']}, field minutes"

    rows = raw.with_columns(cast(raw["minutes"], "minutes", place).alias("minutes"))
    sat = ~pl.col("active").fill_null(value=True) | ((pl.col("minutes").fill_null(0) == 0) & (pl.col("points").fill_null(0) == 0))
    return rows.filter(~sat)


def box_rows(
    outcomes: pl.DataFrame, schedule: pl.DataFrame, players: pl.DataFrame, source: str
) -> tuple[pl.DataFrame, dict[str, pl.DataFrame]]:
    """Return rows of nba_raw.player_box, and by rule the outcomes that can be none.

    Parameters
    ----------
    outcomes, schedule, players : DataFrame
        See `played`, `schedule_rows` and `players.directory`. A row finds its game by date and team: ids of games differ between feeds.

    Returns
    -------
    rows : DataFrame
    refused : dict of str to DataFrame
        Rule (a key of `RULES`) → rows of `outcomes`.
    """
    games = team_games(schedule).select("game_date", "team", "game_id", "season", "season_type", "opponent", "is_home", "neutral_site")
    rows = outcomes.join(players.rename({"player_name": "listed_name"}), on="player_lookup", how="left", maintain_order="left")
    rows = rows.join(games, on=["game_date", "team"], how="left", maintain_order="left")
    tests = {
        "player_known": pl.col("player_id").is_not_null(),
        "game_scheduled": pl.col("game_id").is_not_null(),
        "minutes_known": pl.col("minutes").is_not_null(),
        "points_known": pl.col("points").is_not_null(),
    }
    refused, good = {}, pl.lit(value=True)
    for rule, holds in tests.items():
        refused[rule] = rows.filter(good & ~holds).select(outcomes.columns)
        good = good & holds
    kept = rows.filter(good).with_columns(
        player_name=pl.coalesce("player_name", "listed_name"), source=pl.lit(source), start_position=pl.lit(None, pl.String)
    )
    kept = kept.with_columns(_morning_after(kept).alias("known_at"))
    box = table("nba_raw.player_box")
    return kept.select(name for name in box.schema if name != "id"), {rule: found for rule, found in refused.items() if found.height}


RULES = {
    "player_known": "the reference table does not map player_lookup to one player_id, so the row belongs to nobody",
    "game_scheduled": "the schedule has no game of the team on the date, so the row belongs to no game",
    "minutes_known": "minutes are missing: once 99.5 % of them were null and defaults filled the features (incident 7)",
    "points_known": "points are missing, and points are what is predicted",
    "few_defaults": "too many of its features stand for values that are not known: a count, since an average hides them (incident 8)",
}
"""Rules by which rows of the team's tables are kept out, each with its reason."""


def _season_type() -> pl.Expr:
    by_id = pl.col("game_id").str.slice(0, 3).replace_strict(_KINDS, default=None, return_dtype=pl.String)
    league = pl.col("game_id").str.contains(_LEAGUE_ID)
    by_flag = pl.when("is_playoffs").then(pl.lit("Playoffs")).otherwise(pl.lit("Regular Season"))
    return pl.coalesce("season_type", pl.when(league).then(by_id).otherwise(by_flag))


def _morning_after(rows: pl.DataFrame) -> pl.Series:
    known = {day: calendar.results_known_at(day) for day in rows["game_date"].unique()}
    return rows["game_date"].replace_strict(known, return_dtype=_MOMENT) if known else pl.Series([], dtype=_MOMENT)


def _with(frame: pl.DataFrame, columns: dict) -> pl.DataFrame:
    """Add columns that a table does not have, as unknown."""
    return frame.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in columns.items() if name not in frame.columns)
