"""Commands: platform."""

import sys
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nba_ml.cli.output import Json, print_json, print_table, results, show
from nba_ml.errors import UsageError

if TYPE_CHECKING:
    import polars as pl


class Format(StrEnum):
    """Forms of a query's result."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(doctor)
    app.command()(init)
    app.command()(sql)
    app.command()(questions)


def doctor(as_json: Json = False) -> None:
    """Check settings, versions and connections; say what is wrong and the next step."""
    from nba_ml.doctor import diagnose

    found = diagnose()
    show(found, as_json, _show_findings)
    if not found["ok"]:
        raise typer.Exit(found["exit_status"])


def init(as_json: Json = False) -> None:
    """Create or evolve all tables and views; repeating it changes nothing."""
    from nba_ml.context import Context

    context = Context()
    done = context.warehouse.ensure()
    show({"warehouse": context.settings.warehouse, "done": done}, as_json, _show_done)


def sql(
    statement: Annotated[
        str | None, typer.Argument(help='One SELECT, WITH, SHOW or DESCRIBE, as in "SELECT * FROM nba_predictions.v_slate_coverage".')
    ] = None,
    question: Annotated[
        str | None, typer.Option(help="Run the SQL of a question in place of a statement; `nba-ml questions` lists them.")
    ] = None,
    output: Annotated[Format, typer.Option("--format", help="Form of the result; json is a list of rows.")] = Format.TABLE,
    as_json: Json = False,
) -> None:
    """Query the warehouse, read only."""
    from nba_ml.context import Context
    from nba_ml.warehouse.questions import question as known

    form = Format.JSON if as_json else output
    if form is Format.PARQUET and sys.stdout.isatty():
        raise UsageError('parquet is bytes, not text: send it to a file, as in `nba-ml sql "…" --format parquet > rows.parquet`')
    if question is not None and statement is None:
        statement = known(question).sql
    elif question is not None or statement is None:
        raise UsageError("give either a statement or --question NAME: `nba-ml questions` lists the questions")
    _WRITERS[form](Context().warehouse.query(statement))


def questions(as_json: Json = False) -> None:
    """List the questions of analysts and people on call that `nba-ml sql --question` answers."""
    from nba_ml.warehouse.questions import questions as known

    listed = [{"name": each.name, "question": each.text, "asked_by": each.asked_by} for each in known().values()]
    show({"questions": listed}, as_json, _show_questions)


def _show_findings(found: Mapping[str, Any]) -> None:
    print_table("Settings", ("variable", "value"), found["settings"].items())
    print_table("Versions", ("package", "version"), found["versions"].items())
    print_table("Checks", ("check", "", "detail"), ((c["check"], _verdict(c), c["detail"]) for c in found["checks"]))
    for check in found["checks"]:
        if check["next"]:
            results.print(f"{check['check']}: next step: {check['next']}", markup=False, soft_wrap=True)


def _verdict(check: Mapping[str, Any]) -> str:
    if check["ok"]:
        return "could be better" if check["next"] else "ok"
    return "WRONG"


def _show_done(result: Mapping[str, Any]) -> None:
    for sentence in result["done"]:
        results.print(sentence, markup=False, soft_wrap=True)
    results.print(f"{result['warehouse']}: tables and views are as this version needs them", markup=False, soft_wrap=True)


def _show_questions(result: Mapping[str, Any]) -> None:
    print_table(None, ("name", "question", "asked by"), (each.values() for each in result["questions"]))
    results.print("nba-ml sql --question NAME answers one; docs/questions.md says how to read the answers", markup=False, soft_wrap=True)


def _write_table(frame: "pl.DataFrame") -> None:
    print_table(None, frame.columns, frame.iter_rows())


def _write_csv(frame: "pl.DataFrame") -> None:
    import polars as pl

    nested = [name for name, dtype in frame.schema.items() if dtype.is_nested()]
    as_text = frame.with_columns(pl.col(name).map_elements(lambda value: str(list(value)), pl.String) for name in nested)
    sys.stdout.write(as_text.write_csv())


def _write_json(frame: "pl.DataFrame") -> None:
    import polars as pl
    from polars import selectors

    finite = frame.with_columns(selectors.float().map_batches(lambda column: column.set(~column.is_finite(), None)))
    print_json(finite.with_columns(selectors.time().cast(pl.String), selectors.binary().bin.encode("hex")).to_dicts())


def _write_parquet(frame: "pl.DataFrame") -> None:
    frame.write_parquet(sys.stdout.buffer)
    sys.stdout.buffer.flush()


_WRITERS: dict[Format, Callable[["pl.DataFrame"], None]] = {
    Format.TABLE: _write_table,
    Format.CSV: _write_csv,
    Format.JSON: _write_json,
    Format.PARQUET: _write_parquet,
}
