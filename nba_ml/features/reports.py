"""What dated injury reports say of who sits out, turned into probabilities by what such reports were worth on earlier dates.

A report counts only if it was seen by the slate's cut-off. Where there is none, nothing is said, and the probability from absences stands.
"""

import numpy as np
import polars as pl

from nba_ml import calendar

REPORT = "injury_report"

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
"""On a report with a status of no known meaning, or with none; and on no report of a team that has one."""

KINDS = (*STATUSES, OTHER, UNLISTED)

LEAST_PAIRS = 300
MOST_PAIRS = 5_000
"""Earlier candidates with a report below which reports are not believed yet, and the newest of them that are learned from."""

_LIMIT = 1e-4


def reported_probability(availability: pl.DataFrame, status: pl.DataFrame, cutoffs: pl.DataFrame) -> pl.DataFrame:
    """Add to each candidate his probability of sitting out by the latest report.

    Parameters
    ----------
    availability : DataFrame
        As `nba_ml.features.availability.out_probability` returns it.
    status : DataFrame
        nba_raw.player_status.
    cutoffs : DataFrame
        game_date and cutoff (UTC): a report seen later is not used, nor one whose time is not known.

    Returns
    -------
    DataFrame
        `availability`, in its order, with ``p_report`` (0..1; null where his team has no report, or too few were seen before).

    Notes
    -----
    P(out | status) is a logistic of the status and of status × logit(P(out) by absences), fitted anew each week on the pairs before it, of
    this season and the one before.
    """
    said = _latest(status, cutoffs)
    covered = said.select("game_date", "team").unique()
    listed = (
        said.select("game_date", "team", "player_id", kind=_kind())
        .filter(pl.col("player_id").is_not_null())
        .unique(["game_date", "team", "player_id"], keep="last", maintain_order=True)
    )
    frame = availability.join(covered.with_columns(covered=True), on=["game_date", "team"], how="left", maintain_order="left")
    frame = frame.join(listed, on=["game_date", "team", "player_id"], how="left", maintain_order="left")
    kind = pl.when(pl.col("covered")).then(pl.col("kind").fill_null(UNLISTED))
    frame = frame.with_columns(kind=kind).with_row_index("place")
    found = _by_week(frame.filter(pl.col("kind").is_not_null() & pl.col("p_out").is_not_null()))
    return frame.join(found, on="place", how="left", maintain_order="left").drop("place", "kind", "covered")


def _latest(status: pl.DataFrame, cutoffs: pl.DataFrame) -> pl.DataFrame:
    """Keep each team's last snapshot of a date that was seen by the cut-off."""
    known = status.filter((pl.col("kind") == REPORT) & pl.col("captured_at").is_not_null() & pl.col("team").is_not_null())
    known = known.join(cutoffs, on="game_date").filter(pl.col("captured_at") <= pl.col("cutoff"))
    latest = known.filter(pl.col("captured_at") == pl.col("captured_at").max().over("game_date", "team"))
    return latest.sort("game_date", "team", "player_id", "player_raw")


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
    return pl.Series("p_report", model.predict_proba(_design(now))[:, 1])


def _design(pairs: pl.DataFrame) -> np.ndarray:
    """Return dummies of the status, and each times the logit of the probability by absences."""
    bounded = pl.col("p_out").clip(_LIMIT, 1 - _LIMIT)
    logit = (bounded / (1 - bounded)).log()
    dummies = [(pl.col("kind") == name).cast(pl.Float64) for name in KINDS]
    columns = [dummy.alias(f"is_{name}") for dummy, name in zip(dummies, KINDS, strict=True)]
    return pairs.select(*columns, *[(dummy * logit).alias(f"logit_{name}") for dummy, name in zip(dummies, KINDS, strict=True)]).to_numpy()
