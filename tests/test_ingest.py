"""Ingest: all of a span or nothing, the same twice, odd rows kept out; with the real suites and warehouse."""

from datetime import date, timedelta

import polars as pl
import pytest

from nba_ml.context import Context
from nba_ml.errors import BadInput, GateRefused, UsageError
from nba_ml.ingest import daily_span, ingest, without_rows
from nba_ml.settings import Settings
from nba_ml.sources.files import FilesSource
from nba_ml.warehouse import LATEST
from tests import files_factory

FIRST, LAST = date(2023, 11, 20), date(2023, 11, 23)
BOX, SCHEDULE, PROPS = "player_box.parquet", "schedule.parquet", "player_points_props.parquet"
RAW = ("nba_raw.schedule", "nba_raw.player_box", "nba_raw.prop_lines", "nba_raw.game_lines", "nba_raw.player_status")


@pytest.fixture
def frames():
    return {**files_factory.league(FIRST, LAST), "injury_snapshots.parquet": files_factory.injuries(LAST, "Atl Player A")}


@pytest.fixture
def bring(tmp_path):
    def run(frames, first=FIRST, last=LAST):
        files_factory.write(tmp_path / "files", frames)
        context = Context(Settings(home=tmp_path / "home", source="files", files_dir=tmp_path / "files"))
        return context, ingest(context, first, last, run=f"ingest:{first}:{last}")

    return run


def stored(tmp_path):
    return Context(Settings(home=tmp_path / "home")).warehouse.count(RAW)


def test_a_days_ingest_looks_back_eight_days_and_after_an_outage_to_the_last_box_score(bring, frames, tmp_path):
    empty = Context(Settings(home=tmp_path / "empty", _env_file=None))
    empty.warehouse.ensure()
    context, _ = bring(frames)
    for outage in (1, 8, 9, 40):
        today = LAST + timedelta(days=outage)
        assert daily_span(context, today) == (min(today - timedelta(days=8), LAST), today + timedelta(days=2))
    assert daily_span(empty, LAST) == (LAST - timedelta(days=8), LAST + timedelta(days=2))


def test_a_span_goes_in_once(bring, frames):
    context, report = bring(frames)
    assert report["tables"] == {name: {"rows": rows, "new": rows} for name, rows in zip(RAW, (8, 128, 128, 16, 1), strict=True)}
    assert (report["games"], report["games_without_rows"], report["quarantined"], report["missing"]) == (8, 0, 0, [])
    before = context.warehouse.read("nba_raw.player_box", as_of=LATEST)
    again = bring(frames)[1]
    assert [counts["new"] for counts in again["tables"].values()] == [0] * 5
    assert context.warehouse.read("nba_raw.player_box", as_of=LATEST).equals(before)


def test_overlapping_spans_give_the_same_rows_as_one(bring, frames, tmp_path):
    bring(frames, FIRST, LAST - timedelta(days=1))
    bring(frames, FIRST + timedelta(days=2), LAST)
    assert list(stored(tmp_path).values()) == [8, 128, 128, 16, 1]


def test_a_corrected_score_replaces_the_row(bring, frames):
    bring(frames)
    frames[BOX] = frames[BOX].with_columns(reb=pl.lit(9, pl.Int16))
    context, report = bring(frames)
    assert report["tables"]["nba_raw.player_box"] == {"rows": 128, "new": 0}
    assert context.warehouse.read("nba_raw.player_box", as_of=LATEST)["reb"].unique().to_list() == [9]


def test_a_correction_that_takes_a_player_out_takes_his_row_out(bring, frames):
    bring(frames)
    right, wrong = files_factory.player_id("ATL", 7), 4321
    frames[BOX] = frames[BOX].with_columns(player_id=pl.col("player_id").replace(right, wrong))
    context, report = bring(frames)
    there = context.warehouse.read("nba_raw.player_box", as_of=LATEST)
    assert there.height == 128
    assert right not in there["player_id"]
    assert report["tables"]["nba_raw.player_box"]["new"] == 4


def test_an_empty_box_score_file_leaves_nothing_behind(bring, frames, tmp_path):
    with pytest.raises(BadInput, match=r"player_box\.parquet has no rows"):
        bring({**frames, BOX: frames[BOX].clear()})
    assert set(stored(tmp_path).values()) == {0}


@pytest.mark.parametrize(("first", "last"), [(FIRST, FIRST), (FIRST, LAST)])
def test_a_box_score_that_is_dated_beyond_the_span_is_not_overlooked(bring, frames, tmp_path, first, last):
    moved = pl.when(pl.col("game_date") == last).then(pl.lit(date(2024, 2, 1))).otherwise("game_date")
    with pytest.raises(BadInput, match=r"player_box.parquet row \d+.*field game_date: game \d+ is dated 2024-02-01.*schedule has it on"):
        bring({**frames, BOX: frames[BOX].with_columns(game_date=moved)}, first, last)
    assert set(stored(tmp_path).values()) == {0}


@pytest.mark.parametrize(("field", "value"), [("season", "1999-00"), ("season_type", "Playoffs")])
def test_a_box_score_of_another_season_than_its_game_is_refused(bring, frames, field, value):
    with pytest.raises(BadInput, match=f"field {field}: {value} does not fit game"):
        bring({**frames, BOX: frames[BOX].with_columns(pl.lit(value).alias(field))})


def test_a_span_without_games_is_fine(bring, frames):
    context, report = bring(frames, date(2024, 7, 1), date(2024, 7, 3))
    assert report["games"] == 0
    assert sum(counts["rows"] for counts in report["tables"].values()) == 0
    assert context.warehouse.count(["nba_ops.validation_runs"]) == {"nba_ops.validation_runs": 0}


def test_swapped_dates_are_refused(bring, frames):
    with pytest.raises(UsageError, match="swap them"):
        bring(frames, LAST, FIRST)


def broken(frames, kind):
    box = frames[BOX]
    changes = {
        "duplicate": {BOX: pl.concat([box, box[-1:]])},
        "renamed": {BOX: box.rename({"pts": "points"})},
        "minutes": {BOX: box.with_columns(min=pl.lit("DNP"))},
        "date": {SCHEDULE: frames[SCHEDULE].with_columns(game_date=pl.col("game_date").dt.offset_by("1d"))},
        "points": {BOX: box.with_columns(pts=pl.col("pts") + 1)},
        "team": {BOX: box.with_columns(team=pl.lit("UTA"))},
        "decimal": {"game_lines.parquet": frames["game_lines.parquet"].with_columns(home_odds=pl.lit(1.8))},
        "last table": {"injury_snapshots.parquet": frames["injury_snapshots.parquet"].drop("player_raw")},
    }
    return {**frames, **changes[kind]}


@pytest.mark.parametrize("kind", ["duplicate", "renamed", "minutes", "date", "points", "team", "decimal", "last table"])
def test_refused_data_leaves_nothing_behind(bring, frames, tmp_path, kind):
    with pytest.raises(BadInput, match=r"\.parquet"):
        bring(broken(frames, kind))
    assert set(stored(tmp_path).values()) == {0}


def test_a_stop_rule_leaves_nothing_behind(bring, frames, tmp_path):
    with pytest.raises(GateRefused, match="line_kind_known"):
        bring({**frames, PROPS: frames[PROPS].with_columns(line_kind=pl.lit("guess"))})
    assert set(stored(tmp_path).values()) == {0}


def test_quotes_taken_in_play_are_kept_out_and_the_rest_goes_in(bring, frames):
    late = pl.int_range(pl.len()) < 3
    frames[PROPS] = frames[PROPS].with_columns(snapshot_ts=pl.when(late).then(pl.col("commence_ts")).otherwise("snapshot_ts"))
    context, report = bring(frames)
    assert (report["quarantined"], report["tables"]["nba_raw.prop_lines"]["rows"]) == (3, 125)
    assert context.warehouse.read("nba_ops.quarantine", as_of=LATEST)["rule"].to_list() == ["before_tipoff"] * 3
    assert bring(frames)[0].warehouse.count(["nba_ops.quarantine"]) == {"nba_ops.quarantine": 3}


def test_games_and_teams_without_rows_are_named_and_no_failure(bring, frames):
    games = frames[SCHEDULE]["game_id"]
    gone = (pl.col("game_id") == games[0]) | ((pl.col("game_id") == games[3]) & (pl.col("is_home")))
    frames[BOX] = frames[BOX].filter(~gone)
    report = bring(frames)[1]
    assert (report["games_without_rows"], report["dates_without_rows"]) == (1, ["2023-11-20"])
    assert [(game["game_id"], game["team"]) for game in report["missing"]] == [(games[0], None), (games[3], frames[SCHEDULE]["home"][3])]


def test_games_still_to_come_are_not_missing(bring, frames):
    frames[BOX] = frames[BOX].filter(pl.col("game_date") < pl.lit(LAST).cast(pl.Datetime("us")))
    frames[SCHEDULE] = frames[SCHEDULE].with_columns(
        pl.when(pl.col("game_date") < pl.lit(LAST).cast(pl.Datetime("us"))).then(pl.col("home_pts", "away_pts", "ot"))
    )
    report = bring(frames)[1]
    assert (report["games"], report["games_without_rows"]) == (8, 0)


def test_past_games_without_a_final_score_are_counted(bring, frames):
    late = pl.col("game_date") == pl.lit(LAST).cast(pl.Datetime("us"))
    frames[SCHEDULE] = frames[SCHEDULE].with_columns(pl.when(~late).then(pl.col("home_pts", "away_pts")))
    assert bring(frames)[1]["games_without_score"] == 2


@pytest.mark.real_data
def test_real_games_go_in_whole_with_their_defects(files_dir, tmp_path):
    source = FilesSource(files_dir)
    last = source.last_date()
    first = last - timedelta(days=80)
    context = Context(Settings(home=tmp_path / "home", source="files", files_dir=files_dir))
    report = ingest(context, first, last, run="ingest:real")
    assert report["tables"]["nba_raw.player_box"]["rows"] == source.player_box(first, last).height
    assert report["quarantined"] <= 0.01 * report["tables"]["nba_raw.prop_lines"]["rows"]
    schedule = context.warehouse.read("nba_raw.schedule", as_of=LATEST)
    lacking = without_rows(schedule, context.warehouse.read("nba_raw.player_box", as_of=LATEST), last)
    assert set(schedule.join(lacking, on="game_id", how="semi")["season_type"]) <= {"PlayIn", "Cup Final"}
    undated = context.warehouse.read("nba_raw.prop_lines", as_of=LATEST, undated=True)
    assert undated["captured_at"].null_count() > 0
    again = ingest(context, first, last, run="ingest:real")
    assert [counts["new"] for counts in again["tables"].values()] == [0] * 5


def test_dates_are_told_whose_results_are_new_or_other_than_they_were(bring, frames):
    dates = [(FIRST + timedelta(days=number)).isoformat() for number in range(4)]
    assert bring(frames)[1]["changed"] == dates
    assert bring(frames)[1]["changed"] == []
    first_row = pl.col("game_date").eq(FIRST) & pl.col("player_id").eq(pl.col("player_id").min())
    corrected = frames[BOX].with_columns(min=pl.col("min") + first_row.cast(pl.Int16), reb=pl.lit(9, pl.Int16))
    assert bring(frames | {BOX: corrected})[1]["changed"] == [dates[0]]


def test_a_game_that_is_moved_tells_of_the_date_that_it_left(bring, frames):
    bring(frames)
    last = pl.col("game_id") == frames[SCHEDULE]["game_id"].max()
    later = {name: pl.when(last).then(pl.col(name) + timedelta(days=1)).otherwise(name) for name in ("game_date", "tipoff_utc")}
    unplayed = {name: pl.when(~last).then(name) for name in ("home_pts", "away_pts")}
    rest = {name: frames[name].filter(~last) for name in (BOX, PROPS, "game_lines.parquet")}
    report = bring(frames | rest | {SCHEDULE: frames[SCHEDULE].with_columns(**later, **unplayed)}, last=LAST + timedelta(days=1))[1]
    assert report["changed"] == [LAST.isoformat()]
