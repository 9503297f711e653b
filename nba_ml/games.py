"""Games seen from each of their two teams, and whether the box score of a side is complete."""

from datetime import date, datetime

import polars as pl


def team_games(games: pl.DataFrame) -> pl.DataFrame:
    """Return two rows per scheduled game, one for each team: the schedule's columns, team, opponent, is_home, scored, conceded."""
    sides = [
        games.with_columns(
            team=pl.col(own),
            opponent=pl.col(other),
            is_home=pl.lit(own == "home"),
            scored=pl.col(f"{own}_points"),
            conceded=pl.col(f"{other}_points"),
        )
        for own, other in (("home", "away"), ("away", "home"))
    ]
    return pl.concat(sides)


def first_tipoffs(games: pl.DataFrame) -> dict[date, datetime | None]:
    """Return the first known tip-off of each game date, None where none is known; what `nba_ml.slate_calendar.SlateCalendar` is made of."""
    return dict(games.group_by("game_date").agg(pl.col("tipoff_utc").min()).iter_rows())


def complete_sides(games: pl.DataFrame, box: pl.DataFrame, players: int, least_share: float = 1.0) -> pl.DataFrame:
    """Say of each team's side of each game whether it is complete.

    Parameters
    ----------
    games, box : DataFrame
        Rows of nba_raw.schedule and nba_raw.player_box.
    players : int
        A complete side has at least so many rows, and their points sum to the final score,
    least_share : float
        or to at least this share of it.

    Returns
    -------
    DataFrame
        The columns of `team_games` and complete (bool).
    """
    rows = box.group_by("game_id", "team").agg(rows=pl.col("player_id").n_unique(), points=pl.col("points").sum())
    points, scored = pl.col("points"), pl.col("scored")
    summed = points == scored if least_share == 1 else points >= least_share * scored
    complete = (pl.col("rows") >= players) & summed
    sides = team_games(games).join(rows, on=["game_id", "team"], how="left")
    return sides.with_columns(complete=complete.fill_null(value=False)).drop("rows", "points")
