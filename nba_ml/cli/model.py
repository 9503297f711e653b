"""Commands on features and models: features, train, backtest."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from nba_ml.cli.output import Json, parse_date, parse_span, print_table, results, show
from nba_ml.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(features)
    app.command()(train)
    app.command()(backtest)


def features(
    first: Annotated[str, typer.Option("--from", help="First game date, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last game date, YYYY-MM-DD.")],
    as_json: Json = False,
) -> None:
    """Make the features of finished games and write them to the feature store."""
    from nba_ml.context import Context
    from nba_ml.features import store

    span = parse_span(first, last)
    context = Context()
    context.warehouse.ensure()
    result = store.refresh(context, *span)
    show(
        result,
        as_json,
        lambda r: results.print(f"{r['rows']:,} rows of {r['features']} features, version {r['feature_version']}; {r['new']:,} new"),
    )


def train(
    until: Annotated[
        str | None, typer.Option("--until", help="Last game date to learn from; the last one with results by default.")
    ] = None,
    cause: Annotated[str | None, typer.Option("--cause", help="Why; goes into the model card and the release log.")] = None,
    as_json: Json = False,
) -> None:
    """Train a model version: coverage gate, features, checks, backtest, fit, gates, publication, release."""
    from nba_ml.context import Context
    from nba_ml.training import steps

    context = Context()
    result = steps.train(context, parse_date(until) if until else context.source.last_date(), cause=cause)
    show(result, as_json, _print_training)


def backtest(
    first: Annotated[str, typer.Option("--from", help="First game date, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last game date, YYYY-MM-DD.")],
    refit_days: Annotated[int, typer.Option("--refit-days", min=1, help="Days between refits.")] = 28,
    predictions: Annotated[Path | None, typer.Option("--predictions", help="Parquet file for every prediction of every system.")] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Folder for report.html.")] = None,
    as_json: Json = False,
) -> None:
    """Predict a span of finished games walk-forward, each from earlier dates only, and compare with baselines and lines."""
    from nba_ml.context import Context
    from nba_ml.training.backtest import backtest as walk

    start, end = parse_span(first, last)
    if predictions is not None and predictions.suffix != ".parquet":
        raise UsageError(f"--predictions {predictions} is no .parquet file: rename it")
    result = walk(Context(), start, end, refit_days=refit_days, predictions=predictions, report=report)
    show(result, as_json, _print_backtest)


def _print_training(result: Mapping[str, Any]) -> None:
    print_populations(result["metrics"])
    _print_gates(result["gates"]["results"])
    results.print(f"version {result['version']}, {result['rows']:,} rows until {result['trained_until']}: {result['state']}")
    results.print(f"report: {result['report']}", soft_wrap=True)
    if result["next"]:
        results.print(f"next: {result['next']}")


def _print_gates(gates: Sequence[Mapping[str, Any]]) -> None:
    from nba_ml.training.gating import verdict

    rows = []
    for gate in gates:
        interval = "[{:.4g}, {:.4g}]".format(*gate["interval"]) if gate["interval"] else None
        figure = None if gate["value"] is None else f"{gate['value']:.4g}"
        rival = gate["rival"] or gate["baseline"]
        rows.append((gate["id"], verdict(gate), gate["mode"], figure, interval, gate["n"] or None, gate["rule"], rival))
    print_table("gates", ("gate", "result", "mode", "figure", "95 % interval", "rows", "asked", "against"), rows)


def _print_backtest(result: Mapping[str, Any]) -> None:
    print_populations(result["populations"])
    for check in (*result["gates"]["results"], *result["canaries"]):
        if not check["passed"]:
            results.print(f"not passed: {check['id']} is {check['value']}, asked is {check['threshold']}", markup=False, soft_wrap=True)
    for name in ("predictions", "report"):
        if result[name]:
            results.print(f"{name}: {result[name]}", soft_wrap=True)


def print_populations(populations: Mapping[str, Any]) -> None:
    """Print MAE, RMSE and mean error of every predictor, population by population, each on the same rows."""
    for name, figures in populations.items():
        rows = [(name, entry["n"], entry["mae"], entry["rmse"], entry["mean_error"]) for name, entry in figures["predictors"].items()]
        print_table(f"population {name}, n = {figures['common_rows']:,}", ("predictor", "n", "MAE", "RMSE", "mean error"), rows)
