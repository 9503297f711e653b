"""The `feature_store` source: a team's own features and outcomes in BigQuery, read only (docs/feature_store.md)."""
