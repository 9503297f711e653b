"""Immutable model versions and the numbered log that says which of them run.

`load_released` is the way in for other services.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nba_ml.registry.in_force import InForce

__all__ = ["load_released"]


def load_released(environment: str | None = None) -> "InForce":
    """Open the versions that are released in an environment, for a service outside Airflow; examples/prediction_worker.py shows its use.

    The store and the rest come from the settings (NBA_ML_STORE, see `nba-ml doctor`); no warehouse is needed. Call it for each slate or batch:
    the release log and every byte are verified each time, so that a rollback takes effect at the next call, and what was parsed is kept by
    its content, so that it costs little. `nba_ml.slate.scoring.predict_published` predicts with it, each row by the version it is assigned to.

    Parameters
    ----------
    environment : {"dev", "staging", "production"}, optional
        By default NBA_ML_ENVIRONMENT.

    Returns
    -------
    InForce
        `serving` and `challenger` with their panels and manifests, and `rollout`, which says who predicts which share.

    Raises
    ------
    UsageError
        If there is no such environment, or a setting is wrong.
    ArtefactError
        If nothing is released there, or a published version does not hold: there is no stand-in, and nothing should be predicted.
    """
    from nba_ml.context import Context
    from nba_ml.errors import UsageError
    from nba_ml.registry.in_force import load_released as load
    from nba_ml.registry.projection import ENVIRONMENTS
    from nba_ml.settings import load_settings

    settings = load_settings()
    if environment is not None and environment not in ENVIRONMENTS:
        raise UsageError(f"{environment!r} is no environment: choose one of {', '.join(ENVIRONMENTS)}.")
    return load(Context(settings.model_copy(update={"environment": environment or settings.environment})))
