"""Staging and publishing a run: everything is written to the staging twins first, and one transaction copies what passed."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import polars as pl

from nba_ml.context import Context
from nba_ml.features import REQUIRED
from nba_ml.registry.states import Rollout
from nba_ml.slate.assignment import assign
from nba_ml.slate.inputs import Inputs
from nba_ml.warehouse.port import LATEST

PICKS = "nba_predictions.player_prop_predictions"
SYSTEMS = "nba_predictions.system_predictions"

_LINE = ("line", "line_kind", "line_source", "line_books", "line_captured_at", "over_odds", "under_odds", "p_over_market")


def run_of(ref: Mapping[str, Any]) -> dict[str, Any]:
    """Return the run's key columns."""
    return {"slate_date": date.fromisoformat(ref["slate_date"]), "run_key": ref["run_key"]}


def stage(context: Context, ref: Mapping[str, Any], table: str, rows: pl.DataFrame) -> None:
    """Replace a run's staged rows of one table."""
    context.warehouse.stage(table, rows.drop("id", "published_at", strict=False), run_of(ref))


def staged(context: Context, ref: Mapping[str, Any], table: str) -> pl.DataFrame:
    """Return a run's staged rows of one table."""
    return context.warehouse.read(table, as_of=LATEST, where=run_of(ref), staged=True, undated=True).drop("published_at")


def published(context: Context, ref: Mapping[str, Any]) -> pl.DataFrame:
    """Return a run's published picks; no rows if it is not published."""
    return context.warehouse.read(PICKS, as_of=LATEST, where=run_of(ref))


def withdraw(context: Context, ref: Mapping[str, Any]) -> None:
    """Take a run back that is published, and what is staged of it, in one transaction."""
    for table in (SYSTEMS, PICKS):
        stage(context, ref, table, staged(context, ref, table).clear())
    context.warehouse.publish([SYSTEMS, PICKS], run_of(ref))


def blank_picks(ref: Mapping[str, Any], inputs: Inputs, rollout: Rollout) -> pl.DataFrame:
    """Return a slate's rows before they are scored: who, which line, run and version; unusable and blocked until judged otherwise."""
    own_lines = inputs.lines.select("player_id", *_LINE)
    stale = pl.col("team").is_in(inputs.stale["team"].to_list())
    rows = inputs.population.select(
        pl.col("game_date").alias("slate_date"),
        *("game_id", "tipoff_utc", "player_id", "player_name", "team", "opponent", "is_home"),
        reasons=pl.when(stale).then(pl.lit("stale_team")),
    )
    rows = assign(rows, rollout)
    return rows.join(own_lines, on="player_id", how="left", maintain_order="left").with_columns(
        run_key=pl.lit(ref["run_key"]),
        mode=pl.lit(ref["mode"]),
        as_of=pl.lit(datetime.fromisoformat(ref["as_of"])),
        release_number=pl.lit(ref["release_number"]),
        feature_version=pl.lit(inputs.feature_set.version),
        quality_tier=pl.lit("unusable"),
        missing_features=pl.lit(len(REQUIRED)),
        blocked=pl.lit(value=True),
    )


def no_answer(ref: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the command `predict` answers about a slate without games."""
    counts = dict.fromkeys(("population", "predicted", "abstained", "blocked", "published"), 0)
    return {**{key: ref[key] for key in ("slate_date", "mode", "as_of", "games")}, **counts, "run_key": None}


def answer(ref: Mapping[str, Any], picks: pl.DataFrame, written: int) -> dict[str, Any]:
    """Return what the command `predict` answers about a run."""
    numbered = picks["predicted_points"].count()
    return {
        "slate_date": ref["slate_date"],
        "mode": ref["mode"],
        "as_of": ref["as_of"],
        "games": ref["games"],
        "population": picks.height,
        "predicted": numbered,
        "abstained": picks.height - numbered,
        "blocked": int(picks["blocked"].sum()),
        "published": written,
        "run_key": ref["run_key"],
        "model_version": ref["model_version"],
        "versions": dict(sorted(picks["model_version"].value_counts().iter_rows())),
        "shadows": ref["shadows"],
        "stale_teams": ref["stale_teams"],
        "unplaced": ref["unplaced"],
    }
