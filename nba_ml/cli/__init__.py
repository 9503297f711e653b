"""The command `nba-ml`: all that a DAG can do, by hand. Standard output carries the result only."""

import sys

import typer

from nba_ml.cli import alerts, data, evidence, heartbeat, model, monitor, platform, release, replay, slate, tune
from nba_ml.cli.output import report_error
from nba_ml.errors import NbaMlError

app = typer.Typer(
    name="nba-ml",
    help=(
        "NBA player-points predictions, from a data-coverage gate to graded predictions.\n\n"
        "Exit status: 0 done · 1 unexpected error · 2 usage or settings · 3 refused by a gate · 4 bad input data. "
        "Times are America/New_York. Settings: NBA_ML_* variables, see `nba-ml doctor`."
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for group in (platform, data, model, tune, release, evidence, slate, monitor, heartbeat, alerts, replay):
    group.register(app)


def main() -> None:
    """Run the command line, and turn the platform's own errors into their exit status."""
    try:
        app()
    except NbaMlError as error:
        sys.exit(report_error(error, as_json="--json" in sys.argv))
