"""Commands: a slate, predicted and graded."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import typer

from nba_ml.cli.output import Json, parse_date, results, show
from nba_ml.errors import UsageError

_Slate = Annotated[str, typer.Option("--slate", metavar="DATE", help="Date of the games in New York, YYYY-MM-DD.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(predict)
    app.command()(grade)


def predict(
    slate: _Slate,
    mode: Annotated[str | None, typer.Option(metavar="live|replay", help="Default: live before the first tip-off, else replay.")] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Use only what was known then (New York, or with an offset); default: now, or a live run's lead."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Predict a slate with every system and publish it; exit status 3 when a gate refuses it."""
    from nba_ml.context import Context
    from nba_ml.slate import steps

    day = parse_date(slate)
    context = Context()
    show(steps.predict(context, day, mode or "auto", parse_time(as_of)), as_json, lambda result: _show_predicted(context, result))


def grade(slate: _Slate, as_json: Json = False) -> None:
    """Grade every prediction of a slate against results and lines; exit status 3 when no result is in."""
    from nba_ml.context import Context
    from nba_ml.grading import grade as run_grade

    show(run_grade(Context(), parse_date(slate)), as_json, _show_graded)


def parse_time(text: str | None) -> datetime | None:
    """Read a time, New York's where it carries no offset.

    Raises
    ------
    UsageError
        If it is none.
    """
    from nba_ml.calendar import NEW_YORK

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a time: write it as 2025-01-05T17:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=NEW_YORK)


def _show_predicted(context: Any, result: Mapping[str, Any]) -> None:
    from nba_ml.cli.slate_tables import print_picks
    from nba_ml.slate.publishing import published

    if not result["games"]:
        results.print(f"No games on {result['slate_date']}: nothing to predict.")
        return
    title = f"{result['slate_date']} · {result['mode']} as of {result['as_of']} · {result['games']} games · model {result['model_version']}"
    print_picks(title, published(context, result))
    results.print(
        f"{result['population']} players: {result['predicted']} predicted, {result['abstained']} abstained, {result['blocked']} blocked. "
        f"{result['published']} rows published as run {result['run_key']}."
    )
    if result["stale_teams"]:
        results.print(f"Last result missing, players blocked: {', '.join(result['stale_teams'])}.")
    if result["unplaced"]:
        results.print(f"With a line, but of no known team of this slate: {', '.join(result['unplaced'])}.")


def _show_graded(result: Mapping[str, Any]) -> None:
    from nba_ml.cli.slate_tables import print_systems

    if not result["runs"]:
        results.print(f"{result['slate_date']} was never predicted: nba-ml predict --slate {result['slate_date']}")
        return
    print_systems(f"{result['slate_date']} · last run of {result['runs']}", result["systems"])
    results.print(f"{result['graded']} grades, {result['new']} of them new; {result['void']} void, {result['push']} push.")
    if result["waiting"]:
        results.print(f"Waiting for results of {', '.join(result['waiting'])}.")
