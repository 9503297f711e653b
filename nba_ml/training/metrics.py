"""Point errors of a backtest: every comparison on the same rows, every population with its own figures.

A *backtest frame* is long, one row per slate_date, game_id, player_id and system_id (contract). A *wide frame* has one row per player-game:
the facts, and one column of predicted points per predictor, the line and the line − 0.5 among them.
"""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import polars as pl

from nba_ml.training import betting, probability
from nba_ml.training.intervals import clustered_mean, clustered_ratio

KEY = ("slate_date", "game_id", "player_id")
FACTS = ("season", "season_type", "line", "line_kind", "prior_games", "season_avg_minutes", "actual_points", "actual_minutes")

MODEL, ENSEMBLE = "xgboost", "ensemble"
LINE, LINE_MINUS_HALF = "line", "line_minus_half"
HEADLINE = (ENSEMBLE, MODEL, "ridge", "ewma_hl8", "last_10")
"""Predictors that every population is judged on, on the rows where none of them abstains."""

WITH_LINE = "_with_line"
"""Ending of the name of a predictor that is allowed to see the line."""

LAST_10 = "last_10"
BASELINE = "ewma_hl8"
"""The simple rule that differences are counted from: the exponentially weighted mean of a player's points, half-life 8 games."""

SIMPLE_RULES = (BASELINE, LAST_10, "moving_average", "matchup", "similarity")
"""Predictors that no model is trained for: means, and the systems with a few documented constants."""

POPULATIONS: dict[str, tuple[str, pl.Expr]] = {
    "A": ("every player who got on court", pl.lit(value=True)),
    "B": (
        "regulars: at least 10 earlier games, at least 15 minutes a game this season",
        (pl.col("prior_games") >= 10) & (pl.col("season_avg_minutes") >= 15),
    ),
    "C": ("players with a betting line", pl.col(LINE).is_not_null()),
}


def with_line(system: str) -> str:
    """Return the predictor's name of a system that is allowed to see the line."""
    return system + WITH_LINE


def wide(frame: pl.DataFrame) -> pl.DataFrame:
    """Turn a backtest frame into a wide one, ordered by its key.

    Raises
    ------
    ValueError
        If a key is there twice for one system.
    """
    double = frame.height - frame.select(*KEY, "system_id").n_unique()
    if double:
        raise ValueError(f"the backtest holds {double} rows twice (slate_date, game_id, player_id, system_id): build it again")
    rows = frame.select(*KEY, *FACTS).unique(KEY, keep="first", maintain_order=True)
    for system in systems(frame):
        own = frame.filter(pl.col("system_id") == system)
        columns = [pl.col("predicted_points").alias(system)]
        if own["predicted_points_with_line"].null_count() < own.height:
            columns.append(pl.col("predicted_points_with_line").alias(with_line(system)))
        rows = rows.join(own.select(*KEY, *columns), on=KEY, how="left")
    return rows.with_columns((pl.col(LINE) - 0.5).alias(LINE_MINUS_HALF)).sort(KEY)


def systems(frame: pl.DataFrame) -> list[str]:
    """Return the systems of a backtest frame, those of the headline first."""
    found = set(frame["system_id"].unique())
    return [name for name in HEADLINE if name in found] + sorted(found - set(HEADLINE))


def population(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the rows of one population, of a long or a wide frame."""
    return rows.filter(POPULATIONS[name][1])


def common_rows(rows: pl.DataFrame, predictors: Sequence[str]) -> pl.DataFrame:
    """Return the rows of a wide frame on which none of the predictors abstains."""
    return rows.drop_nulls(list(predictors))


def errors(rows: pl.DataFrame, predictor: str) -> dict[str, Any]:
    """Return the error figures of one predictor over the rows on which it predicts, in points.

    Returns
    -------
    dict
        "n", "mae" with its clustered interval "mae_low" and "mae_high", "rmse", "mean_error" (predicted − scored), "within_3" and
        "within_5" (shares with an absolute error of at most that); None without rows.
    """
    rows = rows.drop_nulls(predictor)
    error = (rows[predictor] - rows["actual_points"]).to_numpy()
    size = np.abs(error)
    mae = clustered_mean(rows["slate_date"].to_numpy(), size)
    found: dict[str, Any] = {"n": len(error), "mae": mae["value"], "mae_low": mae["low"], "mae_high": mae["high"]}
    figures = {
        "rmse": np.sqrt(np.mean(error**2)) if len(error) else None,
        "mean_error": np.mean(error) if len(error) else None,
        "within_3": np.mean(size <= 3) if len(error) else None,
        "within_5": np.mean(size <= 5) if len(error) else None,
    }
    return found | {name: None if value is None else float(value) for name, value in figures.items()}


def _paired_errors(rows: pl.DataFrame, predictor: str, baseline: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = common_rows(rows, (predictor, baseline))
    actual = rows["actual_points"].to_numpy()
    sizes = (np.abs(rows[name].to_numpy() - actual) for name in (predictor, baseline))
    return rows["slate_date"].to_numpy(), *sizes


def paired(rows: pl.DataFrame, predictor: str, baseline: str) -> dict[str, float | int | None]:
    """Return MAE of `predictor` − MAE of `baseline`, in points, on the rows where both predict; below 0 the predictor is better.

    Returns
    -------
    dict
        See `intervals.clustered_ratio`.
    """
    dates, ours, theirs = _paired_errors(rows, predictor, baseline)
    return clustered_mean(dates, ours - theirs)


def paired_squares(rows: pl.DataFrame, predictor: str, baseline: str) -> dict[str, float | int | None]:
    """Return the mean squared error of `predictor` − that of `baseline`, in points², on the rows where both predict."""
    dates, ours, theirs = _paired_errors(rows, predictor, baseline)
    return clustered_mean(dates, ours**2 - theirs**2)


def ratio(rows: pl.DataFrame, predictor: str, baseline: str) -> dict[str, float | int | None]:
    """Return MAE of `predictor` / MAE of `baseline` on the rows where both predict."""
    return clustered_ratio(*_paired_errors(rows, predictor, baseline))


def abstention(rows: pl.DataFrame, predictor: str) -> float | None:
    """Return the share of a wide frame's rows that a predictor has no number for."""
    return rows[predictor].null_count() / rows.height if rows.height else None


def headline(rows: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Return the figures of each population: the headline predictors, and the line where there is one, on the same rows.

    Returns
    -------
    dict
        Population → {"definition", "rows", "common_rows", "predictors": {name: `errors` + "against_baseline": `paired`}}; of C also
        "against_half": `paired` of the published number against the line − 0.5.
    """
    present = [name for name in HEADLINE if name in rows.columns]
    answer = {}
    for name, (definition, _) in POPULATIONS.items():
        members = population(rows, name)
        predictors = list(present)
        if name == "C":
            # Those that see the line are judged by themselves (`seeing_line`): where too few lines were seen before, they abstain.
            predictors += [LINE, LINE_MINUS_HALF]
        same = common_rows(members, predictors)
        answer[name] = {
            "definition": definition,
            "rows": members.height,
            "common_rows": same.height,
            "predictors": {
                predictor: errors(same, predictor)
                | {"against_baseline": paired(same, predictor, BASELINE) if BASELINE in rows.columns and predictor != BASELINE else None}
                for predictor in predictors
            },
        }
        if name == "C":
            ours = leader(present)
            answer[name]["against_half"] = paired(same, ours, LINE_MINUS_HALF) if ours in present else None
    return answer


def hardest_rule(rows: pl.DataFrame, system: str) -> dict[str, Any] | None:
    """Return the rule that learns from nothing but the player's own past and is hardest to be better than, on regulars.

    Returns
    -------
    dict or None
        "rule", "theirs" and "ours" (MAE on the same rows), "difference": `paired`; None where no rule has a number.
    """
    regulars, found = population(rows, "B"), []
    for rule in SIMPLE_RULES:
        same = common_rows(regulars, (system, rule)) if {system, rule} <= set(rows.columns) else regulars.clear()
        if same.height:
            ours, theirs = (errors(same, name)["mae"] for name in (system, rule))
            found.append({"rule": rule, "ours": ours, "theirs": theirs, "difference": paired(same, system, rule)})
    return min(found, key=lambda one: one["theirs"] - one["ours"], default=None)


def seeing_line(rows: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Return the figures of the predictors that see the line, of the same systems blind, and of the line, on the same rows.

    They are judged by squared error: absolute error rewards whoever takes half a point off the line.

    Returns
    -------
    dict
        Predictor → `errors` + "against_line" and "against_half": `paired_squares` against the line and the line − 0.5. Empty without a
        predictor that sees the line.
    """
    seeing = [name for name in map(with_line, (ENSEMBLE, MODEL)) if name in rows.columns]
    if not seeing:
        return {}
    everyone = [LINE, LINE_MINUS_HALF, *seeing, *(name.removesuffix(WITH_LINE) for name in seeing)]
    same = common_rows(rows, everyone)
    return {
        name: errors(same, name)
        | {"against_line": paired_squares(same, name, LINE), "against_half": paired_squares(same, name, LINE_MINUS_HALF)}
        for name in everyone
    }


def leader(names: Collection[str]) -> str:
    """Return the predictor whose number is published: the ensemble, or the model where there is none."""
    return ENSEMBLE if ENSEMBLE in names else MODEL


def summary(frame: pl.DataFrame) -> dict[str, Any]:
    """Return all figures of a backtest as one JSON-able dict: the same for manifest, commands and report."""
    rows = wide(frame)
    first, last = rows["slate_date"].min(), rows["slate_date"].max()
    return {
        "from": str(first) if first else None,
        "to": str(last) if last else None,
        "rows": rows.height,
        "dates": rows["slate_date"].n_unique(),
        "populations": headline(rows),
        "systems": {name: errors(rows, name) | {"abstained": abstention(rows, name)} for name in systems(frame)},
        "probabilities": probability.summary(frame),
        "intervals": probability.coverage(population(frame, "B")),
        "pinball": probability.pinball(population(frame, "B")),
        "crps": probability.crps(population(frame, "B")),
        "hardest_rule": hardest_rule(rows, leader(systems(frame))),
        "seeing_line": seeing_line(rows),
        "sides": betting.summary(frame),
        "lines": betting.line_kinds(rows),
    }
