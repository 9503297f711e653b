"""Features that another team made (docs/feature_store.md): columns that a model is fed besides our own, under names of their own."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import polars as pl

from nba_ml.context import Context
from nba_ml.errors import ArtefactError, GateRefused
from nba_ml.features.feature_set import GIVEN_PREFIX, JOINT, FeatureSet, own_features
from nba_ml.settings import Settings
from nba_ml.sources.feature_store.vectors import excluded
from nba_ml.warehouse.port import LATEST

KEY = ("game_date", "player_id")
_ROWS, _NAMES = "nba_raw.given_features", "nba_raw.given_feature_names"


def is_given(settings: Settings) -> bool:
    """Whether the source gives features of its own."""
    return settings.source == "feature_store"


def feature_set(context: Context) -> FeatureSet:
    """Return the features that models of the settings' source are fed: our own, and those that the source gives.

    Raises
    ------
    GateRefused
        If the source gives features and none are ingested, or the ingested ones are of several versions.
    """
    own = own_features()
    if not is_given(context.settings):
        return own
    version = _version(context)
    names = tuple(GIVEN_PREFIX + name for name in _learned(context, version))
    return FeatureSet((*own.names, *names), f"{own.version}{JOINT}{version}")


def read(context: Context, as_of: datetime, dates: tuple[date, date] | None = None) -> pl.DataFrame:
    """Return accepted feature rows known at `as_of`: `KEY` and one column a feature that is learned from."""
    version = _version(context)
    stored = context.warehouse.read(_NAMES, as_of=as_of, where={"feature_version": version}).sort("position")
    left_out = excluded(stored["name"].to_list(), context.settings.feature_store_exclude)
    columns = [*KEY, "feature_values"]
    rows = context.warehouse.read(_ROWS, as_of=as_of, where={"feature_version": version}, dates=dates, columns=columns)
    values = rows["feature_values"].str.json_decode(pl.List(pl.Float64))
    found = [
        values.list.get(place).alias(GIVEN_PREFIX + name)
        for place, name in stored.select("position", "name").rows()
        if name not in left_out
    ]
    return rows.select(KEY).with_columns(found)


def require_trained_on(manifest: Mapping[str, Any], found: FeatureSet) -> None:
    """Refuse a model that was trained on another version of the features.

    Raises
    ------
    ArtefactError
        Naming both versions.
    """
    if manifest["feature_version"] != found.version:
        raise ArtefactError(
            f"{manifest['name']}/{manifest['version']} was trained on features {manifest['feature_version']}, and those of the slate are "
            f"{found.version}. Set NBA_ML_FEATURE_STORE_VERSION to the former, or train a new one: `nba-ml train`."
        )


def _learned(context: Context, version: str) -> list[str]:
    names = context.warehouse.read(_NAMES, as_of=LATEST, where={"feature_version": version}).sort("position")["name"].to_list()
    left_out = excluded(names, context.settings.feature_store_exclude)
    return [name for name in names if name not in left_out]


def _version(context: Context) -> str:
    """Return the one version that is used."""
    chosen = context.settings.feature_store_version
    where = {"feature_version": chosen} if chosen else None
    rows = context.warehouse.read(_ROWS, as_of=LATEST, columns=["game_date", "feature_version"], where=where)
    spans = rows.group_by("feature_version").agg(first=pl.col("game_date").min(), last=pl.col("game_date").max()).sort("last", "first")
    if spans.is_empty():
        named = f" of version {chosen}" if chosen else ""
        raise GateRefused(f"no feature row{named} of {context.settings.feature_store} is ingested: `nba-ml ingest --from D --to D`")
    if spans.height > 1:
        told = ", ".join(f"{row['feature_version']} from {row['first']} to {row['last']}" for row in spans.iter_rows(named=True))
        old = spans.row(0, named=True)
        raise GateRefused(
            f"the ingested feature rows are of {spans.height} versions ({told}), and versions are never mixed: ingest the earlier dates again "
            f"(`nba-ml ingest --from {old['first']} --to {old['last']}`), or set NBA_ML_FEATURE_STORE_VERSION to the one to use"
        )
    version: str = spans["feature_version"][0]
    return version
