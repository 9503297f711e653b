"""Commands: `nba-ml release …` and `nba-ml registry rebuild`."""

import getpass
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from nba_ml.cli.output import Json, print_table, show

Reason = Annotated[str, typer.Option("--reason", help="Why; written to the release log.")]
Named = Annotated[str, typer.Argument(metavar="VERSION", help="Model version, as `release show` lists them.")]

release = typer.Typer(no_args_is_help=True, help="Show what runs, release a version step by step, go back to an earlier one.")
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
    """Show what runs where, since when and why, the shares, the history as a timeline, and the versions that could run."""
    from nba_ml.cli.release_tables import print_release
    from nba_ml.context import Context
    from nba_ml.registry.showing import show as shown

    show(shown(Context()), as_json, print_release)


@release.command("approve")
def approve_command(
    version: Named,
    reason: Reason,
    share: Annotated[
        float | None, typer.Option("--share", help="0.1, 0.5 or 1.0 of the rows; default 0.1, or all where nothing serves.")
    ] = None,
    shadow: Annotated[bool, typer.Option("--shadow", help="Have it score along only; nothing of it is published.")] = False,
    at_once: Annotated[bool, typer.Option("--at-once", help="Let --share skip steps and their evidence.")] = False,
    as_json: Json = False,
) -> None:
    """Release a version that training published: 10 % of the rows first, everything where nothing serves yet."""
    from nba_ml.errors import UsageError
    from nba_ml.registry import steps

    if shadow and (share is not None or at_once):
        raise UsageError("--shadow publishes nothing: leave --share and --at-once out")
    if shadow:
        _decide(steps.shadow, as_json, version, reason=reason)
    else:
        _decide(steps.approve, as_json, version, reason=reason, share=share, at_once=at_once)


@release.command("shadow")
def shadow_command(version: Named, reason: Reason, as_json: Json = False) -> None:
    """Have a version score every slate beside the published ones; nothing of it is published."""
    from nba_ml.registry import steps

    _decide(steps.shadow, as_json, version, reason=reason)


@release.command("reject")
def reject_command(version: Named, reason: Reason, as_json: Json = False) -> None:
    """Note that a version that training published shall not run."""
    from nba_ml.registry import steps

    _decide(steps.reject, as_json, version, reason=reason)


@release.command("advance")
def advance_command(
    reason: Reason,
    version: Annotated[str | None, typer.Argument(metavar="[VERSION]", help="Default: the challenger, else the only shadow.")] = None,
    as_json: Json = False,
) -> None:
    """Take a version one step further: shadow, 10 %, 50 %, 100 %."""
    from nba_ml.registry import steps

    _decide(steps.advance, as_json, version, reason=reason)


@release.command("rollback")
def rollback_command(
    reason: Reason,
    to: Annotated[str | None, typer.Option("--to", help="Version to go back to; by default the last good one.")] = None,
    as_json: Json = False,
) -> None:
    """Take the challenger out, else go back to the version before; what is gone back to is verified whole before the switch."""
    from nba_ml.registry import steps

    _decide(steps.rollback, as_json, reason=reason, to=to)


@release.command("retire")
def retire_command(version: Named, reason: Reason, as_json: Json = False) -> None:
    """End a shadow or an earlier version: no rollback goes back to it by itself."""
    from nba_ml.registry import steps

    _decide(steps.retire, as_json, version, reason=reason)


@release.command("pin")
def pin_command(version: Named, reason: Reason, as_json: Json = False) -> None:
    """Freeze what runs: nothing advances or is released until `unpin`; rolling back stays possible."""
    from nba_ml.registry import steps

    _decide(steps.pin, as_json, version, reason=reason)


@release.command("unpin")
def unpin_command(reason: Reason, as_json: Json = False) -> None:
    """End a pin."""
    from nba_ml.registry import steps

    _decide(steps.unpin, as_json, reason=reason)


@release.command("promote")
def promote_command(
    version: Named,
    to: Annotated[str, typer.Option("--to", metavar="ENVIRONMENT", help="dev, staging or production.")],
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Make a version that was at 100 % here a candidate of another environment, the same bytes; it is approved there."""
    from nba_ml.registry import steps

    _decide(steps.promote, as_json, version, to, reason=reason)


@registry.command("rebuild")
def rebuild_command(as_json: Json = False) -> None:
    """Write nba_ops.model_registry and nba_ops.release_events anew from the object store."""
    from nba_ml.context import Context
    from nba_ml.registry import projection

    show(projection.rebuild(Context()), as_json, _rebuild_human)


def _decide(step: Callable[..., Mapping[str, Any]], as_json: bool, *arguments: str | None, **options: object) -> None:
    """Take one decision, in the name of whoever is logged in."""
    from nba_ml.cli.release_tables import print_answer
    from nba_ml.context import Context

    show(step(Context(), *arguments, actor=_actor(), **options), as_json, print_answer)


def _rebuild_human(result: Mapping[str, Any]) -> None:
    print_table(None, ["table", "rows", "new"], [[name, counts["rows"], counts["new"]] for name, counts in result.items()])
