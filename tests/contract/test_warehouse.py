"""What every warehouse promises."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from nba_ml import ids
from nba_ml.errors import UsageError
from nba_ml.warehouse.port import LATEST
from nba_ml.warehouse.views import View
from tests.contract.tables import FACTS, GRADES, NUMBERS, PICKS, TABLES, make_table

NOON = datetime(2024, 1, 5, 17, tzinfo=UTC)
DAY = date(2024, 1, 5)
RUN = {"day": DAY, "run_key": "r1"}


def fact(game="g1", player=1, day=DAY, points=20.0, known_at=NOON, result_at=NOON, **more):
    return {"game": game, "player": player, "day": day, "points": points, "known_at": known_at, "result_at": result_at} | more


def facts(*rows):
    schema = {name: dtype for name, dtype in FACTS.schema.items() if name != "id"}
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def picks(*points, run_key="r1", day=DAY):
    return pl.DataFrame(
        {"day": [day] * len(points), "run_key": run_key, "game": [f"g{n}" for n in range(len(points))], "player": 1, "points": points},
        schema={"day": pl.Date, "run_key": pl.String, "game": pl.String, "player": pl.Int64, "points": pl.Float64},
    )


def stored(warehouse, table=FACTS.name, **more):
    return warehouse.read(table, as_of=LATEST, undated=True, **more)


# ensure


def test_ensure_says_what_it_made_and_does_nothing_the_second_time(adapter):
    done = adapter.open().ensure()
    assert any("nba_raw.facts" in sentence for sentence in done)
    assert adapter.open().ensure() == []


def test_ensure_adds_a_nullable_column_and_keeps_the_rows(adapter, warehouse):
    lean = make_table("nba_raw.lean", ["game", "known_at"], ["game"])
    wide = make_table("nba_raw.lean", ["game", "points", "known_at"], ["game"])
    old = adapter.open({lean.name: lean})
    old.ensure()
    old.upsert(lean.name, pl.DataFrame({"game": ["g1"], "known_at": [NOON]}))
    new = adapter.open({wide.name: wide})
    assert [sentence for sentence in new.ensure() if "points" in sentence]
    assert new.read(wide.name, as_of=LATEST).select("game", "points", "known_at").rows() == [("g1", None, NOON)]
    new.upsert(wide.name, pl.DataFrame({"game": ["g2"], "points": [3.0], "known_at": [NOON]}))
    assert new.read(wide.name, as_of=LATEST)["points"].to_list() == [None, 3.0]
    assert new.ensure() == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (make_table("nba_raw.lean", ["game", "known_at"], ["game"]), "points"),
        (make_table("nba_raw.lean", ["game", "points", "known_at"], ["game"], {"points": {"type": "string"}}), "points"),
        (make_table("nba_raw.lean", ["game", "points", "known_at"], ["game"], {"points": {"required": True}}), "points"),
        (make_table("nba_raw.lean", ["game", "points", "day", "known_at"], ["game"]), "day"),
    ],
    ids=["dropped", "another type", "became required", "new and required"],
)
def test_ensure_refuses_what_would_lose_data_and_changes_nothing(adapter, changed, words):
    table = make_table("nba_raw.lean", ["game", "points", "known_at"], ["game"])
    other = make_table("nba_raw.other", ["game", "known_at"], ["game"])
    old = adapter.open({table.name: table})
    old.ensure()
    old.upsert(table.name, pl.DataFrame({"game": ["g1"], "points": [1.0], "known_at": [NOON]}))
    with pytest.raises(UsageError, match="ALTER TABLE") as refusal:
        adapter.open({other.name: other, changed.name: changed}).ensure()
    assert words in str(refusal.value)
    assert old.read(table.name, as_of=LATEST)["points"].to_list() == [1.0]
    assert old.ensure() == []
    with pytest.raises(UsageError, match="nba-ml init"):
        adapter.open({other.name: other}).count()


def test_ensure_applies_a_changed_description(adapter):
    table = make_table("nba_raw.lean", ["game", "known_at"], ["game"])
    changed = make_table("nba_raw.lean", ["game", "known_at"], ["game"], {"game": {"description": "It's another game."}})
    adapter.open({table.name: table}).ensure()
    assert [sentence for sentence in adapter.open({table.name: changed}).ensure() if "game" in sentence]
    assert adapter.open({table.name: changed}).ensure() == []


def test_ensure_makes_views_and_replaces_changed_ones(adapter):
    view = View("nba_predictions.v_facts", "Facts.", "one row per fact", {"game": "Game."}, "SELECT game FROM nba_raw.facts")
    other = View(view.name, "Facts.", "one row per fact", {"game": "Game."}, "SELECT game FROM nba_raw.facts WHERE points > 1")
    warehouse = adapter.open(views=[view])
    assert [sentence for sentence in warehouse.ensure() if view.name in sentence]
    assert warehouse.ensure() == []
    warehouse.upsert(FACTS.name, facts(fact(points=1.0)))
    assert warehouse.query("SELECT * FROM nba_predictions.v_facts").rows() == [("g1",)]
    assert [sentence for sentence in adapter.open(views=[other]).ensure() if view.name in sentence]
    assert warehouse.query("SELECT * FROM nba_predictions.v_facts").rows() == []


def test_ensure_refuses_a_view_whose_columns_are_not_the_described_ones(adapter):
    view = View("nba_predictions.v_facts", "Facts.", "one row per fact", {"player": "Player."}, "SELECT game FROM nba_raw.facts")
    with pytest.raises(ValueError, match="v_facts"):
        adapter.open(views=[view]).ensure()


def test_a_warehouse_that_is_not_there_says_so_on_every_call(adapter):
    warehouse = adapter.open()
    calls = [
        lambda: warehouse.read(FACTS.name, as_of=LATEST),
        lambda: warehouse.upsert(FACTS.name, facts(fact())),
        lambda: warehouse.query("SELECT 1"),
        lambda: warehouse.count(),
    ]
    for call in calls:
        with pytest.raises(UsageError, match="nba-ml init"):
            call()


# append and upsert


def test_append_keeps_the_first_row_of_an_id(warehouse):
    assert warehouse.append(FACTS.name, facts(fact(points=1.0), fact(points=2.0), fact("g2"))) == 2
    assert warehouse.append(FACTS.name, facts(fact(points=3.0), fact("g3"))) == 1
    assert stored(warehouse)["points"].to_list() == [1.0, 20.0, 20.0]


def test_upsert_replaces_and_tells_how_many_are_new(warehouse):
    assert warehouse.upsert(FACTS.name, facts(fact(), fact("g2"))) == 2
    assert warehouse.upsert(FACTS.name, facts(fact(points=5.0), fact("g3"))) == 1
    assert warehouse.upsert(FACTS.name, facts(fact(points=5.0), fact("g3"))) == 0
    assert warehouse.upsert(FACTS.name, facts()) == 0
    assert stored(warehouse).select("game", "points").rows() == [("g1", 5.0), ("g2", 20.0), ("g3", 20.0)]


def test_upsert_writes_nulls_over_values_and_values_over_nulls(warehouse):
    warehouse.upsert(FACTS.name, facts(fact(points=None, note="x")))
    warehouse.upsert(FACTS.name, facts(fact(points=1.0, note=None)))
    assert stored(warehouse).select("points", "note").rows() == [(1.0, None)]


def test_rows_that_are_the_whole_of_a_group_take_the_place_of_its_others(warehouse):
    warehouse.upsert(FACTS.name, facts(fact(player=1), fact(player=2), fact("g2", player=1), fact(player=None)))
    assert warehouse.upsert(FACTS.name, facts(fact(player=1), fact(player=3)), whole=("game",)) == 1
    assert stored(warehouse).select("game", "player").rows() == [("g1", 1), ("g1", 3), ("g2", 1)]
    assert warehouse.upsert(FACTS.name, facts(), whole=("game",)) == 0
    assert stored(warehouse).height == 3


def test_a_null_in_the_key_is_a_value_of_its_own(warehouse):
    rows = facts(fact(player=None), fact(player=1))
    assert warehouse.upsert(FACTS.name, rows) == 2
    assert warehouse.upsert(FACTS.name, rows) == 0
    assert stored(warehouse)["player"].to_list() == [None, 1]


def test_duplicate_ids_are_refused_by_name(warehouse):
    with pytest.raises(ValueError, match=r"nba_raw\.facts: 2 of 3 .*g1"):
        warehouse.upsert(FACTS.name, facts(fact(points=1.0), fact(points=2.0), fact("g2")))
    with pytest.raises(ValueError, match="share their key"):
        warehouse.stage(NUMBERS.name, picks(1.0, 2.0).drop("player").with_columns(game=pl.lit("g")), RUN)
    assert warehouse.count([FACTS.name]) == {FACTS.name: 0}


def test_unknown_and_missing_columns_are_refused(warehouse):
    with pytest.raises(ValueError, match="no column colour"):
        warehouse.upsert(FACTS.name, facts(fact()).with_columns(colour=pl.lit("red")))
    with pytest.raises(ValueError, match="day"):
        warehouse.upsert(FACTS.name, facts(fact()).drop("day"))
    with pytest.raises(ValueError, match=r"no table nba_raw\.nothing"):
        warehouse.upsert("nba_raw.nothing", facts(fact()))


def test_not_a_number_becomes_null(warehouse):
    warehouse.upsert(FACTS.name, facts(fact(points=float("nan"))))
    assert stored(warehouse)["points"].to_list() == [None]
    warehouse.stage(PICKS.name, picks(float("nan")), RUN)
    warehouse.publish([PICKS.name], RUN)
    assert warehouse.query("SELECT COUNT(*) AS n FROM nba_predictions.picks WHERE points IS NULL")["n"].item() == 1


def test_upsert_stamps_new_and_changed_rows_only(warehouse):
    rows = pl.DataFrame({"game": ["g1", "g2"], "points": [1.0, 2.0], "known_at": [NOON, NOON]})
    warehouse.upsert(GRADES.name, rows)
    first = stored(warehouse, GRADES.name)["published_at"].to_list()
    assert None not in first
    warehouse.upsert(GRADES.name, rows.with_columns(points=pl.Series([1.0, 3.0])))
    second = stored(warehouse, GRADES.name)["published_at"].to_list()
    assert second[0] == first[0]
    assert second[1] > first[1]


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
MOMENT = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
ROW = st.fixed_dictionaries(
    {
        "game": TEXT,
        "player": st.none() | st.integers(-(2**63), 2**63 - 1),
        "day": st.dates(date(1950, 1, 1), date(2100, 1, 1)),
        "points": st.none() | st.floats(allow_nan=False),
        "home": st.none() | st.booleans(),
        "note": st.none() | TEXT,
        "known_at": st.none() | MOMENT,
        "result_at": st.just(NOON),
    }
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, max_size=6, unique_by=lambda row: (row["game"], row["player"])))
def test_rows_come_back_as_they_went_in(warehouse, rows):
    warehouse.upsert(FACTS.name, facts(*rows))
    again = warehouse.read(FACTS.name, as_of=LATEST, undated=True, where={"id": [ids.digest((row["game"], row["player"])) for row in rows]})
    assert_frame_equal(again, FACTS.conform(facts(*rows)), check_row_order=False)
    assert warehouse.upsert(FACTS.name, again.drop("id")) == 0


# read


def test_a_read_sees_only_what_was_known(warehouse):
    later = NOON + timedelta(seconds=1)
    warehouse.upsert(FACTS.name, facts(fact("g1"), fact("g2", known_at=later), fact("g3", known_at=None)))

    def games(as_of, **more):
        return warehouse.read(FACTS.name, as_of=as_of, **more)["game"].to_list()

    assert games(NOON - timedelta(microseconds=1)) == []
    assert games(NOON) == ["g1"]
    assert games(later) == ["g1", "g2"]
    assert games(LATEST) == ["g1", "g2"]
    assert games(NOON, undated=True) == ["g1", "g3"]


def test_a_masked_column_is_null_until_its_own_time_even_in_conditions(warehouse):
    late = NOON + timedelta(hours=12)
    warehouse.upsert(
        FACTS.name, facts(fact("g1", points=1.0, result_at=late), fact("g2", points=2.0), fact("g3", points=3.0, result_at=None))
    )
    assert warehouse.read(FACTS.name, as_of=NOON)["points"].to_list() == [None, 2.0, None]
    assert warehouse.read(FACTS.name, as_of=late)["points"].to_list() == [1.0, 2.0, None]
    assert warehouse.read(FACTS.name, as_of=NOON, where={"points": 1.0}).is_empty()
    assert warehouse.read(FACTS.name, as_of=late, where={"points": 1.0})["game"].to_list() == ["g1"]


def test_reads_are_narrowed_by_values_lists_dates_and_columns(warehouse):
    days = [DAY + timedelta(days=n) for n in range(4)]
    warehouse.upsert(FACTS.name, facts(*(fact(f"g{n}", n or None, day, home=n % 2 == 0, note="it's") for n, day in enumerate(days))))

    def games(**more):
        return stored(warehouse, **more)["game"].to_list()

    assert games(dates=(days[1], days[2])) == ["g1", "g2"]
    assert games(where={"game": "g1"}) == ["g1"]
    assert games(where={"game": ["g1", "g3", "g9"], "home": False}) == ["g1", "g3"]
    assert games(where={"game": []}) == []
    assert games(where={"player": None}) == ["g0"]
    assert games(where={"player": {None, 2}}) == ["g0", "g2"]
    assert games(where={"known_at": NOON, "day": (days[3],)}) == ["g3"]
    assert games(where={"note": "it's' OR 1=1 --"}) == []
    assert stored(warehouse, columns=["points", "game"]).columns == ["points", "game"]
    assert stored(warehouse).schema == FACTS.schema


def test_rows_come_in_the_order_of_the_key_nulls_first(warehouse):
    warehouse.upsert(FACTS.name, facts(fact("b", 2), fact("a", 10), fact("b", None), fact("a", 9), fact("B", 1)))
    assert stored(warehouse, columns=["game", "player"]).rows() == [("B", 1), ("a", 9), ("a", 10), ("b", None), ("b", 2)]


@pytest.mark.parametrize(
    "more",
    [
        {"as_of": datetime(2024, 1, 1)},  # noqa: DTZ001
        {"where": {"colour": 1}},
        {"columns": ["colour"]},
        {"columns": ['game" FROM x; --']},
        {"where": {"player": "one"}},
        {"where": {"known_at": datetime(2024, 1, 1)}},  # noqa: DTZ001
        {"staged": True},
    ],
)
def test_a_read_that_makes_no_sense_is_refused(warehouse, more):
    with pytest.raises(ValueError, match=r"\w"):
        warehouse.read(FACTS.name, **({"as_of": LATEST} | more))


def test_a_read_of_dates_needs_a_partition(warehouse):
    with pytest.raises(ValueError, match="partition"):
        warehouse.read(GRADES.name, as_of=LATEST, dates=(DAY, DAY))


# stage and publish


def test_staged_rows_are_replaced_by_run_and_are_not_published(warehouse):
    assert warehouse.stage(PICKS.name, picks(1.0, 2.0, 3.0), RUN) == 3
    assert warehouse.stage(PICKS.name, picks(4.0, run_key="r2"), RUN | {"run_key": "r2"}) == 1
    assert warehouse.stage(PICKS.name, picks(5.0, 6.0), RUN) == 2
    assert warehouse.read(PICKS.name, as_of=NOON, staged=True, where=RUN)["points"].to_list() == [5.0, 6.0]
    assert warehouse.read(PICKS.name, as_of=NOON, staged=True)["points"].to_list() == [5.0, 4.0, 6.0]
    assert stored(warehouse, PICKS.name).is_empty()


def test_rows_of_another_run_are_not_staged(warehouse):
    with pytest.raises(ValueError, match="another run_key"):
        warehouse.stage(PICKS.name, picks(1.0, run_key="r2"), RUN)
    with pytest.raises(ValueError, match="named by day, run_key"):
        warehouse.stage(PICKS.name, picks(1.0), {"run_key": "r1"})
    with pytest.raises(ValueError, match="no staging twin"):
        warehouse.stage(FACTS.name, facts(fact()), RUN)


def test_publish_replaces_only_its_run(warehouse):
    other = RUN | {"run_key": "r2"}
    warehouse.stage(PICKS.name, picks(9.0, run_key="r2"), other)
    assert warehouse.publish([PICKS.name], other) == {PICKS.name: 1}
    untouched = stored(warehouse, PICKS.name)
    warehouse.stage(PICKS.name, picks(1.0, 2.0), RUN)
    warehouse.stage(NUMBERS.name, picks(3.0).drop("player"), RUN)
    assert warehouse.publish([PICKS.name, NUMBERS.name], RUN) == {PICKS.name: 2, NUMBERS.name: 1}
    warehouse.stage(PICKS.name, picks(7.0), RUN)
    assert warehouse.publish([PICKS.name, NUMBERS.name], RUN) == {PICKS.name: 1, NUMBERS.name: 1}
    assert stored(warehouse, PICKS.name, where=RUN)["points"].to_list() == [7.0]
    assert_frame_equal(stored(warehouse, PICKS.name, where=other), untouched)


def test_a_run_with_the_same_content_keeps_its_stamp(warehouse):
    warehouse.stage(PICKS.name, picks(1.0, 2.0), RUN)
    warehouse.publish([PICKS.name], RUN)
    first = stored(warehouse, PICKS.name)
    assert first["published_at"].null_count() == 0
    assert first["published_at"].n_unique() == 1
    warehouse.stage(PICKS.name, picks(1.0, 2.0), RUN)
    assert warehouse.publish([PICKS.name], RUN) == {PICKS.name: 2}
    assert_frame_equal(stored(warehouse, PICKS.name), first)
    warehouse.stage(PICKS.name, picks(1.0, 2.5), RUN)
    warehouse.publish([PICKS.name], RUN)
    again = stored(warehouse, PICKS.name)
    assert again["id"].to_list() == first["id"].to_list()
    assert again["published_at"].min() > first["published_at"].max()


def test_a_stamp_that_the_rows_bring_is_kept(warehouse):
    warehouse.stage(PICKS.name, picks(1.0).with_columns(published_at=pl.lit(NOON)), RUN)
    warehouse.publish([PICKS.name], RUN)
    assert stored(warehouse, PICKS.name)["published_at"].to_list() == [NOON]


def test_publishing_nothing_removes_only_that_run(warehouse):
    assert warehouse.publish([PICKS.name], RUN) == {PICKS.name: 0}
    for run in (RUN, RUN | {"run_key": "r2"}):
        warehouse.stage(PICKS.name, picks(1.0, run_key=run["run_key"]), run)
        warehouse.publish([PICKS.name], run)
    warehouse.stage(PICKS.name, picks(), RUN)
    assert warehouse.publish([PICKS.name], RUN) == {PICKS.name: 0}
    assert stored(warehouse, PICKS.name)["run_key"].to_list() == ["r2"]


def test_publish_is_all_or_nothing(adapter, warehouse):
    for number in (1.0, 2.0):
        warehouse.stage(PICKS.name, picks(number), RUN)
        warehouse.stage(NUMBERS.name, picks(number).drop("player"), RUN)
        if number == 1.0:
            warehouse.publish([PICKS.name, NUMBERS.name], RUN)
    before = stored(warehouse, PICKS.name)
    adapter.execute("DROP TABLE nba_predictions.numbers")
    with pytest.raises(UsageError, match="nba-ml init"):
        warehouse.publish([PICKS.name, NUMBERS.name], RUN)
    assert_frame_equal(stored(warehouse, PICKS.name), before)
    warehouse.ensure()
    warehouse.publish([PICKS.name, NUMBERS.name], RUN)
    assert stored(warehouse, PICKS.name)["points"].to_list() == [2.0]
    assert stored(warehouse, NUMBERS.name)["points"].to_list() == [2.0]


# query and count


def test_a_query_binds_its_parameters(warehouse):
    warehouse.upsert(FACTS.name, facts(fact(points=1.0), fact("g2", points=2.0)))
    found = warehouse.query("SELECT game, points FROM nba_raw.facts WHERE points > $low", {"low": 1.5})
    assert found.rows() == [("g2", 2.0)]
    assert warehouse.query("WITH a AS (SELECT SUM(player) AS n FROM nba_raw.facts) SELECT n FROM a").rows() == [(2,)]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM nba_raw.facts",
        "DROP TABLE nba_raw.facts",
        "SELECT 1; DROP TABLE nba_raw.facts",
        "INSERT INTO nba_raw.facts SELECT * FROM nba_raw.facts",
        "WITH a AS (SELECT 1) DELETE FROM nba_raw.facts",
        "CREATE TABLE nba_raw.x AS SELECT 1 AS a",
        "SELEC 1",
        "SELECT nothing FROM nba_raw.facts",
        "SELECT * FROM nba_raw.nothing",
        "",
    ],
)
def test_a_query_that_writes_or_fails_is_refused_and_is_never_an_empty_answer(warehouse, statement):
    warehouse.upsert(FACTS.name, facts(fact()))
    with pytest.raises(UsageError):
        warehouse.query(statement)
    assert warehouse.count([FACTS.name]) == {FACTS.name: 1}


def test_count_names_all_tables(warehouse):
    warehouse.upsert(FACTS.name, facts(fact()))
    assert warehouse.count() == dict.fromkeys(TABLES, 0) | {FACTS.name: 1}
    assert warehouse.count([PICKS.name]) == {PICKS.name: 0}
    assert warehouse.count([]) == {}


def test_ids_are_the_hash_of_the_key(warehouse):
    warehouse.upsert(FACTS.name, facts(fact("g1", None)))
    assert stored(warehouse)["id"].to_list() == [ids.digest(("g1", None))]
