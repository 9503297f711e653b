"""Command: a past season lived through day by day."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from nba_ml.cli.output import Json, parse_span, print_table, results, show


class Retrain(StrEnum):
    """When a version is trained."""

    WEEKLY = "weekly"
    NEVER = "never"


class Release(StrEnum):
    """How a version that passed its gates is released."""

    GRADUAL = "gradual"
    AT_ONCE = "at-once"


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(replay)


def replay(
    first: Annotated[str, typer.Option("--from", metavar="DATE", help="First day, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", metavar="DATE", help="Last day, YYYY-MM-DD.")],
    retrain: Annotated[Retrain, typer.Option(help="Train a version each week, or none but the first.")] = Retrain.WEEKLY,
    release: Annotated[
        Release, typer.Option(help="Release what passed its gates at 10, 50, 100 % as its guards let it, or all at once.")
    ] = Release.GRADUAL,
    verify: Annotated[bool, typer.Option("--verify", help="Then make every graded number again by the backtest's path.")] = False,
    as_json: Json = False,
) -> None:
    """Live through past days under a simulated clock: ingest, predict, grade, monitor, retrain; killed, it goes on where it was."""
    from nba_ml.context import Context
    from nba_ml.replay.season import replay as live
    from nba_ml.replay.verify import verify as made_again

    span = parse_span(first, last)
    context = Context()
    result = live(context, *span, retrain=retrain.value, release=release.value)
    if verify:
        result |= {"verified": made_again(context, *span)}
    show(result, as_json, _print_season)


def _print_season(result: Mapping[str, Any]) -> None:
    slates, rows, time = result["slates"], result["rows"], result["time"]
    span = f"{result['from']} to {result['to']}"
    columns = ("slates", "predicted", "graded", "with lines", "players", "numbers", "abstained", "blocked", "graded rows", "s a slate")
    counts = [slates[name] for name in ("scheduled", "predicted", "graded", "with_lines")]
    counts += [rows[name] for name in ("population", "predicted", "abstained", "blocked", "graded")]
    print_table(span, columns, [[*counts, time["seconds_a_slate"]]])
    parts = [*result["months"].items(), ("all", result["errors"])]
    names = ("slates", "n", "mae", "baseline_mae", "lined_n", "lined_mae", "line_mae", "line_minus_half_mae")
    print_table(
        "mean absolute error in points; behind it, others on the same rows",
        ("month", "slates", "rows", "MAE", "moving average's", "lined", "MAE", "line's", "line − 0.5"),
        [[month, *(_thousandths(part[name]) for name in names)] for month, part in parts],
    )
    events = ("number", "created_at", "action", "version", "state", "actor")
    print_table("releases", events, [[event[name] for name in events] for event in result["releases"]])
    warned = [
        (alert["cause"], alert["severity"], alert["count"], alert["resolved"], alert["days"][:1], alert["what"])
        for alert in result["alerts"]
    ]
    print_table("alerts", ("cause", "severity", "times", "resolved", "first on", "said"), warned)
    for words, days in (
        ("not predicted", slates["not_predicted"]),
        ("not graded", slates["not_graded"]),
        ("not trained", result["refused"]),
    ):
        for day, why in days.items():
            results.print(f"{day} {words}: {why}", markup=False, soft_wrap=True)
    if "verified" in result:
        found = result["verified"]
        results.print(
            f"{found['rows']:,} graded numbers of {found['slates']} slates and {found['versions']} versions made again by the backtest's path: "
            f"largest difference {found['largest_difference']:.3g} points, of a slate's MAE {found['largest_mae_difference']:.3g}."
        )


def _thousandths(value: object) -> object:
    return f"{value:.3f}" if isinstance(value, float) else value
