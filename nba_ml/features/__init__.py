"""Point-in-time features in polars: one module a family."""

from nba_ml.features.build import FEATURE_TABLE, FEATURE_VERSION, REQUIRED, TARGET, build, feature_names

__all__ = ["FEATURE_TABLE", "FEATURE_VERSION", "REQUIRED", "TARGET", "build", "feature_names"]
