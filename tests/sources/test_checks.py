"""Checks of raw tables: what they refuse, by row, and that they let sound data pass, real data included."""

from datetime import date

import polars as pl
import pytest

from nba_ml import ingest
from nba_ml.errors import BadInput
from nba_ml.sources import checks
from nba_ml.sources.files import FilesSource
from tests import files_factory

FIRST, LAST = date(2023, 11, 20), date(2023, 11, 23)
BOX, SCHEDULE = "player_box.parquet", "schedule.parquet"


@pytest.fixture
def frames():
    return files_factory.league(FIRST, LAST)


def read(tmp_path, frames, first=FIRST, last=LAST):
    return ingest.read_checked(FilesSource(files_factory.write(tmp_path / "files", frames)), first, last)


def first_row(frame, **values):
    return frame.with_columns(
        pl.when(pl.int_range(pl.len()) == 0).then(pl.lit(value, frame.schema[name])).otherwise(pl.col(name)).alias(name)
        for name, value in values.items()
    )


def test_sound_data_passes(tmp_path, frames):
    checked = read(tmp_path, frames)
    assert {name: rows.height for name, rows in checked.items()} == {
        "schedule": 8,
        "player_box": 128,
        "prop_lines": 128,
        "game_lines": 16,
        "player_status": 0,
    }
    assert all("id" in rows.columns and rows["id"].n_unique() == rows.height for rows in checked.values())


def test_repeated_player_is_refused_with_both_rows(tmp_path, frames):
    frames[BOX] = pl.concat([frames[BOX], frames[BOX][5:6]])
    with pytest.raises(BadInput, match=r"player_box.parquet row 5, 128 \(counted from 0\), fields game_id, player_id: .*more than once"):
        read(tmp_path, frames)


@pytest.mark.parametrize("season", ["2023", "23-24", "2023-2024", "2023/24", "2022-23"])
def test_a_season_that_is_not_that_of_the_date_or_is_written_otherwise_is_refused(tmp_path, frames, season):
    for file in (BOX, SCHEDULE):
        frames[file] = frames[file].with_columns(season=pl.lit(season))
    words = (
        rf"schedule.parquet row 0 \(counted from 0\), field season: '{season}' is not the season of 2023-11-20, which is written 2023-24"
    )
    with pytest.raises(BadInput, match=words):
        read(tmp_path, frames)


def test_repeated_quote_is_refused(tmp_path, frames):
    props = frames["player_points_props.parquet"]
    frames["player_points_props.parquet"] = pl.concat([props, props[3:4]])
    with pytest.raises(BadInput, match=r"player_points_props.parquet row 3, 128 \(counted from 0\)"):
        read(tmp_path, frames)


def test_repeated_game_is_refused(tmp_path, frames):
    frames[SCHEDULE] = pl.concat([frames[SCHEDULE], frames[SCHEDULE][0:1]])
    with pytest.raises(BadInput, match=r"schedule.parquet row 0, 8 \(counted from 0\), fields game_id"):
        read(tmp_path, frames)


@pytest.mark.parametrize("span", [(FIRST, LAST), (date(2023, 11, 22), date(2023, 11, 22))])
def test_game_on_another_date_than_the_schedules_is_refused_whatever_the_span(tmp_path, frames, span):
    game = frames[SCHEDULE]["game_id"][0]
    moved = pl.when(pl.col("game_id") == game).then(pl.lit(date(2023, 11, 22)).cast(pl.Datetime("us"))).otherwise("game_date")
    frames[BOX] = frames[BOX].with_columns(game_date=moved)
    words = rf"row 0 \(counted from 0\), field game_date: game {game} is dated 2023-11-22, and the schedule has it on 2023-11-20 \(16 rows"
    with pytest.raises(BadInput, match=words):
        read(tmp_path, frames, *span)


def test_game_that_is_not_scheduled_is_refused(tmp_path, frames):
    game = frames[SCHEDULE]["game_id"][0]
    frames[SCHEDULE] = frames[SCHEDULE][1:]
    with pytest.raises(BadInput, match=rf"row 0 \(counted from 0\), field game_id: game {game} of 2023-11-20 is not in the schedule"):
        read(tmp_path, frames)


def test_team_that_plays_twice_on_a_date_is_refused(tmp_path, frames):
    schedule = frames[SCHEDULE]
    frames[SCHEDULE] = first_row(schedule, home=schedule["home"][1])
    with pytest.raises(BadInput, match=rf"schedule.parquet row 1 .*{schedule['home'][1]} plays twice on 2023-11-20"):
        read(tmp_path, frames)


@pytest.mark.parametrize(("field", "values"), [("team", {"team": "QQQ"}), ("opponent", {"opp": "DEN"}), ("is_home", {"is_home": False})])
def test_sides_that_do_not_fit_the_game_are_refused(tmp_path, frames, field, values):
    frames[BOX] = first_row(frames[BOX], **values)
    with pytest.raises(BadInput, match=rf"player_box.parquet row 0 \(counted from 0\), field {field}: .* ATL"):
        read(tmp_path, frames)


def test_points_that_do_not_add_up_name_game_team_and_both_figures(tmp_path, frames):
    final = frames[SCHEDULE]["home_pts"][0]
    frames[BOX] = first_row(frames[BOX], pts=frames[BOX]["pts"][0] + 7)
    words = rf"points of ATL in game {frames[SCHEDULE]['game_id'][0]} .* add up to {final + 7}, and the schedule's final score is {final}"
    with pytest.raises(BadInput, match=words):
        read(tmp_path, frames)


def test_one_player_less_is_refused_and_a_whole_team_less_is_not(tmp_path, frames):
    with pytest.raises(BadInput, match="add up"):
        read(tmp_path / "one", {**frames, BOX: frames[BOX][1:]})
    checked = read(tmp_path / "team", {**frames, BOX: frames[BOX][8:]})
    assert checked["player_box"].height == 120


def test_structure_of_any_source_is_checked():
    with pytest.raises(BadInput, match="column game_date is missing"):
        checks.structure("player_status", pl.DataFrame({"kind": ["injury_report"]}))
    with pytest.raises(BadInput, match="column mood is unknown"):
        checks.structure(
            "player_status",
            pl.DataFrame({"kind": [], "game_date": [], "player_raw": [], "captured_at": [], "source": [], "mood": []}),
        )


def test_clock_minutes_of_any_source_are_read(tmp_path, frames):
    box = FilesSource(files_factory.write(tmp_path / "files", frames)).player_box(FIRST, LAST)
    text = box.with_columns(minutes=pl.lit("34:12"))
    assert checks.structure("player_box", text)["minutes"].unique().to_list() == [34.2]
    with pytest.raises(BadInput, match=r"nba_raw.player_box row with game_id .*, field minutes: 'DNP' is not minutes"):
        checks.structure("player_box", box.with_columns(minutes=pl.lit("DNP")))


@pytest.mark.real_data
def test_real_games_pass_untouched(files_dir):
    source = FilesSource(files_dir)
    checked = ingest.read_checked(source, source.first_date(), source.last_date())
    assert checked["player_box"].height > 100_000
    missing = ingest.without_rows(checked["schedule"], checked["player_box"], source.last_date())
    assert missing["team"].null_count() == missing.height
    played = checked["schedule"].join(missing, on="game_id", how="semi")["season_type"].unique()
    assert set(played) <= {"PlayIn", "Cup Final"}
