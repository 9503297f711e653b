"""A suite as a gate: its rules' findings become one verdict, and are written down where people look for them."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from nba_ml import calendar
from nba_ml.context import Context
from nba_ml.errors import GateRefused
from nba_ml.validation import docs_site, engine, quarantine
from nba_ml.validation.engine import Checked
from nba_ml.validation.suites import Suite, load_suite
from nba_ml.warehouse.schema import table

log = logging.getLogger(__name__)

RUNS = "nba_ops.validation_runs"
FEATURES = "nba_predictions.ml_feature_store_v2"


@dataclass(frozen=True)
class Outcome:
    """One rule of one run, judged.

    Attributes
    ----------
    effect : {"pass", "stop", "quarantine", "warn"}
        What the rule does to the run. A rule that could not run stops it, whatever its severity; so does a quarantine above its cap.
    detail : str
        The figure, and why a rule of lower severity stops.
    """

    rule: str
    type: str
    columns: str
    severity: str
    effect: str
    detail: str
    failed_rows: int | None
    cap: float | None
    reason: str

    @property
    def line(self) -> str:
        """The outcome in one line."""
        mark = {"stop": "BLOCK", "quarantine": "kept out", "warn": "warn", "pass": "pass"}[self.effect]
        return f"{mark} {self.rule} [{self.columns}]: {self.detail} ({self.reason})"


@dataclass(frozen=True)
class Verdict:
    """What a suite says about a frame.

    Attributes
    ----------
    passed : bool
        No rule stops the run.
    kept : DataFrame
        Rows that broke no quarantine rule.
    quarantined : int
        Rows that broke one.
    failed, warned : list of str
        Ids of the rules that stop the run, and of those that only warn.
    docs_url : str or None
        Data Docs page of the run.
    summary : str
        One line per rule that did not hold.
    report : dict
        The suite's entry in the JSON of ``nba-ml validate``.
    """

    suite: str
    passed: bool
    kept: pl.DataFrame
    quarantined: int
    failed: list[str]
    warned: list[str]
    docs_url: str | None
    summary: str
    next_step: str
    outcomes: list[Outcome] = field(default_factory=list)
    rows: int = 0

    @property
    def report(self) -> dict[str, Any]:
        """The suite's entry in the JSON of ``nba-ml validate``."""
        return {
            "suite": self.suite,
            "rows": self.rows,
            "passed": self.passed,
            "failed": self.failed,
            "warned": self.warned,
            "quarantined": self.quarantined,
            "docs_url": self.docs_url,
        }

    def raise_if_stopped(self) -> None:
        """Raise `GateRefused`, with every rule that stops the run, if there is one."""
        if self.passed:
            return
        stops = "\n".join(f"  {outcome.line}" for outcome in self.outcomes if outcome.effect == "stop")
        rules = ", ".join(outcome.rule for outcome in self.outcomes if outcome.effect == "stop")
        page = f"Rows and figures: {self.docs_url}\n" if self.docs_url else ""
        raise GateRefused(
            f"suite {self.suite} stops the run ({self.rows:,} rows) by {rules}:\n{stops}\n{page}Next: {self.next_step}",
            report={"passed": False, "suites": [self.report]},
        )


def run_suite(
    context: Context,
    suite: str,
    frame: pl.DataFrame,
    *,
    run: str,
    key_columns: Sequence[str] | None = None,
    features: Sequence[str] | None = None,
    parameters: Mapping[str, Any] | None = None,
    keep_out: bool = True,
) -> Verdict:
    """Check a frame, and write down results, offending rows and the Data Docs page.

    Parameters
    ----------
    suite : str
        Name of a file in ``expectations/``.
    frame : DataFrame
        Rows of the suite's table, or rows to be.
    run : str
        Name of the run, as in ``ingest:2024-01-05:2024-01-05``. The same run again replaces its results.
    key_columns : sequence of str, optional
        Columns that name a row on the page; the suite's key by default.
    features : sequence of str, optional
        Features that ``$features`` stands for; those of the feature store by default.
    parameters : mapping, optional
        Values for the suite's own parameters.
    keep_out : bool
        Whether offending rows go to nba_ops.quarantine; False for reports on rows that are stored already.

    Raises
    ------
    UsageError
        If there is no such suite, its file is wrong or a parameter is unknown.
    """
    resolved = load_suite(suite).resolved(features or table(FEATURES).features, parameters)
    checked, result = engine.check(resolved, frame)
    outcomes, masks = _judge(resolved, checked, frame)
    broken = pl.repeat(False, frame.height, dtype=pl.Boolean, eager=True)
    for outcome in outcomes:
        if outcome.effect == "quarantine":
            broken = broken | masks[outcome.rule]
    failed = [outcome.rule for outcome in outcomes if outcome.effect == "stop"]
    now = calendar.now()
    keys = tuple(key_columns) if key_columns else resolved.key
    docs_url = docs_site.publish(context.store, resolved, outcomes, masks, frame, keys, result, run, now)
    context.warehouse.upsert(RUNS, _run_rows(resolved, outcomes, frame.height, run, docs_url, now))
    if keep_out and not failed and broken.any():
        rules = {rule.id: rule for rule in resolved.rules}
        found = [(rules[outcome.rule], masks[outcome.rule]) for outcome in outcomes if outcome.effect == "quarantine"]
        rows = quarantine.entries(resolved, found, frame, run, now)
        context.warehouse.append(quarantine.TABLE, table(quarantine.TABLE).conform(rows))
    verdict = Verdict(
        suite=suite,
        passed=not failed,
        kept=frame.filter(~broken),
        quarantined=int(broken.sum()),
        failed=failed,
        warned=[outcome.rule for outcome in outcomes if outcome.effect == "warn"],
        docs_url=docs_url,
        summary=_summary(suite, outcomes, frame.height),
        next_step=resolved.next_step,
        outcomes=outcomes,
        rows=frame.height,
    )
    (log.info if verdict.passed else log.error)("%s\nData Docs: %s", verdict.summary, docs_url)
    return verdict


def _judge(suite: Suite, checked: list[Checked], frame: pl.DataFrame) -> tuple[list[Outcome], dict[str, pl.Series]]:
    """Turn findings into effects; return with them the offending rows of each row rule that did not hold."""
    outcomes, masks = [], {}
    for item in checked:
        rule, effect, detail = item.rule, "pass", item.observed
        if item.error:
            effect, detail = "stop", f"could not run: {item.error}"
        elif not item.held:
            effect = rule.severity
            if item.failed_rows:
                masks[rule.id] = quarantine.offending(rule, frame)
                detail, effect = _row_effect(item, int(masks[rule.id].sum()), frame.height)
        outcomes.append(
            Outcome(rule.id, rule.type, _columns(rule.kwargs), rule.severity, effect, detail, item.failed_rows, rule.cap, rule.reason)
        )
    return outcomes, masks


def _row_effect(item: Checked, counted: int, rows: int) -> tuple[str, str]:
    rule = item.rule
    if counted != item.failed_rows:
        return f"could not run: Great Expectations counts {item.failed_rows:,} rows, the quarantine {counted:,}", "stop"
    if rule.severity == "quarantine" and rule.cap is not None and counted > rule.cap * rows:
        return f"{item.observed}, {counted / rows:.1%} is above the cap of {rule.cap:.0%}", "stop"
    return item.observed, rule.severity


def _columns(kwargs: Mapping[str, Any]) -> str:
    for name in ("column", "column_list", "columns", "group", "condition"):
        value = kwargs.get(name)
        if isinstance(value, list) and len(value) > 6:
            return f"{len(value)} columns"
        if value:
            return ", ".join(value) if isinstance(value, list) else str(value)
    return "table"


def _summary(suite: str, outcomes: Sequence[Outcome], rows: int) -> str:
    order = ("stop", "quarantine", "warn")
    counts = [sum(outcome.effect == effect for outcome in outcomes) for effect in order]
    if not any(counts):
        return f"{suite}: all {len(outcomes)} rules hold on {rows:,} rows"
    head = f"{suite}: {counts[0]} rules stop, {counts[1]} keep rows out, {counts[2]} warn ({rows:,} rows)"
    return "\n".join([head, *(f"  {outcome.line}" for effect in order for outcome in outcomes if outcome.effect == effect)])


def _run_rows(suite: Suite, outcomes: Sequence[Outcome], rows: int, run: str, docs_url: str | None, now: object) -> pl.DataFrame:
    records = [
        {
            "run": run,
            "suite": suite.name,
            "rule": outcome.rule,
            "severity": "stop" if outcome.effect == "stop" else outcome.severity,
            "passed": outcome.effect == "pass",
            "rows": rows,
            "failed_rows": outcome.failed_rows,
            "observed": outcome.detail,
            "reason": outcome.reason,
            "docs_url": docs_url,
            "checked_at": now,
        }
        for outcome in outcomes
    ]
    return table(RUNS).conform(pl.DataFrame(records, infer_schema_length=None))
