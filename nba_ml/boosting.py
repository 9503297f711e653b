"""XGBoost, loaded in one way."""

import os
from types import ModuleType


def xgboost() -> ModuleType:
    """Import XGBoost with idle threads that sleep.

    OpenMP's idle threads spin by default, and two fits on one machine then take minutes from each other. The library reads this once, when it is
    loaded. The import takes seconds, so it happens where a model is first needed.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import xgboost

    return xgboost
