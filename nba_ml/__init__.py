"""NBA player-points predictions: the whole chain in plain Python, run by Airflow or by `nba-ml`."""

__version__ = "0.1.0"
