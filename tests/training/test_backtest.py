"""A backtest that can't be walked is refused at once, before features are made for it."""

from datetime import date
from types import SimpleNamespace

import pytest

from nba_ml import calendar
from nba_ml.errors import BadInput, UsageError
from nba_ml.features import store
from nba_ml.training.backtest import backtest
from nba_ml.warehouse.duckdb import DuckDBWarehouse
from tests.slate.little_league import FIRST, SLATE, league


@pytest.fixture
def context(tmp_path, monkeypatch):
    warehouse = DuckDBWarehouse(tmp_path / "w.duckdb")
    warehouse.ensure()
    for name, rows in league().items():
        warehouse.upsert(name, rows)
    monkeypatch.setattr(store, "refresh", lambda *arguments: pytest.fail("features were made"))
    return SimpleNamespace(warehouse=warehouse, source=SimpleNamespace(name="made up", first_date=lambda: FIRST))


@pytest.mark.parametrize("span", [(date(2023, 7, 1), date(2023, 8, 1)), (date(2024, 7, 1), date(2024, 8, 1))])
def test_a_span_without_data(context, span):
    with pytest.raises(BadInput, match=rf"no player-games from {span[0]} to {span[1]}.*nba-ml ingest --from {span[0]} --to {span[1]}"):
        backtest(context, *span, refit_days=28)


def test_a_beginning_with_too_little_history(context):
    first = calendar.days_back(SLATE, 3)
    before = 70 * (first - FIRST).days
    with pytest.raises(BadInput, match=rf"^{before} player-games lie before {first}, and a backtest needs 20,000 .*choose a later --from"):
        backtest(context, first, SLATE, refit_days=28)


@pytest.mark.parametrize(
    ("option", "path"), [("predictions", "."), ("predictions", "there/p.parquet"), ("report", "there"), ("report", "there/in")]
)
def test_a_path_that_nothing_can_be_written_to(context, tmp_path, option, path):
    (tmp_path / "there").write_text("a file")
    with pytest.raises(UsageError, match=f"^--{option}"):
        backtest(context, SLATE, SLATE, refit_days=28, **{option: tmp_path / path})
    assert (tmp_path / "there").read_text() == "a file"
