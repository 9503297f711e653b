"""`python -m nba_ml.cli`: the command `nba-ml` without its script."""

from nba_ml.cli import main

main()
