"""Analysts' views as their SQL files describe them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from nba_ml.warehouse import sql_files
from nba_ml.warehouse.dataset_names import names_in

DATASET = "nba_predictions"


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
        The query, in the subset that DuckDB and GoogleSQL have in common; it names tables and views by dataset, which
        `nba_ml.warehouse.dataset_names.rename` turns into BigQuery's names.
    """

    name: str
    description: str
    grain: str
    columns: dict[str, str]
    sql: str

    def check(self, found: Sequence[str]) -> None:
        """Raise `ValueError` if the columns that the query yields are not the described ones."""
        sql_files.check(self.name, self.columns, found)


def parse_view(name: str, text: str) -> View:
    """Build a view from its SQL file; `ValueError` says what its comments lack."""
    header, columns, sql = sql_files.parse(name, text, ("description", "grain"))
    return View(name, header["description"], header["grain"], columns, sql)


@cache
def views() -> tuple[View, ...]:
    """All views from ``nba_ml/warehouse/views/*.sql``, each after those that it reads."""
    return tuple(in_order([parse_view(f"{DATASET}.{name}", text) for name, text in sql_files.sql_files("views")]))


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
