"""Two model versions on the same graded rows: which one is better, by how much, for whom, or how much longer it takes to tell."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from nba_ml import sequential
from nba_ml.context import Context
from nba_ml.errors import BadInput
from nba_ml.features import FEATURE_TABLE
from nba_ml.registry import graded, versions
from nba_ml.slate.publishing import SYSTEMS
from nba_ml.training import betting, probability, slices
from nba_ml.warehouse.port import LATEST

NO_VERDICT = "no verdict"

_PLAYER = ("game_id", "player_id")
_ROW = ("slate_date", *_PLAYER)


def compare(context: Context, version: str, other: str, first: date, last: date, *, system: str = graded.PUBLISHED) -> dict[str, Any]:
    """Compare two versions on the slates of a span that both predicted.

    Parameters
    ----------
    version, other : str
        Differences are `version` − `other`: of errors and log-losses below 0 is better, of hit rates above 0.
    system : str
        Whose numbers are compared.

    Returns
    -------
    dict
        "version", "other", "system", "from", "to" (first and last slate with rows), "slates", "rows", "modes", "method", "overall" (metric →
        figures), "slices" and "months" (each a list of {"name", "words"} and the figures of the absolute error), "path" (per slate: "slate_date"
        and the difference of errors so far with its bounds). Figures are {"ours", "theirs", "value", "low", "high", "slates", "n", "verdict",
        "needed"}: "verdict" names the better version or says "no verdict"; "needed" is after how many slates in all a difference as large as
        the one seen could be told from luck, None where it is told or can't be said.

    Raises
    ------
    ArtefactError
        If there is no such version.
    BadInput
        If no row of the span was predicted by both and graded.
    """
    for name in (version, other):
        versions.read_manifest(context.store, versions.MODEL, name)
    pairs = graded.pairs(context, version, other, system=system, first=first, last=last)
    rows = _with_facts(context, pairs.drop_nulls(["ours", "theirs"]), first, last)
    if rows.is_empty():
        raise BadInput(
            f"no graded row from {first} to {last} has a number of {system} from both {version} and {other}: both score a slate while one of them "
            "is at 10 % or 50 % or a shadow (`nba-ml release show`), and `nba-ml grade --slate D` grades it"
        )
    names = (version, other)
    kinds = [(name, words, slices.cut(rows, name, "ours", "theirs")) for name, (words, _) in slices.SLICES.items()]
    months = [
        (str(month), str(month), part) for (month,), part in rows.group_by(pl.col("slate_date").dt.strftime("%Y-%m"), maintain_order=True)
    ]
    return {
        "version": version,
        "other": other,
        "system": system,
        "from": str(rows["slate_date"].min()),
        "to": str(rows["slate_date"].max()),
        "slates": rows["slate_date"].n_unique(),
        "rows": rows.height,
        "modes": sorted(rows["mode"].unique()),
        "method": sequential.METHOD,
        "overall": {metric: figures(rows, metric, names) for metric in METRICS},
        "slices": _parts(kinds, names),
        "months": _parts(months, names),
        "path": _path(rows),
    }


def figures(rows: pl.DataFrame, metric: str, names: tuple[str, str], looks: int = 1) -> dict[str, Any]:
    """Return the figures of one metric; see `compare`.

    Parameters
    ----------
    rows : DataFrame
        Paired rows: slate_date, ours, theirs, actual_points, line, line_kind, our_p_over, their_p_over.
    looks : int
        How many parts are looked at together: each interval is that much wider (Bonferroni), since the largest of many differences is large by luck.
    """
    dates, ours, theirs = METRICS[metric](rows)
    found = sequential.mean(dates, ours - theirs, level=1 - (1 - sequential.LEVEL) / looks)
    sides, scale = {"ours": _mean(ours), "theirs": _mean(theirs)}, 1.0
    if metric == "rmse" and found.n:
        # The interval is that of the mean squared error; dividing by the sum of the roots turns its difference into that of the roots.
        sides = {side: float(np.sqrt(value or 0.0)) for side, value in sides.items()}
        scale = sum(value or 0.0 for value in sides.values()) or 1.0
    bounds = {
        name: None if value is None else value / scale for name, value in (("value", found.value), ("low", found.low), ("high", found.high))
    }
    answer = {"slates": found.slates, "n": found.n} | bounds
    return answer | sides | _verdict(found, names, better_below=metric != "hit_rate")


def _verdict(found: sequential.Mean, names: tuple[str, str], *, better_below: bool) -> dict[str, Any]:
    if found.value is None or found.low is None or found.high is None:
        return {"verdict": NO_VERDICT, "needed": None}
    if found.low <= 0 <= found.high:
        return {"verdict": NO_VERDICT, "needed": sequential.slates_needed(found, abs(found.value))}
    return {"verdict": names[0] if (found.value < 0) == better_below else names[1], "needed": None}


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None


def _parts(parts: list[tuple[str, str, pl.DataFrame]], names: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"name": name, "words": words} | figures(part, "mae", names, len(parts)) for name, words, part in parts if part.height]


def _path(rows: pl.DataFrame) -> list[dict[str, Any]]:
    dates, ours, theirs = _absolute(rows)
    days = np.unique(dates)
    seen = sequential.path(dates, ours - theirs)
    return [{"slate_date": str(day), "value": at.value, "low": at.low, "high": at.high} for day, at in zip(days, seen, strict=True)]


def _absolute(rows: pl.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    actual = rows["actual_points"].to_numpy()
    ours, theirs = (np.abs(rows[side].to_numpy() - actual) for side in ("ours", "theirs"))
    return rows["slate_date"].to_numpy(), ours, theirs


def _squared(rows: pl.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    dates, ours, theirs = _absolute(rows)
    return dates, ours**2, theirs**2


def _log_loss(rows: pl.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    decided = probability.decided(rows.filter(~betting.undated()), "our_p_over", "their_p_over")
    over = decided["over"].to_numpy()
    ours, theirs = (probability.log_losses(decided[side].to_numpy(), over) for side in ("our_p_over", "their_p_over"))
    return decided["slate_date"].to_numpy(), ours, theirs


def _hits(rows: pl.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    line = pl.col("line")
    sided = rows.filter(~betting.undated() & (pl.col("actual_points") != line) & (pl.col("ours") != line) & (pl.col("theirs") != line))
    over = sided["actual_points"] > sided["line"]
    ours, theirs = (((sided[side] > sided["line"]) == over).cast(pl.Float64).to_numpy() for side in ("ours", "theirs"))
    return sided["slate_date"].to_numpy(), ours, theirs


METRICS: Mapping[str, Callable[[pl.DataFrame], tuple[np.ndarray, np.ndarray, np.ndarray]]] = {
    "mae": _absolute,
    "rmse": _squared,
    "log_loss": _log_loss,
    "hit_rate": _hits,
}
"""Metric → slate and what each side gets, row by row, of paired rows."""


def _with_facts(context: Context, pairs: pl.DataFrame, first: date, last: date) -> pl.DataFrame:
    """Add probabilities, minutes and rest, as they were known before the game."""
    span = (first, last)
    numbers = context.warehouse.read(SYSTEMS, as_of=LATEST, dates=span, columns=["id", "p_over"])
    picks = context.warehouse.read(
        graded.PICKS, as_of=LATEST, dates=span, columns=["run_key", *_ROW, "season_avg_minutes", "feature_version"]
    )
    rest = context.warehouse.read(
        FEATURE_TABLE, as_of=LATEST, dates=span, columns=[*_PLAYER, "feature_version", slices.BACK_TO_BACK], undated=True
    )
    ours, theirs = (
        numbers.select(pl.col("id").alias(f"{side}_prediction"), pl.col("p_over").alias(f"{side}_p_over")) for side in ("our", "their")
    )
    rows = pairs.join(ours, on="our_prediction", how="left").join(theirs, on="their_prediction", how="left")
    rows = rows.join(picks, on=["run_key", *_ROW], how="left").join(rest, on=[*_PLAYER, "feature_version"], how="left")
    return rows.sort(_ROW)
