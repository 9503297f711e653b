"""Named feature vectors out of either form of the team's feature store, or a refusal that names the row."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from nba_ml.errors import BadInput
from nba_ml.sources.feature_store.columns import Wanted

_VALUE_COLUMN = re.compile(r"feature_(\d+)_value")
_WORD = "_"


@dataclass(frozen=True)
class Vectors:
    """Feature rows of one version.

    Attributes
    ----------
    version : str
    names : tuple of str
        In the order of the values.
    rows : DataFrame
        game_date, player_lookup, quality_score, written_at, values (list of float64, null = not known) and defaulted_features: how many
        of the features that are learned from stand for a value that is not known.
    """

    version: str
    names: tuple[str, ...]
    rows: pl.DataFrame


def value_columns(there: Mapping[str, str], table: str) -> list[Wanted]:
    """Return the columns feature_0_value, feature_1_value, … of a table; none where it holds arrays.

    Raises
    ------
    BadInput
        If a number is left out, or the table has neither form.
    """
    numbers = sorted(int(match[1]) for match in map(_VALUE_COLUMN.fullmatch, there) if match)
    if numbers != list(range(len(numbers))):
        absent = next(number for number in range(numbers[-1]) if number not in numbers)
        raise BadInput(f"{table}, field feature_{absent}_value: the column is missing, and feature_{numbers[-1]}_value is there; add it")
    if not numbers and not {"features", "feature_names"} <= set(there):
        raise BadInput(
            f"{table}: has neither features with feature_names nor feature_0_value, feature_1_value, …; "
            "correct NBA_ML_FEATURE_STORE (docs/feature_store.md)"
        )
    return [Wanted(f"feature_{number}_value", (f"feature_{number}_value",), "FLOAT64") for number in numbers]


def excluded(names: Sequence[str], words: str) -> frozenset[str]:
    """Return the names that are among comma-separated `words`, or hold one of them between their underscores."""
    given = {word.strip() for word in words.split(",") if word.strip()}
    return frozenset(name for name in names if name in given or given.intersection(name.split(_WORD)))


def vectors(raw: pl.DataFrame, table: str, *, version: str | None, default_names: Sequence[str], exclude: str) -> Vectors | None:
    """Turn rows of the feature store into named vectors; None where there are none.

    Parameters
    ----------
    raw : DataFrame
        Columns of `columns.FEATURES` and feature_N_value that the table has.
    version : str, optional
        The feature_version to use; other rows count as absent. Without one there may be only one.
    default_names : sequence of str
        Names of feature_0_value, feature_1_value, … where the rows carry none.
    exclude : str
        See `excluded`; a default in such a feature does not count.

    Raises
    ------
    BadInput
        For mixed versions, an array of the wrong length, names missing, doubled or in another order, two rows of one player and date
        that no time of writing tells apart; the message names date, player and field.
    """
    rows = raw.filter(pl.col("feature_version") == version) if version else raw
    if rows.is_empty():
        return None
    rows = _latest(rows.sort("game_date", "player_lookup"), table)
    _one_version(rows, table)
    by_columns = sorted((name for name in rows.columns if _VALUE_COLUMN.fullmatch(name)), key=lambda name: int(name.split("_")[1]))
    if by_columns:
        rows = rows.with_columns(features=pl.concat_list(by_columns))
        # Their rows may keep the array's names beside the columns; without any, the order of the documented contract counts.
        named = "feature_names" in rows.columns and rows["feature_names"].list.len().fill_null(0).max() != 0
        names = _names(rows, table) if named else tuple(default_names[: len(by_columns)])
        if not named and len(names) < len(by_columns):
            raise BadInput(
                f"{table}: {len(by_columns)} columns feature_N_value, and names for {len(names)} of them; "
                "write them, one a line, into a file and set NBA_ML_FEATURE_STORE_NAMES to it"
            )
    else:
        names = _names(rows, table)
    _right_length(rows, names, table)
    _distinct(names, table)
    known = pl.element().is_finite()
    rows = rows.with_columns(values=pl.col("features").cast(pl.List(pl.Float64)).list.eval(pl.when(known).then(pl.element())))
    kept = rows.select(
        "game_date",
        "player_lookup",
        _optional(rows, "quality_score", pl.Float64()),
        _written(rows),
        "values",
        defaulted_features=_defaulted(rows, names, excluded(names, exclude)),
    )
    return Vectors(rows["feature_version"][0], names, kept)


def _where(table: str, row: Mapping[str, object], field: str) -> str:
    return f"{table} row of {row['game_date']}, player {row['player_lookup']}, field {field}"


def _optional(rows: pl.DataFrame, name: str, dtype: pl.DataType) -> pl.Expr:
    return pl.col(name).cast(dtype) if name in rows.columns else pl.lit(None, dtype).alias(name)


def _written(rows: pl.DataFrame) -> pl.Expr:
    moment = pl.Datetime("us", "UTC")
    return pl.coalesce(_optional(rows, "updated_at", moment), _optional(rows, "created_at", moment)).alias("written_at")


def _latest(rows: pl.DataFrame, table: str) -> pl.DataFrame:
    """Keep the row that was written last of each player and date."""
    ordered = rows.with_columns(_written(rows)).sort("game_date", "player_lookup", "written_at", nulls_last=False, maintain_order=True)
    key = ["game_date", "player_lookup"]
    tied = ordered.filter(ordered.select(*key, "written_at").is_duplicated())
    if tied.height:
        row = tied.row(0, named=True)
        raise BadInput(
            f"{_where(table, row, 'player_lookup')}: the row is there more than once, and no time of writing says which is the last one "
            f"({tied.select(key).n_unique()} such players and dates); keep one of each and run the same command again"
        )
    return ordered.unique(key, keep="last", maintain_order=True)


def _one_version(rows: pl.DataFrame, table: str) -> None:
    first = rows.row(0, named=True)
    other = rows.filter(pl.col("feature_version").ne_missing(first["feature_version"]))
    if other.height:
        row = other.row(0, named=True)
        raise BadInput(
            f"{_where(table, row, 'feature_version')}: is {row['feature_version']}, and {first['feature_version']} on {first['game_date']} "
            f"({other.height:,} of {rows.height:,} rows are of another version); versions are never mixed: set NBA_ML_FEATURE_STORE_VERSION "
            "to the one to use, or have the others computed again"
        )


def _names(rows: pl.DataFrame, table: str) -> tuple[str, ...]:
    first = rows.row(0, named=True)
    names = tuple(first["feature_names"] or ())
    told = rows.select(pl.col("feature_names").list.join("\x1f", ignore_nulls=False))["feature_names"]
    differing = (told != "\x1f".join(names)).fill_null(value=True)
    if not names or None in names or differing.any():
        row = rows.filter(differing).row(0, named=True) if names and differing.any() else first
        theirs = row["feature_names"] or []
        place = next(
            (at for at, (mine, other) in enumerate(zip(names, theirs, strict=False)) if mine != other), min(len(names), len(theirs))
        )
        pair = [listed[place] if place < len(listed) else "nothing" for listed in (theirs, names)]
        raise BadInput(
            f"{_where(table, row, 'feature_names')}: position {place} is {pair[0]}, and {pair[1]} on {first['game_date']} for player "
            f"{first['player_lookup']} ({int(differing.sum()):,} of {rows.height:,} rows differ); one feature_version has one list of names "
            "in one order: correct the rows, or give them another feature_version"
        )
    return names


def _right_length(rows: pl.DataFrame, names: Sequence[str], table: str) -> None:
    wrong = rows.filter(pl.col("features").list.len().fill_null(0) != len(names))
    if wrong.height:
        row = wrong.row(0, named=True)
        raise BadInput(
            f"{_where(table, row, 'features')}: holds {len(row['features'] or [])} values for {len(names)} names "
            f"({wrong.height:,} of {rows.height:,} rows are of the wrong length); correct the rows and run the same command again"
        )


def _distinct(names: Sequence[str], table: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadInput(f"{table}, field feature_names: {twice[0]} is there more than once; give each feature a name of its own")


def _defaulted(rows: pl.DataFrame, names: Sequence[str], left_out: Collection[str]) -> pl.Series:
    """Count, in each row, the learned features that are null or that the team marks as defaults.

    The team's own count stands where it keeps no list of places: it may be larger, never hide a null.
    """
    learned = [place for place, name in enumerate(names) if name not in left_out]
    frame = rows.select(_optional(rows, "default_count", pl.Int64()), values="values").with_row_index("row")
    marked = rows["default_indices"].cast(pl.List(pl.Int64)) if "default_indices" in rows.columns else pl.Series([None] * rows.height)
    marked = marked.cast(pl.List(pl.Int64))
    places = pl.int_range(pl.len(), dtype=pl.Int64).over("row").alias("place")
    unknown = frame.select("row", "values").explode("values").with_columns(places).filter(pl.col("values").is_null()).select("row", "place")
    told = pl.DataFrame({"row": frame["row"], "place": marked}).explode("place").drop_nulls()
    bad = pl.concat([unknown, told]).unique().filter(pl.col("place").is_in(learned)).group_by("row").len("found")
    counted = frame.with_columns(has_list=marked.is_not_null()).join(bad, on="row", how="left", maintain_order="left")
    found = pl.col("found").fill_null(0).cast(pl.Int64)
    return counted.select(pl.when("has_list").then(found).otherwise(pl.max_horizontal(found, pl.col("default_count").fill_null(0))))[
        "found"
    ].rename("defaulted_features")
