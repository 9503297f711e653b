"""What dated injury reports and projected line-ups say of who sits out, turned into probabilities by what they were worth on earlier dates.

A snapshot counts only if it was seen before the slate's cut-off. Where there is none, nothing is said, and the probability from absences stands.
"""

import numpy as np
import polars as pl

from nba_ml import calendar

REPORT = "injury_report"
PROJECTED = "projected_lineup"

STARTERS = 5
"""Players of a line-up. One that names more, fewer or an unknown one would make a starter of a bench player, and is not used."""

STATUSES = {
    "out": ("out", "out for season", "suspended", "unlikely to play"),
    "doubtful": ("doubtful",),
    "questionable": ("questionable", "tbd", "uncertain to play", "game-time decision", "could return", "day-to-day"),
    "probable": ("probable", "on track to play", "likely to play", "expected to play", "expected to be available", "optimistic to play"),
    "available": ("available", "in", "will play", "available to play", "not on injury report", "not listed on injury report"),
    "injured": ("injured",),
}
"""Status → the ways in which reports write it, in lower case."""

OTHER = "listed"
UNLISTED = "unlisted"
UNREPORTED = "unreported"
"""On a report with a status of no known meaning, or with none; on no report of a team that has one; of a team with a line-up and no report."""

KINDS = (*STATUSES, OTHER, UNLISTED, UNREPORTED)

LEAST_PAIRS = 300
MOST_PAIRS = 5_000
"""Earlier candidates with a report below which reports are not believed yet, and the newest of them that are learned from."""

_LIMIT = 1e-4


def reported_probability(availability: pl.DataFrame, status: pl.DataFrame, cutoffs: pl.DataFrame) -> pl.DataFrame:
    """Add to each candidate his probability of sitting out by the latest report and line-up.

    Parameters
    ----------
    availability : DataFrame
        As `nba_ml.features.availability.out_probability` returns it.
    status : DataFrame
        nba_raw.player_status.
    cutoffs : DataFrame
        game_date and cutoff (UTC): a snapshot seen then or later is not used, nor one whose time is not known.

    Returns
    -------
    DataFrame
        `availability`, in its order, with ``p_report`` (0..1; null where his team has neither, or too few were seen before).

    Notes
    -----
    P(out | status) is a logistic of the status, of status × logit(P(out) by absences), and of whether a line-up has him or leaves him out,
    fitted anew each week on the pairs before it, of this season and the one before.
    """
    said = latest(status, cutoffs, REPORT)
    covered = said.select("game_date", "team", covered=True).unique()
    listed = (
        said.select("game_date", "team", "player_id", kind=_kind())
        .filter(pl.col("player_id").is_not_null())
        .unique(["game_date", "team", "player_id"], keep="last", maintain_order=True)
    )
    frame = with_line_up(availability, status, cutoffs)
    for known, key in ((covered, ["game_date", "team"]), (listed, ["game_date", "team", "player_id"])):
        frame = frame.join(known, on=key, how="left", maintain_order="left")
    kind = pl.when(pl.col("covered")).then(pl.col("kind").fill_null(UNLISTED)).when(pl.col("starts").is_not_null()).then(pl.lit(UNREPORTED))
    frame = frame.with_columns(kind=kind).with_row_index("place")
    found = _by_week(frame.filter(pl.col("kind").is_not_null() & pl.col("p_out").is_not_null()))
    return frame.join(found, on="place", how="left", maintain_order="left").drop("place", "kind", "covered", "starts")


def latest(status: pl.DataFrame, cutoffs: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Keep each team's last snapshot of a date and kind that was seen before the cut-off."""
    known = status.filter((pl.col("kind") == kind) & pl.col("captured_at").is_not_null() & pl.col("team").is_not_null())
    known = known.join(cutoffs, on="game_date").filter(pl.col("captured_at") < pl.col("cutoff"))
    last = known.filter(pl.col("captured_at") == pl.col("captured_at").max().over("game_date", "team"))
    return last.sort("game_date", "team", "player_id", "player_raw")


def with_line_up(rows: pl.DataFrame, status: pl.DataFrame, cutoffs: pl.DataFrame) -> pl.DataFrame:
    """Add ``starts`` to rows of game_date, team and player_id: 1.0 in the team's projected line-up, 0.0 not in it, null without one."""
    side = ["game_date", "team"]
    whole = (pl.len() == STARTERS) & (pl.col("player_id").n_unique() == STARTERS) & (pl.col("player_id").null_count() == 0)
    five = latest(status, cutoffs, PROJECTED).filter(whole.over(side)).select(*side, "player_id", named=1.0)
    teams = five.select(*side, lined=True).unique()
    joined = rows.join(teams, on=side, how="left", maintain_order="left")
    joined = joined.join(five, on=[*side, "player_id"], how="left", maintain_order="left")
    return joined.with_columns(starts=pl.when("lined").then(pl.col("named").fill_null(0.0))).drop("lined", "named")


def _kind() -> pl.Expr:
    said = pl.col("status").str.to_lowercase().str.strip_chars()
    kind = pl.lit(OTHER)
    for name, ways in STATUSES.items():
        kind = pl.when(said.is_in(ways)).then(pl.lit(name)).otherwise(kind)
    return kind


def _by_week(pairs: pl.DataFrame) -> pl.DataFrame:
    """Return place and p_report of every pair, each from a fit on the weeks before its own."""
    ordered = pairs.sort("game_date", "team", "player_id").with_columns(week=pl.col("game_date").dt.truncate("1w"))
    parts = []
    for (season, week), now in ordered.group_by("season", "week", maintain_order=True):
        recent = pl.col("season").is_in([season, calendar.season_before(season)])
        before = ordered.filter(recent & (pl.col("week") < week) & pl.col("out").is_not_null()).tail(MOST_PAIRS)
        if before.height >= LEAST_PAIRS and 0 < before["out"].sum() < before.height:
            parts.append(now.select("place", p_report=_fit_and_say(before, now)))
    empty = pl.DataFrame(schema={"place": pairs.schema["place"], "p_report": pl.Float64})
    return pl.concat([empty, *parts])


def _fit_and_say(before: pl.DataFrame, now: pl.DataFrame) -> pl.Series:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1.0, solver="newton-cholesky").fit(_design(before), before["out"].to_numpy())
    # Row by row: a matrix product would make a probability depend, in its last bit, on the rows beside it.
    logit = (_design(now) * model.coef_[0]).sum(axis=1) + model.intercept_[0]
    return pl.Series("p_report", 1 / (1 + np.exp(-logit)))


def _design(pairs: pl.DataFrame) -> np.ndarray:
    """Return dummies of the status, each times the logit of the probability by absences, and dummies of being in a line-up or left out of it."""
    bounded = pl.col("p_out").clip(_LIMIT, 1 - _LIMIT)
    logit = (bounded / (1 - bounded)).log()
    dummies = [(pl.col("kind") == name).cast(pl.Float64) for name in KINDS]
    columns = [dummy.alias(f"is_{name}") for dummy, name in zip(dummies, KINDS, strict=True)]
    columns += [(dummy * logit).alias(f"logit_{name}") for dummy, name in zip(dummies, KINDS, strict=True)]
    columns += [(pl.col("starts") == value).fill_null(value=False).cast(pl.Float64).alias(f"starts_{value}") for value in (0, 1)]
    return np.ascontiguousarray(pairs.select(columns).to_numpy())
