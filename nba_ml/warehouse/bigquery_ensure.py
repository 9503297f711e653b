"""Creation and evolution of BigQuery's datasets, tables and views: only what adds, never what destroys."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from google.cloud import bigquery

from nba_ml.errors import UsageError
from nba_ml.google_calls import REQUEST_SECONDS
from nba_ml.warehouse.bigquery_client import NO_RETRY, BigQueryClient
from nba_ml.warehouse.bigquery_errors import Missing, tried
from nba_ml.warehouse.bigquery_load import schema_of
from nba_ml.warehouse.bigquery_names import STAGING, Names, column, quoted
from nba_ml.warehouse.bigquery_select import TYPES
from nba_ml.warehouse.schema import Table
from nba_ml.warehouse.views import View

DESCRIPTIONS = {
    "nba_raw": "Schedule, box scores, lines and player status as the sources gave them.",
    "nba_predictions": "Features, predictions, grades, and the views for analysts.",
    "nba_ops": "Logs of checks and releases, and projections of the model store.",
    STAGING: "Staged runs, and load tables that expire after two days.",
}
LOAD_TABLE_HOURS = 48
THREADS = 8
"""How many tables are looked at at once."""


_STANDARD = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}
_MILLISECONDS_A_DAY = 24 * 60 * 60 * 1000


@dataclass(frozen=True)
class _Place:
    """A table or its staging twin, as it should be and as it is."""

    table: Table
    staged: bool
    full_name: str
    there: bigquery.Table | None

    @property
    def name(self) -> str:
        """Dataset and table, without project."""
        return self.full_name.partition(".")[2]


def ensure(client: BigQueryClient, names: Names, tables: Iterable[Table], views: Sequence[View]) -> list[str]:
    """Create or evolve datasets, tables, staging twins and views; return what was done.

    Raises
    ------
    UsageError
        If a table could only be brought to its YAML by losing something; the message has the statements to run by hand.
    """
    tables = list(tables)
    known = [table.name for table in tables] + [view.name for view in views]
    datasets = sorted({name.partition(".")[0] for name in known} | {STAGING})
    with ThreadPoolExecutor(THREADS) as pool:
        new = list(pool.map(lambda dataset: _ensure_dataset(client, names, dataset), datasets))
    made = [dataset for dataset, is_new in zip(datasets, new, strict=True) if is_new]
    done = [f"{names.prefix}{dataset}: created the dataset" for dataset in made]
    wanted = [(table, staged, names.table(table.name, staged)) for table in tables for staged in ((False, True) if table.run else (False,))]
    everything = [full_name for _, _, full_name in wanted] + [names.table(view.name) for view in views]
    empty = tuple(f"{names.dataset(dataset)}." for dataset in made)
    old = [full_name for full_name in everything if not full_name.startswith(empty)]
    with ThreadPoolExecutor(THREADS) as pool:
        found = dict(zip(old, pool.map(lambda full_name: _get(client, full_name), old), strict=True))
    places = [_Place(*place, found.get(place[2])) for place in wanted]
    refused = [refusal for place in places for refusal in _refusals(place)]
    if refused:
        differences, statements = "; ".join(text for text, _ in refused), "; ".join(dict.fromkeys(statement for _, statement in refused))
        raise UsageError(
            f"tables in BigQuery differ from nba_ml/warehouse/tables in a way that would lose data, so nothing was changed: {differences}. "
            f"If the loss is meant, run `bq query --use_legacy_sql=false '{statements.replace('`', '')}'` and then `nba-ml init`; "
            "rows of a renamed table can be brought over with INSERT … SELECT"
        )
    for place in places:
        done += _create(client, place) if place.there is None else _evolve(client, place, place.there)
    datasets_of = {name.partition(".")[0] for name in known}
    return done + [s for view in views for s in _ensure_view(client, names, view, found.get(names.table(view.name)), datasets_of)]


def _get(client: BigQueryClient, full_name: str) -> bigquery.Table | None:
    try:
        return tried(f"reading {full_name}", lambda: client.client.get_table(full_name, retry=NO_RETRY, timeout=REQUEST_SECONDS))
    except Missing:
        return None


def _ensure_dataset(client: BigQueryClient, names: Names, dataset: str) -> bool:
    """Create a dataset where it is not there; return whether it was made."""
    full_name = names.dataset(dataset)
    try:
        tried(f"reading {full_name}", lambda: client.client.get_dataset(full_name, retry=NO_RETRY, timeout=REQUEST_SECONDS))
    except Missing:
        wanted = bigquery.Dataset(full_name)
        wanted.location = client.client.location
        wanted.description = DESCRIPTIONS.get(dataset)
        wanted.labels = {"application": "nba-ml"}
        if dataset == STAGING:
            wanted.default_table_expiration_ms = LOAD_TABLE_HOURS * 60 * 60 * 1000
        make = f"making {full_name}"
        tried(make, lambda: client.client.create_dataset(wanted, exists_ok=True, retry=NO_RETRY, timeout=REQUEST_SECONDS))
        return True
    return False


def _refusals(place: _Place) -> list[tuple[str, str]]:
    """Return each difference that would lose data, with the statement that a person has to run."""
    there, table = place.there, place.table
    if there is None:
        return []
    away = f"ALTER TABLE {quoted(place.full_name)} RENAME TO {place.full_name.rpartition('.')[2]}__old"
    if there.table_type != "TABLE":
        return [(f"{place.name} is a {there.table_type.lower()}, not a table", f"DROP {there.table_type} {quoted(place.full_name)}")]
    found = {item.name: item for item in there.schema}
    refused = []
    for item in table.columns:
        is_, wanted = found.get(item.name), TYPES[item.type]
        if is_ is None:
            if item.required:
                refused.append((f"{place.name} lacks the required column {item.name}", away))
        elif _standard(is_) != wanted:
            refused.append((f"{place.name}.{item.name} is {_standard(is_)}, not {wanted}", away))
        elif item.required and is_.mode != "REQUIRED":
            refused.append((f"{place.name}.{item.name} may be null and should be required", away))
    for name in found:
        if name not in table.schema:
            refused.append((f"{place.name} has the column {name} too", f"ALTER TABLE {quoted(place.full_name)} DROP COLUMN {column(name)}"))
    partition = there.time_partitioning.field if there.time_partitioning else None
    if partition != table.partition:
        refused.append((f"{place.name} is partitioned by {partition or 'nothing'}, not by {table.partition or 'nothing'}", away))
    return refused


def _standard(item: bigquery.SchemaField) -> str:
    return "ARRAY" if item.mode == "REPEATED" else _STANDARD.get(item.field_type, item.field_type)


def _description(place: _Place) -> str:
    wanted = f"{place.table.description} Grain: {place.table.grain}."
    return f"Staged runs of {place.table.name}, checked before they are published. {wanted}" if place.staged else wanted


def _partitioning(place: _Place) -> bigquery.TimePartitioning | None:
    if place.table.partition is None:
        return None
    days = place.table.partition_expiration_days
    return bigquery.TimePartitioning(
        field=place.table.partition, expiration_ms=days * _MILLISECONDS_A_DAY if days and not place.staged else None
    )


def _create(client: BigQueryClient, place: _Place) -> list[str]:
    wanted = bigquery.Table(place.full_name, schema=schema_of(place.table))
    wanted.description = _description(place)
    wanted.labels = {"application": "nba-ml", "owner": place.table.owner}
    wanted.time_partitioning = _partitioning(place)
    wanted.clustering_fields = list(place.table.cluster) or None
    if place.table.require_partition_filter:
        wanted.require_partition_filter = True
    what = f"making {place.name}"
    tried(what, lambda: client.client.create_table(wanted, exists_ok=True, retry=NO_RETRY, timeout=REQUEST_SECONDS))
    if place.staged:
        wanted.expires = None
        _update(client, wanted, ["expires"])
    return [f"{place.name}: created the table"]


def _update(client: BigQueryClient, table: bigquery.Table, fields: Sequence[str]) -> None:
    tried(f"changing {table.reference}", lambda: client.client.update_table(table, fields, retry=NO_RETRY, timeout=REQUEST_SECONDS))


def _evolve(client: BigQueryClient, place: _Place, there: bigquery.Table) -> list[str]:
    """Bring a table to its YAML in one request; return what that changed."""
    wanted = {item.name: item for item in schema_of(place.table)}
    found = {item.name: item for item in there.schema}
    done = [f"added column {name}" for name in wanted if name not in found]
    done += [f"column {name} may be null now" for name in found if wanted[name].mode != "REQUIRED" and found[name].mode == "REQUIRED"]
    described = [name for name in found if (found[name].description or "") != wanted[name].description]
    described = ["the table"] * ((there.description or "") != _description(place)) + described
    fields = []
    if done or described:
        done += [f"described {', '.join(described)}"] * bool(described)
        there.schema = [wanted[name] for name in [*found, *(name for name in wanted if name not in found)]]
        there.description = _description(place)
        fields += ["schema", "description"]
    if tuple(there.clustering_fields or ()) != place.table.cluster:
        there.clustering_fields = list(place.table.cluster) or None
        done.append(f"clustered by {', '.join(place.table.cluster) or 'nothing'}")
        fields.append("clustering_fields")
    if bool(there.require_partition_filter) != place.table.require_partition_filter:
        there.require_partition_filter = place.table.require_partition_filter
        done.append(
            "queries need a condition on its partition" if place.table.require_partition_filter else "queries need no condition now"
        )
        fields.append("require_partition_filter")
    partitioning = _partitioning(place)
    if partitioning and there.time_partitioning.expiration_ms != partitioning.expiration_ms:
        changed = there.time_partitioning
        changed.expiration_ms = partitioning.expiration_ms  # a null is sent, which takes the old one away
        there.time_partitioning = changed
        done.append(f"partitions expire after {place.table.partition_expiration_days or 'no'} days")
        fields.append("time_partitioning")
    if fields:
        _update(client, there, fields)
    return [f"{place.name}: {sentence}" for sentence in done]


def _ensure_view(client: BigQueryClient, names: Names, view: View, there: bigquery.Table | None, datasets: set[str]) -> list[str]:
    """Create or replace one view with its descriptions, where it is not there in just this form."""
    statement = create_view(names, view, datasets)
    description = f"{view.description} Grain: {view.grain}."
    wanted = {"application": "nba-ml", "definition": hashlib.sha256(f"{statement}\n{description}".encode()).hexdigest()[:32]}
    described = list(view.columns.items())
    if there is not None and there.labels == wanted and [(item.name, item.description) for item in there.schema] == described:
        return []
    what = f"making {view.name}"
    query = client.run(names.rewrite(view.sql, datasets), (), what, dry_run=True)
    yields = query.schema or []
    view.check([item.name for item in yields])
    client.run(statement, (), what)
    made = bigquery.Table(names.table(view.name))
    made.schema = [bigquery.SchemaField(item.name, item.field_type, description=view.columns[item.name]) for item in yields]
    made.description = description
    made.labels = wanted  # last: a view without it is made again
    _update(client, made, ["schema", "description", "labels"])
    return [f"{view.name}: {'created' if there is None else 'replaced'} the view"]


def create_view(names: Names, view: View, datasets: Collection[str]) -> str:
    """Write the creation of a view; its descriptions come after, since a text with descriptions of columns is not plain GoogleSQL."""
    return f"CREATE OR REPLACE VIEW {quoted(names.table(view.name))} AS {names.rewrite(view.sql, datasets)}"
