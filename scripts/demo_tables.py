"""The tables that end the demo: the slate, its grades, and each system's error beside the line's."""

from datetime import date
from typing import Any, TextIO

import polars as pl
from rich.console import Console
from rich.table import Table

from nba_ml.calendar import now
from nba_ml.warehouse.port import Warehouse

ROWS_SHOWN = 25
WIDTH = 140

_LAST_SLATE = """
WITH games AS (
    SELECT game_date, COUNT(*) AS games FROM nba_raw.schedule WHERE home_points IS NOT NULL AND result_known_at <= $now GROUP BY game_date
),
played AS (SELECT DISTINCT game_date FROM nba_raw.player_box),
lined AS (SELECT DISTINCT game_date FROM nba_raw.prop_lines WHERE game_date >= $first AND player_id IS NOT NULL)
SELECT MAX(game_date) AS slate FROM games JOIN played USING (game_date) JOIN lined USING (game_date)
WHERE games >= $least
"""

_PICKS = """
SELECT player_name, team, opponent, predicted_points, q10, q90, line, side, agreement, voices, quality_tier, blocked, reasons
FROM nba_predictions.player_prop_predictions WHERE slate_date = $slate AND run_key = $run_key
ORDER BY season_avg_minutes DESC NULLS LAST, player_id
"""

_GRADES = """
SELECT picks.player_name, grades.predicted_points, grades.error, grades.line, grades.closing_line, grades.side, grades.actual_points,
    grades.outcome, grades.blocked
FROM nba_predictions.prediction_accuracy AS grades
JOIN nba_predictions.player_prop_predictions AS picks USING (slate_date, run_key, game_id, player_id)
WHERE slate_date = $slate AND run_key = $run_key AND system_id = 'ensemble'
QUALIFY ROW_NUMBER() OVER (PARTITION BY prediction_id ORDER BY revision DESC) = 1
ORDER BY picks.season_avg_minutes DESC NULLS LAST, player_id
"""

_ERRORS = """
SELECT system_id, COUNT(*) AS n, AVG(ABS(predicted_points - actual_points)) AS mae,
    COUNT(line) AS lined_n,
    AVG(CASE WHEN line IS NOT NULL THEN ABS(predicted_points - actual_points) END) AS lined_mae,
    AVG(ABS(line - actual_points)) AS line_mae
FROM graded WHERE predicted_points IS NOT NULL AND actual_points IS NOT NULL
GROUP BY system_id ORDER BY lined_mae NULLS LAST, mae
"""

_SLATE_ROWS = """
WITH graded AS (SELECT * FROM nba_predictions.prediction_accuracy WHERE slate_date = $slate AND run_key = $run_key
QUALIFY ROW_NUMBER() OVER (PARTITION BY prediction_id ORDER BY revision DESC) = 1)
"""

_BACKTEST_ROWS = "WITH graded AS (SELECT * FROM nba_predictions.backtest_predictions WHERE model_version = $version)"


def last_slate(warehouse: Warehouse, least_games: int, first: date) -> date | None:
    """Return the last date from `first` on that has enough games, whose results count as known by now, box scores and lines."""
    return warehouse.query(_LAST_SLATE, {"now": now(), "least": least_games, "first": first})["slate"].item()


def show(warehouse: Warehouse, slate: date, run_key: str, version: str, results: TextIO) -> None:
    """Print the closing tables."""
    console = Console(file=results, width=WIDTH, highlight=False)
    run = {"slate": slate, "run_key": run_key}
    picks, grades = warehouse.query(_PICKS, run), warehouse.query(_GRADES, run)
    _print(
        console,
        f"Predictions for {slate}",
        ["player", "game", "points", "80 % interval", "line", "side", "agree", "tier", "reasons"],
        picks,
        _pick,
    )
    _print(
        console,
        f"Grades of {slate}",
        ["player", "points", "line", "close", "side", "scored", "error", "outcome", "blocked"],
        grades,
        _grade,
    )
    errors = ["system", "MAE, all rows", "rows", "MAE, lined rows", "the line's MAE", "lined rows"]
    _print(console, f"Mean absolute error on {slate}", errors, warehouse.query(_SLATE_ROWS + _ERRORS, run), _error)
    backtest = warehouse.query(_BACKTEST_ROWS + _ERRORS, {"version": version})
    _print(console, "Mean absolute error in the walk-forward backtest", errors, backtest, _error)


def _print(console: Console, title: str, columns: list[str], rows: pl.DataFrame, cells: Any) -> None:
    more = f"the first {ROWS_SHOWN} of {rows.height} players, by minutes" if rows.height > ROWS_SHOWN else None
    table = Table(title=title, title_justify="left", header_style="bold", caption=more, caption_justify="left")
    for number, name in enumerate(columns):
        numeric = name not in ("player", "game", "side", "tier", "reasons", "system", "outcome", "blocked")
        table.add_column(name, justify="right" if numeric and number else "left")
    for row in rows.head(ROWS_SHOWN).iter_rows(named=True):
        table.add_row(*map(str, cells(row)))
    console.print(table)
    console.print()


def _number(value: float | None, digits: int = 1) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _pick(row: dict[str, Any]) -> list[str]:
    interval = "" if row["q10"] is None else f"{row['q10']:.0f} – {row['q90']:.0f}"
    agreement = "" if row["agreement"] is None else f"{row['agreement']} of {row['voices']}"
    tier = f"{row['quality_tier']}{', blocked' if row['blocked'] else ''}"
    game = f"{row['team']} – {row['opponent']}"
    number, line = _number(row["predicted_points"]), _number(row["line"])
    return [row["player_name"], game, number, interval, line, row["side"] or "", agreement, tier, row["reasons"] or ""]


def _grade(row: dict[str, Any]) -> list[str]:
    numbers = [_number(row["predicted_points"]), _number(row["line"]), _number(row["closing_line"])]
    scored = "" if row["actual_points"] is None else str(row["actual_points"])
    return [
        row["player_name"],
        *numbers,
        row["side"] or "",
        scored,
        _number(row["error"]),
        row["outcome"],
        "blocked" if row["blocked"] else "",
    ]


def _error(row: dict[str, Any]) -> list[str]:
    maes = [_number(row[name], 3) for name in ("mae", "lined_mae", "line_mae")]
    return [row["system_id"], maes[0], str(row["n"]), maes[1], maes[2], str(row["lined_n"])]
