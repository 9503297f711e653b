"""Google's own analyser of GoogleSQL, over the platform's tables as BigQuery has them.

Texts name tables in full, in one pair of backticks, which the analyser takes as one name: tables are registered under just that.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from nba_ml.warehouse.bigquery_names import Names

NAMES = Names("project", "prefix_")


@cache
def library() -> Any:
    """Import the analyser with a cache of its compiled form; it sets none, and compiling takes a minute."""
    import zetasql.core.wasm_client as wasm

    plain = wasm.Config

    def cached() -> Any:
        config = plain()
        config.cache = True
        return config

    wasm.Config = cached
    import zetasql.api
    import zetasql.types

    return zetasql


def kind_of(type_: str) -> int:
    """Return the library's number of a type, as in FLOAT64."""
    return library().types.TypeKind[f"TYPE_{'DOUBLE' if type_ == 'FLOAT64' else type_}"]


class Analyser:
    """Analyses one statement at a time against tables that it is told of."""

    def __init__(self) -> None:
        zetasql = library()
        self._language = zetasql.types.LanguageOptions.maximum_features()
        self._options = zetasql.types.AnalyzerOptions(language_options=self._language)
        self._options.allow_undeclared_parameters = True
        self._tables: dict[str, Any] = {}
        self._analyser = None

    def add(self, full_name: str, columns: Mapping[str, str]) -> None:
        """Register a table or view: column → type, as in FLOAT64."""
        zetasql = library()
        table = zetasql.api.TableBuilder(full_name)
        for name, type_ in columns.items():
            table = table.add_column(name, kind_of(type_))
        self._tables[full_name] = table.build()
        self._analyser = None

    def analyse(self, statement: str) -> dict[str, str]:
        """Return column → type of what a query yields, nothing for other statements; a broken one raises."""
        zetasql = library()
        if self._analyser is None:
            catalog = zetasql.api.CatalogBuilder("catalog")
            for table in self._tables.values():
                catalog = catalog.add_table(table)
            functions = zetasql.types.ZetaSQLBuiltinFunctionOptions(language_options=self._language)
            self._analyser = zetasql.api.Analyzer(self._options, catalog.with_builtin_functions(functions).build())
        resolved = self._analyser.analyze_statement(statement)
        yields = getattr(resolved, "output_column_list", None) or []
        return {item.name: item.column.type.type_kind.name.removeprefix("TYPE_").replace("DOUBLE", "FLOAT64") for item in yields}
