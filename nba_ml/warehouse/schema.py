"""Tables as their YAML files describe them: the only place where a table's columns, key and partition are decided."""

from dataclasses import dataclass, field
from functools import cache
from importlib import resources

import polars as pl
import yaml

DTYPES: dict[str, pl.DataType] = {
    "string": pl.String(),
    "int64": pl.Int64(),
    "float64": pl.Float64(),
    "bool": pl.Boolean(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us", "UTC"),
}


@dataclass(frozen=True)
class Column:
    """One column: its warehouse type is a key of `DTYPES`."""

    name: str
    type: str
    description: str
    required: bool = False
    feature: bool = False

    @property
    def dtype(self) -> pl.DataType:
        """The column's polars type."""
        return DTYPES[self.type]


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes
    ----------
    name : str
        Dataset and table, as in ``nba_raw.schedule``.
    key : tuple of str
        Natural key; the column ``id`` is its hash.
    partition : str or None
        Date or timestamp column that partitions the table.
    known_at : str
        Column that says since when a row is known; a row where it is null is known at no particular time.
    masked : dict of str to str
        Column → the column that says since when its value is known, where that is later than the row itself.
    run : tuple of str
        Columns that name a run, for tables that are written by whole runs; empty for others.
    stamp : str or None
        Column with the time of writing; a run that is written again with the same content keeps the first one.
    partition_expiration_days : int or None
        In BigQuery, a partition is removed this long after its day; DuckDB keeps all.
    require_partition_filter : bool
        In BigQuery, a query without a condition on the partition column is refused. Only for tables whose key holds that column.
    """

    name: str
    owner: str
    description: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    known_at: str
    partition: str | None = None
    cluster: tuple[str, ...] = ()
    masked: dict[str, str] = field(default_factory=dict)
    run: tuple[str, ...] = ()
    stamp: str | None = None
    partition_expiration_days: int | None = None
    require_partition_filter: bool = False

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Column → polars type, in the table's order."""
        return {column.name: column.dtype for column in self.columns}

    @property
    def type_of_partition(self) -> str | None:
        """``date`` or ``timestamp``; None for a table without partitions."""
        return next((column.type for column in self.columns if column.name == self.partition), None)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the columns that a model may be fed, in their order."""
        return tuple(column.name for column in self.columns if column.feature)

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Give a frame exactly this table's columns, in order and type; a nullable column that is absent becomes null.

        Raises
        ------
        ValueError
            If a required column is absent or holds a null, or the frame has a column that the table has not.
        """
        from nba_ml.ids import add_id

        frame = add_id(frame, self.key)
        unknown = sorted(set(frame.columns) - set(self.schema))
        if unknown:
            raise ValueError(f"{self.name} has no column {', '.join(unknown)}: add it to its YAML or drop it")
        absent = [column for column in self.columns if column.name not in frame.columns]
        lacking = [column.name for column in absent if column.required]
        if lacking:
            raise ValueError(f"{self.name}: required column {', '.join(lacking)} is absent from the rows to write")
        frame = frame.with_columns(pl.lit(None, column.dtype).alias(column.name) for column in absent)
        frame = frame.select(pl.col(column.name).cast(column.dtype) for column in self.columns)
        for column in self.columns:
            if column.required and frame[column.name].null_count():
                raise ValueError(f"{self.name}.{column.name} is required, and {frame[column.name].null_count()} rows lack it")
        return frame


def parse_table(document: dict) -> Table:
    """Build a table from its YAML document."""
    columns = [Column("id", "string", "Hash of the natural key: the row's identity, the same on every run.", required=True)]
    columns += [Column(**column) for column in document["columns"]]
    return Table(
        name=document["table"],
        owner=document["owner"],
        description=document["description"],
        grain=document["grain"],
        key=tuple(document["key"]),
        columns=tuple(columns),
        known_at=document["known_at"],
        partition=document.get("partition"),
        cluster=tuple(document.get("cluster", ())),
        masked=document.get("masked", {}),
        run=tuple(document.get("run", ())),
        stamp=document.get("stamp"),
        partition_expiration_days=document.get("partition_expiration_days"),
        require_partition_filter=document.get("require_partition_filter", False),
    )


@cache
def tables() -> dict[str, Table]:
    """All tables of the platform by name, from ``nba_ml/warehouse/tables/*.yaml``."""
    found = {}
    for entry in sorted((resources.files(__package__) / "tables").iterdir(), key=lambda item: item.name):
        if entry.name.endswith(".yaml"):
            table = parse_table(yaml.safe_load(entry.read_text("utf-8")))
            found[table.name] = table
    return found


def table(name: str) -> Table:
    """Return one table by its full name, as in ``nba_raw.schedule``."""
    return tables()[name]
