"""Views: their files, and their figures on a slate that is worked out by hand."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import duckdb
import polars as pl
import pytest

from nba_ml.warehouse import docs
from nba_ml.warehouse.duckdb import DuckDBWarehouse
from nba_ml.warehouse.schema import tables
from nba_ml.warehouse.views import DATASET, View, in_order, parse_view, views
from tests.warehouse import slates
from tests.warehouse.slates import GRADES, NUMBERS, PICKS, day_of, filled, moment

DAY = date(2024, 1, 5)
NOON = datetime(2024, 1, 5, 17, tzinfo=UTC)


@pytest.fixture
def warehouse(tmp_path) -> DuckDBWarehouse:
    warehouse = DuckDBWarehouse(tmp_path / "w.duckdb")
    warehouse.ensure()
    return warehouse


def rows(warehouse: DuckDBWarehouse, view: str, columns: str, order: str) -> list[tuple]:
    return warehouse.query(f"SELECT {columns} FROM nba_predictions.{view} ORDER BY {order}").rows()  # noqa: S608


def test_the_last_run_of_each_game_is_in_force_and_live_goes_before_replay(warehouse):
    def run(run_key, game, mode, minutes, players=(1,)):
        moment = NOON + timedelta(minutes=minutes)
        return [
            {"run_key": run_key, "game_id": game, "mode": mode, "published_at": moment, "player_id": p, "predicted_points": 1.0}
            for p in players
        ]

    picks = [
        *run("early", "g1", "live", 0, players=(1, 2)),
        *run("late", "g1", "live", 5, players=(1, 3)),
        *run("replay", "g1", "replay", 9),
        *run("early", "g2", "live", 0),
        *run("a", "g3", "replay", 0),
        *run("b", "g3", "replay", 0),
    ]
    warehouse.upsert(PICKS, filled(PICKS, picks))
    found = rows(warehouse, "v_latest_predictions", "game_id, player_id, run_key", "game_id, player_id")
    assert found == [("g1", 1, "late"), ("g1", 3, "late"), ("g2", 1, "early"), ("g3", 1, "b")]
    columns = "games, population, predicted, abstained, blocked, with_line, line_coverage, mode"
    assert rows(warehouse, "v_slate_coverage", columns, "slate_date") == [(3, 4, 4, 0, 0, 0, 0.0, "mixed")]


# player, number, p_over, line, points, outcome, blocked; revision 1 corrects player 1's result from 40 to 25
SLATE = [
    (1, 22.0, 0.55, 20.5, 25, "win", False),
    (2, 10.0, 0.51, 12.0, 15, "loss", True),
    (3, 14.0, 1.0, 12.0, 12, "push", False),
    (4, 9.0, 0.95, 8.5, None, "void", False),
    (5, 7.0, None, None, 4, "no_line", False),
    (6, None, None, 9.5, 11, "abstained", False),
]


@pytest.fixture
def graded(warehouse) -> DuckDBWarehouse:
    base = {"slate_date": DAY, "run_key": "r", "mode": "live", "game_id": "g", "model_version": "v1", "published_at": NOON}
    picks = [
        base | {"player_id": player, "player_name": f"Player {player}", "predicted_points": number, "line": line, "blocked": blocked}
        for player, number, _, line, _, _, blocked in SLATE
    ]
    numbers = filled(
        NUMBERS, [base | {"player_id": p, "system_id": "ensemble", "predicted_points": n, "p_over": over} for p, n, over, *_ in SLATE]
    )
    warehouse.upsert(PICKS, filled(PICKS, picks))
    warehouse.upsert(NUMBERS, numbers)
    ids = dict(tables()[NUMBERS].conform(numbers).select("player_id", "id").iter_rows())
    grades = []
    for player, number, _, line, points, outcome, blocked in SLATE:
        for revision, actual in ((0, 40), (1, points)) if player == 1 else ((0, points),):
            error = None if number is None or actual is None else number - actual
            grades.append(
                base
                | {
                    "prediction_id": ids[player],
                    "revision": revision,
                    "player_id": player,
                    "system_id": "ensemble",
                    "predicted_points": number,
                }
                | {"line": line, "actual_points": actual, "error": error, "absolute_error": error and abs(error), "outcome": outcome}
                | {"blocked": blocked}
            )
    stale = grades[0] | {"prediction_id": "of a run that is not in force", "run_key": "old", "error": 99.0, "absolute_error": 99.0}
    warehouse.upsert(GRADES, filled(GRADES, [*({k: v for k, v in g.items() if k != "published_at"} for g in [*grades, stale])]))
    return warehouse


def test_grades_are_those_of_the_latest_revision_with_the_pick(graded):
    found = rows(
        graded, "v_graded_predictions", "player_id, player_name, revision, actual_points, p_over, line_absolute_error, blocked", "player_id"
    )
    assert found == [
        (1, "Player 1", 1, 25, 0.55, 4.5, False),
        (2, "Player 2", 0, 15, 0.51, 3.0, True),
        (3, "Player 3", 0, 12, 1.0, 0.0, False),
        (4, "Player 4", 0, None, 0.95, None, False),
        (5, "Player 5", 0, 4, None, None, False),
        (6, "Player 6", 0, 11, None, 1.5, False),
    ]


def test_the_leaderboard_compares_system_and_line_on_the_same_rows(graded):
    (found,) = graded.query("SELECT * FROM nba_predictions.v_system_leaderboard").to_dicts()
    assert (found["system_id"], found["mode"], found["slates"]) == ("ensemble", "live", 1)
    # errors −3, −5, 2, 3 over all rows; the first three have a line, whose own errors are 4.5, 3, 0
    assert (found["graded"], found["mae"], found["mean_error"]) == (4, 3.25, -0.75)
    assert found["rmse"] == pytest.approx((47 / 4) ** 0.5)
    assert (found["lined"], found["lined_mae"], found["line_mae"]) == (3, pytest.approx(10 / 3), 2.5)
    assert (found["wins"], found["losses"], found["hit_rate"], found["pushes"], found["voids"]) == (1, 1, 0.5, 1, 1)


def test_calibration_leaves_out_pushes_and_voids(graded):
    assert rows(graded, "v_calibration", "bin, bin_from, bin_to, predictions, mean_p_over, observed_over", "bin") == [
        (5, 0.5, 0.6, 2, pytest.approx(0.53), 1.0)
    ]


def test_a_probability_of_one_falls_into_the_last_bin(graded):
    graded.upsert(
        GRADES, graded.read(GRADES, as_of=datetime(2030, 1, 1, tzinfo=UTC), where={"player_id": 3}).drop("id").with_columns(line=11.5)
    )
    assert rows(graded, "v_calibration", "bin, bin_to, observed_over", "bin")[-1] == (9, 1.0, 1.0)


def test_daily_performance_and_coverage(graded):
    columns = "slate_date, model_version, system_id, graded, mae, lined, lined_mae, line_mae"
    assert rows(graded, "v_model_performance_daily", columns, "slate_date") == [
        (DAY, "v1", "ensemble", 4, 3.25, 3, pytest.approx(10 / 3), 2.5)
    ]
    columns = "population, predicted, abstained, blocked, with_line, line_coverage, mode"
    assert rows(graded, "v_slate_coverage", columns, "slate_date") == [(6, 5, 1, 1, 5, pytest.approx(5 / 6), "live")]


@pytest.fixture
def season(warehouse) -> DuckDBWarehouse:
    slates.fill(warehouse)
    return warehouse


def test_the_history_numbers_runs_by_mode_and_says_what_changed(season):
    columns = "run_key, run_number, in_force, before_tipoff, predicted_points_change IS NULL, line_change"
    where = "v_pick_history WHERE slate_date = DATE '2024-01-01' AND player_id = "
    assert [row[:5] for row in rows(season, f"{where} 1", columns, "published_at")] == [
        ("1a", 1, True, True, True),
        ("1z", 1, False, False, True),
    ]
    lines = dict(rows(season, f"{where} 12", "run_key, line", "1"))
    assert [(row[:4], row[5]) for row in rows(season, f"{where} 12", columns, "published_at")] == [
        (("1a", 1, False, True), None),
        (("1b", 2, True, True), lines["1b"] - lines["1a"]),
        (("1z", 1, False, False), None),
    ]


def test_a_replay_by_a_model_that_was_trained_on_the_slate_is_told_apart(season):
    found = rows(season, "v_graded_predictions", "DISTINCT slate_date, mode, in_sample", "slate_date")
    live = [(day_of(slate), "live", False) for slate in range(1, 7)]
    assert found == [*live, (day_of(7), "replay", True), (day_of(8), "replay", False)]
    for view in ("v_system_leaderboard", "v_calibration"):
        assert rows(season, view, "DISTINCT mode, in_sample", "1, 2") == [("live", False), ("replay", False), ("replay", True)]


def test_a_version_that_the_registry_lacks_may_have_seen_a_replayed_slate(graded):
    replays = {"mode": "replay"}
    for table in (PICKS, NUMBERS, GRADES):
        stored = graded.read(table, as_of=datetime(2030, 1, 1, tzinfo=UTC))
        graded.upsert(table, stored.with_columns(**{name: pl.lit(value) for name, value in replays.items()}))
    assert rows(graded, "v_graded_predictions", "DISTINCT in_sample", "1") == [(None,)]


def test_the_status_of_slates(season):
    season.upsert(
        "nba_raw.schedule",
        filled(
            "nba_raw.schedule",
            [
                {"game_id": "unseen", "game_date": day_of(10), "result_known_at": moment(day_of(11), 11), "home_points": 90},
                {"game_id": "g81", "game_date": day_of(8), "result_known_at": moment(slates.FUTURE, 11), "home_points": 90},
            ],
        ),
    )
    picks = [{"slate_date": slates.FUTURE, "game_id": "later", "player_id": 1, "mode": "live"}]
    season.upsert(PICKS, filled(PICKS, [{"slate_date": date(2101, 1, 1), "game_id": "off the schedule", "player_id": 1}]))
    columns = "slate_date, state, games, games_predicted, games_predicted_live, results_due, results_in, games_graded"
    first, *others = rows(season, "v_slate_status", columns, "slate_date")
    assert first == (day_of(1), "graded", 2, 2, 2, 2, 2, 2)
    assert others[6:] == [
        (day_of(8), "graded", 2, 2, 0, 1, 1, 2),
        (day_of(9), "to_grade", 2, 2, 2, 2, 0, 0),
        (day_of(10), "not_predicted", 1, 0, 0, 1, 1, 0),
        (slates.FUTURE, "upcoming", 1, 0, 0, 0, 0, 0),
        (date(2101, 1, 1), "waiting", 0, 1, 0, 0, 0, 0),
    ]
    season.upsert(PICKS, filled(PICKS, picks))
    assert rows(season, "v_slate_status WHERE slate_date = DATE '2100-01-01'", "state, games_predicted_live", "1") == [("waiting", 1)]


def test_a_slate_whose_games_are_not_all_graded_is_partly_graded(season):
    picks = [{"slate_date": day_of(8), "game_id": "third", "player_id": 1, "mode": "live"}]
    season.upsert(PICKS, filled(PICKS, picks))
    assert rows(season, "v_slate_status WHERE slate_date = DATE '2024-01-08'", "state", "1") == [("partly_graded",)]


def test_the_backtest_is_rated_like_live_predictions(season):
    (found,) = season.query("SELECT * FROM nba_predictions.v_backtest_leaderboard").to_dicts()
    # errors −2, 3, 4, −5, 1 and one abstention; with a line −2, 3, −5, 1, the line's own 2.5, 1.5, 0, 0; two results on the line
    assert found == {
        **{"model_version": "v1", "system_id": "ensemble", "first_slate": day_of(1), "last_slate": day_of(5), "slates": 5, "graded": 5},
        **{"mae": 3.0, "rmse": pytest.approx(11**0.5), "mean_error": pytest.approx(0.2), "within_80": 1.0},
        **{"lined": 4, "lined_mae": 2.75, "line_mae": 1.0, "wins": 1, "losses": 1, "hit_rate": 0.5, "pushes": 2},
    }


@pytest.mark.parametrize(
    "view", [view.name for view in views() if "slate_date" in view.columns and view.name != f"{DATASET}.v_slate_status"]
)
def test_a_filter_on_the_slate_date_reaches_every_table(season, view):
    with duckdb.connect(str(season.path)) as connection:
        statement = f"EXPLAIN (FORMAT JSON) SELECT * FROM {view} WHERE slate_date = DATE '2024-01-03'"  # noqa: S608
        ((_, plan),) = connection.execute(statement).fetchall()
    scans = list(scans_of(json.loads(plan)))
    assert scans
    for table, filters in scans:
        assert table.endswith("model_registry") or "2024-01-03" in filters, table


def scans_of(plan: object) -> Iterator[tuple[str, str]]:
    """Yield the tables that a plan of DuckDB reads, each with its filters."""
    if isinstance(plan, list):
        for node in plan:
            yield from scans_of(node)
    elif isinstance(plan, dict):
        if "SCAN" in plan["name"].upper() and "Table" in plan["extra_info"]:
            yield plan["extra_info"]["Table"], str(plan["extra_info"].get("Filters"))
        yield from scans_of(plan["children"])


def test_every_view_and_column_is_described_in_the_warehouse(warehouse):
    found = warehouse.query(
        "SELECT COUNT(*) AS n FROM duckdb_columns() WHERE NOT internal AND schema_name LIKE 'nba%' AND (comment IS NULL OR comment = '')"
    )
    assert found["n"].item() == 0
    assert len(views()) == 10


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT 1 AS a", "starts with"),
        ("-- description: x\n-- grain: y\nSELECT 1 AS a", "starts with"),
        ("-- description: x\n-- grain: y\n-- colum a: z\nSELECT 1 AS a", "neither"),
        ("-- description: x\n-- grain: y\n-- column a: z\n-- column a: z\nSELECT 1 AS a", "twice"),
    ],
)
def test_a_view_that_is_not_described_is_refused(text, words):
    with pytest.raises(ValueError, match=words):
        parse_view("nba_predictions.v_x", text)


def test_views_come_after_those_that_they_read():
    def view(name, sql):
        return View(name, "x", "y", {"a": "z"}, sql)

    first, second = view("d.v_z", "SELECT a FROM d.t"), view("d.v_a", "SELECT a FROM d.v_z")
    assert in_order([second, first]) == [first, second]
    with pytest.raises(ValueError, match="read each other"):
        in_order([second, view("d.v_z", "SELECT a FROM d.v_a")])


def test_the_page_names_every_table_view_and_column():
    page = docs.render()
    for part in (*tables().values(), *views()):
        assert f"### {part.name}\n" in page
    for table in tables().values():
        for column in table.columns:
            assert f"| `{column.name}` |" in page


def test_check_tells_when_the_page_is_out_of_date(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["docs", "--check"])
    with pytest.raises(SystemExit, match="out of date"):
        docs.main()
    monkeypatch.setattr("sys.argv", ["docs"])
    docs.main()
    monkeypatch.setattr("sys.argv", ["docs", "--check"])
    docs.main()
    (tmp_path / "docs" / "tables.md").write_text("x")
    with pytest.raises(SystemExit, match="out of date"):
        docs.main()
