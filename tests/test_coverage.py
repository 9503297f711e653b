"""The coverage gate: what counts as complete, what it refuses, and what it tells to do."""

from datetime import date, time, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_ml import calendar, coverage
from nba_ml.context import Context
from nba_ml.errors import GateRefused
from nba_ml.settings import Settings
from nba_ml.sources.files import FilesSource
from nba_ml.warehouse.schema import table
from tests import files_factory

FIRST, UNTIL = date(2021, 10, 19), date(2021, 12, 31)
EXPECTED_FROM = date(2021, 11, 2)
DATES = [EXPECTED_FROM + timedelta(days=step) for step in range((UNTIL - EXPECTED_FROM).days + 1)]


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    source = FilesSource(files_factory.write(tmp_path_factory.mktemp("files"), files_factory.league(FIRST, UNTIL)))
    return {name: table(f"nba_raw.{name}").conform(getattr(source, name)(FIRST, UNTIL)) for name in ("schedule", "player_box")}


@pytest.fixture
def fill(tmp_path, raw):
    def filled(box=None, schedule=None):
        context = Context(Settings(home=tmp_path / "home"))
        context.warehouse.ensure()
        context.warehouse.upsert("nba_raw.schedule", raw["schedule"] if schedule is None else schedule)
        context.warehouse.upsert("nba_raw.player_box", raw["player_box"] if box is None else box)
        return context

    return filled


def without(raw, days):
    return raw["player_box"].filter(~pl.col("game_date").is_in(list(days)))


def test_whole_history_passes(fill):
    report = coverage.require(fill(), UNTIL)
    assert (report["passed"], report["coverage"], report["commands"], report["backfill"]) == (True, 1.0, [], None)
    assert report["seasons"] == [
        {"season": "2021-22", "expected": len(DATES), "complete": len(DATES), "coverage": 1.0, "missing": [], "short": False}
    ]


def test_thirty_percent_of_the_dates_missing_is_refused_with_dates_and_commands(fill, raw):
    gone = DATES[5:11] + DATES[20:32]
    with pytest.raises(GateRefused) as refused:
        coverage.require(fill(box=without(raw, gone)), UNTIL)
    report = refused.value.report
    assert report["seasons"][0]["missing"] == [day.isoformat() for day in gone]
    assert report["seasons"][0]["coverage"] == pytest.approx(1 - 18 / 60)
    assert report["commands"] == [f"nba-ml ingest --from {DATES[5]} --to {DATES[10]}", f"nba-ml ingest --from {DATES[20]} --to {DATES[31]}"]
    message = str(refused.value)
    for words in ("2021-22: 70.0% (42 of 60 dates)", "80%", "missing 2021-11-07", *report["commands"]):
        assert words in message
    assert refused.value.exit_code == 3


def test_days_that_the_schedule_itself_lacks_are_missing(fill, raw):
    lost = pl.col("game_date").is_in(DATES[5:11])
    with pytest.raises(GateRefused) as refused:
        coverage.require(fill(box=raw["player_box"].filter(~lost), schedule=raw["schedule"].filter(~lost)), DATES[14])
    assert refused.value.report["seasons"][0]["missing"] == [str(day) for day in DATES[5:11]]
    assert refused.value.report["commands"] == [f"nba-ml ingest --from {DATES[5]} --to {DATES[10]}"]


def test_many_holes_get_one_command_for_all(fill, raw):
    with pytest.raises(GateRefused) as refused:
        coverage.require(fill(box=without(raw, DATES[::2])), UNTIL)
    assert len(refused.value.report["commands"]) == 30
    assert f"all at once: nba-ml ingest --from {DATES[0]} --to {DATES[58]}" in str(refused.value)


def test_threshold_itself_passes(fill, raw):
    assert coverage.require(fill(box=without(raw, DATES[:12])), UNTIL)["coverage"] == pytest.approx(0.8)


def test_one_date_below_the_threshold_is_refused(fill, raw):
    with pytest.raises(GateRefused):
        coverage.require(fill(box=without(raw, DATES[:13])), UNTIL)


def test_bootstrap_days_do_not_count(fill, raw):
    early = [FIRST + timedelta(days=step) for step in range(14)]
    assert coverage.require(fill(box=without(raw, early)), UNTIL)["coverage"] == 1.0


def test_season_without_schedule_counts_as_nothing(fill):
    with pytest.raises(
        GateRefused, match=r"(?s)2022-23: its schedule is absent or too thin .* --from 2022-10-18 --to 2023-06-30"
    ) as refused:
        coverage.require(fill(), date(2023, 6, 30))
    assert [season["coverage"] for season in refused.value.report["seasons"]] == [0.0, 0.0]


def test_empty_warehouse_is_refused(tmp_path):
    context = Context(Settings(home=tmp_path / "home"))
    context.warehouse.ensure()
    with pytest.raises(GateRefused, match="--from 2021-10-19 --to 2021-12-31"):
        coverage.require(context, UNTIL)
    with pytest.raises(GateRefused, match="no season since 2021-22"):
        coverage.require(context, FIRST)


def test_results_after_until_are_not_seen(fill):
    report = coverage.measure(fill(), DATES[9])
    assert (report["seasons"][0]["expected"], report["seasons"][0]["complete"]) == (10, 10)


def games(*scores):
    rows = [(f"g{number}", date(2024, 1, 5), "ATL", "BOS", home, away) for number, (home, away) in enumerate(scores)]
    return pl.DataFrame(rows, schema=["game_id", "game_date", "home", "away", "home_points", "away_points"], orient="row")


def players(game, team, *points):
    return pl.DataFrame(
        {"game_id": game, "player_id": range(len(points)), "team": team, "points": points},
        schema={"game_id": pl.String, "player_id": pl.Int64, "team": pl.String, "points": pl.Int64},
    )


@pytest.mark.parametrize(
    ("home", "away", "complete"),
    [
        ((20, 20, 20, 20, 20), (18, 18, 18, 18, 18), True),
        ((25, 25, 25, 25), (18, 18, 18, 18, 18), False),  # four players
        ((20, 20, 20, 20, 19), (18, 18, 18, 18, 18), False),  # one point short
        ((20, 20, 20, 20, 20), (), False),  # a team is missing
        ((), (), False),
    ],
)
def test_complete_game(home, away, complete):
    box = pl.concat([players("g0", "ATL", *home), players("g0", "BOS", *away)])
    assert bool(coverage.complete_dates(games((100, 90)), box, players=5, share=0.9)) is complete


def test_game_without_result_is_not_complete():
    box = pl.concat([players("g0", "ATL", 20, 20, 20, 20, 20), players("g0", "BOS", 18, 18, 18, 18, 18)])
    schedule = games((100, 90)).with_columns(home_points=pl.lit(None, pl.Int64))
    assert coverage.complete_dates(schedule, box, players=5, share=0.9) == set()


@given(st.integers(1, 15), st.data())
def test_a_date_is_complete_when_enough_games_are(count, data):
    done = data.draw(st.integers(0, count))
    sides = [players(f"g{number}", team, *[points] * 5) for number in range(done) for team, points in (("ATL", 20), ("BOS", 18))]
    box = pl.concat([players("none", "ATL"), *sides])
    found = coverage.complete_dates(games(*[(100, 90)] * count), box, players=5, share=0.9)
    assert bool(found) is (done >= 0.9 * count)


@pytest.mark.real_data
def test_real_history_passes_and_a_season_with_holes_is_refused(files_dir, tmp_path):
    source = FilesSource(files_dir)
    first, last = source.first_date(), source.last_date()
    raw = {name: table(f"nba_raw.{name}").conform(getattr(source, name)(first, last)) for name in ("schedule", "player_box")}
    whole = Context(Settings(home=tmp_path / "whole"))
    whole.warehouse.ensure()
    for name, rows in raw.items():
        whole.warehouse.upsert(f"nba_raw.{name}", rows)
    report = coverage.require(whole, last)
    assert all(0.9 < season["coverage"] < 1 for season in report["seasons"])

    season = report["seasons"][0]
    dates = raw["player_box"].filter(pl.col("season") == season["season"])["game_date"].unique().sort()
    gone = dates.gather_every(3)
    holed = Context(Settings(home=tmp_path / "holed"))
    holed.warehouse.ensure()
    holed.warehouse.upsert("nba_raw.schedule", raw["schedule"])
    holed.warehouse.upsert("nba_raw.player_box", without(raw, gone))
    with pytest.raises(GateRefused, match=season["season"]) as refused:
        coverage.require(holed, last)
    failed = [entry for entry in refused.value.report["seasons"] if entry["coverage"] < 0.8]
    assert [entry["season"] for entry in failed] == [season["season"]]
    assert {day.isoformat() for day in gone[20:]} <= set(failed[0]["missing"])


def test_by_default_nothing_later_than_yesterday_is_looked_at(tmp_path):
    context = Context(Settings(home=tmp_path, seed=3, simulated_until="2022-01-15", _env_file=None))
    assert coverage.default_until(context) == date(2022, 1, 15)
    with calendar.clock_at(calendar.at_new_york(date(2021, 12, 3), time(8))):
        assert coverage.default_until(context) == date(2021, 12, 2)
