"""Choosing XGBoost's constants with optuna, on seasons that are not the test set. It proposes; a person edits parameters.toml.

A study's trials are fitted walk-forward on windows of the choosing seasons. Between them lie as many windows that no trial sees: the best of many
trials is the luckiest too, so whether it beats the present constants is asked there.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from nba_ml import atomic, calendar
from nba_ml.context import Context
from nba_ml.errors import UsageError
from nba_ml.features import store
from nba_ml.ids import digest
from nba_ml.progress import track
from nba_ml.registry import provenance
from nba_ml.systems.base import TARGET, column, parameters
from nba_ml.systems.xgboost import XGBoost
from nba_ml.training import dataset, metrics, search_space
from nba_ml.training.choosing import POPULATION, WINDOW_DAYS, choosing_seasons, plan_windows
from nba_ml.training.intervals import clustered_mean
from nba_ml.training.walk_forward import Fold

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

log = logging.getLogger(__name__)

RANDOM_TRIALS = 6
"""Trials before the sampler and the pruner learn from them."""

PRUNED_FROM_FOLD = 1
"""Number, from 0, of the first fold that a trial may be given up after: one fold says too little."""

_PRESENT = "present"
"""Mark of the trial with the constants of parameters.toml."""


@dataclass(frozen=True)
class Scorer:
    """Absolute errors of XGBoost on a window, fitted on everything before it; each is computed once and kept in `folder`."""

    rows: pl.DataFrame
    names: Sequence[str]
    seed: int
    folder: Path

    def inside(self, fold: Fold) -> pl.DataFrame:
        """Return the rows of a window that count."""
        return metrics.population(self.rows.filter(pl.col("game_date").is_between(fold.first, fold.last)), POPULATION)

    def errors(self, constants: Mapping[str, Any], fold: Fold) -> np.ndarray:
        """Return |predicted − scored| of each row of `inside`, in points."""
        kept = self.folder / f"{digest([*constants.values(), fold.first, fold.last])}.arrow"
        if kept.exists():
            return pl.read_ipc(kept)["error"].to_numpy()
        model = XGBoost(self.names, self.seed, constants).fit(self.rows.filter(pl.col("game_date") < fold.first))
        inside = self.inside(fold)
        error = np.abs(model.predict(inside, inside) - column(inside, TARGET))
        with atomic.whole(kept) as aside:
            pl.DataFrame({"error": error}).write_ipc(aside)
        return error

    def compare(self, ours: Mapping[str, Any], theirs: Mapping[str, Any], folds: Sequence[Fold]) -> dict[str, Any]:
        """Return the MAE of both on the same rows, and their paired difference with its interval clustered by date."""
        dates = np.concatenate([self.inside(fold)["game_date"].to_numpy() for fold in folds])
        one, other = (np.concatenate([self.errors(constants, fold) for fold in folds]) for constants in (ours, theirs))
        return {"mae": float(one.mean()), "present_mae": float(other.mean()), "difference": clustered_mean(dates, one - other)}


def tune(context: Context, *, trials: int, folds: int, seasons: Sequence[str] | None = None) -> dict[str, Any]:
    """Add trials to the study of the present data, features and constants, and say what it found.

    Parameters
    ----------
    trials : int
        How many to add; 0 only tells the present state.
    folds : int
        Windows that a trial is judged on.
    seasons : sequence of str, optional
        As in ``2022-23``; all since 2021-22 but the last one in the data by default.

    Returns
    -------
    dict
        "study", "storage", "seasons", "seed", "folds" (of the study), "unseen" (folds), "trials" (count of each state), "best" and "present" (each
        "trial", "parameters", "mae"), "on_study" and "on_unseen" (see `Scorer.compare`), "better" (whether the interval on unseen windows lies
        below 0), "toml".

    Raises
    ------
    UsageError
        If the test season is asked for, optuna is not installed, or no trial is finished.
    BadInput
        If the seasons have too few windows.
    """
    require_optuna()
    years = choosing_seasons(calendar.season_year(context.source.last_date()), seasons)
    until = calendar.day_before(calendar.opener(max(years) + 1))
    context.warehouse.ensure()
    store.refresh(context, context.source.first_date(), until)
    data = dataset.load(context, until)
    chosen, unseen = plan_windows(data.rows, years, folds)
    present = parameters()[XGBoost.system_id]
    seed = context.settings.seed
    state = [data.fingerprint, data.features.version, seed, provenance.xgboost_version(), WINDOW_DAYS, *present.items()]
    folder = context.settings.home_folder / "tuning"
    folder.mkdir(parents=True, exist_ok=True)
    scorer = Scorer(data.rows, data.features.names, seed, folder / f"errors-{digest(state)}")
    name = f"{XGBoost.system_id}-{digest([*state, *(day for fold in chosen for day in (fold.first, fold.last))])}"
    study = open_study(name, folder / "study.db", present)
    run_trials(study, scorer, chosen, present, trials)
    return {
        "study": name,
        "storage": str(folder / "study.db"),
        "seasons": [calendar.season_name(year) for year in years],
        "seed": seed,
    } | _outcome(study, scorer, chosen, unseen, present)


def require_optuna() -> None:
    """Raise UsageError where optuna is not installed."""
    try:
        import optuna
    except ImportError:
        raise UsageError(
            "tuning needs optuna, which a plain install leaves out: build the development environment with `make env`, "
            "or `pip install 'nba-ml[dev]'`"
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def open_study(name: str, path: Path, present: Mapping[str, Any]) -> "Study":
    """Open a study, or begin it with the present constants as its trial 0."""
    import optuna

    study = optuna.create_study(
        study_name=name,
        storage=f"sqlite:///{path}",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=RANDOM_TRIALS, n_warmup_steps=PRUNED_FROM_FOLD),
        load_if_exists=True,
    )
    states = optuna.trial.TrialState
    if not any(_PRESENT in trial.user_attrs for trial in study.get_trials(states=(states.COMPLETE, states.WAITING))):
        study.enqueue_trial(search_space.values(present), user_attrs={_PRESENT: True})
    return study


def run_trials(study: "Study", scorer: Scorer, folds: Sequence[Fold], present: Mapping[str, Any], trials: int) -> None:
    """Add trials: the MAE over the rows of all folds, given up after a fold by which it is worse than the median trial.

    The pruner is told the difference to the present constants so far: it compares the best of all steps, and folds are not equally hard.
    """
    import optuna

    states = optuna.trial.TrialState
    for _ in track(range(trials), f"trials of {len(folds)} folds"):
        # A sampler of its own for each trial: a study that went on later has the trials of one that ran through.
        begun = sum(trial.state != states.WAITING for trial in study.get_trials(deepcopy=False))
        study.sampler = optuna.samplers.TPESampler(seed=scorer.seed + begun, n_startup_trials=RANDOM_TRIALS)
        trial = study.ask()
        constants = _constants(trial, present)
        errors: list[np.ndarray] = []
        for step, fold in enumerate(folds):
            errors.append(scorer.errors(constants, fold))
            theirs = [scorer.errors(present, earlier) for earlier in folds[: step + 1]]
            trial.report(float(np.concatenate(errors).mean() - np.concatenate(theirs).mean()), step)
            if step < len(folds) - 1 and trial.should_prune():
                study.tell(trial, state=states.PRUNED)
                log.info("trial %d given up after %d of %d folds", trial.number, step + 1, len(folds))
                break
        else:
            mae = float(np.concatenate(errors).mean())
            study.tell(trial, mae)
            log.info("trial %d: MAE %.4f", trial.number, mae)


def _constants(trial: "Trial | FrozenTrial", present: Mapping[str, Any]) -> dict[str, Any]:
    drawn = search_space.suggest(trial)
    return dict(present) if _PRESENT in trial.user_attrs else search_space.constants(drawn, present)


def _outcome(study: "Study", scorer: Scorer, chosen: Sequence[Fold], unseen: Sequence[Fold], present: Mapping[str, Any]) -> dict[str, Any]:
    trials = study.get_trials()
    finished = [trial for trial in trials if trial.state.name == "COMPLETE"]
    first = next((trial for trial in finished if _PRESENT in trial.user_attrs), None)
    if first is None:
        raise UsageError(f"study {study.study_name} has no finished trial yet: `nba-ml tune --trials 1`")
    best = min(finished, key=lambda trial: (trial.value, trial.number))
    constants = _constants(best, present)
    on_study, on_unseen = (scorer.compare(constants, present, folds) for folds in (chosen, unseen))
    high = on_unseen["difference"]["high"]
    outcome = {
        "folds": [_span(fold) for fold in chosen],
        "unseen": [_span(fold) for fold in unseen],
        "trials": {state: sum(trial.state.name == state.upper() for trial in trials) for state in ("complete", "pruned", "running")},
        "best": {"trial": best.number, "parameters": constants, "mae": best.value},
        "present": {"trial": first.number, "parameters": dict(present), "mae": first.value},
        "on_study": on_study,
        "on_unseen": on_unseen,
        "better": high is not None and high < 0,
    }
    day = max(trial.datetime_complete for trial in finished if trial.datetime_complete).date()
    return outcome | {"toml": search_space.toml(XGBoost.system_id, constants, _comments(str(day), outcome))}


def _span(fold: Fold) -> dict[str, str]:
    return {"from": str(fold.first), "to": str(fold.last)}


def _comments(day: str, outcome: Mapping[str, Any]) -> list[str]:
    """Say in the file what the study found."""
    trials, best = outcome["trials"], outcome["best"]["trial"]
    head = f"{day}: optuna, {trials['complete']} trials and {trials['pruned']} given up; windows of {WINDOW_DAYS} days; population {POPULATION}."
    windows = ((len(outcome["folds"]), "of the study", "on_study"), (len(outcome["unseen"]), "that it did not see", "on_unseen"))
    if best == outcome["present"]["trial"]:
        found = [f"{count} windows {which}: MAE {_figure(outcome[key], paired=False)}." for count, which, key in windows]
        return [head, "No trial is better than the present values.", *found]
    verdict = "is better where it was not chosen" if outcome["better"] else "is not surely better where it was not chosen"
    found = [f"{count} windows {which}: MAE {_figure(outcome[key], paired=True)}." for count, which, key in windows]
    return [head, f"Trial {best} {verdict} (paired difference, 95 % interval clustered by date).", *found]


def _figure(figures: Mapping[str, Any], *, paired: bool) -> str:
    found = figures["difference"]
    if not paired:
        return f"{figures['mae']:.4f}, n {found['n']:,}"
    interval = "no interval" if found["low"] is None else f"[{found['low']:+.4f}, {found['high']:+.4f}]"
    return f"{figures['mae']:.4f} against {figures['present_mae']:.4f} before, {found['value']:+.4f} {interval}, n {found['n']:,}"
