"""The steps of a slate, in their order: open_slate, build_features, validate, score, consensus, quality, publish.

Each takes the JSON-able dict that the step before it returned and gives back one with more in it. Each may be killed and run again: rows
are staged under the run's key and replaced whole, and only `publish` writes what others read. A slate without games passes through all of
them and leaves nothing.
"""

import logging
import time
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import wraps
from typing import Any

import polars as pl

from nba_ml import calendar
from nba_ml.context import Context
from nba_ml.errors import GateRefused
from nba_ml.features import REQUIRED, given, store
from nba_ml.gates import load_gates
from nba_ml.registry.in_force import InForce, load_released
from nba_ml.slate import burst, modes, population, publishing, scoring, stops, timing, watch
from nba_ml.slate import consensus as voices
from nba_ml.slate import inputs as sources
from nba_ml.slate import quality as marks
from nba_ml.slate.inputs import Inputs
from nba_ml.slate.publishing import PICKS, SYSTEMS
from nba_ml.validation import steps as validation
from nba_ml.warehouse.port import LATEST
from nba_ml.warehouse.schema import DTYPES

log = logging.getLogger(__name__)

Ref = dict[str, Any]
Step = Callable[..., Ref]


def _needs_games(step: Step) -> Step:
    """Pass a slate without games through, and say so."""

    @wraps(step)
    def run(context: Context, ref: Ref, **ready: Any) -> Ref:
        if ref["games"]:
            return step(context, ref, **ready)
        log.info("%s: no games on %s, nothing to do", step.__name__, ref["slate_date"])
        return ref

    return run


def open_slate(context: Context, slate: date, mode: str, as_of: datetime | str | None = None) -> Ref:
    """Find the games of a slate, the moment it is predicted from, and the released versions.

    Parameters
    ----------
    slate : date
    mode : {"auto", "live", "replay"}
        With ``auto`` a run is live as long as it can be, and else a replay; an alert tells where today's slate was missed live.
    as_of : datetime or ISO text, optional
        Use only what was known then. By default now for live, and for a replay the lead that live runs have
        (`nba_ml.calendar.lead_as_of`).

    Returns
    -------
    dict
        slate_date, asked (the mode), mode (live or replay), as_of, games; release_number, model_version (the one that serves), challenger,
        share and shadows, without games None.

    Raises
    ------
    UsageError
        If mode or `as_of` make no sense.
    GateRefused
        If a run that was asked to be live comes after the first tip-off.
    ArtefactError
        If no model is released, or a published one does not hold.
    """
    tipoffs = context.warehouse.read("nba_raw.schedule", as_of=LATEST, dates=(slate, slate), columns=["game_id", "tipoff_utc"])
    first = timing.first_tipoff(tipoffs)
    limit = calendar.live_until(slate, first)
    chosen = modes.decide(mode, limit)
    moment = timing.cut_off(slate, chosen, as_of, first)
    games = context.warehouse.read("nba_raw.schedule", as_of=moment, dates=(slate, slate), columns=["game_id"]).height
    ref: Ref = {"slate_date": slate.isoformat(), "asked": mode, "mode": chosen, "as_of": moment.isoformat(), "games": games}
    if not games:
        log.info("no games on %s: nothing to predict", slate)
        return {**ref, **dict.fromkeys(("release_number", "model_version", "challenger", "share", "shadows"))}
    if chosen == "live":
        modes.refuse_late(slate, limit)
    elif mode == "auto":
        modes.note_late_start(context, slate, limit)
    rollout = load_released(context).rollout
    return {
        **ref,
        "release_number": rollout.in_force,
        "model_version": rollout.serving,
        "challenger": rollout.challenger,
        "share": rollout.share,
        "shadows": list(rollout.shadows),
    }


@_needs_games
def build_features(context: Context, ref: Ref, *, inputs: Inputs | None = None) -> Ref:
    """Build the slate's features, write them to the feature store, and stage its picks, still without numbers.

    Returns
    -------
    dict
        `ref` with run_key, population, stale_teams, unplaced. The same inputs give the same run_key; a run that is published
        already keeps its as_of.

    Raises
    ------
    GateRefused
        If too many of the slate's teams are stale.
    """
    models, ready = _models(context, ref), inputs or _inputs(context, ref)
    teams = 2 * ready.games.height
    population.require_fresh(ready.stale, teams, load_gates()["slate"]["stale_teams"])
    ref = {
        **ref,
        "run_key": _run_key(ref, ready, models),
        "population": ready.population.height,
        "stale_teams": ready.stale["team"].to_list(),
        "unplaced": ready.unplaced,
    }
    earlier = publishing.published(context, ref)
    if earlier.height:
        ref["as_of"] = earlier["as_of"][0].isoformat()
    _store_features(context, ref, ready)
    picks = marks.assess(publishing.blank_picks(ref, ready, models.rollout), ready.rows, REQUIRED)
    publishing.stage(context, ref, PICKS, marks.mark(picks, {"no_feature_row": pl.col("player_id").is_in(ready.without_row)}))
    return ref


@_needs_games
def validate(context: Context, ref: Ref, *, inputs: Inputs | None = None) -> Ref:
    """Check the slate's features and lines; rows that break a row rule are marked and kept out of scoring.

    Raises
    ------
    GateRefused
        If the suite slate_features stops the run: among its rules are the features that the model was trained on, and one line that fills a
        feed's gaps.
    """
    models, ready = _models(context, ref), _same_inputs(context, ref, inputs)
    if ready.given is not None:
        given.require_trained_on(models.serving.manifest, ready.feature_set)
    trained = {feature["name"]: str(DTYPES[feature["dtype"]]) for feature in models.serving.manifest["feature_schema"]}
    rows = ready.rows.drop("upcoming").with_columns(feature_version=pl.lit(ready.feature_set.version))
    rows = rows.join(ready.lines.select("player_id", "line"), on="player_id", how="left", maintain_order="left")
    moment = datetime.fromisoformat(ref["as_of"])
    verdict = validation.validate_slate(context, rows, run=_run_name(ref), as_of=moment, expected=trained, known=ready.feature_set.names)
    verdict.raise_if_stopped()
    kept = verdict.kept.select("game_id", "player_id", kept=True)
    picks = publishing.staged(context, ref, PICKS).join(kept, on=["game_id", "player_id"], how="left", maintain_order="left")
    picks = marks.mark(picks, {"quarantined": pl.col("kept").is_null()}).drop("kept")
    publishing.stage(context, ref, PICKS, picks)
    return {**ref, "quarantined": verdict.quarantined, "warned": verdict.warned}


@_needs_games
def score(context: Context, ref: Ref, *, inputs: Inputs | None = None) -> Ref:
    """Score the slate with every system of each version in force, and stage what each says.

    The trained model of a published version failing fails the step; an error of another system, or of a shadow, is recorded as its
    abstention.
    """
    models, ready = _models(context, ref), _same_inputs(context, ref, inputs)
    picks = publishing.staged(context, ref, PICKS)
    rows = ready.rows.join(picks.filter(marks.is_marked(*marks.WITHHELD)), on=["game_id", "player_id"], how="anti")
    begun = time.perf_counter()
    systems = scoring.score(models, rows, ready.history, ready.lines, picks)
    seconds = round(time.perf_counter() - begun, 3)
    publishing.stage(context, ref, SYSTEMS, systems)
    own = systems.join(picks, on=["game_id", "player_id", "model_version"], how="semi")
    silent = own.filter(pl.col("predicted_points").is_null()).group_by("system_id").len()
    return {**ref, "abstentions": dict(sorted(silent.iter_rows())), "seconds": seconds}


@_needs_games
def consensus(context: Context, ref: Ref) -> Ref:
    """Stage the published number of each pick, its side of the line, and how far the systems agree."""
    picks = voices.form(publishing.staged(context, ref, PICKS), publishing.staged(context, ref, SYSTEMS))
    publishing.stage(context, ref, PICKS, picks)
    return {**ref, "predicted": picks["predicted_points"].count()}


@_needs_games
def quality(context: Context, ref: Ref) -> Ref:
    """Stage tier and named reasons of each pick; its number stays as it is."""
    picks = marks.judge(publishing.staged(context, ref, PICKS))
    publishing.stage(context, ref, PICKS, picks)
    tiers = dict(sorted(picks["quality_tier"].value_counts().iter_rows()))
    return {**ref, "tiers": tiers, "blocked": int(picks["blocked"].sum())}


def publish(context: Context, ref: Ref) -> dict[str, Any]:
    """Audit the staged run, and publish it in one transaction that replaces nothing but itself.

    Returns
    -------
    dict
        The answer of ``nba-ml predict``: slate_date, mode, as_of, games, population, predicted, abstained, blocked, published (rows of
        player_prop_predictions), run_key; and model_version (the one that serves), versions (version → rows), shadows, stale_teams, unplaced.

    Raises
    ------
    GateRefused
        If publication is stopped (`nba_ml.slate.stops`), the numbers as a whole can't be right (`nba_ml.slate.burst`), the suite predictions
        stops the run, or a run that was asked to be live is late; one that is live by ``auto`` is replayed instead, and an alert says so.
    """
    if not ref["games"]:
        log.info("publish: no games on %s, nothing to do", ref["slate_date"])
        return publishing.no_answer(ref)
    stops.require_none(context, date.fromisoformat(ref["slate_date"]))
    if ref["mode"] == "live" and not modes.in_time(context, ref):
        return _replay_instead(context, ref)
    picks = publishing.staged(context, ref, PICKS)
    burst.require(context, ref, picks, publishing.staged(context, ref, SYSTEMS))
    verdict = validation.validate_predictions(context, picks, run=_run_name(ref))
    verdict.raise_if_stopped()
    kept = verdict.kept.select("game_id", "player_id", kept=True)
    picks = picks.join(kept, on=["game_id", "player_id"], how="left", maintain_order="left")
    picks = marks.judge(marks.mark(picks, {"failed_check": pl.col("kept").is_null()}).drop("kept"))
    publishing.stage(context, ref, PICKS, picks)
    first_time = not publishing.published(context, ref).height
    written = context.warehouse.publish([SYSTEMS, PICKS], publishing.run_of(ref))
    # The commit is over: what stays was written before the tip-off, whatever the transaction had to wait for.
    if ref["mode"] == "live" and first_time:
        if modes.is_over(context, ref):
            return _replay_instead(context, ref)
        modes.confirm(context, ref)
    watch.look(context, ref, picks)
    return publishing.answer(ref, picks, written[PICKS])


def _replay_instead(context: Context, ref: Ref) -> dict[str, Any]:
    modes.take_back(context, ref)
    return predict(context, date.fromisoformat(ref["slate_date"]), "replay")


def predict(context: Context, slate: date, mode: str = "replay", as_of: datetime | str | None = None) -> dict[str, Any]:
    """Run all steps of a slate; returns and raises what they do."""
    ref = open_slate(context, slate, mode, as_of)
    ready = _inputs(context, ref) if ref["games"] else None
    for step in (build_features, validate, score):
        ref = step(context, ref, inputs=ready)
    for step in (consensus, quality):
        ref = step(context, ref)
    return publish(context, ref)


def _inputs(context: Context, ref: Mapping[str, Any]) -> Inputs:
    return sources.read(context, date.fromisoformat(ref["slate_date"]), datetime.fromisoformat(ref["as_of"]), ref["mode"])


def _same_inputs(context: Context, ref: Mapping[str, Any], ready: Inputs | None) -> Inputs:
    """Return the inputs that the run was opened with; read again, they must still be the same."""
    if ready is not None:
        return ready
    ready = _inputs(context, ref)
    if _run_key(ref, ready, _models(context, ref)) != ref["run_key"]:
        raise GateRefused(
            f"the inputs of {ref['slate_date']} changed while run {ref['run_key']} was going: nothing of it is published. "
            f"Run the slate again from its first step: nba-ml predict --slate {ref['slate_date']} --mode {ref['mode']}"
        )
    return ready


def _store_features(context: Context, ref: Mapping[str, Any], ready: Inputs) -> None:
    """Write the slate's rows to the feature store.

    Left out is a replay from any other moment than the lead: training reads the same rows, and must not see them with less known.
    """
    slate, moment = date.fromisoformat(ref["slate_date"]), datetime.fromisoformat(ref["as_of"])
    if ref["mode"] == "live" or moment == calendar.lead_as_of(slate, timing.first_tipoff(ready.games)):
        store.write(context.warehouse, ready.own_rows, {slate: moment})


def _models(context: Context, ref: Mapping[str, Any]) -> InForce:
    """Return the versions in force, which must still be those that the run was opened with."""
    models = load_released(context)
    if models.rollout.in_force != ref["release_number"]:
        raise GateRefused(
            f"release {models.rollout.in_force} took the place of {ref['release_number']} ({ref['model_version']}) "
            "while the slate was going: nothing is published. "
            f"Run it again: nba-ml predict --slate {ref['slate_date']} --mode {ref['mode']}"
        )
    return models


def _run_key(ref: Mapping[str, Any], ready: Inputs, models: InForce) -> str:
    return sources.run_key(ready, date.fromisoformat(ref["slate_date"]), ref["mode"], models)


def _run_name(ref: Mapping[str, Any]) -> str:
    return f"predict:{ref['slate_date']}:{ref['run_key']}"
