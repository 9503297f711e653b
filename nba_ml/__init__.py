"""NBA player-points predictions: the whole chain in plain Python, run by Airflow or by `nba-ml`."""

import os

# OpenMP's idle threads spin by default, and two fits on one machine then take minutes from each other. scikit-learn and XGBoost share one OpenMP,
# which reads this once, when the first of them is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"
