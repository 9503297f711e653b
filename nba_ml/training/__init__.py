"""Training: backtest, fit, gates, report and publication of a model version."""
