"""Names inside SQL texts that run on either warehouse.

A text for both warehouses names them as ``dataset.name``, as in ``nba_predictions.v_calibration``. DuckDB runs it as it stands; for BigQuery
the names get the project and the prefix of its datasets. That is the whole difference: the rest of such a text is in the subset that
DuckDB and GoogleSQL have in common (INT64 and STRING are type names in both; FLOAT64 is not).
"""

import re
from collections.abc import Callable, Collection

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LEFT_ALONE = r"""'(?:''|\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|--[^\n]*|/\*.*?\*/"""


def require_identifier(name: str) -> str:
    """Return the name of a table or column that may stand in a statement.

    Raises
    ------
    ValueError
        If it is not made of letters, digits and underscores.
    """
    if not _IDENTIFIER.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a table or column: use letters, digits and underscores")
    return name


def names_in(sql: str, datasets: Collection[str]) -> set[str]:
    """Return the tables and views of these datasets that a query names, as ``dataset.name``."""
    found = set()

    def note(dataset: str, name: str) -> str:
        found.add(f"{dataset}.{name}")
        return ""

    rename(sql, note, datasets)
    return found


def rename(sql: str, renamed: Callable[[str, str], str], datasets: Collection[str]) -> str:
    """Write each ``dataset.name`` of these datasets in a query as `renamed` gives it.

    Names in backticks count too; names inside quotes and comments, and names that already have a project before them, stay as they are.

    Parameters
    ----------
    sql : str
    renamed : callable
        Takes dataset and name.
    datasets : collection of str
    """

    def replace(match: re.Match[str]) -> str:
        dataset = match["dataset"]
        return renamed(dataset, match["name"]) if dataset else match[0]

    name = rf"(?P<tick>`?)(?P<dataset>{'|'.join(map(re.escape, datasets))})\.(?P<name>\w+)(?P=tick)(?![\w`])"
    return re.sub(rf"{_LEFT_ALONE}|(?<![\w.`]){name}", replace, sql, flags=re.DOTALL)
