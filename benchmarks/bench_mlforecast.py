"""The published number against mlforecast with XGBoost, on the same rows, refitted on the same dates. The goal is 2 % on population B."""

import argparse
import sys
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from common import history, open_league, show

from nba_ml.systems.base import parameters
from nba_ml.systems.xgboost import THREADS
from nba_ml.training import metrics

INSTALL = "uv pip install -p .venv/bin/python -e '.[bench]'"
PREDICT = "nba-ml backtest --from 2022-10-18 --to 2025-06-30 --predictions predictions.parquet"
HALF_LIFE = 8
LONGEST_REST = 15
EXOGENOUS = ("season_mean", "is_home", "rest")
OURS = (metrics.ENSEMBLE, metrics.MODEL)


def series(box: pl.DataFrame) -> pl.DataFrame:
    """Return each player's games as mlforecast wants them: ds is the number of the game, since players don't play at a regular pace."""
    games = box.filter(pl.col("minutes") > 0).sort("player_id", "game_date", "game_id")
    earlier = pl.col("points").cast(pl.Float64).shift(1).over("player_id", "season")
    season_games = pl.int_range(pl.len()).over("player_id", "season")
    days = (pl.col("game_date") - pl.col("game_date").shift(1).over("player_id")).dt.total_days()
    return games.select(
        unique_id="player_id",
        ds=pl.int_range(pl.len()).over("player_id"),
        y=pl.col("points").cast(pl.Float64),
        season_mean=earlier.cum_sum().over("player_id", "season") / season_games,
        is_home=pl.col("is_home").cast(pl.Float64),
        rest=pl.min_horizontal(days, LONGEST_REST).cast(pl.Float64),
        slate_date="game_date",
        game_id="game_id",
    )


def models(seed: int = 1) -> dict[str, Any]:
    """Return XGBoost with its defaults, and with our own settings, so that only the features differ."""
    import xgboost

    ours = dict(parameters()["xgboost"])
    ours["n_estimators"] = ours.pop("rounds")
    ours["learning_rate"] = ours.pop("eta")
    shared = {"tree_method": "hist", "n_jobs": THREADS, "random_state": seed}
    return {"default": xgboost.XGBRegressor(**shared), "our_settings": xgboost.XGBRegressor(**shared, **ours)}


def forecasts(games: pl.DataFrame, cuts: list[tuple[date, date, date]]) -> pl.DataFrame:
    """Return mlforecast's one-step-ahead numbers for each window (trained until, first, last)."""
    from mlforecast import MLForecast  # type: ignore[import-not-found]
    from mlforecast.lag_transforms import ExponentiallyWeightedMean, RollingMean  # type: ignore[import-not-found]

    windows = [RollingMean(size, min_samples=1) for size in (5, 10, 20)]
    forecaster = MLForecast(
        models=models(),
        freq=1,
        lags=[1, 2, 3, 5, 10],
        lag_transforms={1: [*windows, ExponentiallyWeightedMean(1 - 0.5 ** (1 / HALF_LIFE))]},
    )
    made = forecaster.preprocess(games.select("unique_id", "ds", "y", *EXOGENOUS), static_features=[], dropna=False)
    features = [name for name in made.columns if name not in ("unique_id", "ds", "y")]
    rows = games.select("unique_id", "ds", "slate_date", "game_id").join(made, on=["unique_id", "ds"], how="left")
    parts = []
    for until, first, last in cuts:
        train = rows.filter(pl.col("slate_date") <= until)
        inside = rows.filter(pl.col("slate_date").is_between(first, last))
        forecaster.fit_models(train.select(features).to_numpy(), train["y"].to_numpy())
        ahead = inside.select(features).to_numpy()
        numbers = {f"mlforecast_{name}": model.predict(ahead).astype(float) for name, model in forecaster.models_.items()}
        parts.append(inside.select("slate_date", "game_id", player_id="unique_id").with_columns(**numbers))
        print(f"fitted until {until}, {train.height:,} rows", file=sys.stderr)
    return pl.concat(parts)


def main() -> None:
    """Compare with the predictions of a backtest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--predictions", type=Path, help=f"file that a backtest wrote: {PREDICT}")
    path = parser.parse_args().predictions
    if path is None:
        print(f"mlforecast: skipped, it compares with a backtest's file. Write one, `{PREDICT}`, and give it as --predictions")
        return
    try:
        import mlforecast  # noqa: F401
    except ImportError:
        print(f"mlforecast: skipped, the package mlforecast is not installed. Install it: `{INSTALL}`")
        return
    predictions = pl.read_parquet(path)
    cuts = (
        predictions.group_by("trained_until").agg(pl.col("slate_date").min(), last=pl.col("slate_date").max()).sort("trained_until").rows()
    )
    source = open_league()
    box, _ = history(source)
    theirs = forecasts(series(box), cuts)
    names = [name for name in theirs.columns if name.startswith("mlforecast_")]
    rows = metrics.wide(predictions.filter(pl.col("system_id").is_in(OURS))).join(theirs, on=list(metrics.KEY), how="left")
    table: list[tuple[Any, ...]] = []
    figures: dict[str, Any] = {"source": source.name, "from": str(cuts[0][1]), "to": str(cuts[-1][2]), "folds": len(cuts)}
    for name in ("A", "B", "C"):
        same = metrics.common_rows(metrics.population(rows, name), [*OURS, *names])
        if not same.height:
            continue
        figures[f"n_{name}"] = same.height
        figures |= {f"mae_{name}_{predictor}": metrics.errors(same, predictor)["mae"] for predictor in (*OURS, *names)}
        for ours in OURS:
            for other in names:
                found, difference = metrics.ratio(same, ours, other), metrics.paired(same, ours, other)
                value, low, high = (found[edge] for edge in ("value", "low", "high"))
                maes = figures[f"mae_{name}_{ours}"], figures[f"mae_{name}_{other}"]
                table.append((name, f"{same.height:,}", ours, maes[0], other, maes[1], f"{value:.4f} [{low:.4f}, {high:.4f}]"))
                figures[f"ratio_{name}_{ours}_to_{other}"] = [value, low, high]
                figures[f"difference_{name}_{ours}_to_{other}"] = [difference[edge] for edge in ("value", "low", "high")]
    header = ("population", "rows", "ours", "MAE", "theirs", "MAE", "ratio [95 %]")
    show("mlforecast", f"{cuts[0][1]} to {cuts[-1][2]}, {len(cuts)} refits, {source.name}", header, table, figures)


if __name__ == "__main__":
    main()
