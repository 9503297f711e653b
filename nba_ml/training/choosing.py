"""What constants are chosen on: whole seasons before the test set, and windows spaced evenly over them."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from nba_ml import calendar
from nba_ml.errors import BadInput, UsageError
from nba_ml.training import metrics, walk_forward
from nba_ml.training.walk_forward import Fold

WINDOW_DAYS = 56
"""Days of a window. A fit costs the same whatever it predicts, and a model two months old errs as one of one month does (accuracy study)."""

POPULATION = "B"


def choosing_seasons(test_year: int, seasons: Sequence[str] | None = None) -> list[int]:
    """Return the years of the openers of the seasons to choose on.

    Raises
    ------
    UsageError
        If a season is not written as one, is before 2021-22, or is the test season or a later one; or if none is left.
    """
    known = {calendar.season_name(year): year for year in range(calendar.FIRST_SEASON, test_year)}
    test = calendar.season_name(test_year)
    for season in seasons or ():
        if season == test or (season not in known and season > test):
            raise UsageError(
                f"{season} is no choosing season: the last one in the data, {test}, is the test set, and constants chosen on it would make its "
                f"figures worthless; choose among {', '.join(known) or 'earlier ones, after ingesting them'}"
            )
        if season not in known:
            raise UsageError(f"{season!r} is no choosing season: name {' or '.join(known) or 'none yet: ingest an earlier one'}")
    if not known:
        raise UsageError(
            f"the data's only season since {calendar.season_name(calendar.FIRST_SEASON)} is {test}, the test set: ingest earlier ones"
        )
    return sorted({known[season] for season in seasons} if seasons else known.values())


def plan_windows(rows: pl.DataFrame, years: Sequence[int], folds: int) -> tuple[list[Fold], list[Fold]]:
    """Return the windows of the study and those that it does not see: evenly spaced over the seasons, by turns.

    Raises
    ------
    BadInput
        If the seasons have fewer than 2 × `folds` windows with enough rows in them and before them.
    """
    dates, counted = rows["game_date"], metrics.population(rows, POPULATION)["game_date"]
    spans = [
        span
        for year in years
        for span in calendar.windows(calendar.opener(year), calendar.day_before(calendar.opener(year + 1)), WINDOW_DAYS)
        if counted.is_between(*span).sum() >= walk_forward.LEAST_FOLD_ROWS and (dates < span[0]).sum() >= walk_forward.LEAST_TRAINING_ROWS
    ]
    if folds < 1 or len(spans) < 2 * folds:
        raise BadInput(
            f"{len(spans)} windows of {WINDOW_DAYS} days in {', '.join(map(calendar.season_name, years))} have "
            f"{walk_forward.LEAST_FOLD_ROWS:,} player-games of population {POPULATION} in them and {walk_forward.LEAST_TRAINING_ROWS:,} before "
            f"them, and {folds} folds need {2 * folds}: ask for fewer --folds or ingest more (`nba-ml ingest`)"
        )
    places = np.linspace(0, len(spans) - 1, 2 * folds).round().astype(int)
    taken = [Fold(first, last, warm_up=False) for first, last in (spans[place] for place in places)]
    return taken[::2], taken[1::2]
