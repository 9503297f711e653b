"""Analysts' views as their SQL files describe them: leading comments say what a view and each of its columns mean."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from nba_ml.warehouse.dataset_names import names_in

DATASET = "nba_predictions"

_HEADER = re.compile(r"--\s*(description|grain|column (?P<column>[a-z0-9_]+)):\s*(?P<text>.+)")


@dataclass(frozen=True)
class View:
    """One view.

    Attributes
    ----------
    name : str
        Dataset and view, as in ``nba_predictions.v_calibration``.
    columns : dict of str to str
        Column → description, in the order of the query.
    sql : str
        The query, without leading comments, in the subset that DuckDB and GoogleSQL have in common; it names tables and views by dataset,
        which `nba_ml.warehouse.dataset_names.rename` turns into BigQuery's names.
    """

    name: str
    description: str
    grain: str
    columns: dict[str, str]
    sql: str

    def check(self, found: Sequence[str]) -> None:
        """Compare the columns that the query yields with the described ones.

        Raises
        ------
        ValueError
            If a column is not described, a described one is absent, or their order differs.
        """
        if list(found) != list(self.columns):
            raise ValueError(
                f"{self.name} yields the columns {', '.join(found)}, and its comments describe {', '.join(self.columns)}: "
                f"make nba_ml/warehouse/views/{self.name.partition('.')[2]}.sql agree with itself"
            )


def parse_view(name: str, text: str) -> View:
    """Build a view from its SQL file.

    Raises
    ------
    ValueError
        If a leading comment is of no known form, or the description, the grain or the columns are absent.
    """
    header: dict[str, str] = {}
    columns: dict[str, str] = {}
    lines = text.strip().splitlines()
    while lines and lines[0].startswith("--"):
        line = lines.pop(0)
        found = _HEADER.fullmatch(line.strip())
        if not found:
            raise ValueError(f"{name}: {line!r} is neither `-- description: …`, `-- grain: …` nor `-- column name: …`")
        target, key = (columns, found["column"]) if found["column"] else (header, found[1])
        if key in target:
            raise ValueError(f"{name}: {key} is described twice")
        target[key] = found["text"].strip()
    if set(header) != {"description", "grain"} or not columns:
        raise ValueError(f"{name}: the file starts with `-- description: …`, `-- grain: …` and one `-- column name: …` per column")
    return View(name, header["description"], header["grain"], columns, "\n".join(lines).strip().rstrip(";"))


@cache
def views() -> tuple[View, ...]:
    """All views from ``nba_ml/warehouse/views/*.sql``, each after those that it reads."""
    found = {}
    for entry in (resources.files(__package__) / "views").iterdir():
        if entry.name.endswith(".sql"):
            view = parse_view(f"{DATASET}.{entry.name.removesuffix('.sql')}", entry.read_text("utf-8"))
            found[view.name] = view
    return tuple(in_order(list(found.values())))


def in_order(unordered: Sequence[View]) -> list[View]:
    """Sort views so that each comes after those that its query names."""
    ordered: list[View] = []
    waiting = sorted(unordered, key=lambda view: view.name)
    while waiting:
        pending = {view.name for view in waiting}
        datasets = {name.partition(".")[0] for name in pending}
        free = [view for view in waiting if not pending & (names_in(view.sql, datasets) - {view.name})]
        if not free:
            raise ValueError(f"views that read each other: {', '.join(sorted(pending))}")
        ordered += free
        waiting = [view for view in waiting if view not in free]
    return ordered
