"""nba_ops.performance_daily: windows of graded slates, each made again only where the grades behind it changed."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from nba_ml import calendar
from nba_ml.context import Context
from nba_ml.ids import digest
from nba_ml.monitoring import figures, graded_rows, population
from nba_ml.registry import graded
from nba_ml.warehouse.port import LATEST

log = logging.getLogger(__name__)

TABLE = "nba_ops.performance_daily"
WINDOWS = (7, 14, 30)
"""Slates: about one, two and four weeks and a half of a season."""

PUBLISHED = "published"
"""Stands in model_version for each row's own version."""

MODEL = "xgboost"

_WINDOW = ("slate_date", "window_slates", "mode")


@dataclass(frozen=True)
class Window:
    """The last slates of a mode up to one of them, and a hash of their grades."""

    mode: str
    slates: tuple[date, ...]
    size: int
    inputs: str

    @property
    def key(self) -> tuple[date, int, str]:
        """What tells it from others in the table."""
        return self.slates[-1], self.size, self.mode


def refresh(context: Context, until: date) -> dict[str, Any]:
    """Bring the table up to date for the season of a date, up to that date.

    Parameters
    ----------
    until : date
        Last slate that is looked at. A window never reaches back into another season.

    Returns
    -------
    dict
        "until", "slate_date" (last graded slate or None), "mode" (of the run in force there: live before replay), "windows" (how many were made
        again) and "rows" (written).
    """
    first = calendar.opener(calendar.season_year(until))
    graded_slates = graded_rows.fingerprints(context, first, until)
    stored = context.warehouse.read(TABLE, as_of=LATEST, dates=(first, until), columns=[*_WINDOW, "inputs"]).unique()
    known = {(row["slate_date"], row["window_slates"], row["mode"]): row["inputs"] for row in stored.to_dicts()}
    stale = [window for window in windows(graded_slates) if known.get(window.key) != window.inputs]
    rows = _rows(context, stale) if stale else []
    if rows:
        context.warehouse.upsert(TABLE, pl.DataFrame(rows, infer_schema_length=None), whole=_WINDOW)
    last = graded_slates["slate_date"].max()
    modes = graded_slates.filter(pl.col("slate_date") == last)["mode"].to_list() if last else []
    log.info("%d windows up to %s, %d rows", len(stale), until, len(rows))
    return {
        "until": until.isoformat(),
        "slate_date": str(last) if last else None,
        "mode": min(modes, default=None),
        "windows": len(stale),
        "rows": len(rows),
    }


def windows(graded_slates: pl.DataFrame) -> list[Window]:
    """Return all windows that end with a graded slate (rows of `graded_rows.fingerprints`)."""
    found = []
    for (mode,), part in graded_slates.group_by("mode", maintain_order=True):
        days, prints = part["slate_date"].to_list(), part["prediction_id"].to_list()
        for end in range(1, len(days) + 1):
            for size in WINDOWS:
                inside = slice(max(0, end - size), end)
                found.append(Window(str(mode), tuple(days[inside]), size, digest([size, *prints[inside]])))
    return found


def series(rows: pl.DataFrame) -> Iterator[tuple[dict[str, Any], pl.DataFrame]]:
    """Yield the rows of a window by in_sample, system, version and population, each with what names it.

    Every system is there as it was published. The ensemble and the trained model are there for each version too, over all rows that it scored.
    """
    published = rows.filter("published").with_columns(version=pl.lit(PUBLISHED))
    own = rows.filter(pl.col("system_id").is_in([graded.PUBLISHED, MODEL])).with_columns(version="model_version")
    for frame in (published, own):
        for (in_sample, system, version), part in frame.group_by("in_sample", "system_id", "version", maintain_order=True):
            name = {"in_sample": in_sample, "system_id": system, "model_version": version}
            for group, members in (("all", part), ("lined", part.drop_nulls("line"))):
                if members.height:
                    yield name | {"population": group}, members


def _rows(context: Context, stale: Sequence[Window]) -> list[dict[str, Any]]:
    span = (min(window.slates[0] for window in stale), max(window.slates[-1] for window in stale))
    graded_part, everyone = graded_rows.read(context, *span), population.read(context, *span)
    answer, fresh = [], {}
    for window in stale:
        inside = pl.col("slate_date").is_between(window.slates[0], window.slates[-1]) & (pl.col("mode") == window.mode)
        people = everyone.filter(inside)
        end = (window.mode, window.slates[-1])
        if end not in fresh:  # the windows of all sizes end with the same slate
            fresh[end] = population.ages(context, people, window.slates[-1])
        facts = population.figures(people) | fresh[end]
        for name, members in series(graded_part.filter(inside)):
            answer.append(_row(window, name, members, facts))
    return answer


def _row(window: Window, name: Mapping[str, Any], members: pl.DataFrame, facts: Mapping[str, Any]) -> dict[str, Any]:
    whole = (name["system_id"], name["model_version"], name["population"]) == (graded.PUBLISHED, PUBLISHED, "all")
    return {
        "slate_date": window.slates[-1],
        "window_slates": window.size,
        "mode": window.mode,
        **name,
        "first_slate": members["slate_date"].min(),
        "slates": members["slate_date"].n_unique(),
        **figures.figures(members, lined=name["population"] == "lined"),
        **(facts if whole else {}),
        "inputs": window.inputs,
    }


def headline(context: Context, found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of the published ensemble and the trained model for the last slate that `refresh` found, out of sample."""
    if found["slate_date"] is None:
        return []
    day = date.fromisoformat(found["slate_date"])
    wanted = {"mode": found["mode"], "model_version": PUBLISHED, "in_sample": False, "system_id": [graded.PUBLISHED, MODEL]}
    rows = context.warehouse.read(TABLE, as_of=LATEST, dates=(day, day), where=wanted)
    return rows.sort("system_id", "window_slates", "population").to_dicts()
