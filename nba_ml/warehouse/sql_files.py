"""SQL files that describe themselves: leading comments say what a query and each of its columns mean."""

import re
from collections.abc import Collection, Iterator, Sequence
from importlib import resources

_COMMENT = re.compile(r"-- *(?:column (?P<column>[a-z0-9_]+)|(?P<key>[a-z ]+)): *(?P<text>.+)")


def sql_files(folder: str) -> Iterator[tuple[str, str]]:
    """Yield name, without its ending, and text of the SQL files in a folder beside this module, by name."""
    for entry in sorted((resources.files(__package__) / folder).iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".sql"):
            yield entry.name.removesuffix(".sql"), entry.read_text("utf-8")


def parse(name: str, text: str, keys: Collection[str]) -> tuple[dict[str, str], dict[str, str], str]:
    """Read a SQL file whose leading comments are ``-- key: …`` for each of `keys`, and ``-- column name: …`` for each column.

    Returns
    -------
    header : dict of str to str
        Key → text.
    columns : dict of str to str
        Column → description.
    sql : str
        The query, without its leading comments.

    Raises
    ------
    ValueError
        If a leading comment is of no known form, or one of the keys or all columns are absent.
    """
    header: dict[str, str] = {}
    columns: dict[str, str] = {}
    forms = ", ".join(f"`-- {key}: …`" for key in keys)
    lines = text.strip().splitlines()
    while lines and lines[0].startswith("--"):
        line = lines.pop(0).strip()
        found = _COMMENT.fullmatch(line)
        if not found or (found["key"] and found["key"] not in keys):
            raise ValueError(f"{name}: {line!r} is neither {forms} nor `-- column name: …`")
        target, key = (columns, found["column"]) if found["column"] else (header, found["key"])
        if key in target:
            raise ValueError(f"{name}: {key} is described twice")
        target[key] = found["text"]
    if set(header) != set(keys) or not columns:
        raise ValueError(f"{name}: the file starts with {forms} and one `-- column name: …` per column")
    return header, columns, "\n".join(lines).strip().rstrip(";")


def check(name: str, described: Collection[str], found: Sequence[str]) -> None:
    """Compare the columns that a query yields with the described ones.

    Raises
    ------
    ValueError
        If a column is not described, a described one is absent, or their order differs.
    """
    if list(found) != list(described):
        raise ValueError(
            f"{name} yields the columns {', '.join(found)}, and its comments describe {', '.join(described)}: make its file agree with itself"
        )
