"""Which tables and views a warehouse has: the same in every adapter."""

from collections.abc import Mapping, Sequence

from nba_ml.warehouse import schema
from nba_ml.warehouse.schema import Table
from nba_ml.warehouse.views import View, views


class Catalogue:
    """The base of both adapters.

    Parameters
    ----------
    tables : mapping of str to Table, optional
        The tables by full name; those of ``nba_ml/warehouse/tables`` by default.
    views : sequence of View, optional
        The views, each after those that it reads; those of ``nba_ml/warehouse/views`` by default, none where `tables` is given.
    """

    def __init__(self, tables: Mapping[str, Table] | None, views: Sequence[View] | None) -> None:
        self._tables = tables
        self._views = views

    @property
    def tables(self) -> Mapping[str, Table]:
        """The tables by full name."""
        return schema.tables() if self._tables is None else self._tables

    @property
    def views(self) -> Sequence[View]:
        """The views, each after those that it reads."""
        if self._views is None:
            return views() if self._tables is None else ()
        return self._views

    def _table(self, name: str) -> Table:
        try:
            return self.tables[name]
        except KeyError:
            raise ValueError(f"there is no table {name}: the tables are {', '.join(self.tables)}") from None
