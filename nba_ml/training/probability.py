"""How good the probabilities and the intervals of a backtest are."""

from typing import Any

import numpy as np
import polars as pl

from nba_ml.training.intervals import clustered_mean

BINS = 10
BANDS = (0.0, 5.0, 10.0, 15.0, 20.0, 25.0)
"""Lower bounds, in points, of the bands of predicted level."""

QUANTILES = {"q10": 0.1, "q50": 0.5, "q90": 0.9}

_CLIP = 1e-6


def scores(p: np.ndarray, over: np.ndarray) -> dict[str, float | int | None]:
    """Return log-loss (natural), Brier score and expected calibration error (10 equal-width bins) of probabilities.

    Parameters
    ----------
    p : array of shape (n,)
        P(points > line), 0..1.
    over : array of shape (n,)
        1.0 where points were above the line, 0.0 where below; pushes are left out before.
    """
    if not len(p):
        return {"n": 0, "log_loss": None, "brier": None, "ece": None}
    bins = reliability(p, over)
    ece = sum(row["n"] * abs(row["predicted"] - row["observed"]) for row in bins) / len(p)
    return {"n": len(p), "log_loss": float(np.mean(log_losses(p, over))), "brier": float(np.mean((p - over) ** 2)), "ece": float(ece)}


def log_losses(p: np.ndarray, over: np.ndarray) -> np.ndarray:
    """Return the log-loss (natural) of each probability; see `scores`."""
    safe = np.clip(p, _CLIP, 1 - _CLIP)
    return -(over * np.log(safe) + (1 - over) * np.log(1 - safe))


def reliability(p: np.ndarray, over: np.ndarray) -> list[dict[str, float | int]]:
    """Return the non-empty ones of 10 equal-width bins: bounds, n, mean probability "predicted" and share of overs "observed"."""
    place = np.minimum((p * BINS).astype(int), BINS - 1)
    found = []
    for number in range(BINS):
        inside = place == number
        if inside.any():
            found.append(
                {
                    "low": number / BINS,
                    "high": (number + 1) / BINS,
                    "n": int(inside.sum()),
                    "predicted": float(p[inside].mean()),
                    "observed": float(over[inside].mean()),
                }
            )
    return found


def groups(p: np.ndarray, over: np.ndarray, most: int = BINS) -> list[dict[str, float | int]]:
    """Return `reliability` over groups of equal size instead of equal width, for a plot: good probabilities crowd around one half."""
    order = np.argsort(p, kind="stable")
    parts = [part for part in np.array_split(order, most) if len(part)]
    return [
        {
            "low": float(p[part[0]]),
            "high": float(p[part[-1]]),
            "n": len(part),
            "predicted": float(p[part].mean()),
            "observed": float(over[part].mean()),
        }
        for part in parts
    ]


def decided(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Return the rows with a line that was not hit exactly and none of `columns` null, with `over` (1.0 or 0.0) added."""
    lined = frame.filter(pl.col("line").is_not_null() & (pl.col("actual_points") != pl.col("line"))).drop_nulls(list(columns))
    return lined.with_columns(over=(pl.col("actual_points") > pl.col("line")).cast(pl.Float64))


def summary(frame: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Return the scores of each system that gives p_over, and of the market on the same rows.

    Returns
    -------
    dict
        System → {"p_over": `scores` of all its rows, "same_rows": `scores` of "p_over", "p_over_market" and "half" (the constant 0.5) on
        the rows where the market has a price}.
    """
    answer = {}
    for system in _with(frame, "p_over"):
        own = frame.filter(pl.col("system_id") == system)
        rows, priced = decided(own, "p_over"), decided(own, "p_over", "p_over_market")
        over = priced["over"].to_numpy()
        answer[system] = {
            "p_over": scores(rows["p_over"].to_numpy(), rows["over"].to_numpy()),
            "same_rows": {
                "p_over": scores(priced["p_over"].to_numpy(), over),
                "p_over_market": scores(priced["p_over_market"].to_numpy(), over),
                "half": scores(np.full(len(over), 0.5), over),
            },
        }
    return answer


def against_market(frame: pl.DataFrame, system: str) -> dict[str, Any]:
    """Return a system's log-loss beside the recalibrated market's, on the rows where the market has two real prices.

    Returns
    -------
    dict
        "p_over", "p_over_market": `scores`; "difference": log-loss of the system − that of the market, `clustered_mean`.
    """
    rows = decided(frame.filter(pl.col("system_id") == system), "p_over", "p_over_market").sort("slate_date", "game_id", "player_id")
    over = rows["over"].to_numpy()
    ours, market = (np.clip(rows[name].to_numpy(), _CLIP, 1 - _CLIP) for name in ("p_over", "p_over_market"))
    losses = [-(over * np.log(p) + (1 - over) * np.log(1 - p)) for p in (ours, market)]
    return {
        "p_over": scores(ours, over),
        "p_over_market": scores(market, over),
        "difference": clustered_mean(rows["slate_date"].to_numpy(), losses[0] - losses[1]),
    }


def coverage(frame: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Return how often points fall inside the 80 % interval [q10, q90] of each system that gives one, overall and by band of q50.

    Returns
    -------
    dict
        System → {"n", "coverage" (0..1), "width" (points), "bands": [{"low", "high", "n", "coverage", "width"}, …]}.
    """
    answer = {}
    for system in _with(frame, "q90"):
        rows = frame.filter(pl.col("system_id") == system).drop_nulls(["q10", "q50", "q90"])
        rows = rows.select(
            band=pl.max_horizontal(pl.lit(BANDS[0]), *(pl.when(pl.col("q50") >= low).then(pl.lit(low)) for low in BANDS[1:])),
            inside=pl.col("actual_points").is_between("q10", "q90"),
            width=pl.col("q90") - pl.col("q10"),
        )
        figures = [pl.len().alias("n"), pl.col("inside").mean().alias("coverage"), pl.col("width").mean()]
        bands = rows.group_by(pl.col("band").alias("low"), maintain_order=True).agg(figures).sort("low")
        uppers = dict(zip(BANDS, [*BANDS[1:], None], strict=True))
        answer[system] = rows.select(figures).row(0, named=True) | {
            "bands": [band | {"high": uppers[band["low"]]} for band in bands.iter_rows(named=True)]
        }
    return answer


def pinball(frame: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Return the mean pinball loss, in points, of each system's quantiles: what a wrong quantile costs; smaller is better.

    Source: Koenker and Bassett, Regression quantiles, Econometrica 46 (1978). Three quantiles are not the whole distribution: see `crps`.

    Returns
    -------
    dict
        System → {"n", "q10", "q50", "q90"}.
    """
    answer = {}
    for system in _with(frame, "q90"):
        rows = frame.filter(pl.col("system_id") == system).drop_nulls(list(QUANTILES))
        losses = {
            name: float(_pinball(rows["actual_points"].to_numpy() - rows[name].to_numpy(), level)) for name, level in QUANTILES.items()
        }
        answer[system] = {"n": rows.height} | losses
    return answer


def crps(frame: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Return the mean score of the whole distribution of each system that gives one, in points; smaller is better.

    Each row's score comes with the backtest (`nba_ml.systems.calibration.Calibration.crps`), since three quantiles don't hold the distribution.

    Returns
    -------
    dict
        System → `clustered_mean`, and "mae": what the number alone would score, as a distribution without width.
    """
    answer = {}
    for system in _with(frame, "crps") if "crps" in frame.columns else []:
        rows = frame.filter(pl.col("system_id") == system).drop_nulls("crps").sort("slate_date", "game_id", "player_id")
        error = (rows["predicted_points"] - rows["actual_points"]).abs().mean()
        answer[system] = clustered_mean(rows["slate_date"].to_numpy(), rows["crps"].to_numpy()) | {"mae": error}
    return answer


def _pinball(over: np.ndarray, level: float) -> np.floating:
    return np.mean(np.maximum(level * over, (level - 1) * over))


def _with(frame: pl.DataFrame, column: str) -> list[str]:
    return sorted(frame.drop_nulls(column)["system_id"].unique())
