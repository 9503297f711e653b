"""Commands: the monitor."""

import shlex
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

import typer

from nba_ml.cli.output import Json, parse_date, print_table, results, show


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(monitor)


def monitor(
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="Last slate that is looked at; the last one with results by default.")
    ] = None,
    report: Annotated[bool, typer.Option("--report", help="Write the report of the week to the store now, not on Monday alone.")] = False,
    as_json: Json = False,
) -> None:
    """Look at the graded slates: how good the numbers were lately, what has drifted; and do what follows (docs/drift.md)."""
    from nba_ml.context import Context
    from nba_ml.monitoring import performance, steps, weekly

    context = Context()
    found = steps.monitor(context, parse_date(until) if until else None)
    found["performance"] = performance.headline(context, found)
    if report and found["slate_date"]:
        found |= weekly.write(context, date.fromisoformat(found["slate_date"]), found["mode"])
    show(found, as_json, _show_monitor)


def _show_monitor(found: Mapping[str, Any]) -> None:
    if not found["slate_date"]:
        results.print(f"No graded slate of this season up to {found['until']}: nba-ml grade --slate DATE")
        return
    columns = ("system", "slates", "population", "rows", "MAE", "− moving average", "− line", "hit rate", "sides", "in interval")
    rows = [
        (
            row["system_id"],
            row["window_slates"],
            row["population"],
            row["n"],
            row["mae"],
            row["vs_baseline"],
            row["vs_line"],
            row["hit_rate"],
            row["sides"],
            row["inside"],
        )
        for row in found["performance"]
    ]
    print_table(f"{found['mode']} slates up to {found['slate_date']}", columns, rows)
    print_table("What is judged", ("", "figure", "rows", "asked", "then", ""), [_judged(row) for row in found["judged"]])
    for row in found["judged"]:
        if not row["passed"]:
            results.print(f"{row['id']}: {row['reason']}", markup=False, soft_wrap=True)
    if found["stopped"]:
        results.print(f"Publication is stopped by {', '.join(found['stopped'])}: nba-ml alerts", markup=False, soft_wrap=True)
    if found["rolled_back"]:
        results.print(f"{found['rolled_back']} was taken out: nba-ml release show", markup=False, soft_wrap=True)
    if found["retrain"]:
        results.print(f"A training is asked for: nba-ml train --cause {shlex.quote(found['retrain'])}", markup=False, soft_wrap=True)
    results.print(f"{found['windows']} windows were made again, {found['rows']} rows written.")
    if found["report"]:
        results.print(f"report: {found['report']}", soft_wrap=True)


def _judged(row: Mapping[str, Any]) -> tuple[object, ...]:
    verdict = "not judged" if not row["judged"] else "" if row["passed"] else "NO"
    figure = None if row["value"] is None else f"{row['value']:.4g}"
    return row["id"], figure, row["n"] or None, row["rule"], row["then"], verdict
