"""nba_ops.drift_metrics: whether features, points and errors of a graded slate are still what the released version was made on."""

import logging
from collections.abc import Iterator
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import polars as pl

from nba_ml import calendar
from nba_ml.context import Context
from nba_ml.features import FEATURE_TABLE, JOINT, given
from nba_ml.monitoring import error_drift, feature_drift, graded_rows, reference, schema_drift
from nba_ml.registry import graded, versions
from nba_ml.registry.steps import open_log
from nba_ml.training.steps import PREDICTIONS
from nba_ml.warehouse.port import LATEST
from nba_ml.warehouse.schema import table

log = logging.getLogger(__name__)

TABLE = "nba_ops.drift_metrics"

_RESULT_DAYS = timedelta(days=90)
"""Dates within which `error_drift.LONGEST` slates lie, breaks included."""

_PLAYER = ("game_date", "game_id", "player_id")


def refresh(context: Context, slate: date, mode: str) -> dict[str, Any]:
    """Look at a graded slate, and write what was found.

    Returns
    -------
    dict
        "version" (the one that serves; None where nothing is released, and nothing can be said), "drift" (kind → the row that drifted most, by
        absolute value: "name", "value", "n") and "drift_rows" (written).
    """
    version = open_log(context).rollout.serving
    if version is None:
        log.info("nothing is released: there is nothing that the slate could have drifted from")
        return {"version": None, "drift": {}, "drift_rows": 0}
    found = [*_features(context, slate, version), *_results(context, slate, mode, version)]
    rows = pl.DataFrame(found, infer_schema_length=None) if found else pl.DataFrame()
    if found:
        named = rows.with_columns(slate_date=pl.lit(slate), mode=pl.lit(mode), model_version=pl.lit(version))
        context.warehouse.upsert(TABLE, named, whole=("slate_date", "mode", "model_version"))
    return {"version": version, "drift": worst(found), "drift_rows": len(found)}


def worst(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return of each kind the row that drifted most."""
    answer: dict[str, dict[str, Any]] = {}
    for row in found:
        known = answer.get(row["kind"])
        if row["value"] is not None and (known is None or abs(row["value"]) > abs(known["value"])):
            answer[row["kind"]] = {name: row[name] for name in ("name", "value", "n")}
    return answer


def _features(context: Context, slate: date, version: str) -> Iterator[dict[str, Any]]:
    """Compare the features of a slate with those that the version learned from, as the feature store has them."""
    manifest, _ = versions.read_manifest(context.store, versions.MODEL, version)
    expected = {feature["name"]: feature["dtype"] for feature in manifest["feature_schema"]}
    schedule = context.warehouse.read("nba_raw.schedule", as_of=LATEST, columns=["season", "season_type", "game_date"])
    dates = reference.with_days(schedule.filter(pl.col("game_date") <= slate))
    rows = feature_rows(context, reference.spans(dates, slate), manifest["feature_version"])
    own = rows.filter(pl.col("game_date") == slate)
    if own.is_empty():
        played = context.warehouse.read("nba_raw.player_box", as_of=LATEST, dates=(slate, slate), columns=["player_id"]).height
        if played:
            yield {"kind": "absent", "name": "features", "value": float(len(expected)), "n": played, "reference_n": len(expected)}
        return
    types = {column.name: column.type for column in table(FEATURE_TABLE).columns} | {
        name: "float64" for name in rows.columns if name not in table(FEATURE_TABLE).schema
    }
    there = {name: types[name] for name in rows.columns if name in types}
    gone = schema_drift.absent(expected, there)
    yield {"kind": "absent", "name": "features", "value": float(gone), "n": own.height, "reference_n": len(expected)}
    names = [name for name in expected if name in rows.columns]
    known = (pl.col("season") == own["season"][0]) | (pl.col("game_date") <= date.fromisoformat(manifest["trained_until"]))
    compared = rows.filter(known).join(dates.select("game_date", "season", "regular", "day"), on=["game_date", "season"]).sort(_PLAYER)
    yield from schema_drift.check(compared, slate, names).to_dicts()
    for row in feature_drift.compare(compared, slate, names).to_dicts():
        yield {"kind": "feature", **row}


def feature_rows(context: Context, spans: list[tuple[date, date]], version: str) -> pl.DataFrame:
    """Return the feature rows of a version's definitions in spans of dates, of players who got on court: what training learns from."""
    parts = []
    for span in spans:
        where = {"feature_version": version.partition(JOINT)[0]}
        rows = context.warehouse.read(FEATURE_TABLE, as_of=LATEST, dates=span, where=where, undated=True)
        box = context.warehouse.read("nba_raw.player_box", as_of=LATEST, dates=span, columns=[*_PLAYER, "minutes"])
        rows = rows.join(box.filter(pl.col("minutes") > 0), on=_PLAYER, how="semi")
        if given.is_given(context.settings):
            rows = rows.join(given.read(context, calendar.end_of(span[1]), span), on=given.KEY, how="inner")
        parts.append(rows)
    return pl.concat(parts) if parts else pl.DataFrame(schema=table(FEATURE_TABLE).schema)


def _results(context: Context, slate: date, mode: str, version: str) -> Iterator[dict[str, Any]]:
    """Compare points and errors of the last slates with those of the version's backtest."""
    expected = error_drift.regulars(backtest(context, version))
    if expected.is_empty():
        log.info("%s has no backtest: points and errors can't be compared with it", version)
        return
    first = max(slate - _RESULT_DAYS, calendar.opener(calendar.season_year(slate)))
    rows = graded_rows.read(context, first, slate, [graded.PUBLISHED, graded_rows.SIMPLE])
    wanted = pl.col("published") & ~pl.col("in_sample") & (pl.col("mode") == mode) & (pl.col("system_id") == graded.PUBLISHED)
    looked_at = error_drift.regulars(rows.filter(wanted))
    usual = error_drift.usual(expected)
    for stream in error_drift.STREAMS:
        yield {"kind": stream, "name": graded.PUBLISHED, **error_drift.judge(looked_at, usual[stream], stream)}


def backtest(context: Context, version: str) -> pl.DataFrame:
    """Return the published number and the simple rule's on each row of a version's backtest; no rows where it has none.

    Raises
    ------
    ArtefactError
        If it is not the one that was published.
    """
    manifest, _ = versions.read_manifest(context.store, versions.MODEL, version)
    if PREDICTIONS not in manifest["files"]:
        return pl.DataFrame(
            schema=dict.fromkeys(("predicted_points", "simple", "actual_points", "prior_games", "season_avg_minutes"), pl.Float64)
        )
    return beside_simple(pl.read_parquet(BytesIO(versions.read_file(context.store, manifest, PREDICTIONS))))


def beside_simple(predictions: pl.DataFrame) -> pl.DataFrame:
    """Return the ensemble's rows of a backtest with the number of the simple rule beside each."""
    row = ["slate_date", "game_id", "player_id"]
    simple = predictions.filter(pl.col("system_id") == graded_rows.SIMPLE).select(*row, simple="predicted_points")
    return predictions.filter(pl.col("system_id") == graded.PUBLISHED).join(simple, on=row, how="left").sort(row)
