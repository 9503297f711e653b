"""Rows that break a row rule: which ones they are, and how they are written down."""

import json
from collections.abc import Iterable
from datetime import datetime

import polars as pl

from nba_ml.ids import digest
from nba_ml.validation import measures
from nba_ml.validation.suites import Rule, Suite
from nba_ml.warehouse import schema

TABLE = "nba_ops.quarantine"


def offending(rule: Rule, frame: pl.DataFrame) -> pl.Series:
    """Tell which rows break a row rule.

    Great Expectations returns a sample of them at a bearable price; this returns all.

    Returns
    -------
    Series of bool
        One value per row of the frame.
    """
    given = rule.kwargs
    if rule.type == "expect_rows_to_satisfy":
        return measures.breaks(frame, given["condition"])
    if rule.type == "expect_no_modal_value":
        return measures.modal_rows(
            frame, given["column"], given.get("per", []), given.get("entity", []), given["max_share"], given["min_rows"]
        )
    if rule.type == "expect_compound_columns_to_be_unique":
        known = ~pl.all_horizontal(pl.col(name).is_null() for name in given["column_list"])
        return frame.select(mask=pl.struct(given["column_list"]).is_duplicated() & known).get_column("mask")
    column = pl.col(given["column"])
    known = column.is_not_null()
    if rule.type == "expect_column_values_to_not_be_null":
        mask = ~known
    elif rule.type == "expect_column_values_to_be_unique":
        mask = known & column.is_duplicated()
    elif rule.type == "expect_column_values_to_be_in_set":
        mask = known & ~column.is_in(given["value_set"])
    elif rule.type == "expect_column_values_to_be_between":
        low, high = given.get("min_value"), given.get("max_value")
        within = pl.lit(value=True) if low is None else column >= low
        within = within if high is None else within & (column <= high)
        if frame.schema[given["column"]].is_float():
            within = within & column.is_not_nan()
        mask = known & ~within
    else:
        raise ValueError(f"{rule.type} judges no single row")
    return frame.select(mask=mask).get_column("mask")


def entries(suite: Suite, found: Iterable[tuple[Rule, pl.Series]], frame: pl.DataFrame, run: str, at: datetime) -> pl.DataFrame:
    """Write down offending rows as rows of nba_ops.quarantine.

    A row is named by its `id`, or by the hash of its content, so that the same row found again is the same entry.
    """
    return written_down(((suite.name, rule.id, rule.reason, frame.filter(mask)) for rule, mask in found), run, at)


def written_down(found: Iterable[tuple[str, str, str, pl.DataFrame]], run: str, at: datetime) -> pl.DataFrame:
    """Write down rows that are kept out, given as name of the suite or table, rule, reason and rows."""
    records = []
    for suite, rule, reason, rows in found:
        for row in rows.iter_rows(named=True):
            text = json.dumps(row, default=str, sort_keys=True, ensure_ascii=False)
            game_date = row.get("game_date", row.get("slate_date"))
            records.append((suite, rule, row.get("id") or digest([text]), game_date, run, text, reason, at))
    types = schema.table(TABLE).schema
    names = ["suite", "rule", "row_id", "game_date", "run", "row", "reason", "quarantined_at"]
    entries = pl.DataFrame(records, schema={name: types[name] for name in names}, orient="row")
    return entries.unique(["suite", "rule", "row_id"], keep="first", maintain_order=True)
