"""Views: their files, and their figures on a slate that is worked out by hand."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from nba_ml.warehouse import docs
from nba_ml.warehouse.duckdb import DuckDBWarehouse
from nba_ml.warehouse.schema import tables
from nba_ml.warehouse.views import View, in_order, parse_view, views

DAY = date(2024, 1, 5)
NOON = datetime(2024, 1, 5, 17, tzinfo=UTC)
PICKS, NUMBERS, GRADES = (f"nba_predictions.{name}" for name in ("player_prop_predictions", "system_predictions", "prediction_accuracy"))


def filled(table: str, rows: list[dict]) -> pl.DataFrame:
    """Fill the required columns that a test does not care for."""
    filler = {"string": "x", "int64": 0, "float64": 0.0, "bool": False, "date": DAY, "timestamp": NOON}
    columns = [column for column in tables()[table].columns if column.name != "id"]
    complete = [{c.name: row.get(c.name, filler[c.type] if c.required else None) for c in columns} for row in rows]
    return pl.DataFrame(complete, schema={column.name: column.dtype for column in columns})


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


def test_every_view_and_column_is_described_in_the_warehouse(warehouse):
    found = warehouse.query(
        "SELECT COUNT(*) AS n FROM duckdb_columns() WHERE NOT internal AND schema_name LIKE 'nba%' AND (comment IS NULL OR comment = '')"
    )
    assert found["n"].item() == 0
    assert len(views()) == 6


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
