"""The `files` source: a folder of parquet files, as docs/files.md describes them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from nba_ml import calendar
from nba_ml.errors import BadInput
from nba_ml.sources import names, prices
from nba_ml.sources.casting import LEAGUE_ID_DIGITS, cast
from nba_ml.sources.files_format import REQUIRED, STATUS_KINDS, FileColumn, FileFormat, formats

_ROW = "row number"
_PROP_PRICES = ("over_odds", "under_odds")
_GAME_PRICES = ("home_odds", "away_odds", "over_odds", "under_odds")
_TEAM_NAMES = {"Los Angeles Clippers": "LAC", "Los Angeles Lakers": "LAL"}
_UNKNOWN_TEAM = "UNK"
_SHOWN_ROWS = 3


class FilesSource:
    """Raw data from a folder of parquet files; implements `nba_ml.sources.port.Source`.

    Parameters
    ----------
    folder : Path
        Holds ``schedule.parquet``, ``player_box.parquet``, ``player_points_props.parquet`` and ``game_lines.parquet``; may hold
        ``injury_snapshots*.parquet`` and ``projected_lineups*.parquet``.

    Raises
    ------
    BadInput
        If a required file is missing.
    """

    name = "files"

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        for short in REQUIRED:
            pattern = formats()[short].pattern
            if not (self.folder / pattern).is_file():
                raise BadInput(
                    f"{pattern} is missing from {self.folder}: put it there (formats: docs/files.md), or correct NBA_ML_FILES_DIR"
                )

    def last_date(self) -> date:
        """Return the last date that has box scores."""
        return self._edge("player_box", pl.Series.max)

    def first_date(self) -> date:
        """Return the first date that has scheduled games."""
        return self._edge("schedule", pl.Series.min)

    def schedule(self, first: date, last: date) -> pl.DataFrame:
        """Return scheduled games of the span."""
        rows = _with_source(self._rows("schedule", first, last))
        days = rows.select("game_date", "season_type").unique(maintain_order=True)
        known = [calendar.schedule_known_at(day, kind) for day, kind in days.iter_rows()]
        days = days.with_columns(pl.Series("known_at", known, dtype=pl.Datetime("us", "UTC")))
        rows = rows.join(days, on=["game_date", "season_type"], how="left", maintain_order="left")
        return self._finished("schedule", _with_results_known_at(rows, "result_known_at"))

    def player_box(self, first: date, last: date) -> pl.DataFrame:
        """Return box scores of the span, and rows of its scheduled games that carry another date: `nba_ml.sources.checks` refuses them."""
        scheduled = self._rows("schedule", first, last)["game_id"]
        rows = self._rows("player_box", first, last, scheduled)
        return self._finished("player_box", _with_results_known_at(_with_source(rows), "known_at"))

    def prop_lines(self, first: date, last: date) -> pl.DataFrame:
        """Return quotes on players' points of the span; a price between −100 and 100 becomes null and marks the quote as suspect."""
        rows = self._rows("prop_lines", first, last)
        prices.refuse_decimal(rows, {column: column for column in _PROP_PRICES}, formats()["prop_lines"].pattern)
        rows = prices.drop_impossible(rows, list(_PROP_PRICES), flag="odds_suspect")
        return self._finished("prop_lines", rows.with_columns(pl.lit("points").alias("market")))

    def game_lines(self, first: date, last: date) -> pl.DataFrame:
        """Return quotes on games of the span; quotes that share the rest of the key are numbered by their content."""
        rows = self._rows("game_lines", first, last)
        prices.refuse_decimal(rows, {column: column for column in _GAME_PRICES}, formats()["game_lines"].pattern)
        rows = prices.drop_impossible(rows, list(_GAME_PRICES))
        key = [column for column in formats()["game_lines"].table.key if column != "ordinal"]
        content = [column for column in rows.columns if column not in (*key, _ROW)]
        rows = rows.sort(*key, *content, nulls_last=True)
        ordinal = (pl.int_range(pl.len()).over(key)).cast(pl.Int64).alias("ordinal")
        return self._finished("game_lines", rows.with_columns(ordinal).sort(_ROW))

    def player_status(self, first: date, last: date) -> pl.DataFrame:
        """Return injury reports and projected line-ups of the span; names without an id are matched to players of earlier box scores."""
        target = formats()["injury_report"].table
        parts = []
        for kind in STATUS_KINDS:
            for path in sorted(self.folder.glob(formats()[kind].pattern)):
                rows = self._read(path, formats()[kind], formats()[kind].columns, first, last)
                parts.append(rows.with_columns(pl.lit(kind).alias("kind"), pl.lit(path.name).alias("source")))
        if not parts:
            return pl.DataFrame(schema={name: dtype for name, dtype in target.schema.items() if name != "id"})
        rows = pl.concat(parts, how="diagonal")
        team = pl.col("team").replace(_TEAM_NAMES)
        rows = rows.with_columns(pl.when(team != _UNKNOWN_TEAM).then(team).alias("team"))
        found = names.match(rows, self._roster)
        nameless = rows["player_id"].is_null()
        rows = rows.with_columns(found[column].zip_with(nameless, rows[column]) for column in ("player_id", "player_name"))
        return self._finished("player_status", rows, target.key)

    def locate(self, name: str, key: Mapping[str, Any]) -> str:
        """Say in which file, and where it can be told in which rows, a raw table holds a key (columns as the table calls them)."""
        if name == "player_status":
            return " or ".join(formats()[kind].pattern for kind in STATUS_KINDS)
        form = formats()[name]
        columns = [column for column in form.columns if column.column in key]
        if not columns:
            return form.pattern
        rows = self._read(self.folder / form.pattern, form, columns, None, None)
        rows = rows.filter(pl.col(column.column).eq_missing(pl.lit(key[column.column])) for column in columns)
        numbers = [str(number) for number in rows[_ROW].head(_SHOWN_ROWS)]
        if rows.height > _SHOWN_ROWS:
            numbers[-1] = f"… ({rows.height} rows)"
        return f"{form.pattern} row {', '.join(numbers)} (counted from 0)" if numbers else form.pattern

    def _edge(self, name: str, pick: Callable[[pl.Series], Any]) -> date:
        form = formats()[name]
        day = [column for column in form.columns if column.name == form.date]
        edge = pick(self._read(self.folder / form.pattern, form, day, None, None)["game_date"])
        if edge is None:
            raise BadInput(f"{form.pattern} has no rows: put data there, or correct NBA_ML_FILES_DIR")
        return edge

    @cached_property
    def _roster(self) -> pl.DataFrame:
        form = formats()["player_box"]
        wanted = ("player_id", "player_name", "game_date")
        columns = [column for column in form.columns if column.column in wanted]
        rows = self._read(self.folder / form.pattern, form, columns, None, None)
        return rows.group_by("player_id", "player_name").agg(pl.col("game_date").min().alias("first_seen"))

    def _rows(self, name: str, first: date, last: date, games: pl.Series | None = None) -> pl.DataFrame:
        form = formats()[name]
        return self._read(self.folder / form.pattern, form, form.columns, first, last, games)

    def _finished(self, name: str, rows: pl.DataFrame, order: Sequence[str] = ()) -> pl.DataFrame:
        form = formats()[name if name in formats() else "injury_report"]
        rows = rows.sort(*order, nulls_last=True) if order else rows
        return rows.select(
            pl.col(column.name) if column.name in rows.columns else pl.lit(None, column.dtype).alias(column.name)
            for column in form.table.columns
            if column.name != "id"
        )

    def _read(
        self,
        path: Path,
        form: FileFormat,
        columns: Sequence[FileColumn],
        first: date | None,
        last: date | None,
        games: pl.Series | None = None,
    ) -> pl.DataFrame:
        """Read columns of a file in its row order, cast and renamed, with the row number (from 0).

        Of a span and, whatever their date, of `games` (game ids); or of all dates.
        """
        try:
            scan = pl.scan_parquet(path, glob=False, row_index_name=_ROW)
            held = scan.collect_schema()
            _refuse_missing_columns(path.name, form, held)
            present = [column for column in columns if column.name in held]
            if first is not None and last is not None:
                wanted = _in_span(form.date, held[form.date], first, last)
                if games is not None:
                    ids = pl.col("game_id").cast(pl.String)
                    wanted |= (ids.str.zfill(LEAGUE_ID_DIGITS) if held["game_id"].is_integer() else ids).is_in(games.implode())
                scan = scan.filter(wanted)
            raw = scan.select(_ROW, *(column.name for column in present)).collect()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise BadInput(
                f"{path.name} can't be read as parquet, it is damaged or something else ({_first_line(error)}); "
                f"write the file to {path.parent} again and run the same command again"
            ) from error
        numbers = raw[_ROW].cast(pl.Int64)
        done = [numbers]
        for column in present:

            def where(position: int, field: str = column.name) -> str:
                return f"{path.name} row {numbers[position]} (counted from 0), field {field}"

            values = cast(raw[column.name], column.kind, where).alias(column.column)
            if column.filled and values.null_count():
                position = values.is_null().arg_true()[0]
                raise BadInput(f"{where(position)}: the value is missing; fill it in and run the same command again")
            done.append(values)
        rows = pl.DataFrame(done)
        absent = [column for column in columns if column.name not in held]
        return rows.with_columns(pl.lit(None, form.table.schema[column.column]).alias(column.column) for column in absent)


def _refuse_missing_columns(file: str, form: FileFormat, held: pl.Schema) -> None:
    known = {column.name for column in form.columns}
    for column in form.columns:
        if column.needed and column.name not in held:
            spare = [name for name in held if name not in known and name != _ROW]
            near = get_close_matches(column.name, spare, n=1)
            hint = f"; is it {near[0]}?" if near else f"; unknown columns there: {', '.join(spare) or 'none'}"
            raise BadInput(f"{file}, field {column.name}: the column is missing{hint} Rename or add it (formats: docs/files.md)")


def _in_span(name: str, dtype: pl.DataType, first: date, last: date) -> pl.Expr:
    """Select a span, and what can't be told to be outside it: nulls and dates that do not parse are refused by the cast, not skipped."""
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        start, end = (datetime.combine(day, time()) for day in (first, last + timedelta(days=1)))
        wall = column.dt.replace_time_zone(None) if dtype.time_zone else column
        return wall.is_null() | ((wall >= start) & (wall < end))
    if dtype == pl.String:
        column = column.str.to_date("%Y-%m-%d", strict=False)
    elif dtype != pl.Date:
        return pl.lit(value=True)
    return column.is_null() | column.is_between(first, last)


def _with_source(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.col("source").fill_null(FilesSource.name))


def _with_results_known_at(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    days = rows.select("game_date").unique(maintain_order=True)
    known = [calendar.results_known_at(day) for day in days["game_date"]]
    return rows.join(
        days.with_columns(pl.Series(column, known, dtype=pl.Datetime("us", "UTC"))), on="game_date", how="left", maintain_order="left"
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
