"""What the parquet files of the `files` source look like: names, columns, and where each column goes."""

from dataclasses import dataclass
from functools import cache

from nba_ml.warehouse.schema import Table, table


@dataclass(frozen=True)
class FileColumn:
    """One column of a file.

    Attributes
    ----------
    name : str
        As the file calls it.
    column : str
        As the table calls it.
    kind : str
        Kind of value, a key of `nba_ml.sources.casting.KINDS`.
    needed : bool
        The file is refused without the column.
    filled : bool
        The file is refused where the column is null.
    """

    name: str
    column: str
    kind: str
    needed: bool
    filled: bool


@dataclass(frozen=True)
class FileFormat:
    """One file, or all files that share a pattern.

    Attributes
    ----------
    pattern : str
        File name, or a glob for optional files.
    table : Table
        Table that the rows go to.
    columns : tuple of FileColumn
        Columns that are read; a file may hold others.
    date : str
        The file's name of the column with the slate date.
    """

    pattern: str
    table: Table
    columns: tuple[FileColumn, ...]
    date: str


_KINDS = {"game_id": "game_id", "minutes": "minutes", "won": "won"}


def _format(pattern: str, table_name: str, renamed: dict[str, str], needed: str, absent: str = "") -> FileFormat:
    target = table(f"nba_raw.{table_name}")
    columns = []
    for column in target.columns:
        if column.name == "id" or column.name in absent.split():
            continue
        name = renamed.get(column.name, column.name)
        is_needed = name in needed.split()
        columns.append(FileColumn(name, column.name, _KINDS.get(column.name, column.type), is_needed, filled=is_needed and column.required))
    return FileFormat(pattern, target, tuple(columns), renamed.get("game_date", "game_date"))


@cache
def formats() -> dict[str, FileFormat]:
    """Return the format of each file, by a short name; required files first."""
    status = {"game_date": "et_date", "captured_at": "snapshot_ts"}
    return {
        "schedule": _format(
            "schedule.parquet",
            "schedule",
            {"home_points": "home_pts", "away_points": "away_pts", "overtime": "ot", "source": "src"},
            "season season_type game_id game_date home away home_pts away_pts tipoff_utc",
            absent="known_at result_known_at",
        ),
        "player_box": _format(
            "player_box.parquet",
            "player_box",
            {"minutes": "min", "points": "pts", "opponent": "opp", "won": "wl", "source": "src"},
            "season season_type game_id game_date player_id player_name team opp is_home min pts",
            absent="known_at",
        ),
        "prop_lines": _format(
            "player_points_props.parquet",
            "prop_lines",
            {"opponent": "opp", "captured_at": "snapshot_ts", "tipoff_utc": "commence_ts"},
            "season game_id game_date player_id player_name player_raw bookmaker line_kind line over_odds under_odds snapshot_ts source",
            absent="market",
        ),
        "game_lines": _format(
            "game_lines.parquet",
            "game_lines",
            {"captured_at": "snapshot_ts"},
            "season game_id game_date home away bookmaker market line home_odds away_odds over_odds under_odds snapshot_ts source",
            absent="ordinal",
        ),
        "injury_report": _format(
            "injury_snapshots*.parquet",
            "player_status",
            status,
            "et_date team player_raw status snapshot_ts",
            absent="kind position source",
        ),
        "projected_lineup": _format(
            "projected_lineups*.parquet",
            "player_status",
            {**status, "position": "pos"},
            "et_date team player_raw pos snapshot_ts",
            absent="kind status source",
        ),
    }


REQUIRED = ("schedule", "player_box", "prop_lines", "game_lines")
"""Files without which the folder is refused."""

STATUS_KINDS = ("injury_report", "projected_lineup")
"""Optional files, each the kind of its rows in nba_raw.player_status."""
