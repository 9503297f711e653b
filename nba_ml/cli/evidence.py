"""Commands on the evidence for a release: compare two versions, let the guards look."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from nba_ml.cli.output import Json, parse_span, print_table, results, show
from nba_ml.cli.release import release


def register(app: typer.Typer) -> None:
    """Add the commands to `nba-ml release`."""
    release.command("compare")(compare)
    release.command("judge")(judge)


def compare(
    version: Annotated[str, typer.Argument(help="Version; differences are counted from the other one.")],
    other: Annotated[str, typer.Argument(help="The other version.")],
    first: Annotated[str, typer.Option("--from", help="First slate, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last slate, YYYY-MM-DD.")],
    system: Annotated[str, typer.Option("--system", help="Whose numbers are compared.")] = "ensemble",
    report: Annotated[Path | None, typer.Option("--report", help="Folder for comparison.html.")] = None,
    as_json: Json = False,
) -> None:
    """Compare two versions on the graded rows that both predicted, with intervals that may be looked at every day."""
    from nba_ml.context import Context
    from nba_ml.monitoring import comparison

    found = comparison.compare(Context(), version, other, *parse_span(first, last), system=system)
    if report is not None:
        from nba_ml.monitoring.comparison_page import write

        found["report"] = str(write(found, report))
    show(found, as_json, _print_comparison)


def judge(as_json: Json = False) -> None:
    """Look at the graded evidence on every version beside the one that serves; a challenger that is surely worse is rolled back."""
    from nba_ml.context import Context
    from nba_ml.registry import guards

    show(guards.judge(Context()), as_json, _print_judged)


def _print_comparison(found: Mapping[str, Any]) -> None:
    title = f"{found['system']}, {found['rows']:,} player-games of {found['slates']} slates, {found['from']} to {found['to']}"
    columns = ("", "rows", found["version"], found["other"], "difference", "interval", "verdict")
    overall = [_row(name, figures) for name, figures in found["overall"].items()]
    print_table(title, columns, overall)
    for name in ("slices", "months"):
        print_table(f"mean absolute error by {name.removesuffix('s')}", columns, [_row(part["name"], part) for part in found[name]])
    results.print(found["method"], soft_wrap=True)
    if "report" in found:
        results.print(f"report: {found['report']}", soft_wrap=True)


def _row(name: str, figures: Mapping[str, Any]) -> tuple[object, ...]:
    numbers = [None if figures[side] is None else f"{figures[side]:.4f}" for side in ("ours", "theirs")]
    difference = None if figures["value"] is None else f"{figures['value']:+.4f}"
    interval = None if figures["low"] is None else f"[{figures['low']:+.4f}, {figures['high']:+.4f}]"
    told = figures["verdict"] + (f", about {figures['needed']} slates needed" if figures["needed"] else "")
    return (name, figures["n"], *numbers, difference, interval, told)


def _print_judged(found: Mapping[str, Any]) -> None:
    from nba_ml.registry.guards import describe

    if not found["judged"]:
        results.print("No version is in play beside the one that serves: there is nothing to judge.")
    for version, judged in found["judged"].items():
        results.print(f"{version} beside {found['serving']}:")
        for result in judged:
            results.print(f"  {'passed' if result['passed'] else 'failed'}  {describe(result)}", markup=False, soft_wrap=True)
    if found["rolled_back"]:
        results.print(f"{found['rolled_back']} was rolled back (entry {found['entry']}); {found['serving']} predicts everything.")
