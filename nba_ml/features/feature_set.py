"""Which features a model is fed: their names in order, and the version of their definitions. Data and manifest carry it; systems get the names."""

from dataclasses import dataclass

from nba_ml.features.build import FEATURE_TABLE, FEATURE_VERSION, feature_names
from nba_ml.warehouse.schema import table

GIVEN_PREFIX = "given_"
"""Begins the names of features that a source gives ready-made: some of ours are called as theirs are and defined otherwise."""

JOINT = "+"
"""Stands in a version between that of our definitions and that of the source's."""


@dataclass(frozen=True)
class FeatureSet:
    """Features in the order that a model is fed.

    Attributes
    ----------
    names : tuple of str
        Columns of feature rows.
    version : str
        Of their definitions: rows and models of different versions are never mixed.
    """

    names: tuple[str, ...]
    version: str

    @property
    def types(self) -> dict[str, str]:
        """Feature → warehouse type, in their order."""
        columns = {column.name: column.type for column in table(FEATURE_TABLE).columns}
        return {name: columns.get(name, "float64") for name in self.names}


def own_features() -> FeatureSet:
    """Return the features that `nba_ml.features.build` makes."""
    return FeatureSet(feature_names(), FEATURE_VERSION)
