"""All features of all player-games, past and coming: the one function that history and the next slate go through."""

from datetime import date, datetime

import polars as pl

from nba_ml.calendar import lead_as_of, season_before
from nba_ml.features.availability import out_probability
from nba_ml.features.candidates import candidates
from nba_ml.features.frame import IDENTITY, Games, assemble, in_blocks, ordering
from nba_ml.features.lineup import LINEUP, lineup
from nba_ml.features.rates import rates
from nba_ml.features.reports import reported_probability
from nba_ml.features.rest import rest
from nba_ml.features.role import role
from nba_ml.features.scoring import scoring
from nba_ml.features.starters import FORM, START_POINTS, start_points
from nba_ml.features.teams import teams
from nba_ml.warehouse.schema import table

FEATURE_TABLE = "nba_predictions.ml_feature_store_v2"

FEATURE_VERSION = "v2.3"
"""Raise it with every change of a definition: rows of different versions are never mixed."""

REPORTED_PREFIX = "reported_"
"""Line-up features made with the probabilities of injury reports. They take the place of those from absences when a game is predicted, never in
training: a model that was trained on what reports know is no better, and loses where there is none."""

TARGET = "actual_points"
"""Column with the outcome in rows of finished games; null or absent in rows of a coming slate."""

REQUIRED = ("prior_games", "points_ewm_8", "minutes_ewm_8", "season_avg_minutes", "rest_days", "team_scored", "opponent_conceded")
"""Features without which a number is not to be used. Required means required: few, and known for anyone who has played."""


_IDENTITY = (*(name for name in IDENTITY if name not in ("is_home", "neutral_site")), "upcoming")
_MOVED_AT_ONCE = 24
"""Columns that are put into another order together: more need more memory, fewer keep processors waiting."""


def feature_names() -> tuple[str, ...]:
    """Names of all features, in the order that every model is fed."""
    return table(FEATURE_TABLE).features


def build(
    box: pl.DataFrame,
    schedule: pl.DataFrame,
    slate: pl.DataFrame | None = None,
    *,
    status: pl.DataFrame | None = None,
    as_of: datetime | None = None,
) -> pl.DataFrame:
    """Make every feature of every player-game with minutes above 0, and of the slate's rows.

    Parameters
    ----------
    box, schedule : DataFrame
        nba_raw.player_box and nba_raw.schedule, read at the cut-off: nothing that became known later is in them.
    slate : DataFrame, optional
        Population of the coming slate, with the columns `nba_ml.features.frame.IDENTITY`. With one, the features of `LINEUP` are made for its
        season and the one before alone: no system looks at those of older games.
    status : DataFrame, optional
        nba_raw.player_status. A report or line-up is used for a date if it was seen before the lead that live runs have there.
    as_of : datetime, optional
        Cut-off of the slate itself, where it is another one than the lead.

    Returns
    -------
    DataFrame
        Identity, `feature_names()`, those of `LINEUP` with `REPORTED_PREFIX` and `START_POINTS` as float64 (null = not known), and ``upcoming``
        (bool), sorted by date, game and player.

    Notes
    -----
    A row's features use only games dated strictly before its own; tests/features/test_point_in_time.py changes and deletes the rest.
    """
    return _by_date(_families(box, schedule, slate, status, as_of))


def _families(
    box: pl.DataFrame, schedule: pl.DataFrame, slate: pl.DataFrame | None, status: pl.DataFrame | None, as_of: datetime | None
) -> pl.DataFrame:
    """Make every family of features, in the order of `Games.players`."""
    games = assemble(box, schedule, slate)
    cutoffs = _cutoffs(games, schedule, as_of)
    by_rate = in_blocks(rates, games)
    who_could_play = candidates(games)
    availability = out_probability(games, who_could_play, _seasons(games))
    parts = [
        games.players.select(*_IDENTITY),
        in_blocks(scoring, games),
        by_rate.drop("kind"),
        rest(games),
        role(games, who_could_play),
        lineup(games, availability, by_rate["points_rate"]),
        teams(games, by_rate["points_rate"], by_rate["kind"]),
        _reported(games, availability, status, cutoffs, by_rate["points_rate"]),
    ]
    frame = pl.concat(parts, how="horizontal")
    return frame.with_columns(_start_points(frame, games, status, cutoffs))


def _by_date(frame: pl.DataFrame) -> pl.DataFrame:
    """Return identity and features, sorted by date, game and player; what has been moved is let go, so that nothing large is held twice."""
    game = frame["game_id"].cast(pl.Enum(frame["game_id"].unique().sort()))
    order = ordering(frame["game_date"], game, frame["player_id"])
    moved = [frame.select(pl.col(_IDENTITY).gather(order))]
    columns = (*feature_names(), *(REPORTED_PREFIX + name for name in LINEUP), START_POINTS)
    for start in range(0, len(columns), _MOVED_AT_ONCE):
        some = columns[start : start + _MOVED_AT_ONCE]
        # Without nulls a column is put into another order in a third of the time.
        moved.append(frame.select(_finite(pl.col(some).cast(pl.Float64).fill_null(float("nan")).gather(order))))
        frame = frame.drop(some)
    return pl.concat(moved, how="horizontal")


def _seasons(games: Games) -> list[str] | None:
    coming = games.players.filter("upcoming")["season"].unique().to_list()
    return sorted({name for season in coming for name in (season_before(season), season)}) or None


def leads(schedule: pl.DataFrame) -> dict[date, datetime]:
    """Return the moment that live runs predict each slate date from (`nba_ml.calendar.lead_as_of`)."""
    tipoffs = schedule.group_by("game_date").agg(pl.col("tipoff_utc").min() if "tipoff_utc" in schedule.columns else pl.lit(None))
    return {day: lead_as_of(day, tipoff) for day, tipoff in tipoffs.rows()}


def _cutoffs(games: Games, schedule: pl.DataFrame, as_of: datetime | None) -> pl.DataFrame:
    """Return the moment that each date is predicted from: the lead of live runs, and `as_of` for the slate."""
    coming = set(games.players.filter("upcoming")["game_date"])
    rows = [(day, as_of if as_of and day in coming else lead) for day, lead in leads(schedule).items()]
    return pl.DataFrame(rows, schema={"game_date": pl.Date, "cutoff": pl.Datetime("us", "UTC")}, orient="row")


def _reported(
    games: Games, availability: pl.DataFrame, status: pl.DataFrame | None, cutoffs: pl.DataFrame, points_rate: pl.Series
) -> pl.DataFrame:
    """Make the line-up features anew with the probabilities of reports; null in games that no report speaks of."""
    if status is None or status.is_empty():
        return games.players.select("row", *[pl.lit(None, pl.Float64).alias(REPORTED_PREFIX + name) for name in LINEUP]).drop("row")
    believed = reported_probability(availability, status, cutoffs)
    spoken_of = believed.filter(pl.col("p_report").is_not_null())["game_id"].unique()
    swapped = believed.with_columns(p_out=pl.coalesce("p_report", "p_out")).drop("p_report")
    with_reports = lineup(games, swapped, points_rate).with_columns(games.players["game_id"])
    known = pl.col("game_id").is_in(spoken_of.implode())
    return with_reports.select(pl.when(known).then(pl.col(name)).alias(REPORTED_PREFIX + name) for name in LINEUP)


def _start_points(frame: pl.DataFrame, games: Games, status: pl.DataFrame | None, cutoffs: pl.DataFrame) -> pl.Series:
    """Return what projected line-ups add to each row; null where there is none."""
    if status is None or status.is_empty():
        return pl.Series(START_POINTS, [None], dtype=pl.Float64).new_from_index(0, frame.height)
    form = [
        _finite((pl.coalesce(REPORTED_PREFIX + name, name) if name in LINEUP else pl.col(name)).cast(pl.Float64)).alias(name)
        for name in FORM
    ]
    rows = frame.select("game_date", "game_id", "season", "team", "player_id", *form)
    return start_points(rows, games.players["points"], status, cutoffs)


def _finite(value: pl.Expr) -> pl.Expr:
    """Turn what a division by zero left (no shots, no minutes) into "not known"."""
    return value.replace([float("nan"), float("inf"), float("-inf")], None)
