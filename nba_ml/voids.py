"""Why a prediction counts neither as right nor as wrong: its game was not played that day, or its player was not in it for his team."""

import polars as pl

from nba_ml.features.reports import REPORT, STATUSES
from nba_ml.games import team_games

MOVED, POSTPONED = "moved", "postponed"
OTHER_TEAM, RULED_OUT, DID_NOT_PLAY, NOT_IN_BOX_SCORE = "other_team", "ruled_out", "did_not_play", "not_in_box_score"

REASONS = {
    MOVED: "the game is scheduled on another date now",
    POSTPONED: "the game is not scheduled any more, or days later has neither score nor box score",
    OTHER_TEAM: "the player played for another team that day: he was traded",
    RULED_OUT: "the last injury report before the tip-off said that he was out",
    DID_NOT_PLAY: "the box score is whole, and he is not in it",
    NOT_IN_BOX_SCORE: "he is not in the box score, which need not hold every player",
}
"""Reason → what it means; the first that holds is given."""


def games_off(game_ids: pl.Series, schedule: pl.DataFrame, box: pl.DataFrame, slate: object, *, overdue: bool) -> pl.DataFrame:
    """Return the games of a slate that were not played on its date.

    Parameters
    ----------
    game_ids : Series of str
        Games that were predicted.
    schedule : DataFrame
        Their rows of nba_raw.schedule, on whatever date.
    box : DataFrame
        Box scores of the slate.
    slate : date
    overdue : bool
        Whether it is so late that a game without score and box score was not played.

    Returns
    -------
    DataFrame
        game_id, void_reason.
    """
    known = pl.DataFrame({"game_id": game_ids.unique()}).join(schedule, on="game_id", how="left")
    blank = pl.all_horizontal(pl.col("home_points", "away_points").is_null()) & ~pl.col("game_id").is_in(box["game_id"].unique().implode())
    reason = (
        pl.when(pl.col("game_date").is_null())
        .then(pl.lit(POSTPONED))
        .when(pl.col("game_date") != slate)
        .then(pl.lit(MOVED))
        .when(blank & overdue)
        .then(pl.lit(POSTPONED))
    )
    return known.select("game_id", void_reason=reason).drop_nulls("void_reason").sort("game_id")


def ruled_out(status: pl.DataFrame, games: pl.DataFrame) -> pl.DataFrame:
    """Return the players of whom the last injury report before their tip-off says that they are out.

    Parameters
    ----------
    status : DataFrame
        nba_raw.player_status of the slate.
    games : DataFrame
        nba_raw.schedule of the slate.

    Returns
    -------
    DataFrame
        player_id, team.
    """
    sides = team_games(games).group_by("team").agg(tipoff=pl.col("tipoff_utc").min())
    reports = status.filter((pl.col("kind") == REPORT) & pl.col("player_id").is_not_null()).join(sides, on="team", how="inner")
    in_time = reports.filter(pl.col("tipoff").is_null() | (pl.col("captured_at") < pl.col("tipoff")))
    last = in_time.sort("captured_at").unique(["player_id", "team"], keep="last", maintain_order=True)
    return last.filter(pl.col("status").str.to_lowercase().is_in(STATUSES["out"])).select("player_id", "team").sort("player_id", "team")


def mark(rows: pl.DataFrame, off: pl.DataFrame, box: pl.DataFrame, out: pl.DataFrame, *, whole: bool) -> pl.DataFrame:
    """Give each predicted row its reason to be void, null where it counts.

    Parameters
    ----------
    rows : DataFrame
        game_id, player_id and team, the one that the player was predicted for.
    off, out : DataFrame
        As `games_off` and `ruled_out` return them.
    box : DataFrame
        Box scores of the slate.
    whole : bool
        Whether a complete box score of the source holds every player who was on court.

    Returns
    -------
    DataFrame
        `rows` in their order, with void_reason.
    """
    own = box.select("game_id", "player_id", own_team="team")
    anywhere = box.select("player_id", any_team="team").unique("player_id", keep="any")
    joined = (
        rows.join(off, on="game_id", how="left", maintain_order="left")
        .join(own, on=["game_id", "player_id"], how="left", maintain_order="left")
        .join(anywhere, on="player_id", how="left", maintain_order="left")
        .join(out.with_columns(out=pl.lit(value=True)), on=["player_id", "team"], how="left", maintain_order="left")
    )
    own_team = pl.col("own_team")
    reason = (
        pl.when(pl.col("void_reason").is_not_null())
        .then("void_reason")
        .when((own_team != pl.col("team")).fill_null(value=False) | (own_team.is_null() & pl.col("any_team").is_not_null()))
        .then(pl.lit(OTHER_TEAM))
        .when(own_team.is_not_null())
        .then(pl.lit(None, pl.String))
        .when(pl.col("out").fill_null(value=False))
        .then(pl.lit(RULED_OUT))
        .otherwise(pl.lit(DID_NOT_PLAY if whole else NOT_IN_BOX_SCORE))
    )
    return joined.with_columns(void_reason=reason).drop("own_team", "any_team", "out")
