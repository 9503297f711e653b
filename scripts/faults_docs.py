"""Write docs/faults.md from the fault calendar; with --check, only tell whether it is up to date.

The page is generated from what the tests hold the platform to, so that it can't say anything else.
"""

import sys
from collections.abc import Iterator

from airflow_home import ROOT

sys.path.insert(0, str(ROOT))

from tests.faults.declared import FAULTS, KINDS, Fault

PAGE = ROOT / "docs" / "faults.md"
COMMAND = "python scripts/faults_docs.py"

_INTRODUCTION = f"""\
# The fault calendar

Generated from `tests/faults/declared.py` by `{COMMAND}`: change the calendar, not this page.

What goes wrong sooner or later, {len(FAULTS)} times, and what it leads to. Each row has a test of its own, which plays the fault on two days of the
simulated league. No process of Airflow takes part: `tests/faults/machine.py` calls the functions behind the DAGs' tasks in their order, a slate's
inputs read once for all of them, asks the DAGs' retry policy after each error, and calls their notifier as a callback would. A killed task is a
process that gets a real SIGKILL, a restarted scheduler is the same functions called again, two runs at once are two threads in `publish`. What fails
is run twice. The DAGs themselves are run in `tests/dags`. The test holds the platform to the row:

- **published**: the rows that are not blocked are compared with those of the same days without the fault, number by number; none is wrong.
- **alerts**: these causes and no others, one row of `nba_ops.alerts` each, told once as they open. One that begins with `task.` is written when the
  task has failed for good.
- **what a person does**: the alert or the error names the command.

`D` is the slate that is predicted, `D-1` the one before, whose results are due. Suites, tables and thresholds: [expectations.md](expectations.md),
[tables.md](tables.md), `nba_ml/gates.toml`. Severities, channels, and when an alert is told again: [alerts.md](alerts.md). What is due when:
[rhythm.md](rhythm.md)."""


def page() -> str:
    """Return the whole page."""
    lines = [_INTRODUCTION]
    for kind, headline in KINDS.items():
        lines += [
            "",
            f"## {headline}",
            "",
            "| fault | published | alerts | the command that is named | what a person does | test |",
            "|---|---|---|---|---|---|",
        ]
        lines += [row(fault) for fault in FAULTS if fault.kind == kind]
    return "\n".join(lines) + "\n"


def row(fault: Fault) -> str:
    """Return one fault's line."""
    test = f"[{fault.name}](../tests/faults/test_{fault.kind}.py)"
    alerts = "<br>".join(codes(fault.alerts)) or "none"
    command = next(codes([fault.command])) if fault.command else "–"
    return f"| {fault.what} | {fault.published} | {alerts} | {command} | {fault.person} | {test} |"


def codes(texts: tuple[str, ...] | list[str]) -> Iterator[str]:
    """Yield texts as code, with the dates by their names."""
    yield from (f"`{text.format(slate='D-1', next='D')}`" for text in texts)


def main(arguments: list[str]) -> int:
    """Write or check the page; return the exit status."""
    text = page()
    if arguments == ["--check"]:
        if not PAGE.exists() or PAGE.read_text("utf-8") != text:
            sys.stderr.write(f"docs/faults.md is not what the fault calendar says: {COMMAND}\n")
            return 1
        return 0
    PAGE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
