"""One frame through one suite in Great Expectations: what each rule found.

The context is ephemeral and shared by the process, since importing Great Expectations takes most of the time.
"""

import contextlib
from dataclasses import dataclass
from functools import cache
from typing import Any

import polars as pl

from nba_ml.validation.suites import Rule, Suite
from nba_ml.warehouse import schema

SAMPLE = 20
"""Distinct offending values that a result keeps."""


@dataclass(frozen=True)
class Checked:
    """What one rule found.

    Attributes
    ----------
    held : bool
        Whether the rule holds.
    observed : str
        The figure that decided it.
    failed_rows : int or None
        Rows that break it; None for rules on whole tables.
    error : str or None
        Why the rule could not run. Such a rule did not hold.
    """

    rule: Rule
    held: bool
    observed: str
    failed_rows: int | None
    error: str | None = None


@cache
def _context() -> Any:
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    return context


def check(suite: Suite, frame: pl.DataFrame) -> tuple[list[Checked], Any]:
    """Run every rule of a resolved suite.

    Returns
    -------
    list of Checked
        In the suite's order, one per rule.
    ExpectationSuiteValidationResult
        Great Expectations' own result, for the Data Docs page.
    """
    built = suite.to_gx()
    from nba_ml.validation.rules import FRAME

    frame = _typed(suite, frame)
    sources = _context().data_sources
    name = f"{suite.name}_frame"
    with contextlib.suppress(KeyError):
        sources.delete(name)
    batches = sources.add_pandas(name).add_dataframe_asset(suite.name).add_batch_definition_whole_dataframe("all")
    # Arrow-backed columns keep a null apart from NaN, and whole numbers whole.
    pandas = frame.select(_columns(suite, frame)).to_pandas(use_pyarrow_extension_array=True)
    token = FRAME.set(frame)
    try:
        result = batches.get_batch({"dataframe": pandas}).validate(
            built, result_format={"result_format": "SUMMARY", "partial_unexpected_count": SAMPLE}
        )
    finally:
        FRAME.reset(token)
        sources.delete(name)
    found = {item.expectation_config.meta["id"]: item for item in result.results}
    return [_checked(rule, found.get(rule.id)) for rule in suite.rules], result


def _columns(suite: Suite, frame: pl.DataFrame) -> list[str]:
    """Columns that Great Expectations' own types look at; at least one, for the number of rows."""
    named = {name for rule in suite.rules for name in [rule.kwargs.get("column"), *rule.kwargs.get("column_list", [])]}
    return [name for name in frame.columns if name in named] or frame.columns[:1]


def _typed(suite: Suite, frame: pl.DataFrame) -> pl.DataFrame:
    """Give columns that hold nothing at all the type that the table gives them."""
    types = schema.table(suite.table).schema
    return frame.with_columns(pl.col(name).cast(types.get(name, pl.String())) for name, dtype in frame.schema.items() if dtype == pl.Null)


def _checked(rule: Rule, item: Any) -> Checked:
    if item is None:
        return Checked(rule, False, "no result", None, error="Great Expectations gave no result for it")
    error = _exception(item.exception_info)
    if error:
        return Checked(rule, False, "could not run", None, error=error)
    values = item.result
    failed = values.get("unexpected_count")
    if failed is None:
        return Checked(rule, bool(item.success), str(values.get("observed_value")), None)
    observed = values.get("observed_value")
    text = str(observed) if observed is not None else f"{int(failed):,} of {int(values['element_count']):,} rows"
    return Checked(rule, bool(item.success), text, int(failed))


def _exception(info: dict[str, Any] | None) -> str | None:
    """Return the message of a rule that raised; the information comes flat, or by metric where it raised."""
    for part in [info or {}, *(value for value in (info or {}).values() if isinstance(value, dict))]:
        if part.get("raised_exception"):
            return str(part.get("exception_message") or "unknown").strip().splitlines()[0][:300]
    return None
