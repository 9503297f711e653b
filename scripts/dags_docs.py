"""Write docs/dags.md from the DAG files; with --check, only tell whether it is up to date.

The page is generated so that it can't fall behind: docstring, schedule, parameters and tasks come from the DAGs as Airflow reads them.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from airflow_home import ROOT

PAGE = ROOT / "docs" / "dags.md"
COMMAND = "python scripts/dags_docs.py"


def read_dags(home: str) -> list[Any]:
    """Return the DAGs in the order of their work, read by Airflow in a home of its own."""
    os.environ |= {
        "AIRFLOW_HOME": home,
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
    }
    sys.path.insert(0, str(ROOT))
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=str(ROOT / "dags"))
    if bag.import_errors:
        raise SystemExit("\n".join(f"{name}: {error}" for name, error in bag.import_errors.items()))
    return sorted(bag.dags.values(), key=lambda dag: dag.dag_display_name)


def page(dags: list[Any]) -> str:
    """Return the whole page."""
    lines = [
        "# The DAGs",
        "",
        f"Generated from `dags/` by `{COMMAND}`: change the DAG's docstring, not this page.",
        "All DAGs start paused. Dates are dates in New York; retries, time-outs and owner are in `plugins/nba_defaults.py`.",
        "",
        *("| DAG | what | schedule |", "|---|---|---|"),
        *(f"| [{dag.dag_id}](#{dag.dag_id}) | {dag.description} | {schedule(dag)} |" for dag in dags),
    ]
    for dag in dags:
        lines += ["", *section(dag)]
    return "\n".join(lines) + "\n"


def section(dag: Any) -> Iterator[str]:
    """Yield one DAG's lines: its manual, parameters and tasks."""
    title, _, manual = dag.doc_md.strip().partition("\n")
    summary = title.removeprefix("# ").partition(":")[2].strip()
    yield from (f"## {dag.dag_id}", "", summary[0].upper() + summary[1:], "", manual.strip(), "")
    yield from ("| parameter | values | default | meaning |", "|---|---|---|---|")
    for name in dag.params:
        param = dag.params.get_param(name)
        yield f"| `{name}` | {values(param.schema)} | {default(param)} | {param.description} |"
    yield from ("", "| task | what | after | updates |", "|---|---|---|---|")
    for task in dag.topological_sort():
        after = ", ".join(sorted(task.upstream_task_ids)) or "–"
        updates = ", ".join(asset.name for asset in task.outlets) or "–"
        yield f"| {task.task_id} | {task.doc_md.strip()} | {after} | {updates} |"


def default(param: Any) -> str:
    """Return what a parameter is where nobody says otherwise."""
    if param.has_value and param.value:
        return str(param.value)
    may_be_empty = None in param.schema.get("enum", ()) or "null" in param.schema.get("type", ()) or param.value == ""
    return "empty" if may_be_empty else "required"


def values(schema: dict[str, Any]) -> str:
    """Return what a parameter may be."""
    if "enum" in schema:
        return ", ".join(value for value in schema["enum"] if value)
    return schema.get("format", "text")


def schedule(dag: Any) -> str:
    """Return when a DAG runs."""
    if hasattr(dag.timetable, "expression"):
        return f"`{dag.timetable.expression}` {dag.timetable.timezone}"
    waits_for = getattr(dag.timetable.asset_condition, "objects", ())
    if waits_for:
        return "after " + " and ".join(asset.name for asset in waits_for)
    return dag.timetable.summary if dag.timetable.can_be_scheduled else "by hand"


def main(arguments: list[str]) -> int:
    """Write or check the page; return the exit status."""
    with tempfile.TemporaryDirectory() as home:
        text = page(read_dags(home))
    if arguments == ["--check"]:
        if not PAGE.exists() or PAGE.read_text("utf-8") != text:
            sys.stderr.write(f"docs/dags.md is not what the DAG files say: {COMMAND}\n")
            return 1
        return 0
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
