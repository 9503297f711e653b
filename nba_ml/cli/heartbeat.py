"""Commands: the heartbeat."""

import typer

from nba_ml.cli.output import Json, results, show


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(heartbeat)


def heartbeat(as_json: Json = False) -> None:
    """Say in one line whether anything is overdue, and the next step; exit status 3 if so. For cron: it needs no scheduler."""
    from nba_ml.context import Context
    from nba_ml.monitoring import heartbeat as library

    found = library.heartbeat(Context())
    show(found, as_json, lambda answer: results.print(library.sentence(dict(answer)), markup=False, soft_wrap=True))
    if not found["ok"]:
        raise typer.Exit(3)
