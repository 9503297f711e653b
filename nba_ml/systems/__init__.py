"""Prediction systems: one file each, one interface, and the panel that holds them together."""
