"""Commands: `nba-ml release …` and `nba-ml registry rebuild`."""

import getpass
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from nba_ml.cli.output import Json, print_table, results, show

Reason = Annotated[str, typer.Option("--reason", help="Why; written to the release log.")]

release = typer.Typer(no_args_is_help=True, help="Show what runs, release a version, go back to an earlier one.")
registry = typer.Typer(no_args_is_help=True, help="The registry's tables for analysts.")


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.add_typer(release, name="release")
    app.add_typer(registry, name="registry")


def _actor() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


@release.command("show")
def show_command(as_json: Json = False) -> None:
    """Show the version in force, the release log and the versions that could run."""
    from nba_ml.context import Context
    from nba_ml.registry import steps

    show(steps.show(Context()), as_json, _show_human)


@release.command("approve")
def approve_command(version: str, reason: Reason, as_json: Json = False) -> None:
    """Release a version that training published."""
    from nba_ml.context import Context
    from nba_ml.registry import steps

    show(steps.approve(Context(), version, actor=_actor(), reason=reason), as_json, _entry_human)


@release.command("rollback")
def rollback_command(
    reason: Reason,
    to: Annotated[str | None, typer.Option("--to", help="Version to go back to; by default the one in force before.")] = None,
    as_json: Json = False,
) -> None:
    """Go back to an earlier version, verified whole before the switch."""
    from nba_ml.context import Context
    from nba_ml.registry import steps

    show(steps.rollback(Context(), actor=_actor(), reason=reason, to=to), as_json, _entry_human)


@registry.command("rebuild")
def rebuild_command(as_json: Json = False) -> None:
    """Write nba_ops.model_registry and nba_ops.release_events anew from the object store."""
    from nba_ml.context import Context
    from nba_ml.registry import projection

    show(projection.rebuild(Context()), as_json, _rebuild_human)


def _show_human(result: Mapping[str, Any]) -> None:
    entry = result["current"]
    if entry is None:
        results.print(f"Nothing is released in {result['environment']}.")
    else:
        results.print(f"{entry['version']} runs in {result['environment']} since {entry['created_at'][:16]} UTC: {entry['reason']}")
    print_table(
        "Versions",
        ["version", "state", "trained until", "gates"],
        [[row["version"], row["state"], row["trained_until"], "passed" if row["passed"] else "refused"] for row in result["versions"]],
    )
    print_table(
        "Release log",
        ["entry", "at (UTC)", "action", "version", "before", "by", "reason"],
        [
            [row["number"], row["created_at"][:16], row["action"], row["version"], row["previous_version"], row["actor"], row["reason"]]
            for row in result["history"]
        ],
    )


def _entry_human(result: Mapping[str, Any]) -> None:
    results.print(f"{result['current']} is in force (entry {result['number']}).")


def _rebuild_human(result: Mapping[str, Any]) -> None:
    print_table(None, ["table", "rows", "new"], [[name, counts["rows"], counts["new"]] for name, counts in result.items()])
