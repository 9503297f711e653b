"""Idle threads sleep, whichever library with OpenMP is loaded first."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize("library", ["sklearn.linear_model", "xgboost"])
def test_idle_threads_of_openmp_sleep(library):
    unset = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
    code = f"import nba_ml.systems.panel, {library}; from sklearn.utils import _openmp_helpers"
    shown = subprocess.run(
        [sys.executable, "-c", code], env=unset | {"OMP_DISPLAY_ENV": "verbose"}, capture_output=True, text=True, check=True
    )
    assert "GOMP_SPINCOUNT = '0'" in shown.stderr
