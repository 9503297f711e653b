"""The whole chain on this machine, as real DAG runs: ingest, train, predict, grade (`make demo`).

Standard output carries the closing tables and, as its last line, a JSON summary; progress goes to standard error, and Airflow's and the
tasks' own logs to a file in the home. A second demo finds everything done and adds no row but logs of events.
"""

import argparse
import json
import os
import signal
import sys
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Any, TextIO

from airflow_home import ROOT, AirflowHome
from demo_runs import DagRuns
from demo_screen import divert_output
from demo_tables import last_slate, show
from rich.console import Console

from nba_ml import calendar
from nba_ml.context import Context
from nba_ml.errors import BadInput, NbaMlError, UsageError
from nba_ml.settings import load_settings
from nba_ml.warehouse.port import LATEST

SOURCES = ("simulated", "files")
WAREHOUSES = ("duckdb", "bigquery")
LEAST_GAMES = 5
DAYS_AHEAD = timedelta(days=2)


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; an unknown source or warehouse is a usage error."""
    parser = argparse.ArgumentParser(prog="make demo", description="Run the whole chain as DAG runs.")
    parser.add_argument("--source", default="simulated")
    parser.add_argument("--warehouse", default="duckdb")
    chosen = parser.parse_args(arguments)
    if chosen.source not in SOURCES:
        raise UsageError(f"SOURCE={chosen.source} is unknown: make demo SOURCE={'|'.join(SOURCES)}")
    if chosen.warehouse not in WAREHOUSES:
        raise UsageError(f"WAREHOUSE={chosen.warehouse} is unknown: make demo WAREHOUSE={'|'.join(WAREHOUSES)}")
    return chosen


def services(source: str, warehouse: str, screen: Console) -> AbstractContextManager[None]:
    """Return what leads to the services that a warehouse needs; the embedded default needs none."""
    if warehouse == "duckdb":
        return nullcontext()
    from demo_google import google

    return google(source, screen)


def configure(source: str, warehouse: str) -> Context:
    """Set this process's environment for the demo, and return the context that its tasks will open.

    A warehouse holds one league. Where the home of the settings already holds another, the demo works in a subfolder named after the source.

    Raises
    ------
    UsageError
        If the datasets in BigQuery hold another league.
    """
    os.environ |= {"NBA_ML_SOURCE": source, "NBA_ML_WAREHOUSE": warehouse}
    if source == "files" and load_settings().files_dir is None:
        os.environ["NBA_ML_FILES_DIR"] = str(ROOT.parent / "shared" / "data")
    context = Context()
    held = league(context)
    if held not in (source, None):
        if warehouse == "bigquery":
            raise UsageError(f"project {context.settings.project} holds games of the source {held}: set NBA_ML_DATASET_PREFIX for others")
        os.environ["NBA_ML_HOME"] = str(context.settings.home_folder / source)
        context = Context()
    os.environ["NBA_ML_HOME"] = str(context.settings.home_folder)
    return context


def league(context: Context) -> str | None:
    """Return which source the warehouse's games come from; None if it holds none."""
    try:
        if not context.warehouse.count(["nba_raw.schedule"])["nba_raw.schedule"]:
            return None
    except UsageError:  # there are no tables yet
        return None
    sources = context.warehouse.query("SELECT DISTINCT source FROM nba_raw.schedule")["source"].to_list()
    return "simulated" if "simulated" in sources else "files"


def run(context: Context, runs: DagRuns, summary: dict[str, Any], results: TextIO, screen: Console) -> None:
    """Run the four DAGs, fill the summary as it goes, and print the closing tables."""
    source = context.source
    runs.open()
    first, last = source.first_date(), source.last_date()
    if source.name == "simulated":
        first, last = calendar.opener(calendar.FIRST_SEASON), last + DAYS_AHEAD
    runs.run("nba_ingest", **{"from": str(first), "to": str(last)})
    slate = last_slate(context.warehouse, LEAST_GAMES, first)
    if slate is None:
        raise BadInput(f"no date from {first} to {last} has {LEAST_GAMES} finished games and lines: nba-ml coverage shows what is there")
    summary["slate_date"] = str(slate)
    trained = runs.run("nba_train", until=str(calendar.day_before(slate)))
    summary["version"] = trained["release"]["version"]
    predicted = runs.run("nba_predict", slate=str(slate), mode="replay")["publish"]
    summary["published"] = predicted["published"]
    summary["graded"] = runs.run("nba_grade", slate=str(slate))["grade"]["graded"]
    show(context.warehouse, slate, predicted["run_key"], summary["version"], results)
    print_paths(context, trained["plan"]["report"], [f"train:{summary['version']}", f"predict:{slate}:{predicted['run_key']}"], results)


def print_paths(context: Context, report: str, checked: list[str], results: TextIO) -> None:
    """Print where the backtest report and the Data Docs of the runs' checks are."""
    pages = context.warehouse.read("nba_ops.validation_runs", as_of=LATEST, where={"run": checked}).unique(
        "suite", keep="last", maintain_order=True
    )
    results.write(f"Backtest report: {report}\n")
    for row in pages.iter_rows(named=True):
        results.write(f"Data Docs, {row['suite']}: {row['docs_url']}\n")


def main(arguments: list[str]) -> int:
    """Run the demo; return its exit status."""
    screen = Console(stderr=True, highlight=False)
    try:
        chosen = parse(arguments)
        with services(chosen.source, chosen.warehouse, screen):
            context = configure(chosen.source, chosen.warehouse)
            airflow = AirflowHome(context.settings.home_folder)
            airflow.create()
            if airflow.server():
                raise UsageError(f"Airflow is up in {airflow.folder}: make down, then make demo; or set NBA_ML_HOME to another folder")
            with airflow.alone("make demo"):
                return demonstrate(context, airflow)
    except NbaMlError as error:
        screen.print(f"{type(error).__name__}: {error}", style="bold red", markup=False, soft_wrap=True)
        return error.exit_code


def demonstrate(context: Context, airflow: AirflowHome) -> int:
    """Run the chain with output diverted to the log; the summary is written whatever happens."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    results, screen = divert_output(airflow.demo_log)
    runs = DagRuns(airflow, screen)
    settings = context.settings
    summary: dict[str, Any] = {"warehouse": settings.warehouse, "store": settings.store_url, "source": settings.source}
    summary |= dict.fromkeys(("slate_date", "version", "published", "graded"))
    status = 0
    screen.print(f"home {settings.home_folder}, log {airflow.demo_log}", markup=False, soft_wrap=True)
    try:
        run(context, runs, summary, results, screen)
    except NbaMlError as error:
        screen.print(str(error), style="red", markup=False, soft_wrap=True)
        status = error.exit_code
    except KeyboardInterrupt:
        screen.print("Interrupted. What is written is whole; make demo goes on from there.", style="red")
        status = 130
    finally:
        runs.close()
    results.write(json.dumps(summary | {"dag_runs": runs.states}) + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
