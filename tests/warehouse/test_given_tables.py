"""Names of a team's own tables, and prefixes that would touch them."""

import pytest

from nba_ml.errors import UsageError
from nba_ml.settings import Settings
from nba_ml.warehouse import open_warehouse
from nba_ml.warehouse.given_tables import given_tables, refuse_overlap

STORE = "acme-nba.nba_predictions.ml_feature_store_v2"


def settings(**values):
    return Settings(_env_file=None, **({"feature_store": STORE} | values))


def test_names_without_a_project_are_the_stores():
    found = given_tables(settings(feature_store_players="other.ref.players", feature_store_lines="odds.lines"))
    assert found.project == "acme-nba"
    assert found.all == (
        STORE,
        "acme-nba.nba_analytics.player_game_summary",
        "other.ref.players",
        "acme-nba.nba_raw.nbac_schedule",
        "acme-nba.odds.lines",
    )


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"feature_store": None}, "needs NBA_ML_FEATURE_STORE="),
        ({"feature_store": "nba_predictions.ml_feature_store_v2"}, "NBA_ML_FEATURE_STORE=nba_predictions.ml_feature_store_v2 is no table"),
        ({"feature_store_schedule": "games"}, "NBA_ML_FEATURE_STORE_SCHEDULE=games is no table"),
        ({"feature_store_outcomes": "d.t` WHERE TRUE; --"}, "NBA_ML_FEATURE_STORE_OUTCOMES=.* is no table"),
    ],
)
def test_what_is_no_name_is_refused(values, said):
    with pytest.raises(UsageError, match=said):
        given_tables(settings(**values))


@pytest.mark.parametrize(
    ("values", "project", "touched"),
    [
        ({}, "acme-nba", STORE),
        ({"dataset_prefix": "ours_"}, "acme-nba", None),
        ({}, "our-project", None),
        ({"dataset_prefix": "ours_", "feature_store": "acme-nba.ours_nba_predictions.their_features"}, "acme-nba", "their_features"),
        ({"dataset_prefix": "x_", "feature_store_schedule": "x_nba_raw.schedule"}, "acme-nba", r"acme-nba\.x_nba_raw\.schedule"),
        ({"feature_store": None}, "acme-nba", None),
    ],
)
def test_a_prefix_that_would_touch_a_table_of_the_team_is_refused(values, project, touched):
    if touched is None:
        refuse_overlap(settings(**values), project)
    else:
        with pytest.raises(UsageError, match=rf"would write into .*{touched}"):
            refuse_overlap(settings(**values), project)


def test_no_command_opens_such_a_warehouse(monkeypatch):
    """`nba-ml init` and all else open it first; no request is sent, so nothing answers here."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:9")
    with pytest.raises(UsageError, match="set NBA_ML_DATASET_PREFIX to another prefix"):
        open_warehouse(settings(warehouse="bigquery", project="acme-nba"))
    assert open_warehouse(settings(warehouse="bigquery", project="acme-nba", dataset_prefix="ours_")).names
