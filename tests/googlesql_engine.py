"""Google's reference implementation of GoogleSQL, over rows held in memory.

A second opinion on what a query means: the emulator of BigQuery is DuckDB underneath, so that the two agree proves little.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from nba_ml.warehouse.bigquery_select import TYPES
from nba_ml.warehouse.dataset_names import rename
from nba_ml.warehouse.port import LATEST, Warehouse
from nba_ml.warehouse.schema import DTYPES, tables
from nba_ml.warehouse.views import views
from tests.googlesql import kind_of, library

EPOCH_DAY = date(1970, 1, 1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Engine:
    """Answers queries on a copy of a warehouse's rows; views are put into the text of the query that reads them."""

    def __init__(self, warehouse: Warehouse) -> None:
        zetasql = library()
        language = zetasql.types.LanguageOptions.maximum_features()
        functions = zetasql.types.ZetaSQLBuiltinFunctionOptions(language_options=language)
        catalog = zetasql.api.CatalogBuilder("catalog").with_builtin_functions(functions)
        self._options = zetasql.types.AnalyzerOptions(language_options=language)
        self._content = {}
        for name, table in tables().items():
            made = zetasql.api.TableBuilder(name)
            for column in table.columns:
                made = made.add_column(column.name, kind_of(TYPES[column.type]))
            catalog = catalog.add_table(made.build())
            data = zetasql.types.TableData
            rows = warehouse.read(name, as_of=LATEST, undated=True).rows()
            self._content[name] = zetasql.types.TableContent(table_data=data(row=[data.Row(cell=[_value(v) for v in row]) for row in rows]))
        self._catalog = catalog.build()
        self._datasets = {name.partition(".")[0] for name in tables()}
        self._views: dict[str, str] = {}
        for view in views():
            self._views[view.name] = self._inlined(view.sql)

    def _inlined(self, sql: str) -> str:
        def written(dataset: str, name: str) -> str:
            body = self._views.get(f"{dataset}.{name}")
            return f"({body})" if body else f"`{dataset}.{name}`"

        return rename(sql, written, self._datasets)

    def query(self, sql: str) -> pl.DataFrame:
        """Return the rows of a query, in its order."""
        zetasql = library()
        from zetasql.core.local_service import ZetaSqlLocalService, local_service_pb2

        builder = zetasql.api.PreparedQuery.builder().set_sql(self._inlined(sql)).set_analyzer_options(self._options)
        with builder.set_catalog(self._catalog).set_table_content(self._content).prepare() as prepared:
            request = local_service_pb2.EvaluateQueryRequest(prepared_query_id=prepared.prepared_query_id)
            # The library's own answer drops the content of timestamps.
            client = ZetaSqlLocalService.get_instance().wasm_client
            answer = client.call_grpc_func("ZetaSqlLocalService_EvaluateQuery", request, local_service_pb2.EvaluateQueryResponse)
            found = [tuple(map(_python, row.cell)) for row in answer.content.table_data.row]
            schema = {column.name: _dtype(column.type.type_kind) for column in prepared.columns}
        return pl.DataFrame(found, schema=schema, orient="row")


def _value(value: Any) -> Any:
    from google.protobuf.timestamp_pb2 import Timestamp

    made = library().types.Value
    if value is None:
        return made()
    if isinstance(value, datetime):
        stamp = Timestamp()
        stamp.FromDatetime(value)
        return made(timestamp_value=stamp)
    if isinstance(value, date):
        return made(date_value=(value - EPOCH_DAY).days)
    fields = {bool: "bool_value", int: "int64_value", float: "double_value", str: "string_value"}
    return made(**{fields[type(value)]: value})


def _python(cell: Any) -> Any:
    field = cell.WhichOneof("value")
    if field is None:
        return None
    value = getattr(cell, field)
    if field == "date_value":
        return EPOCH_DAY + timedelta(days=value)
    if field == "timestamp_value":
        return EPOCH + timedelta(seconds=value.seconds, microseconds=value.nanos // 1000)
    return value


def _dtype(kind: int) -> pl.DataType:
    return next(DTYPES[type_] for type_, standard in TYPES.items() if kind_of(standard) == kind)
