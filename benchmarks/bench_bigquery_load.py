"""A load of 130,000 rows × 80 features through the platform against the bare client, on the emulated BigQuery.

Both start from the same frame and end when its rows can be queried. The bare client writes parquet and runs one load job, and knows no ids,
duplicates, other writers or earlier tries. The goal is at most 1.3 times its time, in the same run.
"""

import argparse
import io
import os
import sys
import tempfile
import uuid
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from common import ROOT, Cost, best, show, timed
from google.cloud import bigquery

from nba_ml.settings import Settings
from nba_ml.warehouse.bigquery import BigQueryWarehouse
from nba_ml.warehouse.bigquery_load import schema_of
from nba_ml.warehouse.bigquery_open import open_client
from nba_ml.warehouse.schema import Table, parse_table

ROWS, FEATURES, ROUNDS = 130_000, 80, 5
FIRST, ROWS_A_DAY = date(2021, 10, 19), 150
AT_MOST = 1.3
DATASET = "nba_predictions"


def table(name: str) -> Table:
    """Describe a table of features."""
    keys = {"game_date": "date", "game_id": "string", "player_id": "int64"}
    columns = [{"name": key, "type": type_, "required": True, "description": key} for key, type_ in keys.items()]
    columns += [{"name": f"feature_{number}", "type": "float64", "description": "A feature."} for number in range(FEATURES)]
    columns.append({"name": "known_at", "type": "timestamp", "description": "Since when it is known."})
    about = {"owner": "ml", "description": "Features.", "grain": "one row per player-game", "known_at": "known_at"}
    return parse_table(about | {"table": f"{DATASET}.{name}", "key": list(keys), "partition": "game_date", "columns": columns})


def rows() -> pl.DataFrame:
    """Make rows such as features are: numbers with few repeats, a tenth of them unknown."""
    random = np.random.default_rng(1)
    number = pl.int_range(ROWS, eager=True)
    frame = pl.DataFrame({f"feature_{n}": random.normal(10, 5, ROWS) for n in range(FEATURES)})
    unknown = pl.Series(random.random(ROWS) < 0.1)
    frame = frame.with_columns(pl.when(~unknown).then(pl.all()))
    day = pl.Series([FIRST + timedelta(days=n // ROWS_A_DAY) for n in range(ROWS)])
    return frame.with_columns(
        game_date=day, game_id=(number // 20).cast(pl.String), player_id=number, known_at=pl.datetime(2025, 1, 1, time_zone="UTC")
    )


def measure(folder: Path) -> tuple[list[Cost], list[Cost], list[Cost]]:
    """Load the rows by turns through the bare client and the platform, each time into a table of its own."""
    prefix = f"bench_{uuid.uuid4().hex[:8]}_"
    client = open_client(Settings(project="emulated", home=folder))
    frame = rows()
    earlier = frame.head(1).with_columns(game_date=pl.lit(FIRST - timedelta(days=300)))
    bare, platform, again = [], [], []
    for turn in range(ROUNDS):
        theirs, ours = table(f"bare_{turn}"), table(f"platform_{turn}")
        warehouse = BigQueryWarehouse(client, prefix, tables={ours.name: ours, theirs.name: theirs})
        warehouse.ensure()
        # A table in use: it holds an earlier season, and has been written to.
        warehouse.upsert(ours.name, earlier)
        conformed = theirs.conform(frame)

        def load(conformed: pl.DataFrame = conformed, theirs: Table = theirs, warehouse: BigQueryWarehouse = warehouse) -> None:
            buffer = io.BytesIO()
            conformed.write_parquet(buffer)
            config = bigquery.LoadJobConfig(schema=schema_of(theirs), source_format="PARQUET", write_disposition="WRITE_APPEND")
            client.client.load_table_from_file(buffer, warehouse.names.table(theirs.name), rewind=True, job_config=config).result()

        bare.append(timed(load)[1])
        new, cost = timed(lambda warehouse=warehouse, ours=ours: warehouse.upsert(ours.name, frame))
        platform.append(cost)
        unchanged, cost = timed(lambda warehouse=warehouse, ours=ours: warehouse.upsert(ours.name, frame))
        again.append(cost)
        if (new, unchanged) != (ROWS, 0) or warehouse.count() != {ours.name: ROWS + 1, theirs.name: ROWS}:
            sys.exit(f"{new} rows were new, then {unchanged}; the tables have {warehouse.count()}")
    return bare, platform, again


def main() -> None:
    """Measure on an emulator of its own, and fail above the goal."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    sys.path.insert(0, str(ROOT / "scripts"))
    import emulators

    with tempfile.TemporaryDirectory() as folder, emulators.share("bigquery", Path(folder)) as variables:
        os.environ |= variables
        bare, platform, again = measure(Path(folder))
    ratio = best(platform).wall / best(bare).wall
    show(
        "bigquery_load",
        f"{ROWS:,} rows of {FEATURES} features, best of {ROUNDS}; the platform takes {ratio:.2f} times as long (goal: at most {AT_MOST})",
        ("way", "seconds"),
        [("bare client", best(bare).wall), ("platform", best(platform).wall), ("platform, the same rows again", best(again).wall)],
        {"rows": ROWS, "bare": best(bare).wall, "platform": best(platform).wall, "again": best(again).wall, "ratio": ratio},
    )
    if ratio > AT_MOST:
        sys.exit(1)


if __name__ == "__main__":
    main()
