"""A version's panel, only if its feature schema and its golden vectors hold."""

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from nba_ml.errors import ArtefactError
from nba_ml.features import GIVEN_PREFIX, JOINT, FeatureSet, own_features
from nba_ml.registry.versions import Version

if TYPE_CHECKING:
    from nba_ml.systems.panel import Panel

GOLDEN = "golden.parquet"
GOLDEN_TARGET = "expected_points"
GOLDEN_TOLERANCE = 1e-6
"""Largest allowed difference, in points, between what the model gave when it was published and what it gives now."""

_NEXT = "Go back to a model that fits: `nba-ml release rollback --reason TEXT`, or train a new one: `nba-ml train`."
_panels: dict[str, "Panel"] = {}


def verified_panel(version: Version, built: FeatureSet | None = None) -> "Panel":
    """Return the panel of a version whose bytes are verified, holding it to its golden vectors each time.

    What was parsed is kept by its content, for as long as the process lives.

    Parameters
    ----------
    built : FeatureSet, optional
        What it will be fed; by default the features that this code builds.

    Raises
    ------
    ArtefactError
        If the features differ from those, or the model no longer gives the predictions it gave when it was published.
    """
    check_features(version, built or own_features())
    if version.manifest_sha256 not in _panels:
        _panels[version.manifest_sha256] = _parse(version)
    check_golden(_panels[version.manifest_sha256], version)
    return _panels[version.manifest_sha256]


def check_features(version: Version, built: FeatureSet) -> None:
    """Compare the features that the model was trained on with those that this code builds: names, order, types and definitions.

    Features that a source gave are held against its rows when a slate is validated: whoever opens a version need not have the source.

    Raises
    ------
    ArtefactError
        If they differ.
    """
    where = f"{version.name}/{version.version}"
    own_version, _, _ = version.manifest["feature_version"].partition(JOINT)
    if own_version != built.version:
        raise ArtefactError(
            f"{where} was trained on features {version.manifest['feature_version']}, this code builds {built.version}. {_NEXT}"
        )
    schema = version.manifest["feature_schema"]
    recorded = [(feature["name"], feature["dtype"]) for feature in schema if not feature["name"].startswith(GIVEN_PREFIX)]
    for name, dtype in recorded:
        if name not in built.types:
            raise ArtefactError(f"{where}: feature {name!r} is none of those that this code builds. {_NEXT}")
        if built.types[name] != dtype:
            raise ArtefactError(f"{where}: feature {name!r} was {dtype} in training and is built as {built.types[name]}. {_NEXT}")
    names = [name for name, _ in recorded]
    expected = [name for name in built.names if name in set(names)]
    for place, (name, other) in enumerate(zip(names, expected + [None] * len(names), strict=False)):
        if name != other:
            raise ArtefactError(
                f"{where}: feature {place} is {name!r} in the manifest and {other!r} in the order that they are built in. {_NEXT}"
            )


def _parse(version: Version) -> "Panel":
    from nba_ml.systems.panel import Panel

    where = f"models/{version.name}/{version.version}"
    try:
        return Panel.from_files(version.files, [feature["name"] for feature in version.manifest["feature_schema"]])
    except ArtefactError:
        raise
    except Exception as error:
        raise ArtefactError(f"{where}: verified files that this code can't read ({type(error).__name__}: {error}). {_NEXT}") from error


def golden_differences(panel: "Panel", golden: pl.DataFrame) -> np.ndarray:
    """Return how far, in points, the model's predictions of the golden rows lie from those that were written beside them."""
    found = np.asarray(panel.predict_model(golden.drop(GOLDEN_TARGET)), dtype=float)
    return np.abs(found - golden[GOLDEN_TARGET].to_numpy())


def check_golden(panel: "Panel", version: Version) -> None:
    """Compare predictions of the golden rows with those written when the version was published.

    Raises
    ------
    ArtefactError
        If one differs by more than `GOLDEN_TOLERANCE` points, or the rows have other features than the manifest says.
    """
    where = f"models/{version.name}/{version.version}/{GOLDEN}"
    if GOLDEN not in version.files:
        raise ArtefactError(f"{where} is not part of the version. {_NEXT}")
    golden = pl.read_parquet(BytesIO(version.files[GOLDEN]))
    names = [feature["name"] for feature in version.manifest["feature_schema"]]
    if golden.columns != [*names, GOLDEN_TARGET] or golden.is_empty():
        raise ArtefactError(f"{where}: {golden.height} rows with other columns than the manifest's {len(names)} features. {_NEXT}")
    off = golden_differences(panel, golden)
    if off.shape != (golden.height,) or not np.all(off <= GOLDEN_TOLERANCE):
        worst = float(np.nanmax(off)) if off.size and not np.all(np.isnan(off)) else float("nan")
        raise ArtefactError(
            f"{where}: predictions differ from the published ones by up to {worst:.6g} points (at most {GOLDEN_TOLERANCE:g}). {_NEXT}"
        )
