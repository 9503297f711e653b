"""Numbers and names as people read them, for the report and the commands."""

from collections.abc import Mapping
from typing import Any

MINUS = "−"
NOTHING = "–"

LABELS = {
    "ensemble": "Ensemble",
    "xgboost": "XGBoost",
    "ridge": "Ridge regression",
    "ewma_hl8": "Weighted mean (EWMA 8)",
    "last_10": "Mean of last 10 games",
    "line": "Betting line",
    "line_minus_half": "Betting line − 0.5",
    "ensemble_with_line": "Ensemble, seeing the line",
    "xgboost_with_line": "XGBoost, seeing the line",
    "moving_average": "Moving average",
    "matchup": "Match-up",
    "similarity": "Similar games",
    "two_stage": "Two-stage",
}

_LINE_KINDS = {
    "consensus_close": "closing by label, time not stored",
    "last_snapshot": "dated, last before tip-off",
    "snapshot": "dated, before tip-off",
    "undated_snapshot": "undated: may be from any hour",
}


def label(system: str) -> str:
    """Return a predictor's name for people."""
    return LABELS.get(system, system)


def noun(system: str) -> str:
    """Return a predictor's name as it stands inside a sentence."""
    return label(system) if system == "xgboost" else label(system).lower()


def line_kind(kinds: str) -> str:
    """Say what the comma-separated kinds of a line's quotes are."""
    return " · ".join(_LINE_KINDS.get(kind, kind) for kind in kinds.split(","))


def shown_by(row: Mapping[str, Any]) -> str:
    """Say what shows that a kind of line is from before tip-off."""
    if not row["dated"]:
        return "nothing"
    return "its label alone" if "consensus_close" in row["line_kind"].split(",") else "its time of capture"


def unbroken(text: str) -> str:
    """Keep dates on one line."""
    return text.replace("-", "\N{NON-BREAKING HYPHEN}")


def points(value: float | None, digits: int = 3) -> str:
    """Write points."""
    return NOTHING if value is None else f"{value:.{digits}f}".replace("-", MINUS)


def signed(value: float | None, digits: int = 3) -> str:
    """Write a difference with its sign."""
    return NOTHING if value is None else f"{round(value, digits) + 0.0:+.{digits}f}".replace("-", MINUS)


def minus(value: float | None, digits: int = 1) -> str:
    """Write a ratio as how many percent it lies above or below 1."""
    return NOTHING if value is None else f"{100 * (value - 1):+.{digits}f}\N{NO-BREAK SPACE}%".replace("-", MINUS)


def share(value: float | None, digits: int = 1) -> str:
    """Write a share (0..1) as percent."""
    return NOTHING if value is None else f"{100 * value:.{digits}f}\N{NO-BREAK SPACE}%".replace("-", MINUS)


def count(value: int) -> str:
    """Write a number of rows."""
    return f"{value:,}"


def interval(found: Mapping[str, Any] | None, digits: int = 3) -> str:
    """Write a difference with its 95 % interval."""
    if found is None or found["value"] is None:
        return NOTHING
    if found["low"] is None:
        return signed(found["value"], digits)
    return f"{signed(found['value'], digits)} [{signed(found['low'], digits)}, {signed(found['high'], digits)}]"


def band(row: Mapping[str, Any]) -> str:
    """Write a band of values by its name, or as in ``5–10`` or ``25+``."""
    if "name" in row:
        return str(row["name"])
    return f"{row['low']:.0f}+" if row["high"] is None else f"{row['low']:.0f}–{row['high']:.0f}"
