"""Commands: data in, and whether it is enough and sound."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

import typer

from nba_ml.cli.output import Json, parse_date, parse_span, print_table, results, show

_From = Annotated[str, typer.Option("--from", metavar="DATE", help="First game date, YYYY-MM-DD.")]
_To = Annotated[str, typer.Option("--to", metavar="DATE", help="Last game date, YYYY-MM-DD.")]
_Until = Annotated[
    str | None,
    typer.Option(metavar="DATE", help="Last game date that is looked at; default: the last box score of files, else yesterday."),
]
_MISSING_SHOWN = 10


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(ingest)
    app.command()(coverage)
    app.command()(validate)
    app.command()(ready)


def ingest(first: _From, last: _To, as_json: Json = False) -> None:
    """Bring schedule, box scores, lines and reports of a span into the warehouse; wrong data is refused whole."""
    from nba_ml.context import Context
    from nba_ml.ingest import ingest as run_ingest

    start, end = parse_span(first, last)
    show(run_ingest(Context(), start, end, run=f"ingest:{start}:{end}"), as_json, _show_ingest)


def coverage(until: _Until = None, as_json: Json = False) -> None:
    """Measure which share of the expected game dates is complete; exit status 3 below the threshold."""
    from nba_ml import coverage as gate
    from nba_ml.context import Context
    from nba_ml.errors import GateRefused

    context = Context()
    context.warehouse.ensure()
    report = gate.measure(context, _until(context, until))
    if report["passed"] or not as_json:
        show(report, as_json, _show_coverage)
    if not report["passed"]:
        raise GateRefused(gate.refusal(report), report)


def validate(
    suite: Annotated[str | None, typer.Option(help="Check this suite alone; all of them by default.")] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="DATE", help="First date of the rows to check.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last date of the rows to check.")] = None,
    as_json: Json = False,
) -> None:
    """Check stored rows against the suites in expectations/; exit status 3 when a stop rule breaks."""
    from nba_ml.context import Context
    from nba_ml.validation import steps

    start, end = (parse_date(text) if text else None for text in (first, last))
    if first and last:
        parse_span(first, last)
    run = ":".join(["validate", suite or "all", *(str(day) for day in (start, end) if day)])
    context = Context()
    context.warehouse.ensure()
    report = steps.validate(context, suite, start, end, run=run)
    if report["passed"] or not as_json:
        show(report, as_json, _show_validate)
    steps.require_passed(report)


def ready(until: _Until = None, as_json: Json = False) -> None:
    """Check the prerequisites of training in one answer: coverage, quality, features, grading; exit status 3 when one is missing."""
    from nba_ml.context import Context
    from nba_ml.errors import GateRefused
    from nba_ml.readiness import ready as run_ready

    context = Context()
    report = run_ready(context, _until(context, until))
    if report["ready"] or not as_json:
        show(report, as_json, _show_ready)
    if report["ready"]:
        return
    lacking = {name: part["next"] for name, part in report.items() if isinstance(part, dict) and not part["ready"]}
    raise GateRefused("Not ready: " + "; ".join(f"{name}, next: {command}" for name, command in lacking.items()), report)


def _until(context: Any, text: str | None) -> date:
    from nba_ml.coverage import default_until

    return parse_date(text) if text else default_until(context)


def _show_ingest(report: Mapping[str, Any]) -> None:
    print_table(
        f"Ingested {report['from']} to {report['to']}",
        ("table", "rows", "new"),
        [(name, counts["rows"], counts["new"]) for name, counts in report["tables"].items()],
    )
    if not report["games"]:
        results.print("No game is scheduled in this span.")
    if report["quarantined"]:
        results.print(f"{report['quarantined']} rows were kept out: see nba_ops.quarantine.")
    if report["games_without_score"]:
        results.print(f"{report['games_without_score']} past games have no final score: coverage counts them as incomplete.")
    missing = report["missing"]
    if missing:
        print_table(
            f"{len(missing)} of {report['games']} games lack box-score rows",
            ("date", "game", "away", "home", "without rows"),
            [(game["game_date"], game["game_id"], game["away"], game["home"], game["team"] or "both") for game in missing[:_MISSING_SHOWN]],
        )
        if len(missing) > _MISSING_SHOWN:
            results.print(f"… and {len(missing) - _MISSING_SHOWN} more; --json lists all.")


def _show_coverage(report: Mapping[str, Any]) -> None:
    print_table(
        f"Coverage until {report['until']}: {report['coverage']:.1%}, {report['threshold']:.0%} required overall and per season",
        ("season", "expected", "complete", "coverage", "first missing dates"),
        [
            (
                season["season"],
                season["expected"],
                season["complete"],
                f"{season['coverage']:.1%}",
                "schedule absent or too thin" if season["short"] else ", ".join(season["missing"][:3]),
            )
            for season in report["seasons"]
        ],
    )


def _show_validate(report: Mapping[str, Any]) -> None:
    print_table(
        "Validation",
        ("suite", "rows", "passed", "failed", "warned", "quarantined"),
        [
            (
                entry["suite"],
                entry["rows"],
                "yes" if entry["passed"] else "no",
                ", ".join(entry["failed"]),
                ", ".join(entry["warned"]),
                entry["quarantined"],
            )
            for entry in report["suites"]
        ],
    )


def _show_ready(report: Mapping[str, Any]) -> None:
    quality, features, grading = report["quality"], report["features"], report["grading"]
    failed = [entry["suite"] for entry in quality["suites"] if not entry["passed"]]
    figures = {
        "coverage": f"{report['coverage']['coverage']:.1%} of expected dates, lowest season {_lowest(report['coverage'])}",
        "quality": f"{len(quality['suites'])} suites checked, failed: {', '.join(failed) or 'none'}",
        "features": f"{features['with_features']} of {features['rows']} rows ({features['completeness']:.1%})",
        "grading": f"{grading['slates_graded']} of {grading['slates_predicted']} predicted slates graded",
    }
    print_table(
        f"Ready until {report['until']}: {'yes' if report['ready'] else 'no'}",
        ("part", "ready", "figures", "next step"),
        [(name, "yes" if report[name]["ready"] else "no", text, report[name]["next"]) for name, text in figures.items()],
    )


def _lowest(report: Mapping[str, Any]) -> str:
    seasons = report["seasons"]
    return min((f"{season['coverage']:.1%}" for season in seasons), key=lambda text: float(text[:-1]), default="none")
