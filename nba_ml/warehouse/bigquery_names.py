"""Where things are in BigQuery: datasets with their prefix, staging twins, load tables and turns."""

from collections.abc import Collection
from dataclasses import dataclass

from nba_ml.warehouse.dataset_names import rename, require_identifier

STAGING = "nba_staging"
"""Dataset of staging twins, load tables and turns, none of which analysts need."""


def column(identifier: str) -> str:
    """Quote one column.

    Raises
    ------
    ValueError
        If it is not made of letters, digits and underscores.
    """
    return f"`{require_identifier(identifier)}`"


@dataclass(frozen=True)
class Names:
    """Full names in one project.

    Attributes
    ----------
    project : str
    prefix : str
        Stands before the name of each dataset; NBA_ML_DATASET_PREFIX.
    """

    project: str
    prefix: str

    def dataset(self, dataset: str) -> str:
        """Return a dataset's full name, as in ``project.prefix_nba_raw``."""
        return f"{self.project}.{self.prefix}{dataset}"

    def table(self, table: str, staged: bool = False) -> str:
        """Return the full name of a table or view, or of a table's staging twin."""
        dataset, _, short = table.partition(".")
        return f"{self.dataset(STAGING)}.{dataset}__{short}" if staged else f"{self.dataset(dataset)}.{short}"

    def turn(self, table: str) -> str:
        """Return the full name of the table whose one row the writers of a table take in turn."""
        return f"{self.dataset(STAGING)}.turn__{table.replace('.', '__')}"

    def load(self, table: str, key: str) -> str:
        """Return the full name of a load table; `key` stands for its content."""
        return f"{self.dataset(STAGING)}.load__{table.replace('.', '__')}__{key}"

    def rewrite(self, sql: str, datasets: Collection[str]) -> str:
        """Write ``dataset.name`` in a text for both warehouses as BigQuery has it."""
        return rename(sql, lambda dataset, name: quoted(f"{self.dataset(dataset)}.{name}"), datasets)


def quoted(full_name: str) -> str:
    """Quote a full name.

    Raises
    ------
    ValueError
        If it could end the quotes.
    """
    if "`" in full_name or "\\" in full_name:
        raise ValueError(f"{full_name!r} is no name for a table")
    return f"`{full_name}`"
