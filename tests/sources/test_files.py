"""The `files` source: what it accepts as it stands, what it repairs, and what it refuses by file, row and field."""

from datetime import UTC, date, datetime, time, timedelta

import polars as pl
import pytest

from nba_ml.errors import BadInput
from nba_ml.sources.files import FilesSource
from nba_ml.sources.port import RAW_TABLES
from nba_ml.warehouse.schema import table
from tests import files_factory

FIRST, LAST = date(2023, 11, 20), date(2023, 11, 25)


@pytest.fixture
def frames():
    return files_factory.league(FIRST, LAST)


def source(tmp_path, frames):
    return FilesSource(files_factory.write(tmp_path / "files", frames))


def read_all(files):
    return {name: getattr(files, name)(FIRST, LAST) for name in RAW_TABLES}


def change(frames, file, **columns):
    frames[file] = frames[file].with_columns(**columns)
    return frames


def set_cell(frame, row, column, value, dtype=None):
    values = frame[column].cast(dtype).to_list() if dtype else frame[column].to_list()
    values[row] = value
    return frame.with_columns(pl.Series(column, values, dtype=dtype or frame.schema[column]))


@pytest.mark.parametrize("name", RAW_TABLES)
def test_every_method_gives_the_columns_and_types_of_its_table(tmp_path, frames, name):
    rows = getattr(source(tmp_path, frames), name)(FIRST, LAST)
    assert dict(rows.schema) == {column: dtype for column, dtype in table(f"nba_raw.{name}").schema.items() if column != "id"}


def test_span_is_closed_at_both_ends(tmp_path, frames):
    files = source(tmp_path, frames)
    assert (files.first_date(), files.last_date()) == (FIRST, LAST)
    rows = files.player_box(date(2023, 11, 21), date(2023, 11, 22))
    assert rows["game_date"].unique().sort().to_list() == [date(2023, 11, 21), date(2023, 11, 22)]
    assert files.schedule(date(2024, 7, 1), date(2024, 7, 9)).is_empty()


def test_known_at_is_the_calendars(tmp_path, frames):
    files = source(tmp_path, frames)
    box, schedule = files.player_box(FIRST, FIRST), files.schedule(FIRST, FIRST)
    assert box["known_at"].unique().to_list() == [datetime(2023, 11, 21, 11, tzinfo=UTC)]
    assert schedule["result_known_at"].unique().to_list() == [datetime(2023, 11, 21, 11, tzinfo=UTC)]
    assert schedule["known_at"][0] < datetime(2023, 10, 24, tzinfo=UTC)


@pytest.mark.parametrize(("text", "minutes"), [("34:12", 34.2), ("0:30", 0.5), ("38", 38.0), ("38.5", 38.5), ("45:58", 45 + 58 / 60)])
def test_minutes_and_seconds_are_read_exactly(tmp_path, frames, text, minutes):
    frames["player_box.parquet"] = set_cell(frames["player_box.parquet"], 3, "min", text, pl.String)
    box = source(tmp_path, frames).player_box(FIRST, LAST)
    assert box["minutes"][3] == minutes
    assert box["minutes"].null_count() == 0


@pytest.mark.parametrize("text", ["DNP", "34:72", "12:3", "", "-", "nan"])
def test_other_text_in_minutes_is_refused_with_its_place(tmp_path, frames, text):
    frames["player_box.parquet"] = set_cell(frames["player_box.parquet"], 70, "min", text, pl.String)
    with pytest.raises(BadInput, match=rf"player_box.parquet row 70 \(counted from 0\), field min: '{text}' is not minutes"):
        source(tmp_path, frames).player_box(FIRST, LAST)


def test_types_may_vary_where_nothing_is_lost(tmp_path, frames):
    plain = source(tmp_path / "plain", dict(frames))
    change(
        frames,
        "player_box.parquet",
        game_date=pl.col("game_date").cast(pl.Date),
        pts=pl.col("pts").cast(pl.Float64),
        is_home=pl.col("is_home").cast(pl.Int8),
        game_id=pl.col("game_id").cast(pl.Float64),
        team=pl.col("team").cast(pl.Categorical),
    )
    change(frames, "schedule.parquet", tipoff_utc=pl.col("tipoff_utc").dt.replace_time_zone(None), ot=pl.lit(None))
    change(frames, "player_points_props.parquet", snapshot_ts=pl.col("snapshot_ts").dt.convert_time_zone("America/New_York"))
    change(frames, "game_lines.parquet", game_date=pl.col("game_date").dt.strftime("%Y-%m-%d"))
    varied = source(tmp_path / "varied", frames)
    for name in ("player_box", "prop_lines", "game_lines"):
        assert getattr(varied, name)(FIRST, LAST).equals(getattr(plain, name)(FIRST, LAST))
    assert varied.schedule(FIRST, LAST).drop("overtime").equals(plain.schedule(FIRST, LAST).drop("overtime"))


@pytest.mark.parametrize(
    ("file", "column", "values", "words"),
    [
        ("player_box.parquet", "pts", pl.col("pts") + 0.5, "not a whole number"),
        ("player_box.parquet", "is_home", pl.lit("yes"), "not true or false"),
        ("player_box.parquet", "wl", pl.lit("draw"), "not W or L"),
        ("player_box.parquet", "game_date", pl.col("game_date").dt.offset_by("19h"), "not a calendar date"),
        ("player_box.parquet", "game_date", pl.lit("20/11/2023"), "not a calendar date"),
        ("player_box.parquet", "player_id", pl.lit(None, pl.Int64), "the value is missing"),
        ("schedule.parquet", "tipoff_utc", pl.lit("soon"), "not a timestamp"),
        ("player_points_props.parquet", "line", pl.lit(float("inf")), "not a number"),
        ("schedule.parquet", "game_date", pl.lit(None, pl.Datetime("us")), "the value is missing"),
    ],
)
def test_values_that_would_change_are_refused(tmp_path, frames, file, column, values, words):
    files = source(tmp_path, change(frames, file, **{column: values}))
    with pytest.raises(BadInput, match=rf"{file} row 0 \(counted from 0\), field {column}: .*{words}"):
        read_all(files)


@pytest.mark.parametrize("file", ["schedule", "player_box", "player_points_props", "game_lines"])
def test_missing_file_is_refused(tmp_path, frames, file):
    del frames[f"{file}.parquet"]
    with pytest.raises(BadInput, match=f"{file}.parquet is missing from"):
        source(tmp_path, frames)


@pytest.mark.parametrize("damage", ["half", "text", "empty"])
def test_damaged_file_is_refused(tmp_path, frames, damage):
    folder = files_factory.write(tmp_path / "files", frames)
    path = folder / "player_box.parquet"
    whole = path.read_bytes()
    path.write_bytes({"half": whole[: len(whole) // 2], "text": b"season,game_id\n", "empty": b""}[damage])
    with pytest.raises(BadInput, match=r"player_box\.parquet can't be read as parquet"):
        FilesSource(folder).player_box(FIRST, LAST)


@pytest.mark.parametrize(
    ("file", "column"), [("player_box", "pts"), ("schedule", "home_pts"), ("game_lines", "market"), ("player_points_props", "line")]
)
def test_renamed_column_is_refused_with_a_guess(tmp_path, frames, file, column):
    frames[f"{file}.parquet"] = frames[f"{file}.parquet"].rename({column: f"{column}_x"})
    files = source(tmp_path, frames)
    with pytest.raises(BadInput, match=rf"{file}.parquet, field {column}: the column is missing; is it {column}_x\?"):
        read_all(files)


def test_columns_that_box_scores_need_not_have_may_be_absent(tmp_path, frames):
    needed = ["season", "season_type", "game_id", "game_date", "player_id", "player_name", "team", "opp", "is_home", "min", "pts"]
    frames["player_box.parquet"] = frames["player_box.parquet"].select(needed)
    box = source(tmp_path, frames).player_box(FIRST, LAST)
    assert box["reb"].null_count() == box.height
    assert set(box["source"]) == {"files"}


def test_prices_that_are_no_american_odds_lose_the_price_and_keep_the_quote(tmp_path, frames):
    frames["player_points_props.parquet"] = set_cell(frames["player_points_props.parquet"], 2, "over_odds", 38.25)
    frames["game_lines.parquet"] = set_cell(frames["game_lines.parquet"], 0, "away_odds", -46.2)
    files = source(tmp_path, frames)
    props = files.prop_lines(FIRST, LAST)
    assert props.select("over_odds", "under_odds", "odds_suspect").row(2) == (None, -105.0, True)
    assert props["odds_suspect"].sum() == 1
    assert files.game_lines(FIRST, LAST).select("home_odds", "away_odds").row(0) == (-120.0, None)


def test_decimal_odds_are_refused(tmp_path, frames):
    change(frames, "player_points_props.parquet", under_odds=pl.lit(1.91))
    with pytest.raises(BadInput, match=r"player_points_props\.parquet, field under_odds: .* decimal odds"):
        source(tmp_path, frames).prop_lines(FIRST, LAST)


def test_one_odd_price_on_a_day_with_few_games_is_no_decimal_feed(tmp_path, frames):
    name = "game_lines.parquet"
    few = frames[name].filter(pl.col("game_date") == frames[name]["game_date"][0])
    frames[name] = set_cell(few, 0, "home_odds", 12.46)
    assert few["home_odds"].count() < 20
    assert source(tmp_path, frames).game_lines(FIRST, FIRST)["home_odds"].null_count() == 1 + few["home_odds"].null_count()


def test_game_lines_that_repeat_their_key_are_numbered_by_content(tmp_path, frames):
    lines = frames["game_lines.parquet"]
    other = lines.head(1).with_columns(home_odds=pl.lit(-999.0))
    for order in ([lines, other], [other, lines]):
        frames["game_lines.parquet"] = pl.concat(order)
        rows = source(tmp_path, frames).game_lines(FIRST, FIRST).filter(pl.col("market") == "moneyline")
        assert dict(rows.filter(pl.col("game_id") == lines["game_id"][0]).select("home_odds", "ordinal").iter_rows()) == {
            -999.0: 0,
            -120.0: 1,
        }


def test_unknown_capture_time_stays_unknown(tmp_path, frames):
    assert source(tmp_path, frames).game_lines(FIRST, LAST)["captured_at"].null_count() == 24


def test_player_status_comes_from_any_number_of_files(tmp_path, frames):
    assert source(tmp_path / "without", dict(frames)).player_status(FIRST, LAST).is_empty()
    day = date(2023, 11, 22)
    frames["injury_snapshots_a.parquet"] = files_factory.injuries(day, "Atl Player A", "Nobody Known")
    frames["injury_snapshots_b.parquet"] = files_factory.injuries(day, "Atl Plàyer B Jr.", team="Los Angeles Clippers")
    frames["projected_lineups.parquet"] = files_factory.injuries(day, "Atl Player C", team="UNK").rename({"status": "pos"})
    rows = source(tmp_path / "with", frames).player_status(FIRST, LAST)
    found = {row[0]: row[1:] for row in rows.select("player_raw", "kind", "team", "player_id", "player_name").iter_rows()}
    assert found == {
        "Atl Player A": ("injury_report", "ATL", 1000, "Atl Player A"),
        "Nobody Known": ("injury_report", "ATL", None, None),
        "Atl Plàyer B Jr.": ("injury_report", "LAC", 1001, "Atl Player B"),
        "Atl Player C": ("projected_lineup", None, 1002, "Atl Player C"),
    }
    assert rows["captured_at"].unique().to_list() == [datetime.combine(day, time(12), UTC)]


def test_names_are_matched_to_earlier_games_alone(tmp_path, frames):
    frames["injury_snapshots.parquet"] = files_factory.injuries(FIRST, "Atl Player A")
    assert source(tmp_path, frames).player_status(FIRST, FIRST)["player_id"].to_list() == [None]


def test_locate_names_the_rows(tmp_path, frames):
    files = source(tmp_path, frames)
    game = frames["schedule.parquet"]["game_id"][1]
    assert files.locate("schedule", {"game_id": game}) == "schedule.parquet row 1 (counted from 0)"
    assert "… (8 rows)" in files.locate("player_box", {"game_id": game, "team": "CHI"})


@pytest.mark.real_data
def test_real_files_are_read_whole_within_seconds(files_dir):
    files = FilesSource(files_dir)
    first, last = files.first_date(), files.last_date()
    assert last > first + timedelta(days=365)
    lines = files.game_lines(first, last)
    key = list(table("nba_raw.game_lines").key)
    assert lines.select(key).is_duplicated().sum() == 0
    assert (lines["ordinal"] > 0).sum() > 0
    for name in ("prop_lines", "game_lines"):
        rows = getattr(files, name)(first, last)
        assert rows.filter(pl.any_horizontal(pl.col("over_odds", "under_odds").abs() < 100)).is_empty()
    assert files.prop_lines(first, last)["captured_at"].null_count() > 0
