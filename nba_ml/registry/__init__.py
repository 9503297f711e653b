"""Immutable model versions and the numbered log that says which one runs."""
