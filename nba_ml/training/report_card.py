"""The model card of a report: what the model is, what it may be used for, and what it can't do."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from nba_ml.registry import provenance
from nba_ml.systems.base import parameters
from nba_ml.training import metrics, report_data
from nba_ml.training.wording import count, label, noun, points, share
from nba_ml.warehouse.schema import table

_OWNED = "nba_predictions.backtest_predictions"


def card(
    found: Mapping[str, Any],
    folds: Sequence[Mapping[str, Any]],
    version: Mapping[str, Any] | None,
    features: int | None,
    weights: Mapping[str, float] | None = None,
) -> list[tuple[str, str]]:
    """Return the card as pairs of a heading and what it says.

    Parameters
    ----------
    found : mapping
        See `metrics.summary`.
    folds : sequence of mapping
        See `report_data.folds`.
    version : mapping, optional
        "version", "until", "data" and, where somebody asked for it, "cause": see `steps.plan`.
    features : int, optional
        How many the model is fed.
    weights : mapping, optional
        Member → its weight in the ensemble.
    """
    constants = parameters()[metrics.MODEL]
    trees = f"{constants['rounds']} trees of depth {constants['max_depth']}, learning rate {constants['eta']}, {constants['objective']}"
    fed = f" on {features} features" if features else ""
    return [
        (
            "What it is",
            f"A prediction of how many points a player of the NBA scores in his next game. XGBoost {provenance.xgboost_version()}{fed} "
            f"({trees}) and other systems are combined into the ensemble, whose number is published; "
            "both with an 80 % interval and, where there is a betting line, the probability of the over.",
        ),
        *([("The ensemble", _weighed(weights))] if weights else []),
        ("Version", f"{version['version']}." if version else "None: this backtest belongs to no version, and nothing of it is published."),
        *([("Trained because", str(version["cause"]))] if version and version.get("cause") else []),
        ("Trained on", _trained_on(folds, version)),
        (
            "Intended use",
            "Forecasting points before tip-off, research, and comparing forecasts. It is no betting advice: nothing tried beats the price of a "
            "bet with certainty, and profit is shown here so that it can be seen.",
        ),
        (
            "Limits",
            "Late news is most of what it lacks: who is out tonight is only guessed from absences unless a dated injury report or "
            "line-up was stored. Minutes are the larger part of the error. Players with fewer than 10 earlier games, October, and games after a "
            "trade are harder. Predictions lie below the mean by design, near the median, since that lowers the absolute error. "
            "Positions, coaches and referees are not known to it.",
        ),
        ("Figures", _figures(found)),
        (
            "People",
            "The features describe professional players' public results. Nothing private goes in. Of injuries and line-ups only what "
            "was published before the game is used.",
        ),
        ("Owner", f"The team “{table(_OWNED).owner}”, as named in the table {_OWNED}."),
    ]


def page(
    frame: pl.DataFrame, found: Mapping[str, Any], version: Mapping[str, Any], features: int, weights: Mapping[str, float] | None = None
) -> bytes:
    """Return the card as a page of Markdown, for whoever decides on the version.

    Parameters
    ----------
    frame : DataFrame
        The backtest's predictions.
    found, version, features, weights
        As in `card`.
    """
    told = card(found, report_data.folds(frame, metrics.leader(found["systems"])), version, features, weights)
    return "\n\n".join([f"# Model {version['name']}/{version['version']}", *(f"## {heading}\n\n{text}" for heading, text in told)]).encode()


def _weighed(weights: Mapping[str, float]) -> str:
    ranked = sorted(weights.items(), key=lambda item: -item[1])
    each = ", ".join(f"{noun(name)} {share(weight, 0)}" for name, weight in ranked)
    return (
        f"The weighted mean of its members, moved towards the median: {each}. Weights minimise the squared error of out-of-fold numbers up to the "
        "end of this backtest; each of its folds has weights of its own, from earlier dates. Members that see the same features share what "
        "one of them would weigh alone."
    )


def _trained_on(folds: Sequence[Mapping[str, Any]], version: Mapping[str, Any] | None) -> str:
    fits = f"For this backtest {len(folds)} fits, each on every earlier player-game: until {folds[0]['trained_until']} for the first, "
    fits += f"until {folds[-1]['trained_until']} for the last."
    if not version:
        return fits
    seasons = ", ".join(f"{season}: {count(rows)}" for season, rows in version["data"]["rows_by_season"].items())
    return f"{count(version['data']['rows'])} player-games until {version['until']} ({seasons}). {fits}"


def _figures(found: Mapping[str, Any]) -> str:
    part = found["populations"]["B"]
    name = metrics.leader(part["predictors"])
    row = part["predictors"].get(name)
    if not row or row["mae"] is None:
        return "None for regulars in this span."
    said = (
        f"{label(name)} on regulars, {found['from']} to {found['to']}: mean absolute error {points(row['mae'])} "
        f"[{points(row['mae_low'])}, {points(row['mae_high'])}], RMSE {points(row['rmse'])}, {count(row['n'])} player-games."
    )
    held = found["intervals"].get(name)
    return said + (f" The 80 % interval held {share(held['coverage'])}." if held and held["n"] else "")
