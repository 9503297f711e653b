"""Expectation types of this project. Importing the module registers them with Great Expectations under their snake-cased names.

They look at the polars frame itself, and one rule over all features is one pass: Great Expectations hashes every column of a pandas frame twice,
and turns nulls in it into objects, which takes seconds on a training set.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, ClassVar

import polars as pl
from great_expectations.compatibility.pydantic import Field
from great_expectations.expectations.expectation import BatchExpectation

from nba_ml.validation import measures
from nba_ml.validation.measures import Finding

FRAME: ContextVar[pl.DataFrame] = ContextVar("frame")
"""The frame that is being checked; `nba_ml.validation.engine` sets it."""


class _FrameExpectation(BatchExpectation):
    metric_dependencies: ClassVar[tuple[str, ...]] = ()
    measure: ClassVar[Callable[..., Finding]]

    def _arguments(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in self.success_keys}

    def _validate(self, metrics: dict, runtime_configuration: dict | None = None, execution_engine: object = None) -> dict[str, Any]:
        frame = FRAME.get()
        finding = type(self).measure(frame, **self._arguments())
        result: dict[str, Any] = {"observed_value": finding.observed, "details": finding.details, "element_count": frame.height}
        if finding.failed_rows is not None:
            result |= {"unexpected_count": finding.failed_rows, "unexpected_percent": 100 * finding.failed_rows / max(frame.height, 1)}
        return {"success": finding.passed, "result": result}


class ExpectRowsToSatisfy(_FrameExpectation):
    """Rows keep a condition, written in SQL over the frame's columns; a null keeps it. `mostly` is a share of all rows."""

    condition: str
    mostly: float = 1.0
    success_keys: ClassVar[tuple[str, ...]] = ("condition", "mostly")
    measure: ClassVar[Callable[..., Finding]] = staticmethod(measures.rows_satisfy)


class ExpectNoModalValue(_FrameExpectation):
    """No value of a column takes more than `max_share` of a group of at least `min_rows` values; each `entity` counts once."""

    column: str
    per: list[str] = Field(default_factory=list)
    entity: list[str] = Field(default_factory=list)
    max_share: float
    min_rows: int
    success_keys: ClassVar[tuple[str, ...]] = ("column", "per", "entity", "max_share", "min_rows")
    measure: ClassVar[Callable[..., Finding]] = staticmethod(measures.no_modal_value)


class ExpectGroupSizesToBeBetween(_FrameExpectation):
    """Each group has a number of rows in the range."""

    group: list[str]
    min_value: int
    max_value: int
    success_keys: ClassVar[tuple[str, ...]] = ("group", "min_value", "max_value")
    measure: ClassVar[Callable[..., Finding]] = staticmethod(measures.group_sizes)


class ExpectNullSharesToBeAtMost(_FrameExpectation):
    """No column has a larger share of nulls than `max_share`, or than `allow` gives it by name."""

    columns: list[str]
    max_share: float
    allow: dict[str, float] = Field(default_factory=dict)
    success_keys: ClassVar[tuple[str, ...]] = ("columns", "max_share", "allow")
    measure: ClassVar[Callable[..., Finding]] = staticmethod(measures.null_shares)


class ExpectColumnsToBeFinite(_FrameExpectation):
    """No number is NaN or infinite; without `columns`, in all float columns."""

    columns: list[str] = Field(default_factory=list)
    success_keys: ClassVar[tuple[str, ...]] = ("columns",)
    measure: ClassVar[Callable[..., Finding]] = staticmethod(measures.finite)


class ExpectColumnsToVary(_FrameExpectation):
    """Each column takes at least `min_distinct` values, or as many as `allow` gives it by name, in frames of at least `min_rows` rows."""

    columns: list[str]
    min_distinct: int = 2
    min_rows: int = 2
    allow: dict[str, int] = Field(default_factory=dict)
    success_keys: ClassVar[tuple[str, ...]] = ("columns", "min_distinct", "min_rows", "allow")
    measure: ClassVar[Callable[..., Finding]] = staticmethod(measures.vary)


class ExpectNoDominantValue(_FrameExpectation):
    """No value fills more than `max_share` of a continuous column."""

    columns: list[str]
    max_share: float
    continuous_from: int = 20
    success_keys: ClassVar[tuple[str, ...]] = ("columns", "max_share", "continuous_from")
    measure: ClassVar[Callable[..., Finding]] = staticmethod(measures.no_dominant_value)


class ExpectNoCopyOfTarget(_FrameExpectation):
    """No column correlates with the target above `max_correlation`."""

    columns: list[str]
    target: str
    max_correlation: float
    success_keys: ClassVar[tuple[str, ...]] = ("columns", "target", "max_correlation")
    measure: ClassVar[Callable[..., Finding]] = staticmethod(measures.no_copy_of_target)


class ExpectDatesToAscend(_FrameExpectation):
    """A column never falls from one row to the next."""

    column: str
    success_keys: ClassVar[tuple[str, ...]] = ("column",)
    measure: ClassVar[Callable[..., Finding]] = staticmethod(measures.ascending)


class ExpectFeatureSchemaToMatch(_FrameExpectation):
    """The frame's features have the names, order and types that the model was trained on; `known` lists all features there are."""

    expected: dict[str, str | None]
    known: list[str]
    success_keys: ClassVar[tuple[str, ...]] = ("expected", "known")
    measure: ClassVar[Callable[..., Finding]] = staticmethod(measures.same_schema)
