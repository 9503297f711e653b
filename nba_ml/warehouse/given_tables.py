"""Names of the tables of a team that has its own feature store: read only, and never to be touched by a table of ours."""

import re
from dataclasses import dataclass

from nba_ml.errors import UsageError
from nba_ml.settings import Settings
from nba_ml.warehouse.schema import tables

_PART = r"[A-Za-z0-9_]+"
_FULL = re.compile(rf"(?P<project>[a-z][a-z0-9.:-]*)\.(?P<dataset>{_PART})\.(?P<table>[A-Za-z0-9_$-]+)")
_SHORT = re.compile(rf"{_PART}\.[A-Za-z0-9_$-]+")


@dataclass(frozen=True)
class GivenTables:
    """Full names, as in ``project.dataset.table``.

    Attributes
    ----------
    features : str
        The feature store.
    outcomes : str
        Points and minutes of each player-game, as in ``player_game_summary``.
    players : str
        player_lookup → player_id.
    schedule : str
        Scheduled games.
    lines : str or None
        Quotes on players' points.
    """

    features: str
    outcomes: str
    players: str
    schedule: str
    lines: str | None

    @property
    def project(self) -> str:
        """The team's project."""
        return self.features.rsplit(".", 2)[0]

    @property
    def all(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(name for name in (self.features, self.outcomes, self.players, self.schedule, self.lines) if name)


def is_full_name(text: str) -> bool:
    """Tell whether a text is the name of a table with its project, as in ``project.dataset.table``."""
    return _FULL.fullmatch(text) is not None


def given_tables(settings: Settings) -> GivenTables:
    """Return the tables that the settings name; a name without a project is one of the feature store's project.

    Raises
    ------
    UsageError
        If the feature store is not named, or a name is none.
    """
    store = settings.feature_store
    if not store:
        raise UsageError(
            "NBA_ML_SOURCE=feature_store needs NBA_ML_FEATURE_STORE=project.dataset.ml_feature_store_v2 (docs/feature_store.md)"
        )
    found = _FULL.fullmatch(store)
    if found is None:
        raise UsageError(f"NBA_ML_FEATURE_STORE={store} is no table: write it as project.dataset.ml_feature_store_v2")

    def full(name: str, variable: str) -> str:
        if _FULL.fullmatch(name):
            return name
        if _SHORT.fullmatch(name):
            return f"{found['project']}.{name}"
        raise UsageError(f"{variable}={name} is no table: write it as dataset.table or project.dataset.table")

    return GivenTables(
        features=store,
        outcomes=full(settings.feature_store_outcomes, "NBA_ML_FEATURE_STORE_OUTCOMES"),
        players=full(settings.feature_store_players, "NBA_ML_FEATURE_STORE_PLAYERS"),
        schedule=full(settings.feature_store_schedule, "NBA_ML_FEATURE_STORE_SCHEDULE"),
        lines=full(settings.feature_store_lines, "NBA_ML_FEATURE_STORE_LINES") if settings.feature_store_lines else None,
    )


def refuse_overlap(settings: Settings, project: str) -> None:
    """Refuse a dataset prefix with which a dataset of ours would be the feature store's, or a table of ours one of the team's.

    Parameters
    ----------
    project : str
        Project of our own datasets.

    Raises
    ------
    UsageError
        Naming the table and the next step.
    """
    if not settings.feature_store:
        return
    given = given_tables(settings)
    ours = {f"{project}.{settings.dataset_prefix}{name}" for name in tables()}
    touched = [name for name in given.all if name in ours]
    store_dataset = given.features.rsplit(".", 1)[0]
    if store_dataset in {name.rsplit(".", 1)[0] for name in ours}:
        touched.insert(0, given.features)
    if touched:
        raise UsageError(
            f"NBA_ML_DATASET_PREFIX={settings.dataset_prefix or '(empty)'} would write into {', '.join(dict.fromkeys(touched))}, which "
            "belongs to the team that the features come from and is only read: set NBA_ML_DATASET_PREFIX to another prefix, as in ours_"
        )
