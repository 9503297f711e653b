"""Names of tables and views inside SQL texts."""

import pytest

from nba_ml.warehouse.dataset_names import names_in, rename

DATASETS = ("nba_raw", "nba_ops")


def on_bigquery(sql: str) -> str:
    return rename(sql, lambda dataset, name: f"`p.team_{dataset}.{name}`", DATASETS)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("SELECT s.home FROM nba_raw.schedule AS s", "SELECT s.home FROM `p.team_nba_raw.schedule` AS s"),
        ("FROM `nba_raw.schedule`,nba_ops.alerts", "FROM `p.team_nba_raw.schedule`,`p.team_nba_ops.alerts`"),
        ("SELECT 'it''s nba_raw.schedule', \"nba_raw.schedule\"", "SELECT 'it''s nba_raw.schedule', \"nba_raw.schedule\""),
        ("-- nba_raw.schedule\n/* nba_raw.a\n nba_raw.b */ SELECT 1", "-- nba_raw.schedule\n/* nba_raw.a\n nba_raw.b */ SELECT 1"),
        ("FROM p.nba_raw.schedule, `p.nba_raw.schedule`", "FROM p.nba_raw.schedule, `p.nba_raw.schedule`"),
        ("FROM my_nba_raw.schedule, nba_rawer.schedule", "FROM my_nba_raw.schedule, nba_rawer.schedule"),
        (r"SELECT 'a\'', nba_raw.schedule", r"SELECT 'a\'', `p.team_nba_raw.schedule`"),
    ],
)
def test_only_names_are_renamed(written, read):
    assert on_bigquery(written) == read


def test_names_are_found_where_they_are_renamed():
    assert names_in("SELECT 'nba_raw.a' FROM nba_raw.b JOIN `nba_ops.c` -- nba_ops.d", DATASETS) == {"nba_raw.b", "nba_ops.c"}
