"""A prediction worker outside Airflow: it waits for slates, and predicts each with the versions that are released at that moment.

It reads one JSON message a line from standard input and answers each with one line:

    {"features": "rows.parquet", "history": "history.parquet", "output": "predictions.parquet"}

`features` holds the slate's feature rows, `history` those of earlier games with `actual_points` (both as in ml_feature_store_v2), and an
optional `lines` the betting lines by game_date and player_id (line, p_over_market). Each row is predicted by the version that it is assigned to.

The model comes from the object store alone: NBA_ML_STORE=gs://bucket/prefix NBA_ML_ENVIRONMENT=production python examples/prediction_worker.py
Every message opens what is released anew, verified whole: a rollback takes effect at the next message, and a model that does not hold
is an answer with an error and no predictions.
"""

import json
import sys
from pathlib import Path
from typing import Any

import polars as pl

from nba_ml.errors import NbaMlError
from nba_ml.registry import load_released
from nba_ml.slate.scoring import predict_published


def handle(message: dict[str, str]) -> dict[str, Any]:
    """Predict one slate and write its predictions; return who predicted how many rows."""
    models = load_released()
    frames = {name: pl.read_parquet(message[name]) for name in ("features", "history", "lines") if name in message}
    predicted = predict_published(models, frames["features"], frames["history"], frames.get("lines"))
    predicted.write_parquet(Path(message["output"]))
    return {
        "output": message["output"],
        "rows": predicted.height,
        "versions": dict(sorted(predicted["model_version"].value_counts().iter_rows())),
        "release_entry": models.rollout.in_force,
    }


def main() -> None:
    """Answer messages until standard input ends."""
    for line in sys.stdin:
        try:
            answer = handle(json.loads(line))
        except NbaMlError as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
