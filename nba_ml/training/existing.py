"""A team's own graded predictions, read only: what the model has to be better than where the team has one already."""

import logging
from datetime import date
from pathlib import Path

import polars as pl

from nba_ml.context import Context
from nba_ml.errors import BadInput
from nba_ml.gates import load_gates
from nba_ml.sources.names import fold
from nba_ml.training.gate_figures import EXISTING
from nba_ml.warehouse.given_tables import is_full_name
from nba_ml.warehouse.port import LATEST

log = logging.getLogger(__name__)

_KEY = ("slate_date", "player_id")
_NEXT = "Correct it, or unset NBA_ML_EXISTING_GRADES"


def read(context: Context, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the numbers of each of the team's systems for the player-games of a backtest.

    Parameters
    ----------
    frame : DataFrame
        Backtest in the contract's long format: which dates and players are asked for, and what was scored.

    Returns
    -------
    DataFrame
        slate_date, player_id, and ``existing.<system_id>`` for each system of theirs.

    Raises
    ------
    BadInput
        If a column is missing, or its results differ from ours on more rows than ``[existing] differing_results`` of gates.toml lets pass: then
        rows were matched wrongly, and a comparison would mean nothing.
    """
    where = str(context.settings.existing_grades)
    dates = frame["slate_date"].unique().sort()
    rows = _identified(context, _conformed(_load(context, where, (dates[0], dates[-1])), where)).filter(
        pl.col("slate_date").is_in(dates.to_list())
    )
    rows = rows.drop_nulls(["player_id", "predicted_points"]).unique()
    double = rows.filter(pl.struct(*_KEY, "system_id").is_duplicated())
    if double.height:
        log.warning("%s: %d rows repeat a date, player and system with another number and are left out", where, double.height)
        rows = rows.join(double.select(*_KEY, "system_id").unique(), on=[*_KEY, "system_id"], how="anti")
    _require_same_results(rows, frame, where)
    log.info("%s: %d graded predictions of %d systems on the dates of the backtest", where, rows.height, rows["system_id"].n_unique())
    named = rows.with_columns(pl.concat_str(pl.lit(f"{EXISTING}."), "system_id").alias("system_id"))
    return named.select(*_KEY, "system_id", "predicted_points").pivot("system_id", index=list(_KEY), values="predicted_points")


def _load(context: Context, where: str, span: tuple[date, date]) -> pl.DataFrame:
    if is_full_name(where):
        from nba_ml.sources.feature_store import columns
        from nba_ml.sources.feature_store.reading import Reader

        return Reader(context.settings, context.clients).rows(where, columns.GRADES, span)
    if not Path(where).is_file():
        raise BadInput(f"NBA_ML_EXISTING_GRADES: {where} is neither a file nor a table, written as project.dataset.table. {_NEXT}")
    return pl.read_parquet(where)


def _conformed(found: pl.DataFrame, where: str) -> pl.DataFrame:
    """Give the table our names and types; a table without a system is one system."""
    found = found.rename({"game_date": "slate_date"} if "slate_date" not in found.columns else {}, strict=False)
    who = [name for name in ("player_id", "player_lookup") if name in found.columns]
    lacking = [name for name in ("slate_date", "predicted_points", "actual_points") if name not in found.columns]
    if lacking or not who:
        raise BadInput(
            f"{where} has no column {', '.join(lacking or ['player_id or player_lookup'])}; it has {', '.join(found.columns)}. {_NEXT}"
        )
    if "system_id" not in found.columns:
        found = found.with_columns(system_id=pl.lit("model"))
    return found.select(
        pl.col("slate_date").cast(pl.Date),
        pl.col(who[0]).cast(pl.Int64 if who[0] == "player_id" else pl.String),
        pl.col("system_id").cast(pl.String),
        pl.col("predicted_points", "actual_points").cast(pl.Float64),
    )


def _identified(context: Context, rows: pl.DataFrame) -> pl.DataFrame:
    """Find the players of a table that knows them by ``player_lookup``, a name in small letters without spaces and accents."""
    if "player_id" in rows.columns:
        return rows
    players = context.warehouse.read("nba_raw.player_box", as_of=LATEST, columns=["player_id", "player_name"]).unique()
    spelt = players.select(
        "player_id", player_lookup=pl.Series([_spellings(name) for name in players["player_name"]], dtype=pl.List(pl.String))
    )
    lookups = spelt.explode("player_lookup").unique()
    lookups = lookups.filter(pl.col("player_lookup").is_unique())
    found = rows.join(lookups, on="player_lookup", how="left").drop("player_lookup")
    unknown = found["player_id"].null_count()
    if unknown:
        log.warning("%d graded predictions are of players whose name we don't know, or more than one bears", unknown)
    return found


def _spellings(name: str) -> list[str]:
    """Write a name as ``player_lookup`` does, with the suffix of its generation and without."""
    return ["".join(fold(word) for word in name.split()), fold(name).replace(" ", "")]


def _require_same_results(rows: pl.DataFrame, frame: pl.DataFrame, where: str) -> None:
    ours = frame.select(*_KEY, scored="actual_points").unique()
    both = rows.join(ours, on=_KEY).drop_nulls("actual_points")
    differing = both.filter(pl.col("actual_points") != pl.col("scored"))
    most = load_gates()["existing"]["differing_results"]
    if differing.height > most * both.height:
        first = differing.row(0, named=True)
        raise BadInput(
            f"{where}: actual_points differs from our box scores on {differing.height} of {both.height} rows, at most {most:.0%} may; the first is "
            f"player {first['player_id']} on {first['slate_date']}, {first['actual_points']:g} there and {first['scored']:g} here. {_NEXT}"
        )
