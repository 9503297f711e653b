"""The training set: feature rows with their outcomes and the lines that were quoted, as known on a date."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib import resources
from typing import Any

import polars as pl

from nba_ml import calendar
from nba_ml.context import Context
from nba_ml.features import FeatureSet, given
from nba_ml.features.store import history, read_raw
from nba_ml.ids import digest, frame_fingerprint
from nba_ml.lines import consensus

_CODE = ("features", "systems", "training", "lines.py", "odds.py", "gates.toml")
"""What a model's numbers depend on besides data: a change of any of these is another version."""


@dataclass(frozen=True)
class Dataset:
    """Rows and lines up to a date.

    Attributes
    ----------
    rows : DataFrame
        Feature rows with `actual_points` and `actual_minutes`, sorted by date, game and player.
    lines : DataFrame
        Consensus lines by game_date and player_id (rule of backtests, nba_ml.lines.consensus).
    fingerprint : str
        Hash of the box scores, results, reports and lines that they are made of.
    features : FeatureSet
        Which columns of the rows a model is fed.
    by_season : mapping of str to str
        Season → hash of its box scores: which of them changed where the fingerprint did.
    left_out : int
        Player-games that are no rows, since the source gives features and has no accepted ones for them.
    """

    rows: pl.DataFrame
    lines: pl.DataFrame
    fingerprint: str
    features: FeatureSet
    by_season: Mapping[str, str]
    left_out: int = 0

    def described(self) -> dict[str, Any]:
        """Return what a version's manifest says of its data."""
        seasons = self.rows.group_by("season").len().sort("season").rows()
        return {
            "rows": self.rows.height,
            "rows_by_season": {str(season): int(count) for season, count in seasons},
            "fingerprint": self.fingerprint,
            "fingerprint_by_season": dict(self.by_season),
        }


def load(context: Context, until: date) -> Dataset:
    """Read all finished player-games up to `until`, and their lines.

    Raises
    ------
    GateRefused
        If features are missing.
    """
    as_of = calendar.end_of(until)
    rows = history(context.warehouse, as_of).filter(pl.col("game_date") <= until)
    quotes = context.warehouse.read("nba_raw.prop_lines", as_of=as_of, undated=True).filter(pl.col("game_date") <= until)
    box, schedule = (frame.filter(pl.col("game_date") <= until) for frame in read_raw(context.warehouse, as_of))
    lines = consensus(quotes, tipoffs=schedule.select("game_id", "tipoff_utc"))
    status = context.warehouse.read("nba_raw.player_status", as_of=as_of)
    facts = [box, schedule.sort("game_id"), lines, status]
    accepted = rows
    if given.is_given(context.settings):
        values = given.read(context, as_of)
        facts.append(values)
        accepted = rows.join(values, on=given.KEY, how="inner", maintain_order="left")
    fingerprint = digest([frame_fingerprint(frame) for frame in facts])
    return Dataset(accepted, lines, fingerprint, given.feature_set(context), _by_season(box), rows.height - accepted.height)


def _by_season(box: pl.DataFrame) -> dict[str, str]:
    return {season: frame_fingerprint(part) for (season,), part in sorted(box.partition_by("season", as_dict=True).items())}


def code_fingerprint() -> str:
    """Return a hash of the code and constants that a model's numbers depend on."""
    state = hashlib.sha256()
    root = resources.files("nba_ml")
    for name in _CODE:
        entry = root / name
        files = [entry] if entry.is_file() else sorted((item for item in entry.iterdir() if item.is_file()), key=lambda item: item.name)
        for file in files:
            if file.name.endswith((".py", ".toml")):
                state.update(file.name.encode() + b"\0" + file.read_bytes())
    return state.hexdigest()[:32]
