"""The steps of training, in their order: plan, validate, backtest, fit, gate, publish, release.

Each is a function of the context and of the plan, keeps what it makes in the version's folder in the store (create-only), and does nothing where
that is already there: a step that was killed is simply run again. Whoever has read the training set hands it in as `data`.
"""

import json
import logging
from datetime import date
from io import BytesIO
from typing import Any

import polars as pl

from nba_ml import calendar
from nba_ml.context import Context
from nba_ml.errors import ArtefactError
from nba_ml.features import GIVEN_PREFIX
from nba_ml.features.sources import NEEDS, not_in_source
from nba_ml.ids import digest
from nba_ml.registry import loading, provenance, versions
from nba_ml.registry import steps as registry
from nba_ml.registry.sealed import canonical
from nba_ml.registry.versions import MODEL as NAME
from nba_ml.registry.versions import REPORT
from nba_ml.systems.base import parameters
from nba_ml.systems.panel import Panel, new_members
from nba_ml.training import canaries, candidate, dataset, gating, metrics, report_card, rivals, walk_forward

log = logging.getLogger(__name__)

BACKTEST_DAYS = 84
REFIT_DAYS = 28
"""A version is judged on at least the twelve weeks before it, refitted every four."""

PREDICTIONS = "backtest.parquet"
CANARIES = "canaries.json"
OUT_OF_FOLD = "out_of_fold.parquet"
CARD = "card.md"
GATES = "gates.json"
PAPERS = (PREDICTIONS, CANARIES, OUT_OF_FOLD, REPORT, CARD, GATES)
"""Files of a version that no prediction reads."""

GOLDEN_ROWS = 200

BACKTEST_TABLE = "nba_predictions.backtest_predictions"

Plan = dict[str, Any]


def plan(context: Context, until: date, *, cause: str | None = None, data: dataset.Dataset | None = None) -> Plan:
    """Name the version that training on everything up to `until` makes: the same data, code and parameters give the same name.

    Returns
    -------
    dict
        "name", "version", "until", "rows", "features" (count), "left_out" (see `Dataset`), "data" (manifest entry), "published" (whether it
        exists already), "report" (address), "cause" (why somebody asked for it, for model card and release log; no part of the name).
    """
    data = data or dataset.load(context, until)
    trained_until = data.rows["game_date"].max()
    identity = [data.fingerprint, data.features.version, dataset.code_fingerprint(), context.settings.seed, provenance.xgboost_version()]
    version = f"{trained_until:%Y%m%d}-{digest(identity)[:8]}"
    folder = versions.folder(NAME, version)
    return {
        "name": NAME,
        "version": version,
        "until": str(trained_until),
        "rows": data.rows.height,
        "features": len(data.features.names),
        "left_out": data.left_out,
        "data": data.described(),
        "published": context.store.exists(folder + versions.MANIFEST),
        "report": context.store.url_of(folder + REPORT),
        "cause": cause,
    }


def validate(context: Context, planned: Plan, *, run: str | None = None, data: dataset.Dataset | None = None) -> dict[str, Any]:
    """Check the training set against its suite.

    Raises
    ------
    GateRefused
        If a rule stops it.
    """
    from nba_ml.validation.steps import validate_training_set

    statistics = sorted({column for needed in NEEDS.values() for column in needed})
    box = context.warehouse.read("nba_raw.player_box", as_of=calendar.end_of(date.fromisoformat(planned["until"])), columns=statistics)
    absent = not_in_source(box)
    if absent:
        log.warning("the source has no statistics for %d features, and the model learns without them: %s", len(absent), ", ".join(absent))
    data = data or _load(context, planned)
    absent += [name for name in data.features.names if name.startswith(GIVEN_PREFIX) and data.rows[name].null_count() == data.rows.height]
    if data.left_out:
        log.warning("%d player-games have no accepted feature row and are not learned from", data.left_out)
    known = [name for name in data.features.names if name not in absent]
    name = run or f"train:{planned['version']}"
    verdict = validate_training_set(context, data.rows, run=name, features=known)
    verdict.raise_if_stopped()
    return {
        "rows": planned["rows"],
        "passed": verdict.passed,
        "warned": verdict.warned,
        "not_in_source": absent,
        "docs_url": verdict.docs_url,
    }


def backtest(context: Context, planned: Plan, *, data: dataset.Dataset | None = None) -> dict[str, Any]:
    """Walk forward over the last twelve weeks and more before the version's cut-off; keep predictions and leak canaries with the version.

    It begins where a window of the calendar does: next week's version shares all windows but the last one, and finds them in the cache.
    """
    if not _has(context, planned, OUT_OF_FOLD):
        data = data or _load(context, planned)
        last = date.fromisoformat(planned["until"])
        first = calendar.window_start(calendar.days_back(last, BACKTEST_DAYS), REFIT_DAYS)
        folds = walk_forward.plan_folds(data.rows, first, last, REFIT_DAYS, lines=data.lines)
        cache = walk_forward.cache_folder(context.settings)
        names, seed = data.features.names, context.settings.seed
        predictions, out_of_fold = walk_forward.walk_forward(data.rows, data.lines, folds, names=names, seed=seed, cache=cache)
        checked = canaries.check(data.rows, data.lines, folds, predictions, out_of_fold, names=names, seed=seed)
        _write(context, planned, PREDICTIONS, _parquet(predictions))
        _write(context, planned, CANARIES, canonical(checked))
        # Out-of-fold numbers come last: their presence says that the backtest is whole.
        _write(context, planned, OUT_OF_FOLD, _parquet(out_of_fold))
    predictions = _predictions(context, planned)
    known = {day: calendar.results_known_at(day) for day in predictions["slate_date"].unique()}
    stamped = predictions.with_columns(
        model_version=pl.lit(planned["version"]),
        known_at=pl.col("slate_date").replace_strict(known, return_dtype=pl.Datetime("us", "UTC")),
    )
    context.warehouse.upsert(BACKTEST_TABLE, stamped)
    return {"version": planned["version"], "predictions": predictions.height, "metrics": metrics.summary(predictions)["populations"]}


def fit(context: Context, planned: Plan, *, data: dataset.Dataset | None = None) -> dict[str, Any]:
    """Fit all systems on the whole of the training set, ensemble and calibration on the out-of-fold numbers; keep them with the version."""
    if not _has(context, planned, loading.GOLDEN):
        data = data or _load(context, planned)
        rows, names = data.rows, data.features.names
        members = {name: member.fit(rows) for name, member in new_members(names, context.settings.seed).items()}
        panel = Panel(members, walk_forward.combination(_read(context, planned, OUT_OF_FOLD), members))
        for file, content in panel.to_files().items():
            _write(context, planned, file, content)
        # Golden rows come last: their presence says that the panel is whole.
        golden = rows.tail(GOLDEN_ROWS).select(names)
        expected = pl.Series(loading.GOLDEN_TARGET, panel.predict_model(golden))
        _write(context, planned, loading.GOLDEN, _parquet(golden.with_columns(expected)))
    return {"version": planned["version"], "rows": planned["rows"], "features": planned["features"], "systems": list(new_members((), 0))}


def gate(context: Context, planned: Plan, *, data: dataset.Dataset | None = None) -> dict[str, Any]:
    """Hold the backtest, the fitted model and what it would replace to the gates, and the backtest to its leak canaries.

    The answer is kept with the version once all is passed: what is released may change between this step and the next one.

    Raises
    ------
    GateRefused
        If a blocking gate or a canary fails.
    """
    if not _has(context, planned, GATES):
        # First of all: a backtest that sees the future makes every other figure meaningless.
        canaries.require(_canaries(context, planned))
        data, predictions, version = data or _load(context, planned), _predictions(context, planned), planned["version"]
        artefact = candidate.measure(context, version, data, PAPERS)
        results = gating.evaluate(predictions, beside=rivals.beside(context, version, data, predictions, PREDICTIONS, artefact))
        gating.require(results)
        _write(context, planned, GATES, canonical(gating.report(results)))
    return {
        "version": planned["version"],
        **_document(context, planned, GATES),
        "canaries": _canaries(context, planned),
        "report": planned["report"],
    }


def publish(context: Context, planned: Plan, *, data: dataset.Dataset | None = None) -> dict[str, Any]:
    """Write the report, the model card and, last of all, the manifest: from then on the version exists."""
    predictions = _predictions(context, planned)
    results, data = _document(context, planned, GATES), data or _load(context, planned)
    weights = _document(context, planned, "ensemble.json")["weights"]
    if not _has(context, planned, REPORT):
        from nba_ml.training import report_inputs
        from nba_ml.training.report import report

        inside = data.rows.filter(pl.col("game_date") >= predictions["slate_date"].min())
        page = report(
            predictions,
            title=f"Model {NAME}/{planned['version']}",
            importance=report_inputs.gains(context, planned["version"], data.features.names),
            gates=results["results"],
            canaries=_canaries(context, planned),
            notes=report_inputs.notes(context, inside),
            inputs=report_inputs.read(context, inside, date.fromisoformat(planned["until"]), data.features),
            weights=weights,
            version=planned,
        )
        _write(context, planned, REPORT, page)
    found = metrics.summary(predictions)
    if not _has(context, planned, CARD):
        _write(context, planned, CARD, report_card.page(predictions, found, planned, len(data.features.names), weights))
    manifest = {
        "trained_until": planned["until"],
        "data": planned["data"],
        "feature_version": data.features.version,
        "feature_schema": [{"name": name, "dtype": dtype} for name, dtype in data.features.types.items()],
        "golden": {"file": loading.GOLDEN, "rows": GOLDEN_ROWS},
        "parameters": parameters() | {"seed": context.settings.seed},
        "metrics": found | {"canaries": _canaries(context, planned)},
        "gates": results,
    }
    sha256 = versions.publish(context.store, NAME, planned["version"], manifest)
    return {"version": planned["version"], "manifest_sha256": sha256, "report": planned["report"]}


def release(context: Context, planned: Plan, *, actor: str = "nba_train") -> dict[str, Any]:
    """Release the version where the settings let training do so; else leave it as a candidate that a person approves."""
    return registry.release_trained(context, planned["version"], actor=actor, cause=planned["cause"])


def train(context: Context, until: date, *, cause: str | None = None) -> dict[str, Any]:
    """Run all steps, gates of history included: what `nba-ml train` does.

    Returns
    -------
    dict
        "version", "rows", "trained_until", "metrics", "gates", "report", "state" (released or candidate), "number" of the release entry.
    """
    from nba_ml import coverage
    from nba_ml.features import store

    context.warehouse.ensure()
    coverage.require(context, until)
    store.refresh(context, context.source.first_date(), until)
    data = dataset.load(context, until)
    planned = plan(context, until, cause=cause, data=data)
    for step in (validate, backtest, fit, gate, publish):
        log.info("%s %s", step.__name__, planned["version"])
        step(context, planned, data=data)
    released = release(context, planned, actor="nba-ml train")
    predictions = _predictions(context, planned)
    return {
        "version": planned["version"],
        "rows": planned["rows"],
        "trained_until": planned["until"],
        "metrics": metrics.summary(predictions)["populations"],
        "gates": _document(context, planned, GATES),
        "report": planned["report"],
        "state": released["state"],
        "number": released["number"],
        "next": released["next"],
    }


def _load(context: Context, planned: Plan) -> dataset.Dataset:
    data = dataset.load(context, date.fromisoformat(planned["until"]))
    if data.fingerprint != planned["data"]["fingerprint"]:
        raise ArtefactError(
            f"the data up to {planned['until']} changed since version {planned['version']} was planned: start training again, "
            f"`nba-ml train --until {planned['until']}`"
        )
    return data


def _has(context: Context, planned: Plan, file: str) -> bool:
    return context.store.exists(versions.folder(NAME, planned["version"]) + file)


def _write(context: Context, planned: Plan, file: str, data: bytes) -> None:
    versions.write_file(context.store, NAME, planned["version"], file, data)


def _read(context: Context, planned: Plan, file: str) -> pl.DataFrame:
    return pl.read_parquet(BytesIO(context.store.read(versions.folder(NAME, planned["version"]) + file)))


def _predictions(context: Context, planned: Plan) -> pl.DataFrame:
    return _read(context, planned, PREDICTIONS)


def _canaries(context: Context, planned: Plan) -> list[dict[str, Any]]:
    return _document(context, planned, CANARIES)


def _document(context: Context, planned: Plan, file: str) -> Any:
    return json.loads(context.store.read(versions.folder(NAME, planned["version"]) + file))


def _parquet(frame: pl.DataFrame) -> bytes:
    buffer = BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()
