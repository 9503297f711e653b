"""From a team's own feature store to grades: trained, backtested, predicted and graded, in either form, without looking ahead."""

from datetime import date, timedelta
from types import SimpleNamespace

import polars as pl
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from polars.testing import assert_frame_equal

from nba_ml import coverage, grading
from nba_ml.context import Context
from nba_ml.errors import ArtefactError, GateRefused
from nba_ml.features import FeatureSet, given, store
from nba_ml.ingest import ingest
from nba_ml.settings import Settings
from nba_ml.slate import steps as slate_steps
from nba_ml.sources.simulated import SimulatedSource
from nba_ml.systems.base import parameters
from nba_ml.training import dataset, steps, walk_forward
from nba_ml.warehouse import LATEST
from tests import given_team

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

FIRST, SLATE = date(2021, 10, 19), date(2021, 12, 3)
TRAINED = SLATE - timedelta(days=1)
LEARNED = [f"given_{name}" for name in given_team.NAMES if name != "vegas_points_line"]


@pytest.fixture(scope="module", autouse=True)
def _small():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walk_forward, "LEAST_TRAINING_ROWS", 1500)
        patch.setattr(walk_forward, "LEAST_FOLD_ROWS", 100)
        patch.setattr(walk_forward, "WARM_UP_DAYS", 7)
        patch.setattr(walk_forward, "LINED_ROWS", 1)
        patch.setattr(steps, "BACKTEST_DAYS", 10)
        patch.setattr(steps, "REFIT_DAYS", 7)
        # Six weeks of games are evidence for no gate; the gates have tests of their own.
        patch.setattr(steps.gating, "evaluate", lambda *args, **options: [])
        for name in ("xgboost", "two_stage"):
            patch.setitem(parameters()[name], "rounds", 12)
        yield


@pytest.fixture(scope="module")
def games(tmp_path_factory) -> tuple[pl.DataFrame, pl.DataFrame]:
    source = SimulatedSource(seed=3, until=SLATE, cache=tmp_path_factory.mktemp("league"))
    return source.schedule(FIRST, SLATE), source.player_box(FIRST, SLATE)


@pytest.fixture(scope="module")
def absent(games) -> int:
    """A player of the slate's rotation without a feature row of that date."""
    box = games[1]
    return box.filter(pl.col("game_date") == SLATE).sort("minutes")["player_id"][-1]


@pytest.fixture(scope="module")
def team_of(games, absent):
    def make() -> given_team.Team:
        team = given_team.team_of(*games)
        gone = (pl.col("game_date") == SLATE) & (pl.col("player_lookup") == f"player{absent}")
        team.features = team.features.filter(~gone)
        return team

    return make


@pytest.fixture(scope="module")
def opened(bigquery_emulator, tmp_path_factory):
    """Load a team's tables, ingest all of them but the results of the slate, and make our own features."""

    def open_(team: given_team.Team, **more) -> Context:
        home = tmp_path_factory.mktemp("given")
        # For each call anew: settings of the machine are taken away before each test.
        with pytest.MonkeyPatch.context() as patch:
            for name, value in bigquery_emulator.variables.items():
                patch.setenv(name, value)
            client = bigquery.Client(project=bigquery_emulator.project, credentials=AnonymousCredentials())
            settings = team.load(client, f"chain_{home.name}")
            context = Context(Settings(home=home, _env_file=None, **(settings | more)))
            ingest(context, FIRST, SLATE, run="ingest")
        store.refresh(context, FIRST, TRAINED)
        return context

    return open_


@pytest.fixture(scope="module", params=["arrays", "columns"])
def trained(request, opened, team_of, tmp_path_factory):
    team = team_of()
    more = {}
    if request.param == "columns":
        team.as_columns(named=False)
        more["feature_store_names"] = tmp_path_factory.mktemp("names") / "names.txt"
        more["feature_store_names"].write_text("\n".join(given_team.NAMES))
    context = opened(team, **more)
    planned = steps.plan(context, TRAINED)
    for step in (steps.backtest, steps.fit, steps.gate, steps.publish, steps.release):
        step(context, planned)
    return SimpleNamespace(context=context, planned=planned)


def test_the_model_is_fed_their_features_and_ours(trained):
    manifest = slate_steps.load_released(trained.context).serving.manifest
    names = [feature["name"] for feature in manifest["feature_schema"]]
    assert names[-len(LEARNED) :] == LEARNED
    assert manifest["feature_version"].endswith(f"+{given_team.VERSION}")
    assert trained.planned["features"] == len(names)
    assert trained.planned["left_out"] == 0


def test_history_is_whole_by_the_coverage_gate(trained):
    report = coverage.require(trained.context, TRAINED)
    assert report["coverage"] == 1.0


def test_a_slate_is_predicted_from_their_rows_and_graded(trained, absent):
    context = trained.context
    first = slate_steps.predict(context, SLATE, "replay")
    again = slate_steps.predict(context, SLATE, "replay")
    assert (first["run_key"], first["published"]) == (again["run_key"], again["published"])
    picks = context.warehouse.read("nba_predictions.player_prop_predictions", as_of=LATEST)
    one = picks.filter(pl.col("player_id") == absent).row(0, named=True)
    assert one["predicted_points"] is None
    assert one["blocked"]
    assert "no_feature_row" in one["reasons"]
    has_row = pl.col("player_id").is_in(
        context.warehouse.read("nba_raw.given_features", as_of=LATEST, dates=(SLATE, SLATE))["player_id"].to_list()
    )
    marked, numbered = pl.col("reasons").fill_null("").str.contains("no_feature_row"), pl.col("predicted_points").is_not_null()
    assert picks.filter(marked == has_row).is_empty()
    assert picks.filter(numbered & ~has_row).is_empty()
    assert picks.filter(numbered & has_row).height >= 0.9 * picks.filter(has_row).height > 100
    systems = context.warehouse.read("nba_predictions.system_predictions", as_of=LATEST).filter(pl.col("player_id") == absent)
    assert set(systems["abstain_reason"]) == {"no_feature_row"}
    graded = grading.grade(context, SLATE)
    assert graded["new"] == graded["graded"] > 0
    assert {"xgboost", "ensemble", "moving_average"} <= {row["system_id"] for row in graded["systems"]}


def test_what_comes_after_a_date_changes_no_prediction_up_to_it(opened, team_of):
    day = TRAINED - timedelta(days=2)
    later = pl.col("game_date") > day
    whole, spoilt = team_of(), team_of()
    spoilt.features = spoilt.features.with_columns(
        features=pl.when(later).then(pl.col("features").list.eval(pl.element() * 3 + 1)).otherwise("features")
    )
    spoilt.player_game_summary = spoilt.player_game_summary.with_columns(
        points=pl.when(later).then(pl.col("points") + 1).otherwise("points")
    )
    found = []
    for team in (whole, spoilt):
        data = dataset.load(opened(team), TRAINED)
        folds = walk_forward.plan_folds(data.rows, TRAINED - timedelta(days=6), TRAINED, 7)
        found.append(walk_forward.walk_forward(data.rows, data.lines, folds, names=data.features.names, seed=1)[0])
    before, after = (frame.filter(pl.col("slate_date") <= day) for frame in found)
    assert before.height > 100
    assert_frame_equal(before, after, check_exact=True)
    assert not found[0].equals(found[1])


def test_a_model_of_another_version_of_their_features_is_refused():
    manifest = {"name": "points", "version": "v1", "feature_version": "v2.2+old"}
    given.require_trained_on(manifest, FeatureSet((), "v2.2+old"))
    with pytest.raises(ArtefactError, match=r"points/v1 was trained on features v2\.2\+old, and those of the slate are v2\.2\+new"):
        given.require_trained_on(manifest, FeatureSet((), "v2.2+new"))


def test_thin_features_stop_training(opened, team_of):
    """The control of the coverage test: an accepted row for fewer than nine of ten players on two of three dates."""
    team = team_of()
    thin = (pl.col("game_date").dt.day() % 3 != 0) & pl.col("player_lookup").str.ends_with("1")
    team.features = team.features.filter(~(thin | (pl.col("game_date").dt.day() % 3 != 0) & pl.col("player_lookup").str.ends_with("2")))
    with pytest.raises(GateRefused, match="Coverage gate"):
        coverage.require(opened(team), TRAINED)
