"""How commands speak: results to standard output as tables or JSON, all else to standard error."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from nba_ml.errors import GateRefused, NbaMlError, UsageError

Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document, for machines.")]

_WIDTH_IN_FILES = 160
"""Columns of a table that goes to a file or a pipe, where there is no screen to fit."""

results = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH_IN_FILES)
messages = Console(stderr=True, highlight=False)


def _encode(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} can't be written as JSON")


def print_json(result: object) -> None:
    """Write one JSON document on one line."""
    sys.stdout.write(json.dumps(result, default=_encode, allow_nan=False) + "\n")


def show(result: Mapping[str, Any], as_json: bool, human: Callable[[Mapping[str, Any]], None]) -> None:
    """Print a command's result, for machines or through `human` for people."""
    if as_json:
        print_json(result)
    else:
        human(result)


def print_table(title: str | None, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Print a table; None becomes an empty cell, floats get two decimals."""
    table = Table(title=title, title_justify="left", header_style="bold")
    body = [[_cell(value) for value in row] for row in rows]
    for index, name in enumerate(columns):
        numeric = any(row[index] for row in body) and all(_is_number(row[index]) for row in body if row[index])
        table.add_column(name, justify="right" if numeric else "left")
    for row in body:
        table.add_row(*row)
    results.print(table)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def report_error(error: NbaMlError, as_json: bool) -> int:
    """Say what went wrong on standard error (and a gate's report on standard output, where JSON is asked for); return the exit status."""
    if as_json and isinstance(error, GateRefused) and error.report:
        print_json(error.report)
    messages.print(f"{type(error).__name__}: {error}", style="bold red", markup=False, soft_wrap=True)
    return error.exit_code


def parse_date(text: str) -> date:
    """Read YYYY-MM-DD.

    Raises
    ------
    UsageError
        If it is anything else.
    """
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007  a calendar date has no zone
    except ValueError:
        raise UsageError(f"{text!r} is not a date: write it as YYYY-MM-DD") from None


def parse_span(first: str, last: str) -> tuple[date, date]:
    """Read the two ends of a span.

    Raises
    ------
    UsageError
        If one is no date, or they are the wrong way round.
    """
    start, end = parse_date(first), parse_date(last)
    if end < start:
        raise UsageError(f"--from {start} is after --to {end}: swap them")
    return start, end
