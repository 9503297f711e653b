"""Write the figures of docs/growth.md: bytes that BigQuery would read, cost, storage and task time at 1×, 10×, 100× and 1,000×.

With --measure, the chain of one slate is run again on a copy of the demo's home (`make demo` first; two minutes), every call of the warehouse
is counted, and the counts go to docs/growth.json. Otherwise the page's figures are worked out anew from that file and the prices
and factors below; with --check, it is only told whether they are up to date.
"""

import argparse
import json
import re
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from nba_ml.errors import NbaMlError

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "growth.md"
COUNTS = ROOT / "docs" / "growth.json"
COMMAND = "python scripts/growth.py"

DOLLARS_PER_TIB = 6.25
"""On-demand price of bytes read, US multi-region; the first TiB of a month is free, which is left out here."""

DOLLARS_PER_GIB_MONTH = 0.02
"""Price of active logical storage; half of it for a partition that nothing changed for 90 days."""

LEAST_BYTES = 10 * 2**20
"""What a statement is billed for each table that it names, at least."""

SLATES_A_SEASON = 210
"""Dates with games in a season, playoffs included."""

MIB, GIB, TIB = 2**20, 2**30, 2**40


@dataclass(frozen=True)
class Scenario:
    """One size of the platform; leagues × markets × runs ÷ 2 is its factor."""

    name: str
    leagues: int
    markets: int
    runs: int

    @property
    def predictions(self) -> int:
        """Runs of nba_predict a day."""
        return self.leagues * self.markets * self.runs


SCENARIOS = (
    Scenario("1×: one league, points, two runs a slate", 1, 1, 2),
    Scenario("10×: five leagues, two markets", 5, 2, 2),
    Scenario("100×: ten leagues, five markets, four runs", 10, 5, 4),
    Scenario("1,000×: twenty leagues, five markets, hourly", 20, 5, 20),
)


def billed(statements: list[dict[str, int]]) -> int:
    """Return the bytes that statements are billed, each given as table → bytes read of it."""
    return sum(max(size, LEAST_BYTES) for tables in statements for size in tables.values())


def daily(counts: dict[str, Any], scenario: Scenario) -> dict[str, float]:
    """Work out one day of a scenario: a prediction per league, market and run; ingestion and features per league; training once a week."""
    a_league = {"nba_ingest": 1.0}
    a_market = {"nba_predict": scenario.runs, "nba_grade": 1.0, "nba_train": 1 / 7}
    times = {dag: scenario.leagues * n for dag, n in a_league.items()} | {
        dag: scenario.leagues * scenario.markets * n for dag, n in a_market.items()
    }
    steps = [(times[step["dag"]], step) for step in counts["steps"]]
    return {
        "bytes": sum(n * billed(step["statements"]) for n, step in steps),
        "statements": sum(n * len(step["statements"]) for n, step in steps),
        "loads": sum(n * sum("load" in tables for tables in step["statements"]) for n, step in steps),
        "tasks": sum(n for n, _ in steps),
        "seconds": sum(n * step["seconds"] for n, step in steps),
        "stored": scenario.leagues * sum(table["bytes_a_slate"] * growth(name, scenario) for name, table in counts["tables"].items()),
    }


def growth(table: str, scenario: Scenario) -> int:
    """Return how often a league's rows of one slate are written: facts once, quotes and backtests per market, predictions per run too."""
    if table.endswith((".system_predictions", ".player_prop_predictions", ".prediction_accuracy", ".validation_runs")):
        return scenario.markets * scenario.runs
    return scenario.markets if table.endswith((".prop_lines", ".backtest_predictions", ".ml_feature_store_v2")) else 1


def figures(counts: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the page that are worked out."""
    yield from ("Measured on the demo's made-up league, a slate of 6 games in its sixth season:", "")
    yield from ("| table | rows | rows a slate | bytes a row | MiB in all |", "|---|---|---|---|---|")
    for name, table in sorted(counts["tables"].items(), key=lambda item: -item[1]["bytes"]):
        a_row = table["bytes"] / max(table["rows"], 1)
        yield f"| {name} | {table['rows']:,} | {table['rows_a_slate']:,.0f} | {a_row:,.0f} | {table['bytes'] / MIB:,.1f} |"
    yield from ("", "| DAG | tasks | seconds here | statements | MiB read | MiB billed |", "|---|---|---|---|---|---|")
    for dag in dict.fromkeys(step["dag"] for step in counts["steps"]):
        steps = [step for step in counts["steps"] if step["dag"] == dag]
        statements = [statement for step in steps for statement in step["statements"]]
        read = sum(sum(tables.values()) for tables in statements) / MIB
        seconds = sum(step["seconds"] for step in steps)
        yield f"| {dag} | {len(steps)} | {seconds:,.0f} | {len(statements)} | {read:,.0f} | {billed(statements) / MIB:,.0f} |"
    header = ["size", "nba_predict runs", "tasks", "statements", "load jobs", "GiB billed", "$", "task hours", "GiB stored a season"]
    header.append("$ a month for it")
    yield from ("", "Worked out from that, a day:", "", f"| {' | '.join(header)} |", f"|{'---|' * len(header)}")
    for scenario in SCENARIOS:
        day = daily(counts, scenario)
        stored = day["stored"] * SLATES_A_SEASON / GIB
        yield (
            f"| {scenario.name} | {scenario.predictions:,} | {day['tasks']:,.0f} | {day['statements']:,.0f} | {day['loads']:,.0f} | "
            f"{day['bytes'] / GIB:,.1f} | {day['bytes'] / TIB * DOLLARS_PER_TIB:,.2f} | {day['seconds'] / 3600:,.1f} | "
            f"{stored:,.1f} | {stored * DOLLARS_PER_GIB_MONTH:,.2f} |"
        )


def page(text: str, counts: dict[str, Any]) -> str:
    """Return the page with its worked-out part made anew."""
    made = "\n".join(("<!-- figures -->", *figures(counts), "<!-- end of figures -->"))
    return re.sub(r"<!-- figures -->.*<!-- end of figures -->", lambda _: made, text, flags=re.DOTALL)


def measure(home: Path) -> dict[str, Any]:
    """Do again what the DAGs of the demo's slate asked of the warehouse, on a copy of its home, and count; tasks' seconds are the demo's."""
    from growth_meter import Meter, sizes

    from nba_ml.context import Context
    from nba_ml.settings import Settings

    with sqlite3.connect(f"file:{next((home / 'airflow').glob('*.db'))}?mode=ro", uri=True) as airflow:
        rows = airflow.execute("SELECT dag_id, task_id, duration, run_id FROM task_instance WHERE state = 'success' ORDER BY start_date")
        seconds = {(dag, task): duration for dag, task, duration, _ in rows}
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "home"
        shutil.copytree(home, copy, ignore=shutil.ignore_patterns("airflow"))
        context = Context(Settings(home=copy))
        meter = Meter(context.warehouse)
        object.__setattr__(context, "warehouse", meter)
        slate = meter.query("SELECT MAX(slate_date) AS slate FROM nba_predictions.prediction_accuracy")["slate"].item()
        steps = []
        for dag, task, work in chain(context, slate):
            meter.statements.clear()
            work()
            steps.append({"dag": dag, "task": task, "seconds": round(seconds[dag, task], 1), "statements": list(meter.statements)})
            sys.stderr.write(f"{dag}.{task}: {len(meter.statements)} statements, {billed(meter.statements) / MIB:,.0f} MiB billed\n")
        return {"slate": slate.isoformat(), "tables": {name: asdict(size) for name, size in sizes(meter)}, "steps": steps}


def chain(context: Any, slate: date) -> Iterator[tuple[str, str, Callable[[], Any]]]:
    """Yield DAG, task and work, in the order of one slate's life, each task by itself as in Airflow.

    Tasks that fit models only do the reading and writing of it: what they compute costs BigQuery nothing.
    """
    from nba_ml import coverage, grading, ingest
    from nba_ml.features import store
    from nba_ml.slate import steps as slates
    from nba_ml.training import dataset
    from nba_ml.training import steps as training
    from nba_ml.warehouse.port import LATEST

    warehouse, until = context.warehouse, slate - timedelta(days=1)
    planned: dict[str, Any] = {}

    def load() -> None:
        dataset.load(context, until)

    def backtest() -> None:
        load()
        warehouse.upsert(training.BACKTEST_TABLE, warehouse.unmetered.read(training.BACKTEST_TABLE, as_of=LATEST))

    def report() -> None:
        load()
        warehouse.read("nba_raw.prop_lines", as_of=LATEST, undated=True)
        warehouse.read("nba_raw.schedule", as_of=LATEST)

    yield "nba_ingest", "ingest", lambda: ingest.ingest(context, until, until, run="growth")
    yield "nba_train", "coverage", lambda: coverage.measure(context, until)
    yield "nba_train", "features", lambda: store.refresh(context, context.source.first_date(), until)
    yield "nba_train", "plan", lambda: planned.update(training.plan(context, until))
    yield "nba_train", "validate", lambda: training.validate(context, planned)
    yield "nba_train", "backtest", backtest
    yield "nba_train", "fit", load
    yield "nba_train", "publish", report
    ref: dict[str, Any] = {}
    yield "nba_predict", "open_slate", lambda: ref.update(slates.open_slate(context, slate, "replay"))
    for name in ("build_features", "validate", "score", "consensus", "quality", "publish"):
        yield "nba_predict", name, lambda name=name: ref.update(getattr(slates, name)(context, ref))
    yield "nba_grade", "grade", lambda: grading.grade(context, slate)


def main() -> None:
    """Measure, write or check."""
    parser = argparse.ArgumentParser(description="Write the figures of docs/growth.md.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if the figures are out of date")
    parser.add_argument("--measure", type=Path, metavar="HOME", help="count again on a copy of this home, which a demo has filled")
    chosen = parser.parse_args()
    if chosen.measure:
        COUNTS.write_text(json.dumps(measure(chosen.measure), indent=1) + "\n", "utf-8")
    text = PAGE.read_text("utf-8")
    made = page(text, json.loads(COUNTS.read_text("utf-8")))
    if not chosen.check:
        PAGE.write_text(made, "utf-8")
    elif made != text:
        sys.exit(f"{PAGE.relative_to(ROOT)} is out of date: run `{COMMAND}`")


if __name__ == "__main__":
    try:
        main()
    except NbaMlError as error:
        sys.exit(f"{type(error).__name__}: {error}")
