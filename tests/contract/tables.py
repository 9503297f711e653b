"""Small tables that the contract of warehouses is tried on."""

from collections.abc import Sequence
from typing import Any

from nba_ml.warehouse.schema import Table, parse_table

COLUMNS = {
    "game": {"name": "game", "type": "string", "required": True, "description": "Game."},
    "player": {"name": "player", "type": "int64", "description": "Player; null where unknown."},
    "day": {"name": "day", "type": "date", "required": True, "description": "Slate date."},
    "points": {"name": "points", "type": "float64", "description": "Points."},
    "home": {"name": "home", "type": "bool", "description": "Whether at home."},
    "note": {"name": "note", "type": "string", "description": "The analyst's remark."},
    "known_at": {"name": "known_at", "type": "timestamp", "description": "Since when the row is known."},
    "result_at": {"name": "result_at", "type": "timestamp", "description": "Since when the points are known."},
    "run_key": {"name": "run_key", "type": "string", "required": True, "description": "Run."},
    "published_at": {"name": "published_at", "type": "timestamp", "description": "When the run was published."},
}


def make_table(name: str, columns: Sequence[str], key: Sequence[str], changes: dict[str, dict] | None = None, **more: Any) -> Table:
    """Build a table of some of `COLUMNS`; `changes` overrides parts of a column."""
    described = [COLUMNS[column] | (changes or {}).get(column, {}) for column in columns]
    document = {"table": name, "owner": "tests", "description": "A table.", "grain": "one row per key", "known_at": "known_at"}
    return parse_table(document | {"columns": described, "key": key} | more)


FACTS = make_table(
    "nba_raw.facts",
    ["game", "player", "day", "points", "home", "note", "known_at", "result_at"],
    key=["game", "player"],
    partition="day",
    masked={"points": "result_at"},
)
RUN = {"known_at": "published_at", "stamp": "published_at", "run": ["day", "run_key"], "partition": "day"}
PICKS = make_table(
    "nba_predictions.picks", ["day", "run_key", "game", "player", "points", "published_at"], ["game", "player", "run_key"], **RUN
)
NUMBERS = make_table("nba_predictions.numbers", ["day", "run_key", "game", "points", "published_at"], ["game", "run_key"], **RUN)
GRADES = make_table("nba_predictions.grades", ["game", "points", "known_at", "published_at"], ["game"], stamp="published_at")
TABLES = {table.name: table for table in (FACTS, PICKS, NUMBERS, GRADES)}
