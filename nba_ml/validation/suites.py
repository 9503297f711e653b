"""Suites as they are written in ``expectations/*.yaml``: reading, checking and handing them to Great Expectations.

A suite file needs no Great Expectations to be read, so its rules can be listed and documented without the seconds that its import takes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

import nba_ml
from nba_ml.errors import UsageError
from nba_ml.warehouse import schema

if TYPE_CHECKING:
    import great_expectations as gx

FEATURES = "$features"
"""Stands in a rule's kwargs for the list of all features."""

# fmt: off
TEAMS = (
    "ATL", "BKN", "BOS", "CHA", "CHI", "CLE", "DAL", "DEN", "DET", "GSW", "HOU", "IND", "LAC", "LAL", "MEM",
    "MIA", "MIL", "MIN", "NOP", "NYK", "OKC", "ORL", "PHI", "PHX", "POR", "SAC", "SAS", "TOR", "UTA", "WAS",
)
# fmt: on
"""Tricodes of the league's teams: ``$teams`` in a rule's kwargs."""

ROW_RULES = frozenset(
    {
        "expect_column_values_to_not_be_null",
        "expect_column_values_to_be_between",
        "expect_column_values_to_be_in_set",
        "expect_column_values_to_be_unique",
        "expect_compound_columns_to_be_unique",
        "expect_rows_to_satisfy",
        "expect_no_modal_value",
    }
)
"""Types that judge single rows: the only ones that can quarantine."""

_GX_SEVERITY = {"stop": "critical", "quarantine": "critical", "warn": "warning"}


class Rule(BaseModel):
    """One rule of a suite.

    Attributes
    ----------
    id : str
        Name within the suite; results, quarantined rows and messages carry it.
    type : str
        An expectation type of Great Expectations or of `nba_ml.validation.rules`.
    kwargs : dict
        Its arguments. A text that starts with ``$`` names a parameter of the suite.
    severity : {"stop", "quarantine", "warn"}
        stop: the run ends. quarantine: offending rows are kept out and the run goes on. warn: said, and nothing else.
    reason : str
        Why the rule exists.
    cap : float, optional
        Largest share of rows that a quarantine rule may keep out; above it the run stops.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    type: str
    kwargs: dict[str, Any] = Field(default_factory=dict)
    severity: Literal["stop", "quarantine", "warn"]
    reason: str = Field(min_length=10)
    cap: float | None = Field(None, gt=0, lt=1)

    @model_validator(mode="after")
    def _cap_fits(self) -> Rule:
        if (self.severity == "quarantine") != (self.cap is not None):
            raise ValueError("a quarantine rule has a cap, and no other rule has one")
        if self.severity == "quarantine" and self.type not in ROW_RULES:
            raise ValueError(f"{self.type} judges no single row, so it can't quarantine: use stop or warn")
        return self


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    table: str
    description: str
    next_step: str
    key: list[str]
    parameters: dict[str, Any] = Field(default_factory=dict)
    rules: list[Rule] = Field(min_length=1)


@dataclass(frozen=True)
class Suite:
    """One suite.

    Attributes
    ----------
    name : str
        File name in ``expectations/`` without its ending.
    table : str
        Table whose rows, or rows to be, it judges.
    next_step : str
        What to do when it stops a run.
    key : tuple of str
        Columns that name a row in reports.
    parameters : dict
        Values that callers may replace, with their defaults.
    """

    name: str
    table: str
    description: str
    next_step: str
    key: tuple[str, ...]
    parameters: dict[str, Any]
    rules: tuple[Rule, ...]

    def resolved(self, features: Sequence[str], parameters: Mapping[str, Any] | None = None) -> Suite:
        """Return the suite with every ``$name`` in its kwargs replaced.

        Raises
        ------
        UsageError
            If `parameters` holds a name that the suite has not, or a rule uses one that nothing gives.
        """
        unknown = sorted(set(parameters or {}) - set(self.parameters))
        if unknown:
            raise UsageError(f"suite {self.name} has no parameter {', '.join(unknown)}: it has {', '.join(self.parameters) or 'none'}")
        values: dict[str, Any] = {FEATURES: list(features), "$teams": list(TEAMS)}
        values |= {f"${name}": value for name, value in (self.parameters | dict(parameters or {})).items()}
        rules = tuple(
            rule.model_copy(update={"kwargs": {key: _fill(value, values) for key, value in rule.kwargs.items()}}) for rule in self.rules
        )
        return Suite(self.name, self.table, self.description, self.next_step, self.key, self.parameters, rules)

    def to_gx(self) -> gx.ExpectationSuite:
        """Build the Great Expectations suite; the rule's id, our severity, cap and reason travel in its meta.

        Raises
        ------
        UsageError
            If Great Expectations drops or refuses a rule: it logs a mistyped type and goes on with one rule fewer.
        """
        import great_expectations as gx

        import nba_ml.validation.rules  # noqa: F401  registers the project's own types

        configurations = [
            {
                "type": rule.type,
                "kwargs": rule.kwargs,
                "severity": _GX_SEVERITY[rule.severity],
                "notes": rule.reason,
                "meta": {"id": rule.id, "severity": rule.severity, "cap": rule.cap, "reason": rule.reason},
            }
            for rule in self.rules
        ]
        try:
            built = gx.ExpectationSuite(name=self.name, expectations=configurations)
        except Exception as error:
            raise UsageError(
                f"suite {self.name}: Great Expectations refuses a rule ({error}); correct expectations/{self.name}.yaml"
            ) from error
        kept = {expectation.meta["id"] for expectation in built.expectations}
        dropped = [rule.id for rule in self.rules if rule.id not in kept]
        if dropped:
            raise UsageError(f"suite {self.name}: Great Expectations dropped {', '.join(dropped)}; correct expectations/{self.name}.yaml")
        return built


def _fill(value: object, values: Mapping[str, Any]) -> object:
    if not isinstance(value, str) or not value.startswith("$"):
        return value
    if value not in values:
        raise UsageError(f"{value} is no parameter of the suite: it has {', '.join(sorted(values))}")
    return values[value]


def folder() -> Path:
    """Return the folder of suite files: inside the package where it is installed, beside it in a checkout."""
    package = Path(nba_ml.__file__).parent
    inside = package / "expectations"
    return inside if inside.is_dir() else package.parent / "expectations"


def suite_names() -> list[str]:
    """Return the names of all suites, ascending."""
    return sorted(path.stem for path in folder().glob("*.yaml"))


def parse_suite(text: str, name: str) -> Suite:
    """Build a suite from the text of its file.

    Raises
    ------
    UsageError
        Naming what is wrong with it.
    """
    try:
        document = _Document.model_validate(yaml.safe_load(text))
    except (ValidationError, yaml.YAMLError) as error:
        raise UsageError(f"expectations/{name}.yaml: {error}") from None
    ids = [rule.id for rule in document.rules]
    twice = sorted({rule for rule in ids if ids.count(rule) > 1})
    if document.name != name or twice or document.table not in schema.tables():
        problem = f"repeats the rule {', '.join(twice)}" if twice else f"says name {document.name} and table {document.table}"
        raise UsageError(
            f"expectations/{name}.yaml {problem}; its name is the file's, its table one of nba_ml/warehouse/tables, each rule's id its own"
        )
    return Suite(
        name, document.table, document.description, document.next_step, tuple(document.key), document.parameters, tuple(document.rules)
    )


@cache
def load_suite(name: str) -> Suite:
    """Read one suite.

    Raises
    ------
    UsageError
        If there is no such suite, or its file is wrong.
    """
    if name not in suite_names():
        raise UsageError(f"no suite {name!r}: choose one of {', '.join(suite_names())}")
    return parse_suite((folder() / f"{name}.yaml").read_text("utf-8"), name)
