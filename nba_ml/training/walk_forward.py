"""The walk-forward backtest: every number was made by fits, weights and calibration that saw only earlier dates."""

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from nba_ml import atomic, calendar
from nba_ml.errors import BadInput
from nba_ml.ids import digest
from nba_ml.progress import track
from nba_ml.registry import provenance
from nba_ml.settings import Settings
from nba_ml.systems.base import TARGET, System, column, parameters
from nba_ml.systems.panel import COLUMNS, Combination, long_frame, member_numbers, new_members
from nba_ml.training.dataset import code_fingerprint

log = logging.getLogger(__name__)

LEAST_TRAINING_ROWS = 20_000
"""Player-games before the first fold below which nothing is learned that lasts."""

WARM_UP_FOLDS, WARM_UP_DAYS = 3, 28
"""Windows before the span, and their days, whose out-of-fold numbers give the first fold its weights and calibration."""

LEAST_FOLD_ROWS = 500
"""A warm-up window with fewer rows (a summer) is passed over."""

LINED_ROWS = 2_000
"""Rows with a line that the warm-up looks for further back where its own windows lack them: feeds have months without lines, and a number with
the line that was learned from too few is worse than the line."""

BASELINES = {"ewma_hl8": "points_ewm_8", "last_10": "points_mean_10"}
"""Baseline → the feature that it is."""

SCORE = "crps"
"""Column with the score of a row's whole predictive distribution, known once the outcome is: `Calibration.crps`."""

LINE_COLUMNS = ("line", "line_kind", "over_odds", "under_odds")


@dataclass(frozen=True)
class Fold:
    """One window: predicted by a fit on everything before `first`."""

    first: date
    last: date
    warm_up: bool


def plan_folds(rows: pl.DataFrame, first: date, last: date, refit_days: int, *, lines: pl.DataFrame | None = None) -> list[Fold]:
    """Cut the span into folds and put warm-up folds before it.

    Parameters
    ----------
    rows : DataFrame
        Player-games, with game_date.
    first, last : date
        Span of the folds that are counted.
    refit_days : int
        Days of a fold. The warm-up does not depend on it.
    lines : DataFrame, optional
        As for `walk_forward`; with them the warm-up goes back until it has seen enough lines.

    Raises
    ------
    BadInput
        If the span has no rows, or too little history lies before it.
    """
    dates = rows["game_date"]
    counted = [Fold(*window, warm_up=False) for window in calendar.windows(first, last, refit_days)]
    counted = [fold for fold in counted if dates.is_between(fold.first, fold.last).any()]
    if not counted:
        raise BadInput(
            f"no player-games from {first} to {last}{_held(dates)}: ingest them (`nba-ml ingest --from {first} --to {last}`) or choose "
            "another span"
        )
    warm_up = _warm_up(rows, first, lines)
    if not warm_up:
        before = int((dates < first).sum())
        raise BadInput(
            f"{before:,} player-games lie before {first}, and a backtest needs {LEAST_TRAINING_ROWS:,} before its first warm-up window of "
            f"{WARM_UP_DAYS} days: choose a later --from or ingest earlier seasons"
        )
    return warm_up + counted


def _warm_up(rows: pl.DataFrame, first: date, lines: pl.DataFrame | None) -> list[Fold]:
    """Return the last windows before the span, and earlier ones that bring lines where those lack them."""
    dates = rows["game_date"]
    lined, least = dates, 0
    if lines is not None:
        lined, least = rows.join(lines, on=["game_date", "player_id"], how="inner")["game_date"], LINED_ROWS
    found: list[Fold] = []
    end = calendar.day_before(first)
    while (dates < (start := calendar.days_back(end, WARM_UP_DAYS))).sum() >= LEAST_TRAINING_ROWS:
        enough = len(found) >= WARM_UP_FOLDS
        if enough and sum(_within(lined, fold.first, fold.last) for fold in found) >= least:
            break
        # Of the windows further back only those that bring lines are worth their fits.
        if _within(lined if enough else dates, start, end) >= LEAST_FOLD_ROWS:
            found.insert(0, Fold(start, end, warm_up=True))
        end = calendar.day_before(start)
    return found


def _within(days: pl.Series, first: date, last: date) -> int:
    return int(days.is_between(first, last).sum())


def _held(dates: pl.Series) -> str:
    return f" among those of {dates.min()} to {dates.max()}" if len(dates) else ""


def cache_folder(settings: Settings) -> Path:
    """Return the folder for finished folds of this code and library version."""
    return settings.home_folder / "cache" / "folds" / digest([code_fingerprint(), provenance.xgboost_version()])


def walk_forward(
    rows: pl.DataFrame, lines: pl.DataFrame, folds: Iterable[Fold], *, names: Sequence[str], seed: int, cache: Path | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Predict each fold with systems fitted on everything before it.

    Parameters
    ----------
    rows : DataFrame
        Feature rows with `actual_points` and `actual_minutes`, sorted by date, game and player.
    lines : DataFrame
        Consensus lines by game_date and player_id, as `nba_ml.lines.consensus` makes them.
    folds : iterable of Fold
        In the order of their dates.
    names : sequence of str
        Features that the models are fed.
    seed : int
        Of the model.
    cache : Path, optional
        Folder that keeps finished folds by what they were made of, so that a run that was killed goes on where it was, and next week's run, which
        shares most folds with this one, fits only what is new. Its name must identify the code.

    Returns
    -------
    predictions : DataFrame
        The folds that are not warm-up, in the format of contract.md.
    out_of_fold : DataFrame
        All folds: game_date, game_id, player_id, actual_points, line and one column per member.
    """
    lined = rows.join(lines, on=["game_date", "player_id"], how="left", maintain_order="left")
    past: list[pl.DataFrame] = []
    parts: list[pl.DataFrame] = []
    folds = list(folds)
    files = _files(rows, folds, names, seed, cache) if cache else {}
    for fold in track(folds, "walk-forward folds"):
        numbers, trained_until = fold_numbers(rows, fold, names, seed, files.get(fold))
        inside = lined.filter(pl.col("game_date").is_between(fold.first, fold.last))
        if not fold.warm_up:
            parts.append(complete(inside, numbers, past, trained_until))
        kept = inside.select("game_date", "game_id", "player_id", TARGET, "line", "p_over_market")
        past.append(kept.hstack([pl.Series(name, value) for name, value in numbers.items()]))
    return pl.concat(parts).sort("slate_date", "game_id", "player_id", "system_id"), pl.concat(past)


def weights(out_of_fold: pl.DataFrame) -> dict[str, float]:
    """Return the weight of each member in an ensemble that is fitted on these out-of-fold numbers."""
    return combination(out_of_fold, new_members((), 0)).ensemble.weights


def combination(out_of_fold: pl.DataFrame, members: Iterable[str]) -> Combination:
    """Fit ensemble and calibration on out-of-fold numbers."""
    numbers = {name: column(out_of_fold, name) for name in members}
    return Combination.fit(numbers, *(column(out_of_fold, name) for name in (TARGET, "line", "p_over_market")))


def _files(rows: pl.DataFrame, folds: Sequence[Fold], names: Sequence[str], seed: int, cache: Path) -> dict[Fold, Path]:
    """Return each fold's file in the cache, named after all rows up to its last date, its window, the features and the seed."""
    state, files, done = _content(rows.clear(), names, seed), {}, None
    for fold in folds:
        until = pl.col("game_date") <= fold.last
        # One text, whatever the windows before: the same rows give the same name in a plan that begins elsewhere.
        state.update(rows.filter(until if done is None else until & (pl.col("game_date") > done)).write_csv(include_header=False).encode())
        files[fold] = cache / f"{fold.first}_{fold.last}_{state.hexdigest()[:32]}.arrow"
        done = fold.last
    return files


def fold_numbers(rows: pl.DataFrame, fold: Fold, names: Sequence[str], seed: int, kept: Path | None) -> tuple[dict[str, np.ndarray], date]:
    """Fit all members on everything before a fold, and predict it.

    Parameters
    ----------
    rows, names, seed
        As for `walk_forward`.
    fold : Fold
    kept : Path or None
        File that holds the numbers, or is to hold them.

    Returns
    -------
    numbers : dict of str to ndarray
        Member → predicted points of the fold's rows, in their order.
    trained_until : date
        Last game date that the fits saw.
    """
    train = rows.filter(pl.col("game_date") < fold.first)
    inside = rows.filter(pl.col("game_date").is_between(fold.first, fold.last))
    trained_until = train["game_date"].max()
    assert isinstance(trained_until, date)  # noqa: S101
    if kept is not None and kept.exists():
        found = pl.read_ipc(kept)
        return {name: found[name].to_numpy() for name in found.columns}, trained_until
    numbers, _ = member_numbers(_fitted(train, names, seed), inside, rows.filter(pl.col("game_date") <= fold.last))
    if kept is not None:
        with atomic.whole(kept) as aside:
            pl.DataFrame(numbers).write_ipc(aside)
    return numbers, trained_until


_last_fit: dict[str, dict[str, System]] = {}


def _fitted(train: pl.DataFrame, names: Sequence[str], seed: int) -> dict[str, System]:
    """Fit all members; what the process fitted last, on the same rows byte for byte, is not fitted again."""
    key = _content(train, names, seed).hexdigest()
    if key not in _last_fit:
        _last_fit.clear()
        _last_fit[key] = {name: member.fit(train) for name, member in new_members(names, seed).items()}
    return _last_fit[key]


def _content(rows: pl.DataFrame, names: Sequence[str], seed: int) -> "hashlib._Hash":
    """Begin a hash of what a fit depends on with these rows: columns, features, seed, constants, values."""
    state = hashlib.sha256(repr((list(rows.schema.items()), list(names), seed, parameters())).encode())
    state.update(rows.write_csv(include_header=False).encode())
    return state


def complete(inside: pl.DataFrame, numbers: dict[str, np.ndarray], past: list[pl.DataFrame], trained_until: date) -> pl.DataFrame:
    """Put a fold into the contract's format, with weights and calibration from the folds before it."""
    seen = pl.concat(past)
    if (latest := seen["game_date"].max()) >= inside["game_date"].min() or trained_until >= inside["game_date"].min():  # type: ignore[operator]
        raise AssertionError(f"a fold from {inside['game_date'].min()} would learn from {max(latest, trained_until)}")  # type: ignore[type-var]
    combined = combination(seen, numbers)
    completed = combined.complete(numbers, column(inside, "line"), column(inside, "p_over_market"))
    for name, calibration in combined.calibrations.items():
        completed[name][SCORE] = calibration.crps(completed[name]["predicted_points"], column(inside, TARGET))
    completed |= {name: {"predicted_points": column(inside, feature)} for name, feature in BASELINES.items()}
    long = long_frame(inside, completed, {}, (*COLUMNS, SCORE)).drop("abstain_reason")
    facts = inside.select(
        "game_id",
        "player_id",
        "season",
        "season_type",
        *LINE_COLUMNS,
        pl.col("prior_games").cast(pl.Int64),
        "season_avg_minutes",
        pl.col(TARGET),
        "actual_minutes",
        p_over_market=pl.Series(_recalibrated_market(seen, inside)).fill_nan(None),
        trained_until=pl.lit(trained_until),
    )
    joined = long.join(facts, on=["game_id", "player_id"], how="left", maintain_order="left")
    return joined.select(PREDICTION_COLUMNS)


def _recalibrated_market(seen: pl.DataFrame, inside: pl.DataFrame) -> np.ndarray:
    """Recalibrate the market's probability on earlier dates, as ours is: books shade the over."""
    from nba_ml.systems.calibration import platt, prior

    market, over = column(seen, "p_over_market"), column(seen, TARGET) - column(seen, "line")
    decided = ~np.isnan(market) & ~np.isnan(over) & (over != 0)
    return platt(market[decided], over[decided] > 0, prior("market"))(column(inside, "p_over_market"))


PREDICTION_COLUMNS = (
    "slate_date",
    "season",
    "season_type",
    "game_id",
    "player_id",
    "system_id",
    *COLUMNS,
    "p_over_market",
    *LINE_COLUMNS,
    "prior_games",
    "season_avg_minutes",
    TARGET,
    "actual_minutes",
    SCORE,
    "trained_until",
)
"""Columns of the file that `nba-ml backtest --predictions` writes, in their order."""
