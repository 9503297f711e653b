"""Point-in-time features in polars: one module a family."""

from nba_ml.features.build import FEATURE_TABLE, FEATURE_VERSION, REPORTED_PREFIX, REQUIRED, TARGET, build, feature_names
from nba_ml.features.feature_set import GIVEN_PREFIX, JOINT, FeatureSet, own_features
from nba_ml.features.lineup import LINEUP
from nba_ml.features.starters import START_POINTS

__all__ = [
    "FEATURE_TABLE",
    "FEATURE_VERSION",
    "GIVEN_PREFIX",
    "JOINT",
    "LINEUP",
    "REPORTED_PREFIX",
    "REQUIRED",
    "START_POINTS",
    "TARGET",
    "FeatureSet",
    "build",
    "feature_names",
    "own_features",
]
