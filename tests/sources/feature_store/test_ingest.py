"""A team's tables in the emulated BigQuery, ingested into our warehouse: what is accepted, what is kept out, what is refused."""

from datetime import date, timedelta
from itertools import count

import polars as pl
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from polars.testing import assert_frame_equal

from nba_ml import coverage
from nba_ml.context import Context
from nba_ml.errors import BadInput, GateRefused, UsageError
from nba_ml.features import given, own_features
from nba_ml.ingest import ingest
from nba_ml.settings import Settings
from nba_ml.warehouse import LATEST
from nba_ml.warehouse.bigquery_errors import Missing
from tests import given_team
from tests.slate import little_league

FIRST, LAST = little_league.FIRST, little_league.SLATE
DATES = (LAST - FIRST).days + 1
_datasets = count()


@pytest.fixture
def client(bigquery_emulator, monkeypatch):
    for name, value in bigquery_emulator.variables.items():
        monkeypatch.setenv(name, value)
    return bigquery.Client(project=bigquery_emulator.project, credentials=AnonymousCredentials())


def untied() -> dict[str, pl.DataFrame]:
    """The little league without draws: the first of the home team scored one more."""
    league = little_league.league()
    drawn = league["nba_raw.schedule"].filter(pl.col("home_points") == pl.col("away_points")).select("game_id", team="home", drawn=1)
    box = league["nba_raw.player_box"].join(drawn, on=["game_id", "team"], how="left", maintain_order="left")
    first = (pl.col("player_id") % 100 == 0) & pl.col("drawn").is_not_null()
    games = league["nba_raw.schedule"].with_columns(
        home_points=pl.col("home_points") + (pl.col("home_points") == pl.col("away_points")).cast(pl.Int64)
    )
    return league | {
        "nba_raw.player_box": box.with_columns(points=pl.col("points") + first.cast(pl.Int64)).drop("drawn"),
        "nba_raw.schedule": games,
    }


@pytest.fixture
def league():
    return untied()


@pytest.fixture
def team(league):
    return given_team.team_of(league["nba_raw.schedule"], league["nba_raw.player_box"])


@pytest.fixture
def opened(client, tmp_path):
    """Load a team's tables and open a context over them; a team that is loaded again keeps its dataset and warehouse."""
    dataset = f"given_{tmp_path.name}_{next(_datasets)}"

    def open_(team, **more):
        settings = team.load(client, dataset)
        return Context(Settings(home=tmp_path / "home", **(settings | more), _env_file=None))

    return open_


def bring(context, first=FIRST, last=LAST):
    return ingest(context, first, last, run=f"ingest:{first}:{last}")


def stored(context, name):
    return context.warehouse.read(name, as_of=LATEST, undated=True)


@pytest.mark.parametrize("form", ["arrays", "named columns", "columns"])
def test_both_forms_give_the_same_rows(opened, team, league, form, tmp_path):
    if form != "arrays":
        team.as_columns(named=form == "named columns")
    listed = tmp_path / "names.txt"
    listed.write_text("\n".join(given_team.NAMES))
    context = opened(team, **({"feature_store_names": listed} if form == "columns" else {}))
    report = bring(context)
    assert report["tables"]["nba_raw.player_box"]["rows"] == league["nba_raw.player_box"].height
    assert report["quarantined"] == 0
    assert stored(context, "nba_raw.given_features").height == league["nba_raw.player_box"].height
    found = given.feature_set(context)
    learned = [f"given_{name}" for name in given_team.NAMES if name != "vegas_points_line"]
    assert found.names == (*own_features().names, *learned)
    assert found.version == f"{own_features().version}+{given_team.VERSION}"
    values = given.read(context, LATEST)
    assert values.columns == ["game_date", "player_id", *learned]
    expected = team_values(league)
    assert values.equals(expected.select(*given.KEY, pl.col(learned).fill_nan(None)).sort(given.KEY))


def team_values(league):
    made = given_team.team_of(league["nba_raw.schedule"], league["nba_raw.player_box"]).features
    ids = made["player_lookup"].str.strip_prefix("player").cast(pl.Int64).alias("player_id")
    columns = [pl.col("features").list.get(place).alias(f"given_{name}") for place, name in enumerate(given_team.NAMES)]
    return made.with_columns(ids, *columns)


def test_the_raw_tables_are_those_of_the_league(opened, team, league):
    context = opened(team)
    bring(context)
    same = ["game_id", "player_id", "player_name", "season", "season_type", "game_date", "team", "opponent", "is_home", "minutes", "points"]
    key = ["game_id", "player_id"]
    assert stored(context, "nba_raw.player_box").select(same).sort(key).equals(league["nba_raw.player_box"].select(same).sort(key))
    games = ["game_id", "season", "season_type", "game_date", "tipoff_utc", "home", "away", "home_points", "away_points", "known_at"]
    assert (
        stored(context, "nba_raw.schedule").select(games).sort("game_id").equals(league["nba_raw.schedule"].select(games).sort("game_id"))
    )
    lines = stored(context, "nba_raw.prop_lines")
    assert set(lines["line_kind"]) == {"undated_snapshot"}
    assert lines["captured_at"].null_count() == lines.height


def test_the_same_again_changes_nothing(opened, team):
    context = opened(team)
    bring(context)
    before = context.warehouse.count()
    again = bring(opened(team))
    assert all(counts["new"] == 0 for counts in again["tables"].values())
    assert {name: rows for name, rows in context.warehouse.count().items() if name != "nba_ops.validation_runs"} == {
        name: rows for name, rows in before.items() if name != "nba_ops.validation_runs"
    }


@pytest.mark.slow
def test_our_warehouse_may_be_in_bigquery_too(opened, team, tmp_path):
    embedded = opened(team)
    bring(embedded)
    google = opened(team, warehouse="bigquery", dataset_prefix=f"ours_{tmp_path.name}_")
    bring(google)
    for name in ("nba_raw.given_features", "nba_raw.given_feature_names", "nba_raw.given_dates", "nba_raw.player_box", "nba_raw.schedule"):
        assert_frame_equal(stored(google, name), stored(embedded, name), check_exact=True)
    assert given.feature_set(google) == given.feature_set(embedded)
    assert_frame_equal(given.read(google, LATEST), given.read(embedded, LATEST), check_exact=True)


def test_a_schedule_without_scores_takes_the_sums_of_the_outcomes(opened, team, league):
    team.nbac_schedule = team.nbac_schedule.drop("home_team_score", "away_team_score")
    context = opened(team)
    bring(context)
    expected = league["nba_raw.schedule"].sort("game_id")
    assert stored(context, "nba_raw.schedule").sort("game_id")["home_points"].equals(expected["home_points"])


def test_unmatched_players_are_quarantined_and_the_rest_goes_on(opened, team):
    team.nba_players_registry = team.nba_players_registry.filter(pl.col("player_lookup") != "player100")
    team.nba_players_registry = pl.concat(
        [
            team.nba_players_registry,
            team.nba_players_registry.head(1).with_columns(player_id=pl.lit(777, pl.Int64), player_lookup=pl.lit("player101")),
        ]
    )
    context = opened(team)
    bring(context)
    kept_out = stored(context, "nba_ops.quarantine")
    unknown = kept_out.filter(pl.col("rule") == "player_known")
    assert dict(unknown["suite"].value_counts().iter_rows()) == {"player_game_summary": 2 * DATES, "ml_feature_store_v2": 2 * DATES}
    assert unknown["row"].str.contains("player10[01]").all()
    assert not set(stored(context, "nba_raw.player_box")["player_id"]) & {100, 101, 777}
    dates = stored(context, "nba_raw.given_dates")
    assert set(dates["unmatched_rows"]) == {2}
    assert set(dates["outcome_rows"]) == {10 * little_league.PLAYERS}


def test_rows_of_too_many_defaults_are_quarantined_whatever_their_average_says(opened, team):
    one = pl.col("player_lookup") == "player100"
    every, few = pl.lit(list(range(6)), dtype=pl.List(pl.Int64)), pl.lit([1, 5], dtype=pl.List(pl.Int64))
    names = pl.lit([f"f{place}" for place in range(6)], dtype=pl.List(pl.String))
    team.features = team.features.with_columns(
        feature_names=names, default_feature_indices=pl.when(one).then(every).otherwise(few), feature_quality_score=pl.lit(99.9)
    )
    context = opened(team)
    bring(context)
    kept_out = stored(context, "nba_ops.quarantine")
    assert kept_out.select("suite", "rule").unique().rows() == [("ml_feature_store_v2", "few_defaults")]
    assert kept_out.height == DATES
    kept = stored(context, "nba_raw.given_features")
    assert 100 not in kept["player_id"]
    assert set(kept.filter(pl.col("game_date") > FIRST)["defaulted_features"]) == {2}
    assert stored(context, "nba_raw.player_box").filter(pl.col("player_id") == 100).height == DATES


def test_ids_may_be_text(opened, team):
    team.nba_players_registry = team.nba_players_registry.select(
        "player_lookup", "player_name", universal_player_id=pl.format("{}_001", "player_lookup")
    )
    context = opened(team)
    bring(context)
    box = stored(context, "nba_raw.player_box")
    assert box["player_id"].n_unique() == 10 * little_league.PLAYERS
    assert box["player_id"].min() > 1_000_000


def test_minutes_as_text_are_read_and_wrong_ones_named(opened, team):
    clock = pl.format("{}:30", pl.col("minutes_played").cast(pl.Int64))
    team.player_game_summary = team.player_game_summary.with_columns(minutes_played=clock)
    context = opened(team)
    bring(context)
    assert set(stored(context, "nba_raw.player_box")["minutes"] % 1) == {0.5}
    team.player_game_summary = team.player_game_summary.with_columns(minutes_played=pl.lit("many"))
    with pytest.raises(BadInput, match=r"player_game_summary row of 2024-01-02, player player100, field minutes: 'many' is not minutes"):
        bring(opened(team))


def test_who_sat_out_is_no_outcome(opened, team):
    inactive = team.player_game_summary.head(1).with_columns(player_lookup=pl.lit("player100"), points=None, minutes_played=None)
    summary = team.player_game_summary.filter(pl.col("player_lookup") != "player100")
    team.player_game_summary = pl.concat([summary, inactive], how="vertical_relaxed")
    context = opened(team)
    bring(context)
    assert 100 not in stored(context, "nba_raw.player_box")["player_id"]
    assert set(stored(context, "nba_raw.given_dates")["outcome_rows"]) == {10 * little_league.PLAYERS - 1}


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ({"feature_version": pl.lit("v3")}, "field feature_version: is v3"),
        ({"features": pl.col("features").list.head(3)}, "field features: holds 3 values for 6 names"),
        ({"feature_names": pl.col("feature_names").list.reverse()}, "field feature_names: position 0 is vegas_points_line"),
    ],
)
def test_a_row_that_does_not_fit_refuses_the_whole_span(opened, team, spoil, said):
    one = (pl.col("game_date") == LAST) & (pl.col("player_lookup") == "player305")
    team.features = team.features.with_columns(pl.when(one).then(value).otherwise(name).alias(name) for name, value in spoil.items())
    context = opened(team)
    with pytest.raises(BadInput, match=f"ml_feature_store_v2 row of {LAST}, player player305, {said}"):
        bring(context)
    assert context.warehouse.count(["nba_raw.player_box"]) == {"nba_raw.player_box": 0}


def test_names_in_another_order_than_before_are_refused(opened, team):
    bring(opened(team), FIRST, FIRST)
    team.features = team.features.with_columns(pl.col("feature_names", "features").list.reverse())
    with pytest.raises(
        BadInput, match="field feature_names of version v2_6features: position 0 is vegas_points_line, and was points_avg_last_5"
    ):
        bring(opened(team), LAST, LAST)


def test_versions_ingested_apart_are_refused_when_they_are_used(opened, team):
    bring(opened(team), FIRST, LAST - timedelta(days=1))
    team.features = team.features.with_columns(feature_version=pl.lit("v3"))
    context = opened(team)
    bring(context, LAST, LAST)
    with pytest.raises(GateRefused, match=r"2 versions \(v2_6features from 2024-01-02 to 2024-01-11, v3 from 2024-01-12 to 2024-01-12\)"):
        given.feature_set(context)
    assert given.feature_set(opened(team, feature_store_version="v3")).version.endswith("+v3")


def test_a_table_that_is_not_there_is_named(opened, team):
    context = opened(team, feature_store_players="nowhere.players")
    with pytest.raises(Missing, match=r"reading the columns of emulated\.nowhere\.players"):
        bring(context)
    with pytest.raises(UsageError, match="NBA_ML_FEATURE_STORE=table is no table"):
        _ = opened(team, feature_store="table").source


def test_a_date_is_complete_with_nine_of_ten_rows(opened, team, league):
    day, other = LAST, LAST - timedelta(days=1)
    people = 10 * little_league.PLAYERS
    least = -(-9 * people // 10)
    everyone = [f"player{number}" for number in sorted(set(league["nba_raw.player_box"]["player_id"]))]

    def without(day: date, absent: int) -> pl.Expr:
        return ~((pl.col("game_date") == day) & pl.col("player_lookup").is_in(everyone[:absent]))

    whole = team.features
    team.features = whole.filter(without(day, people - least) & without(other, people - least + 1))
    context = opened(team)
    bring(context)
    complete = coverage.accepted_dates(stored(context, "nba_raw.given_dates"))
    assert day in complete
    assert other not in complete
    team.features = whole
    bring(opened(team))
    assert other in coverage.accepted_dates(stored(context, "nba_raw.given_dates"))


def test_expected_dates_come_from_the_schedule(opened, team):
    """Dates without a single feature row are expected all the same; so are dates without outcomes."""
    team.features = team.features.filter(pl.col("game_date") != LAST)
    team.player_game_summary = team.player_game_summary.filter(pl.col("game_date") != LAST - timedelta(days=1))
    context = opened(team)
    bring(context)
    report = coverage.measure(context, LAST)
    season = next(season for season in report["seasons"] if season["season"] == "2023-24")
    assert season["expected"] == DATES
    assert {str(LAST), str(LAST - timedelta(days=1))} == set(season["missing"])
    with pytest.raises(GateRefused, match="Coverage gate"):
        coverage.require(context, LAST)
