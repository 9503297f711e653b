"""Which constants of XGBoost are searched, and between what; the rest stays as it is."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna import Trial
    from optuna.trial import FrozenTrial

DEPTH = (3, 7)
ETA = (0.012, 0.1)
"""From 833 rounds to 100 at the present eta × rounds: slower learning costs time and was not found better (accuracy study)."""

CHILD_WEIGHT = (20, 400)
ROW_SHARE = (0.3, 0.9)
TREE_SHARE = (0.15, 0.8)
NODE_SHARE = (0.3, 1.0)
SLOPE = (2.0, 12.0)

SEARCHED = ("max_depth", "eta", "min_child_weight", "subsample", "colsample_bytree", "colsample_bynode", "huber_slope")

_DIGITS = 3
"""Significant digits that a constant is rounded to before it is tried, so that what is printed is what was tried."""


def values(constants: Mapping[str, Any]) -> dict[str, Any]:
    """Return the searched ones of XGBoost's constants."""
    return {name: constants[name] for name in SEARCHED}


def suggest(trial: "Trial | FrozenTrial") -> dict[str, Any]:
    """Draw one value for each searched constant; of a finished trial, return what it drew."""
    drawn = {
        "max_depth": trial.suggest_int("max_depth", *DEPTH),
        "eta": trial.suggest_float("eta", *ETA, log=True),
        "min_child_weight": trial.suggest_int("min_child_weight", *CHILD_WEIGHT, log=True),
        "subsample": trial.suggest_float("subsample", *ROW_SHARE),
        "colsample_bytree": trial.suggest_float("colsample_bytree", *TREE_SHARE),
        "colsample_bynode": trial.suggest_float("colsample_bynode", *NODE_SHARE),
        "huber_slope": trial.suggest_float("huber_slope", *SLOPE, log=True),
    }
    return {name: float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value for name, value in drawn.items()}


def constants(drawn: Mapping[str, Any], present: Mapping[str, Any]) -> dict[str, Any]:
    """Return all of XGBoost's constants, in the order of `present`.

    The number of rounds follows the learning rate: their product, how far the boosting goes, is that of `present`.
    """
    rounds = round(present["eta"] * present["rounds"] / drawn["eta"])
    return {**present, **drawn, "rounds": max(rounds, 1)}


def toml(table: str, constants: Mapping[str, Any], comments: list[str]) -> str:
    """Write a table of parameters.toml. Numbers and plain strings are the same in JSON and in TOML."""
    lines = [f"[{table}]", *(f"# {line}" for line in comments), *(f"{name} = {json.dumps(value)}" for name, value in constants.items())]
    return "\n".join(lines) + "\n"
