import os
import subprocess
import sys
from datetime import date, time, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nba_ml import calendar
from nba_ml.errors import UsageError
from nba_ml.ids import frame_fingerprint
from nba_ml.settings import Settings
from nba_ml.sources import RAW_TABLES, checks, open_source
from nba_ml.sources.league import cache as league_cache
from nba_ml.sources.league import defects
from nba_ml.sources.simulated import SimulatedSource

SEED = 3
UNTIL = date(2022, 1, 15)
EVERYTHING = (date(2000, 1, 1), date(2100, 1, 1))


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    return tmp_path_factory.mktemp("league")


@pytest.fixture(scope="module")
def source(shelf):
    return SimulatedSource(SEED, UNTIL, cache=shelf)


def fingerprints(source, first, last):
    return {table: frame_fingerprint(getattr(source, table)(first, last)) for table in RAW_TABLES}


def test_two_processes_agree(source):
    program = (
        "from datetime import date; from nba_ml.ids import frame_fingerprint; from nba_ml.sources.simulated import SimulatedSource;"
        f"s = SimulatedSource({SEED}, date.fromisoformat('{UNTIL}'));"
        f"print({{t: frame_fingerprint(getattr(s, t)(date(2000, 1, 1), date(2100, 1, 1))) for t in {RAW_TABLES!r}}})"
    )
    here = fingerprints(source, *EVERYTHING)
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": "77"}
    )
    assert run.stdout.strip() == str(here)


def test_another_seed_is_another_league(source):
    other = SimulatedSource(SEED + 1, UNTIL)
    span = (UNTIL, UNTIL)
    assert fingerprints(source, *span)["player_box"] != fingerprints(other, *span)["player_box"]


@pytest.mark.parametrize("later", [UNTIL + timedelta(days=1), date(2022, 5, 1), date(2022, 12, 1)])
def test_the_past_does_not_depend_on_until(source, later):
    span = (date(2021, 10, 1), UNTIL)
    assert fingerprints(source, *span) == fingerprints(SimulatedSource(SEED, later), *span)


def test_a_season_does_not_depend_on_the_others(shelf):
    day = date(2022, 11, 2)
    alone = SimulatedSource(SEED, day)
    assert fingerprints(alone, day, day) == fingerprints(SimulatedSource(SEED, date(2022, 12, 1), cache=shelf), day, day)


def test_days_after_until(source):
    schedule = source.schedule(*EVERYTHING)
    upcoming = schedule.filter(pl.col("game_date") > UNTIL)
    assert upcoming["game_date"].max() == UNTIL + timedelta(days=7)
    assert upcoming.select(pl.col("home_points", "away_points", "overtime").null_count()).row(0) == (upcoming.height,) * 3
    played = schedule.filter(pl.col("game_date") <= UNTIL)
    assert played.select(pl.col("home_points", "away_points", "overtime").null_count()).row(0) == (0, 0, 0)
    assert source.player_box(*EVERYTHING)["game_date"].max() == UNTIL == source.last_date()
    slate = UNTIL + timedelta(days=1)
    noon = calendar.at_new_york(slate, time(12))
    for table in ("prop_lines", "game_lines", "player_status"):
        rows = getattr(source, table)(slate, date(2100, 1, 1))
        assert rows["game_date"].unique().to_list() == [slate]
        assert (rows["captured_at"] < noon).all()


def test_fixtures_of_the_playoffs_are_not_known_early(shelf):
    until = date(2022, 4, 20)
    upcoming = SimulatedSource(SEED, until, cache=shelf).schedule(until + timedelta(days=1), date(2100, 1, 1))
    assert upcoming.height > 0
    assert (upcoming["known_at"] <= calendar.end_of(until)).all()


def test_every_game_that_was_played_has_both_teams(source):
    games = source.schedule(date(2021, 10, 1), UNTIL)
    teams = source.player_box(date(2021, 10, 1), UNTIL).group_by("game_id").agg(pl.col("team").n_unique())
    assert (games.join(teams, on="game_id", how="left")["team"] == 2).all()


def test_empty_spans(source):
    for table in RAW_TABLES:
        for span in ((date(2019, 1, 1), date(2020, 1, 1)), (UNTIL + timedelta(days=40), UNTIL + timedelta(days=50))):
            rows = getattr(source, table)(*span)
            assert rows.is_empty()
            assert rows.schema == getattr(source, table)(UNTIL, UNTIL).schema


def test_off_season(shelf):
    source = SimulatedSource(SEED, date(2022, 8, 1), cache=shelf)
    assert source.last_date().month == 6
    assert source.schedule(date(2022, 7, 1), date(2022, 9, 1)).is_empty()


def test_settings(tmp_path):
    settings = Settings(home=tmp_path, seed=SEED, simulated_until="2021-11-03", simulated_defects="late_results, missing_team")
    source = open_source(settings)
    assert isinstance(source, SimulatedSource)
    assert source.until == date(2021, 11, 3)
    assert source.defects == ("late_results", "missing_team")
    assert SimulatedSource.from_settings(Settings(home=tmp_path)).until == calendar.day_before(calendar.slate_date(calendar.now()))
    with pytest.raises(UsageError, match="NBA_ML_SIMULATED_UNTIL"):
        SimulatedSource.from_settings(Settings(home=tmp_path, simulated_until="soon"))
    with pytest.raises(UsageError, match="2021-10-19"):
        SimulatedSource(SEED, date(2021, 10, 18))


def test_a_season_is_kept_for_the_next_process(source, shelf, monkeypatch):
    source.schedule(UNTIL, UNTIL)
    monkeypatch.setattr(league_cache, "season_tables", None)
    again = SimulatedSource(SEED, UNTIL, cache=shelf)
    assert_frame_equal(again.schedule(UNTIL, UNTIL), source.schedule(UNTIL, UNTIL))
    assert not list(shelf.rglob(".*"))


class TestDefects:
    @pytest.fixture
    def faulty(self, shelf):
        return lambda name, until=UNTIL: SimulatedSource(SEED, until, (name,), cache=shelf)

    def test_unknown_names_are_refused_with_the_valid_ones(self):
        with pytest.raises(UsageError) as caught:
            SimulatedSource(SEED, UNTIL, ("earthquake",))
        assert all(name in str(caught.value) for name in ("earthquake", *defects.NAMES))

    @pytest.mark.parametrize("name", defects.NAMES)
    def test_dates_before_the_last_are_untouched(self, source, faulty, name):
        before = UNTIL - timedelta(days=8)
        assert fingerprints(faulty(name), date(2021, 10, 1), before) == fingerprints(source, date(2021, 10, 1), before)

    def test_duplicated_feed(self, source, faulty):
        box = faulty("duplicated_feed").player_box(UNTIL, UNTIL)
        assert box.height == 2 * source.player_box(UNTIL, UNTIL).height
        assert box.select(pl.struct("game_id", "player_id").is_duplicated().all()).item()

    def test_clock_minutes_are_read_right(self, source, faulty):
        clean = source.player_box(UNTIL - timedelta(days=1), UNTIL)
        raw = faulty("clock_minutes").player_box(UNTIL - timedelta(days=1), UNTIL)
        assert raw.filter(game_date=UNTIL)["minutes"].str.contains(r"^\d+:\d\d$").all()
        assert not raw.filter(pl.col("game_date") < UNTIL)["minutes"].str.contains(":").any()
        assert_frame_equal(checks.structure("player_box", raw).select(clean.columns), clean)

    def test_missing_team(self, source, faulty):
        clean, box = (
            feed.player_box(UNTIL, UNTIL).group_by("game_id").agg(pl.col("team").n_unique()) for feed in (source, faulty("missing_team"))
        )
        assert clean["team"].unique().to_list() == [2]
        assert box["team"].sort().to_list() == [1] + [2] * (clean.height - 1)

    def test_in_play_quotes(self, source, faulty):
        lines = faulty("in_play_quotes").prop_lines(UNTIL, UNTIL)
        after = lines.filter(pl.col("captured_at") >= pl.col("tipoff_utc"))
        assert after.height > 20
        assert_frame_equal(
            lines.join(after, on=lines.columns, how="anti", nulls_equal=True), source.prop_lines(UNTIL, UNTIL), check_row_order=False
        )

    @pytest.mark.parametrize("ahead", [0, 1])
    def test_placeholder_line(self, source, faulty, ahead):
        slate = UNTIL + timedelta(days=ahead)
        share = {feed: (feed.prop_lines(slate, slate)["line"] == 15.5).mean() for feed in (source, faulty("placeholder_line"))}
        assert [value >= 0.3 for value in share.values()] == [False, True]

    def test_late_results(self, source, faulty):
        late = faulty("late_results")
        assert late.player_box(UNTIL, UNTIL).is_empty()
        assert late.schedule(UNTIL, UNTIL).height > 0
        assert late.last_date() == UNTIL

    def test_stale_schedule(self, faulty):
        schedule = faulty("stale_schedule").schedule(UNTIL - timedelta(days=9), date(2100, 1, 1))
        assert schedule["game_date"].max() == UNTIL
        unplayed = schedule.filter(pl.col("home_points").is_null())["game_date"]
        assert unplayed.min() == UNTIL - timedelta(days=6)


def test_under_a_held_clock_the_league_is_played_up_to_yesterday_and_seen_up_to_the_hour(tmp_path):
    settings = Settings(home=tmp_path, seed=SEED, _env_file=None)
    seen = {}
    for hour in (9, 18):
        moment = calendar.at_new_york(UNTIL, time(hour))
        with calendar.clock_at(moment):
            opened = open_source(settings)
        assert opened.player_box(*EVERYTHING)["game_date"].max() < UNTIL
        coming = opened.prop_lines(UNTIL, UNTIL)
        assert coming["captured_at"].max() < moment
        seen[hour] = coming.height
    assert 0 < seen[9] < seen[18]
