"""What the project's own rules measure, as functions of a polars frame; `nba_ml.validation.rules` wraps them for Great Expectations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

_NAMED = 8


@dataclass(frozen=True)
class Finding:
    """What a rule found.

    Attributes
    ----------
    passed : bool
        Whether the rule holds.
    observed : str
        The figure, and the columns or groups that broke the rule.
    details : dict
        The same for machines: name → figure.
    failed_rows : int or None
        Rows that break it; None for rules on whole tables.
    """

    passed: bool
    observed: str
    details: dict[str, float | str] = field(default_factory=dict)
    failed_rows: int | None = None


def _named(found: Mapping[str, float | str]) -> str:
    shown = [f"{name} {figure:.3g}" if isinstance(figure, float) else f"{name} {figure}" for name, figure in list(found.items())[:_NAMED]]
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return ", ".join(shown) + more


def _over(found: dict[str, float | str], what: str, looked_at: int) -> Finding:
    ordered = dict(sorted(found.items(), key=lambda item: -item[1] if isinstance(item[1], float) else 0.0))
    text = f"{what}: {_named(ordered)}" if found else f"none of {looked_at:,} columns"
    return Finding(not found, text, ordered)


def breaks(frame: pl.DataFrame, condition: str) -> pl.Series:
    """Tell which rows break a condition in SQL; a row for which it is unknown (a null) keeps it."""
    return frame.select(mask=~pl.sql_expr(condition).fill_null(value=True)).get_column("mask")


def rows_satisfy(frame: pl.DataFrame, condition: str, mostly: float) -> Finding:
    """Check that at least the share `mostly` of the rows keeps a condition."""
    if frame.is_empty():
        frame.select(pl.sql_expr(condition))
        return Finding(True, "no rows", failed_rows=0)
    failed = int(breaks(frame, condition).sum())
    return Finding(failed <= (1 - mostly) * frame.height, f"{failed:,} of {frame.height:,} rows", failed_rows=failed)


def _modal(frame: pl.DataFrame, column: str, per: Sequence[str], entity: Sequence[str]) -> pl.DataFrame:
    """Return per group its most frequent value, that value's share and the number of values looked at."""
    values = frame.filter(pl.col(column).is_not_null())
    if entity:
        values = values.group_by(*per, *entity).agg(pl.col(column).median())
    counts = values.group_by(*per, column).len("count")
    total = pl.col("count").sum().over(per) if per else pl.col("count").sum()
    counts = counts.with_columns(looked_at=total).with_columns(share=pl.col("count") / pl.col("looked_at"))
    counts = counts.sort([*per, "count", column], descending=[False] * len(per) + [True, False])
    return counts.unique(list(per), keep="first", maintain_order=True) if per else counts.head(1)


def modal_values(
    frame: pl.DataFrame, column: str, per: Sequence[str], entity: Sequence[str], max_share: float, min_rows: int
) -> pl.DataFrame:
    """Return the groups in which one value takes more than `max_share` of at least `min_rows` values.

    With `entity`, each entity counts once, with its median.
    """
    return _modal(frame, column, per, entity).filter((pl.col("share") > max_share) & (pl.col("looked_at") >= min_rows))


def modal_rows(frame: pl.DataFrame, column: str, per: Sequence[str], entity: Sequence[str], max_share: float, min_rows: int) -> pl.Series:
    """Tell which rows hold such a value."""
    found = modal_values(frame, column, per, entity, max_share, min_rows).select(*per, column, modal=pl.lit(value=True))
    return frame.select(*per, column).join(found, on=[*per, column], how="left", maintain_order="left")["modal"].fill_null(value=False)


def no_modal_value(frame: pl.DataFrame, column: str, per: Sequence[str], entity: Sequence[str], max_share: float, min_rows: int) -> Finding:
    """Check that no value takes too large a share of its group."""
    found = modal_values(frame, column, per, entity, max_share, min_rows)
    shares: dict[str, float | str] = {
        " ".join([*(str(row[name]) for name in per), f"{column}={row[column]}"]): float(row["share"]) for row in found.iter_rows(named=True)
    }
    failed = int(modal_rows(frame, column, per, entity, max_share, min_rows).sum()) if shares else 0
    finding = _over(shares, "share", frame.height)
    return Finding(finding.passed, finding.observed if shares else "no such value", finding.details, failed)


def group_sizes(frame: pl.DataFrame, group: Sequence[str], min_value: int, max_value: int) -> Finding:
    """Check the number of rows of each group."""
    sizes = frame.group_by(group, maintain_order=True).len()
    odd = sizes.filter(~pl.col("len").is_between(min_value, max_value))
    found: dict[str, float | str] = {" ".join(str(row[name]) for name in group): str(row["len"]) for row in odd.iter_rows(named=True)}
    return Finding(not found, f"{len(found)} of {sizes.height:,} groups: {_named(found)}" if found else f"{sizes.height:,} groups", found)


def null_shares(frame: pl.DataFrame, columns: Sequence[str], max_share: float, allow: Mapping[str, float]) -> Finding:
    """Check each column's share of nulls (NaN included); `allow` gives single columns a share of their own."""
    if frame.is_empty():
        frame.select(columns)
        return Finding(True, "no rows")
    floats = {name for name in columns if frame.schema[name].is_float()}
    missing = [pl.col(name).is_null() | (pl.col(name).is_nan() if name in floats else False) for name in columns]
    shares = frame.select(expression.mean().alias(name) for expression, name in zip(missing, columns, strict=True)).row(0, named=True)
    return _over({name: float(share) for name, share in shares.items() if share > allow.get(name, max_share)}, "null share", len(columns))


def finite(frame: pl.DataFrame, columns: Sequence[str]) -> Finding:
    """Check that no number is NaN or infinite; without `columns`, in all float columns."""
    floats = [name for name in columns or frame.columns if frame.schema[name].is_float()]
    counts = frame.select((~pl.col(name).is_finite()).sum().alias(name) for name in floats).row(0, named=True) if floats else {}
    return _over({name: float(count) for name, count in counts.items() if count}, "rows", len(floats))


def vary(frame: pl.DataFrame, columns: Sequence[str], min_distinct: int, min_rows: int, allow: Mapping[str, int]) -> Finding:
    """Check that each column takes at least `min_distinct` values other than null, in frames of at least `min_rows` rows.

    `allow` gives single columns a number of their own.
    """
    counts = frame.select(pl.col(name).drop_nulls().n_unique().alias(name) for name in columns).row(0, named=True)
    if frame.height < min_rows:
        return Finding(True, f"{frame.height:,} rows are too few to tell")
    few: dict[str, float | str] = {name: str(count) for name, count in counts.items() if count < allow.get(name, min_distinct)}
    return _over(few, "distinct values", len(columns))


def no_dominant_value(frame: pl.DataFrame, columns: Sequence[str], max_share: float, continuous_from: int) -> Finding:
    """Check that no value fills more than `max_share` of a continuous column's known values.

    Continuous are float columns with at least `continuous_from` distinct values.
    """
    found: dict[str, float | str] = {}
    for name in columns:
        values = frame.get_column(name).drop_nulls()
        if not values.dtype.is_float() or values.is_empty():
            continue
        counts = values.value_counts()
        share = float(counts["count"].max()) / len(values)  # type: ignore[arg-type]
        if counts.height >= continuous_from and share > max_share:
            found[name] = share
    return _over(found, "share", len(columns))


def no_copy_of_target(frame: pl.DataFrame, columns: Sequence[str], target: str, max_correlation: float) -> Finding:
    """Check that no column correlates with the target above `max_correlation`, in absolute value."""
    values = pl.col(target).cast(pl.Float64)
    numeric = [name for name in columns if frame.schema[name].is_numeric() or frame.schema[name] == pl.Boolean]
    found = frame.select(pl.corr(pl.col(name).cast(pl.Float64).fill_nan(None), values).abs().alias(name) for name in numeric)
    correlations = found.row(0, named=True) if numeric else {}
    high: dict[str, float | str] = {
        name: value for name, value in correlations.items() if value is not None and max_correlation < value <= 2
    }
    return _over(high, "correlation", len(numeric))


def ascending(frame: pl.DataFrame, column: str) -> Finding:
    """Check that a column never falls from one row to the next."""
    values = frame.get_column(column)
    falls = int((values < values.shift(1)).sum() or 0)
    return Finding(falls == 0, f"{falls:,} of {frame.height:,} rows step back")


def same_schema(frame: pl.DataFrame, expected: Mapping[str, str | None], known: Sequence[str]) -> Finding:
    """Compare the features of a frame with those that a model was trained on: names, order and types.

    Parameters
    ----------
    expected : mapping
        Feature → polars type as text (any case), in the model's order; None leaves the type open.
    known : sequence of str
        Every feature that there is: one of them that the model does not expect is a difference, other columns are not looked at.
    """
    actual = {name: str(dtype) for name, dtype in frame.schema.items() if name in expected or name in known}
    found: dict[str, float | str] = {name: "missing" for name in expected if name not in actual}
    found |= {name: "unknown to the model" for name in actual if name not in expected}
    for name, kind in expected.items():
        if name in actual and kind and actual[name].lower() != kind.lower():
            found[name] = f"is {actual[name]}, not {kind}"
    if not found:
        found = {name: f"stands where {want} belongs" for name, want in zip(actual, expected, strict=True) if name != want}
    return Finding(not found, f"{len(found)} differences: {_named(found)}" if found else f"{len(expected)} features", found)
