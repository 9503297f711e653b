"""Commands: `nba-ml alerts …`."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from nba_ml.cli.output import Json, print_table, results, show

alerts = typer.Typer(invoke_without_command=True, help="List what somebody has to look at; tell it to Slack; close it.")


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.add_typer(alerts, name="alerts")


@alerts.callback()
def list_command(
    ctx: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Also what is over.")] = False,
    as_json: Json = False,
) -> None:
    """List what somebody has to look at, urgent things first, each with the next step."""
    if ctx.invoked_subcommand:
        return
    from nba_ml import alerts as library
    from nba_ml.context import Context
    from nba_ml.notices.health import health

    context = Context()
    found = library.all_alerts(context) if everything else library.open_alerts(context)
    show({"alerts": found.drop("id", "occasions").to_dicts(), "slack": health(context)}, as_json, _show_alerts)


@alerts.command("send")
def send_command(as_json: Json = False) -> None:
    """Tell Slack what it was not told yet; what it does not take is kept."""
    from nba_ml.context import Context
    from nba_ml.notices.delivery import deliver

    done = deliver(Context())
    show(done, as_json, _show_delivery)
    if done["failed"]:
        raise typer.Exit(1)


@alerts.command("close")
def close_command(
    cause: Annotated[str, typer.Argument(metavar="CAUSE", help="As `nba-ml alerts` lists it.")],
    reason: Annotated[str, typer.Option("--reason", help="How it ended; told as the recovery.")],
    as_json: Json = False,
) -> None:
    """Close an alert that nothing closes by itself; the same cause again opens it again."""
    from nba_ml import alerts as library
    from nba_ml.context import Context
    from nba_ml.errors import UsageError

    closed = library.resolve(Context(), cause, reason)
    if closed is None:
        raise UsageError(f"no alert with the cause {cause!r} is open: `nba-ml alerts` lists those that are")
    show(closed, as_json, lambda row: results.print(f"{row['cause']} is closed.", markup=False, soft_wrap=True))


def _show_alerts(found: Mapping[str, Any]) -> None:
    from nba_ml.calendar import NEW_YORK

    def local(moment: Any) -> str | None:
        return f"{moment.astimezone(NEW_YORK):%Y-%m-%d %H:%M}" if moment else None

    if not found["alerts"]:
        results.print("Nothing is wrong that anybody has been told of.")
    for row in found["alerts"]:
        over = f", over since {local(row['resolved_at'])}" if row["resolved_at"] else ""
        title = f"{row['severity']} · {row['cause']} · {row['count']} × since {local(row['opened_at'])}{over}"
        facts = {name: row[name] for name in ("what", "blocks", "figure", "threshold", "link", "next_step", "resolution")}
        facts["next_step"] = None if row["resolved_at"] else facts["next_step"]
        print_table(title, ("", ""), ((name.replace("_", " "), value) for name, value in facts.items() if value is not None))
    _show_slack(found["slack"])


def _show_slack(slack: Mapping[str, Any]) -> None:
    from nba_ml.notices.health import SET_UP

    for said in slack["down"]:
        results.print(said, markup=False, soft_wrap=True)
    if slack["waiting"] or slack["files"]:
        results.print(f"{slack['waiting'] + slack['files']} are still to be told: nba-ml alerts send", markup=False, soft_wrap=True)
    for cause, reason in slack["refused"].items():
        results.print(f"Slack takes no message about {cause} ({reason}): read it here", markup=False, soft_wrap=True)
    for path in slack["unreadable"]:
        results.print(f"Nothing could be made of {path}: read what it says, then delete it", markup=False, soft_wrap=True)
    if not slack["configured"]:
        results.print(f"No Slack webhook is set here: {SET_UP}", markup=False, soft_wrap=True)


def _show_delivery(done: Mapping[str, Any]) -> None:
    from nba_ml.notices.health import SET_UP

    results.print(f"{done['told']} alerts were told in {done['messages']} messages; {done['waiting']} are still to be told.")
    if done["refused"]:
        results.print(f"{done['refused']} were refused by Slack for what they say: nba-ml alerts", markup=False, soft_wrap=True)
    for channel, reason in done["failed"].items():
        results.print(f"{channel}: Slack did not take the message: {reason}", markup=False, soft_wrap=True)
    if not done["configured"]:
        results.print(f"No Slack webhook is set here: {SET_UP}", markup=False, soft_wrap=True)
