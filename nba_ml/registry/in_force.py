"""The versions that score a slate, as the release log says, each one opened whole: there is no stand-in."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nba_ml.context import Context
from nba_ml.errors import ArtefactError
from nba_ml.registry import versions
from nba_ml.registry.loading import verified_panel
from nba_ml.registry.log import ReleaseLog
from nba_ml.registry.states import Rollout

if TYPE_CHECKING:
    from nba_ml.systems.panel import Panel

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Released:
    """One version, ready to predict."""

    version: str
    manifest: dict[str, Any]
    panel: "Panel"
    manifest_sha256: str


@dataclass(frozen=True)
class InForce:
    """All versions that score a slate.

    Attributes
    ----------
    rollout : Rollout
        What the release log says.
    serving : Released
    challenger : Released or None
    shadows : tuple of Released
        Those that could be opened.
    failed : mapping of str to str
        Shadow that could not be opened → why.
    """

    rollout: Rollout
    serving: Released
    challenger: Released | None
    shadows: tuple[Released, ...]
    failed: Mapping[str, str]

    @property
    def published(self) -> tuple[Released, ...]:
        """The versions whose numbers are published, the one that serves first."""
        return (self.serving, self.challenger) if self.challenger else (self.serving,)

    def identity(self) -> tuple[object, ...]:
        """Return what makes two slates be scored alike, for their run key."""
        opened = (part for one in (*self.published, *self.shadows) for part in (one.version, one.manifest_sha256))
        return (self.rollout.in_force, *opened)


def load_released(context: Context) -> InForce:
    """Open the versions that the release log of the settings' environment puts in force.

    Every file is read and verified on every call; only parsed panels are kept, by their content, for as long as the process lives. A
    challenger that can't be opened fails the call as the version that serves does: its rows are its own by a decision in the log, and only
    another entry gives them to another version. A shadow, which publishes nothing, is left out and named.

    Raises
    ------
    ArtefactError
        If nothing is released, or for a published version: a byte differs anywhere, the features differ from those that this code builds, or
        the model no longer gives the predictions that it gave when it was published.
    """
    environment = context.settings.environment
    rollout = ReleaseLog(context.store, versions.MODEL, environment).rollout
    if rollout.serving is None:
        raise ArtefactError(
            f"no model is released in {environment}. Train one (`nba-ml train`), or release one that is published: `nba-ml release show`."
        )
    serving = _open(context, rollout, rollout.serving)
    challenger = _open(context, rollout, rollout.challenger) if rollout.challenger else None
    shadows, failed = [], {}
    for version in rollout.shadows:
        try:
            shadows.append(_open(context, rollout, version))
        except ArtefactError as error:
            log.warning("shadow %s does not score along: %s", version, error)
            failed[version] = str(error)
    return InForce(rollout, serving, challenger, tuple(shadows), failed)


def _open(context: Context, rollout: Rollout, version: str) -> Released:
    opened = versions.open_version(context.store, versions.MODEL, version, rollout.manifests[version])
    return Released(version, opened.manifest, verified_panel(opened), opened.manifest_sha256)
