"""Are a season's live numbers those of the backtest? The same rows, versions and moments, made again by the backtest's path.

A live slate's rows are made before its games, from the players who may play. The backtest makes its rows afterwards, from the box scores of those who
did. Both go through one function; here each number that was graded is held against the other path's, row by row.
"""

from datetime import date
from typing import Any

import polars as pl

from nba_ml import calendar
from nba_ml.context import Context
from nba_ml.errors import GateRefused, UsageError
from nba_ml.features import TARGET, build
from nba_ml.progress import track
from nba_ml.registry import versions
from nba_ml.registry.graded import PUBLISHED
from nba_ml.registry.loading import verified_panel

TOLERANCE = 1e-9
"""Points."""

_GRADED = """
SELECT
  grades.slate_date, grades.game_id, grades.player_id, grades.system_id, grades.model_version, grades.run_key, grades.predicted_points,
  grades.actual_points, picks.team
FROM nba_predictions.prediction_accuracy AS grades
INNER JOIN (SELECT DISTINCT run_key, game_id, player_id, team FROM nba_predictions.player_prop_predictions WHERE slate_date = $slate) AS picks
  ON grades.run_key = picks.run_key AND grades.game_id = picks.game_id AND grades.player_id = picks.player_id
WHERE grades.slate_date = $slate AND grades.run_key = $run_key AND grades.revision = 0 AND grades.actual_minutes > 0
"""
_RUNS = """
SELECT DISTINCT slate_date, run_key, as_of
FROM nba_predictions.player_prop_predictions
WHERE slate_date BETWEEN $first AND $last AND mode = 'live'
ORDER BY slate_date, as_of
"""


def verify(context: Context, first: date, last: date) -> dict[str, Any]:
    """Make every graded live number of a span again by the backtest's path.

    Returns
    -------
    dict
        "slates", "runs", "versions", "rows" (numbers compared), "other_team" (numbers of players who, unknown to anyone before the
        game, played for another team than their last one: the backtest's row is another one, and they are left out), "largest_difference"
        (points, of one row), "largest_mae_difference" (points, of one slate, system and version), "mae" and "backtest_mae" of the published
        system, "not_in_backtest" (graded rows that the backtest has not).

    Raises
    ------
    GateRefused
        If a number differs by more than `TOLERANCE`, or is missing on one side.
    """
    runs = context.warehouse.query(_RUNS, {"first": first, "last": last})
    if runs.is_empty():
        raise UsageError(f"no live run from {first} to {last} is published: nba-ml replay --from {first} --to {last}")
    report = _report(pl.concat(_compared(context, run) for run in track(runs.to_dicts(), "runs made again")))
    if report["not_in_backtest"] or (report["largest_difference"] or 0.0) > TOLERANCE:
        raise GateRefused(
            f"live numbers differ from the backtest's by up to {report['largest_difference']} points (at most {TOLERANCE:g}), and "
            f"{report['not_in_backtest']} of {report['rows']} have no twin there: a feature looks at something that only one of the two knows. "
            "Find it: .venv/bin/pytest tests/features/test_point_in_time.py",
            report,
        )
    return report


def _compared(context: Context, run: dict[str, Any]) -> pl.DataFrame:
    """Return a run's graded numbers beside the backtest's, "again"."""
    slate, as_of = run["slate_date"], run["as_of"]
    warehouse, end = context.warehouse, calendar.end_of(slate)
    played = pl.col("game_date") <= slate
    box, schedule = (warehouse.read(f"nba_raw.{name}", as_of=end).filter(played) for name in ("player_box", "schedule"))
    status = warehouse.read("nba_raw.player_status", as_of=as_of).filter(played)
    # A backtest looks at each date from the lead before its first tip-off: moved so that it looks at this one from the run's own moment.
    tipoff = pl.when(pl.col("game_date") == slate).then(pl.lit(as_of + calendar.LEAD)).otherwise(pl.col("tipoff_utc"))
    schedule = schedule.with_columns(tipoff_utc=tipoff)
    graded = warehouse.query(_GRADED, {"slate": slate, "run_key": run["run_key"]})
    sides = box.select("game_id", "player_id", played_for="team")
    graded = graded.join(sides, on=["game_id", "player_id"], how="left", maintain_order="left")
    frame = build(box, schedule, status=status)
    outcome = box.select("game_id", "player_id", **{TARGET: pl.col("points").cast(pl.Float64)})
    frame = frame.join(outcome, on=["game_id", "player_id"], how="left", maintain_order="left")
    own, history = frame.filter(pl.col("game_date") == slate), frame.filter(pl.col("game_date") < slate)
    said = [_said(context, version, own, history) for version in graded["model_version"].unique().sort()]
    if not said:
        return graded.with_columns(again=pl.lit(None, pl.Float64), known=pl.lit(None, pl.Boolean))
    return graded.join(pl.concat(said), on=["game_id", "player_id", "system_id", "model_version"], how="left")


def _said(context: Context, version: str, own: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    panel = verified_panel(versions.open_version(context.store, versions.MODEL, version))
    predicted = panel.predict(own, history)
    names = ("game_id", "player_id", "system_id")
    return predicted.select(*names, again="predicted_points", known=pl.lit(value=True), model_version=pl.lit(version))


def _report(rows: pl.DataFrame) -> dict[str, Any]:
    number, again, actual = pl.col("predicted_points"), pl.col("again"), pl.col("actual_points")
    # A system that abstains on one side has to abstain on the other.
    lacking = pl.col("known").is_null() | (number.is_null() != again.is_null())
    moved = pl.col("team") != pl.col("played_for")
    other, rows = rows.filter(moved), rows.filter(~moved)
    errors = rows.with_columns(live=(number - actual).abs(), backtest=(again - actual).abs())
    by = errors.group_by("slate_date", "system_id", "model_version").agg(pl.col("live", "backtest").mean())
    own = errors.filter(pl.col("system_id") == PUBLISHED)
    return {
        "slates": rows["slate_date"].n_unique(),
        "runs": rows["run_key"].n_unique(),
        "versions": rows["model_version"].n_unique(),
        "rows": rows.height,
        "other_team": other.height,
        "not_in_backtest": rows.filter(lacking).height,
        "largest_difference": rows.select((number - again).abs().max()).item(),
        "largest_mae_difference": by.select((pl.col("live") - pl.col("backtest")).abs().max()).item(),
        "mae": own["live"].mean(),
        "backtest_mae": own["backtest"].mean(),
    }
