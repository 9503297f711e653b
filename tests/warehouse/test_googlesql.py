"""Every GoogleSQL text of the platform goes through Google's analyser: the emulator takes what BigQuery refuses."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from nba_ml.sources.feature_store import columns as given
from nba_ml.warehouse import bigquery_select as reads
from nba_ml.warehouse import bigquery_sql as writes
from nba_ml.warehouse.bigquery_ensure import create_view
from nba_ml.warehouse.bigquery_select import TYPES
from nba_ml.warehouse.questions import questions
from nba_ml.warehouse.schema import Table, tables
from nba_ml.warehouse.views import views
from tests.googlesql import NAMES, Analyser

NOON = datetime(2024, 1, 5, 17, tzinfo=UTC)
DAY = date(2024, 1, 5)
TURN = NAMES.turn("nba_raw.schedule")
DATASETS = {name.partition(".")[0] for name in tables()}


@pytest.fixture(scope="module")
def analyser() -> Analyser:
    analyser = Analyser()
    for table in tables().values():
        columns = {column.name: TYPES[column.type] for column in table.columns}
        for place in (NAMES.table(table.name), NAMES.table(table.name, staged=True), NAMES.load(table.name, "key")):
            analyser.add(place, columns)
    analyser.add(TURN, {"turn": "INT64", "holder": "STRING", "held_until": "TIMESTAMP"})
    for view in views():
        analyser.add(NAMES.table(view.name), analyser.analyse(NAMES.rewrite(view.sql, DATASETS)))
    return analyser


def statements(table: Table) -> Iterator[str]:
    load = NAMES.load(table.name, "key")
    whole = [name for name in table.key if name != table.partition][:2] or list(table.key)
    yield writes.update_changed(NAMES, table, load)
    yield writes.insert_absent(NAMES, table, load)
    yield writes.delete_rest(NAMES, table, load, whole)
    yield writes.any_kept(NAMES, table)
    if table.run:
        yield writes.delete_staged(NAMES, table)
        yield writes.insert_staged(NAMES, table, load)
        yield writes.delete_run(NAMES, table)
        yield writes.insert_run(NAMES, table)
        yield writes.count_staged(NAMES, [table])
    yield reads.count(NAMES, [table])
    keys = {name: [None] for name in table.schema}
    spans = [None, (DAY, DAY)] if table.partition else [None]
    for where in ({}, keys):
        for span in spans:
            for undated in (False, True):
                more = {"where": where, "dates": span, "columns": list(table.schema), "staged": bool(table.run), "undated": undated}
                yield reads.select(NAMES, table, as_of=NOON, **more)[0]


@pytest.mark.parametrize("table", tables().values(), ids=lambda table: table.name)
def test_every_statement_on_a_table_is_googlesql(analyser, table):
    for statement in statements(table):
        analyser.analyse(statement)


def test_turns_and_transactions_are_googlesql(analyser):
    turns = [writes.make_turn(TURN), writes.take_turn(TURN), writes.lease_turn(TURN), writes.return_turn(TURN)]
    for statement in [*turns, *writes.transaction(["SELECT 1"]).rstrip(";").split(";\n")]:
        analyser.analyse(statement)


@pytest.mark.parametrize("view", views(), ids=lambda view: view.name)
def test_every_view_yields_its_described_columns(analyser, view):
    view.check(list(analyser.analyse(NAMES.rewrite(view.sql, DATASETS))))
    analyser.analyse(create_view(NAMES, view, DATASETS))


@pytest.mark.parametrize("question", questions().values(), ids=lambda question: question.name)
def test_every_question_yields_its_described_columns(analyser, question):
    assert list(analyser.analyse(reads.analysts(NAMES, question.sql, DATASETS))) == list(question.columns)


@pytest.mark.parametrize("wanted", [given.FEATURES, given.OUTCOMES, given.PLAYERS, given.SCHEDULE, given.LINES])
@pytest.mark.parametrize("dated", [True, False])
def test_reads_of_a_teams_own_tables_are_googlesql(analyser, wanted, dated):
    """Each column under the last of its names, and as text or number where it has to be cast; arrays are read as they are."""
    there = {column.accepted[-1]: {"FLOAT64": "NUMERIC", "INT64": "FLOAT64"}.get(column.type, "STRING") for column in wanted}
    there |= {"game_date": "DATE"}
    analyser.add("acme-nba.given.table", there)
    expected = {column.name: column.type or there[column.accepted[-1]] for column in wanted}
    chosen = given.chosen(wanted, there, "acme-nba.given.table")
    assert analyser.analyse(given.statement("acme-nba.given.table", chosen, dated=dated)) == expected
    for function, condition in (("MIN", "TRUE"), ("MAX", "`game_date` IS NOT NULL")):
        assert analyser.analyse(given.edge("acme-nba.given.table", function, condition)) == {"edge": "DATE"}


@pytest.mark.parametrize(
    "broken",
    [
        "SELECT nothing FROM `project.prefix_nba_raw.schedule`",
        "SELECT MEDIAN(home_points) FROM `project.prefix_nba_raw.schedule`",
        "SELECT home_points::FLOAT64 FROM `project.prefix_nba_raw.schedule`",
        "SELECT game_id, COUNT(*) FROM `project.prefix_nba_raw.schedule`",
        "SELECT game_id FROM `project.prefix_nba_raw.schedule` WHERE game_date = 1",
        "SELECT game_id FROM `project.prefix_nba_raw.nothing`",
    ],
)
def test_a_broken_text_is_found(analyser, broken):
    with pytest.raises(Exception, match="INVALID_ARGUMENT"):
        analyser.analyse(broken)
