"""The command tune."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from nba_ml.cli.output import Json, results, show


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(tune)


def tune(
    trials: Annotated[int, typer.Option("--trials", min=0, help="Trials to add to the study; 0 shows what it found so far.")] = 20,
    folds: Annotated[
        int, typer.Option("--folds", min=1, help="Windows that a trial is judged on; as many again are kept for the end.")
    ] = 4,
    seasons: Annotated[
        list[str] | None,
        typer.Option("--season", help="Season to choose on, as in 2022-23; again for more. By default all since 2021-22 but the last one."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Search for better constants of XGBoost on the choosing seasons, and print them for parameters.toml; no file is edited."""
    from nba_ml.context import Context
    from nba_ml.training.tune import tune as search

    show(search(Context(), trials=trials, folds=folds, seasons=seasons), as_json, _print)


def _print(result: Mapping[str, Any]) -> None:
    counts = ", ".join(f"{count} {state}" for state, count in result["trials"].items())
    results.print(f"study {result['study']} in {result['storage']}: {counts}", soft_wrap=True)
    results.print(f"seasons {', '.join(result['seasons'])}, seed {result['seed']}\n", soft_wrap=True)
    results.print(result["toml"], markup=False, soft_wrap=True)
    if result["better"]:
        results.print(
            "Better where it was not chosen: look at it, then put it in the place of [xgboost] in nba_ml/systems/parameters.toml.",
            markup=False,
        )
    else:
        results.print("The interval on unseen windows does not lie below 0: the present values stay.")
