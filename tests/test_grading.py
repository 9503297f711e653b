"""Grades: outcomes, revisions, waiting games, and predictions that stay as they are."""

import shutil
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_ml import calendar, grading
from nba_ml.context import Context
from nba_ml.errors import GateRefused
from nba_ml.ids import digest, frame_fingerprint
from nba_ml.ingest import ingest
from nba_ml.settings import Settings
from nba_ml.warehouse.port import LATEST
from nba_ml.warehouse.schema import table
from tests import files_factory

SLATE = date(2024, 1, 12)
TIP = datetime(2024, 1, 13, 0, 30, tzinfo=UTC)
RUN = {"slate_date": SLATE, "run_key": "r1", "mode": "replay"}
SYSTEMS, PICKS = "nba_predictions.system_predictions", "nba_predictions.player_prop_predictions"


def typed(name: str, rows: list[dict]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={column: dtype for column, dtype in table(name).schema.items() if column != "id"})


def outcome(number, line, actual) -> str:
    frame = pl.DataFrame(
        {"number": [number], "line": [line], "actual_points": [actual]},
        schema={"number": pl.Float64, "line": pl.Float64, "actual_points": pl.Int64},
    )
    return frame.select(grading.outcome_of(pl.col("number"), pl.col("line"))).item()


@pytest.mark.parametrize(
    ("number", "line", "actual", "expected"),
    [
        (22.0, 20.5, 25, "win"),
        (22.0, 20.5, 18, "loss"),
        (18.0, 20.5, 18, "win"),
        (18.0, 20.5, 25, "loss"),
        (22.0, 20.0, 20, "push"),
        (22.0, 20.5, None, "void"),
        (22.0, None, None, "void"),
        (22.0, None, 25, "no_line"),
        (None, 20.5, 25, "abstained"),
        (None, None, None, "abstained"),
        (20.0, 20.0, 25, "abstained"),
    ],
)
def test_outcomes(number, line, actual, expected):
    assert outcome(number, line, actual) == expected


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 50), st.integers(0, 60), st.integers(0, 60))
def test_opposite_sides_never_both_win(number, half_points, actual):
    line = half_points / 2
    mirrored = 2 * line - number
    pair = {outcome(number, line, actual), outcome(mirrored, line, actual)}
    assert pair in ({"win", "loss"}, {"push"}, {"abstained"})
    assert ("push" in pair) == (actual == line and number != line)


def fixture(number: int, home: str, away: str, points: int | None = 50) -> dict:
    return {
        "game_id": f"g{number}",
        "season": "2023-24",
        "season_type": "Regular Season",
        "game_date": SLATE,
        "tipoff_utc": TIP,
        "home": home,
        "away": away,
        "home_points": points,
        "away_points": points,
        "source": "made up",
        "known_at": calendar.schedule_known_at(SLATE, "Regular Season"),
        "result_known_at": calendar.results_known_at(SLATE),
    }


def player(number: int, game: str, team: str, other: str, points: int = 10) -> dict:
    same = {"game_id": game, "season": "2023-24", "season_type": "Regular Season", "game_date": SLATE, "source": "made up"}
    person = {"player_id": number, "player_name": f"p{number}", "team": team, "opponent": other, "is_home": True}
    return {**same, **person, "minutes": 30.0, "points": points, "known_at": calendar.results_known_at(SLATE)}


def box() -> list[dict]:
    """Five players a team with ten points each, of two games; players 1.. of BOS in g1, 21.. of DEN in g2."""
    sides = [("g1", "BOS", "NYK", 1), ("g1", "NYK", "BOS", 11), ("g2", "DEN", "LAL", 21), ("g2", "LAL", "DEN", 31)]
    return [player(first + slot, game, team, other) for game, team, other, first in sides for slot in range(5)]


def number(who: int, game: str, points: float | None, system: str = "ensemble", **more) -> dict:
    return {**RUN, "game_id": game, "player_id": who, "system_id": system, "model_version": "v1", "predicted_points": points} | more


def pick(who: int, game: str, line: float | None, blocked: bool = False, **more) -> dict:
    team, opponent = ("BOS", "NYK") if game == "g1" else ("DEN", "LAL")
    known = {"as_of": TIP - timedelta(hours=2), "player_name": f"p{who}", "team": team, "opponent": opponent, "is_home": True}
    run = {"model_version": "v1", "release_number": 1, "feature_version": "f", "quality_tier": "gold", "missing_features": 0}
    kind = None if line is None else "snapshot"
    return {**RUN, **known, **run, "game_id": game, "player_id": who, "line": line, "line_kind": kind, "blocked": blocked} | more


def close(who: int, line: float) -> dict:
    return {
        "game_date": SLATE,
        "season": "2023-24",
        "game_id": "g1",
        "player_id": who,
        "player_raw": f"p{who}",
        "market": "points",
        "bookmaker": "book",
        "line_kind": "last_snapshot",
        "line": line,
        "captured_at": TIP - timedelta(minutes=3),
        "tipoff_utc": TIP,
        "source": "feed",
    }


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Make the warehouse once."""
    made = Context(Settings(home=tmp_path_factory.mktemp("template"), _env_file=None))
    made.warehouse.ensure()
    rows = {
        "nba_raw.schedule": [fixture(1, "BOS", "NYK"), fixture(2, "DEN", "LAL")],
        "nba_raw.player_box": box(),
        "nba_raw.prop_lines": [close(1, 9.5), close(2, 12.5)],
        SYSTEMS: [
            *(number(1, "g1", points, name) for name, points in (("ensemble", 12.0), ("xgboost", 7.0), ("similarity", None))),
            *(number(who, "g1", 12.0) for who in (2, 3, 99)),
            number(21, "g2", 8.0),
        ],
        PICKS: [pick(1, "g1", 8.5), pick(2, "g1", 10.0, blocked=True), pick(3, "g1", None), pick(99, "g1", 5.5), pick(21, "g2", 9.5)],
    }
    for name, content in rows.items():
        made.warehouse.upsert(name, typed(name, content))
    return made.settings.duckdb_path


@pytest.fixture
def context(tmp_path, template, monkeypatch) -> Context:
    opened = Context(Settings(home=tmp_path, _env_file=None))
    shutil.copy(template, opened.settings.duckdb_path)
    monkeypatch.setattr(calendar, "now", lambda: datetime(2024, 1, 14, 12, tzinfo=UTC))
    return opened


def grades(context: Context) -> pl.DataFrame:
    return context.warehouse.read(grading.TABLE, as_of=LATEST)


def graded(context: Context, who: int, system: str = "ensemble") -> dict:
    rows = grades(context).filter((pl.col("player_id") == who) & (pl.col("system_id") == system)).sort("revision")
    return rows.row(-1, named=True)


def test_every_system_and_blocked_picks_too(context):
    result = grading.grade(context, SLATE)
    assert (result["runs"], result["graded"], result["new"], result["void"], result["push"], result["waiting"]) == (1, 7, 7, 1, 1, [])
    seen = graded(context, 1)
    assert (seen["error"], seen["side"], seen["outcome"], seen["outcome_at_close"]) == (2.0, "over", "win", "win")
    assert (seen["closing_line"], seen["closing_line_value"], seen["revision"]) == (9.5, 1.0, 0)
    assert (graded(context, 1, "xgboost")["side"], graded(context, 1, "xgboost")["outcome"]) == ("under", "loss")
    assert graded(context, 1, "xgboost")["closing_line_value"] == -1.0
    assert graded(context, 1, "similarity")["outcome"] == "abstained"
    assert (graded(context, 2)["outcome"], graded(context, 2)["blocked"]) == ("push", True)
    assert graded(context, 2)["outcome_at_close"] == "win"
    assert (graded(context, 3)["outcome"], graded(context, 3)["absolute_error"]) == ("no_line", 2.0)
    assert (graded(context, 99)["outcome"], graded(context, 99)["actual_points"]) == ("void", None)


def test_systems_are_shown_next_to_the_line_on_the_same_rows(context):
    found = {system["system_id"]: system for system in grading.grade(context, SLATE)["systems"]}
    assert set(found) == {"ensemble", "xgboost"}
    ensemble = found["ensemble"]
    assert (ensemble["n"], ensemble["n_line"], ensemble["wins"], ensemble["losses"]) == (4, 3, 1, 1)
    assert ensemble["mae"] == pytest.approx(2.0)
    assert ensemble["line_mae"] == pytest.approx((1.5 + 0 + 0.5) / 3)
    assert ensemble["hit_rate"] == 0.5


def test_grading_again_writes_nothing_and_never_touches_a_prediction(context):
    before = [context.warehouse.read(name, as_of=LATEST) for name in (SYSTEMS, PICKS)]
    grading.grade(context, SLATE)
    first = grades(context)
    assert grading.grade(context, SLATE)["new"] == 0
    assert grades(context).equals(first)
    for name, rows in zip((SYSTEMS, PICKS), before, strict=True):
        assert context.warehouse.read(name, as_of=LATEST).equals(rows)


def test_a_stat_correction_adds_a_revision_and_keeps_the_first(context):
    grading.grade(context, SLATE)
    corrected = [player(1, "g1", "BOS", "NYK", points=8), player(2, "g1", "BOS", "NYK", points=12)]
    context.warehouse.upsert("nba_raw.player_box", typed("nba_raw.player_box", corrected))
    assert grading.grade(context, SLATE)["new"] == 4
    own = grades(context).filter((pl.col("player_id") == 1) & (pl.col("system_id") == "ensemble")).sort("revision")
    assert own.select("revision", "actual_points", "outcome").rows() == [(0, 10, "win"), (1, 8, "loss")]
    assert grading.grade(context, SLATE)["new"] == 0


def test_games_without_results_wait_by_name_and_are_graded_later(context):
    incomplete = typed("nba_raw.schedule", [fixture(2, "DEN", "LAL", points=51)])
    context.warehouse.upsert("nba_raw.schedule", incomplete)
    result = grading.grade(context, SLATE)
    assert result["waiting"] == ["LAL @ DEN (g2)"]
    assert result["graded"] == 6
    context.warehouse.upsert("nba_raw.schedule", typed("nba_raw.schedule", [fixture(2, "DEN", "LAL")]))
    later = grading.grade(context, SLATE)
    assert (later["new"], later["waiting"]) == (1, [])


def test_before_any_result_is_in_grading_is_refused(context, monkeypatch):
    monkeypatch.setattr(calendar, "now", lambda: TIP)
    with pytest.raises(GateRefused, match=r"NYK @ BOS.*nba-ml ingest --from 2024-01-12") as refused:
        grading.grade(context, SLATE)
    assert len(refused.value.report["waiting"]) == 2
    assert not grades(context).height


def test_a_slate_that_was_never_predicted_is_graded_as_nothing(context):
    result = grading.grade(context, SLATE - timedelta(days=1))
    assert (result["runs"], result["graded"], result["new"], result["systems"]) == (0, 0, 0, [])


def test_all_runs_are_graded_and_the_live_one_is_shown(context):
    live = {"run_key": "r2", "mode": "live"}
    context.warehouse.upsert(SYSTEMS, typed(SYSTEMS, [number(1, "g1", 13.0, **live)]))
    context.warehouse.upsert(PICKS, typed(PICKS, [pick(1, "g1", 8.5, **live)]))
    result = grading.grade(context, SLATE)
    assert (result["runs"], result["graded"]) == (2, 8)
    assert [(system["system_id"], system["n"], system["mae"]) for system in result["systems"]] == [("ensemble", 1, 3.0)]


def void(context: Context, who: int) -> tuple[str, str | None, int | None]:
    row = graded(context, who)
    return row["outcome"], row["void_reason"], row["actual_points"]


def predicted(context: Context, who: int, game: str = "g1", **more) -> None:
    context.warehouse.upsert(SYSTEMS, typed(SYSTEMS, [number(who, game, 12.0)]))
    context.warehouse.upsert(PICKS, typed(PICKS, [pick(who, game, 8.5, **more)]))


def report(who: int, status: str, hours: float = 3, team: str = "BOS") -> dict:
    named = {"kind": "injury_report", "game_date": SLATE, "team": team, "player_id": who, "player_raw": f"p{who}", "source": "feed"}
    return {**named, "status": status, "captured_at": TIP - timedelta(hours=hours)}


def later(monkeypatch, **after) -> None:
    moment = calendar.results_known_at(SLATE) + timedelta(**after)
    monkeypatch.setattr(calendar, "now", lambda: moment)


def test_a_row_that_counts_has_no_reason_to_be_void(context):
    grading.grade(context, SLATE)
    assert void(context, 1) == ("win", None, 10)


def test_a_player_who_is_not_in_a_whole_box_score_did_not_play(context):
    result = grading.grade(context, SLATE)
    assert void(context, 99) == ("void", "did_not_play", None)
    assert result["void_reasons"] == {"did_not_play": 1}


def test_where_box_scores_need_not_be_whole_absence_is_named_as_such(context, monkeypatch):
    monkeypatch.setattr(grading, "least_share_of_points", lambda source: 0.9)
    grading.grade(context, SLATE)
    assert void(context, 99) == ("void", "not_in_box_score", None)


@pytest.mark.parametrize(
    ("reports", "reason"),
    [
        ([("Questionable", 6), ("Out", 1)], "ruled_out"),
        ([("Out", 6), ("Available", 1)], "did_not_play"),
        ([("Available", 6), ("Out", -1)], "did_not_play"),  # seen after the tip-off
    ],
)
def test_who_was_ruled_out_late_is_void_by_the_last_report_before_the_tipoff(context, reports, reason):
    rows = [report(99, status, hours) for status, hours in reports]
    context.warehouse.upsert("nba_raw.player_status", typed("nba_raw.player_status", rows))
    grading.grade(context, SLATE)
    assert void(context, 99) == ("void", reason, None)


def test_who_was_ruled_out_and_played_counts(context):
    context.warehouse.upsert("nba_raw.player_status", typed("nba_raw.player_status", [report(1, "Out")]))
    grading.grade(context, SLATE)
    assert void(context, 1) == ("win", None, 10)


@pytest.mark.parametrize(("who", "traded_to"), [(22, "another game"), (11, "the other side")])
def test_who_played_for_another_team_was_traded_and_is_void(context, who, traded_to):
    predicted(context, who)
    grading.grade(context, SLATE)
    assert void(context, who) == ("void", "other_team", None)
    assert graded(context, who)["absolute_error"] is None


def test_a_game_that_was_moved_voids_its_rows_also_when_it_is_played_later(context):
    moved = fixture(2, "DEN", "LAL") | {"game_date": SLATE + timedelta(days=1), "tipoff_utc": TIP + timedelta(days=1)}
    context.warehouse.upsert("nba_raw.schedule", typed("nba_raw.schedule", [moved]))
    there = [row | {"game_date": moved["game_date"]} for row in box() if row["game_id"] == "g2"]
    context.warehouse.upsert("nba_raw.player_box", typed("nba_raw.player_box", there))
    result = grading.grade(context, SLATE)
    assert void(context, 21) == ("void", "moved", None)
    assert (result["waiting"], result["void_reasons"]) == ([], {"did_not_play": 1, "moved": 1})
    assert void(context, 1)[0] == "win"


def test_a_game_that_is_moved_after_it_was_graded_is_revised(context):
    grading.grade(context, SLATE)
    assert void(context, 21) == ("loss", None, 10)
    moved = fixture(2, "DEN", "LAL", None) | {"game_date": SLATE + timedelta(days=40)}
    context.warehouse.upsert("nba_raw.schedule", typed("nba_raw.schedule", [moved]))
    assert grading.grade(context, SLATE)["new"] == 1
    assert void(context, 21) == ("void", "moved", None)
    assert graded(context, 21)["revision"] == 1


def unplayed(context: Context) -> None:
    context.warehouse.upsert("nba_raw.schedule", typed("nba_raw.schedule", [fixture(2, "DEN", "LAL", None)]))
    gone = [row | {"game_date": SLATE - timedelta(days=300)} for row in box() if row["game_id"] == "g2"]
    context.warehouse.upsert("nba_raw.player_box", typed("nba_raw.player_box", gone))


def test_a_game_without_result_waits_for_days_and_then_counts_as_postponed(context, monkeypatch):
    unplayed(context)
    later(monkeypatch, days=4, hours=23)
    assert grading.grade(context, SLATE)["waiting"] == ["LAL @ DEN (g2)"]
    assert grading.due(context, SLATE, SLATE, []) == []
    later(monkeypatch, days=5)
    assert grading.due(context, SLATE, SLATE, []) == [SLATE.isoformat()]
    assert grading.grade(context, SLATE)["waiting"] == []
    assert void(context, 21) == ("void", "postponed", None)
    assert grading.due(context, SLATE, SLATE, []) == []


def test_a_game_that_was_played_and_whose_box_score_never_comes_is_nothing_to_grade(context, monkeypatch):
    unplayed(context)
    context.warehouse.upsert("nba_raw.schedule", typed("nba_raw.schedule", [fixture(2, "DEN", "LAL", 110)]))
    later(monkeypatch, days=6)
    grading.grade(context, SLATE)
    assert grading.due(context, SLATE, SLATE, []) == []


def test_a_postponed_game_whose_result_comes_after_all_is_graded_then(context, monkeypatch):
    unplayed(context)
    later(monkeypatch, days=5)
    grading.grade(context, SLATE)
    context.warehouse.upsert("nba_raw.schedule", typed("nba_raw.schedule", [fixture(2, "DEN", "LAL")]))
    context.warehouse.upsert("nba_raw.player_box", typed("nba_raw.player_box", box()))
    grading.grade(context, SLATE)
    assert (void(context, 21), graded(context, 21)["revision"]) == (("loss", None, 10), 1)


def test_a_slate_of_which_every_game_was_moved_is_graded_as_void(context):
    moved = [
        fixture(one, home, away, None) | {"game_date": SLATE + timedelta(days=9)}
        for one, home, away in ((1, "BOS", "NYK"), (2, "DEN", "LAL"))
    ]
    context.warehouse.upsert("nba_raw.schedule", typed("nba_raw.schedule", moved))
    result = grading.grade(context, SLATE)
    assert (result["void_reasons"], result["systems"]) == ({"moved": 6}, [])


def test_there_is_something_to_grade_of_slates_that_are_predicted_due_and_open_or_changed(context, monkeypatch):
    day = SLATE.isoformat()
    assert grading.due(context, SLATE, SLATE, []) == [day]
    grading.grade(context, SLATE)
    assert grading.due(context, SLATE, SLATE, []) == []
    assert grading.due(context, SLATE, SLATE + timedelta(days=1), [day, "2024-01-13"]) == [day]
    later(monkeypatch, seconds=-1)
    assert grading.due(context, SLATE, SLATE, [day]) == []


def test_no_grade_ever_changes_a_prediction(context, monkeypatch):
    before = {name: digest([frame_fingerprint(context.warehouse.read(name, as_of=LATEST))]) for name in (SYSTEMS, PICKS)}
    grading.grade(context, SLATE)
    context.warehouse.upsert("nba_raw.player_box", typed("nba_raw.player_box", [player(1, "g1", "BOS", "NYK", points=8)]))
    context.warehouse.upsert(
        "nba_raw.schedule", typed("nba_raw.schedule", [fixture(2, "DEN", "LAL", None) | {"game_date": SLATE + timedelta(days=2)}])
    )
    grading.grade(context, SLATE)
    later(monkeypatch, days=9)
    grading.grade(context, SLATE)
    assert {name: digest([frame_fingerprint(context.warehouse.read(name, as_of=LATEST))]) for name in (SYSTEMS, PICKS)} == before


def test_a_correction_goes_from_the_source_to_a_revised_grade(tmp_path, monkeypatch):
    day = date(2023, 11, 20)
    monkeypatch.setattr(calendar, "now", lambda: datetime(2023, 11, 23, 12, tzinfo=UTC))
    settings = Settings(home=tmp_path / "home", source="files", files_dir=tmp_path / "files", _env_file=None)
    frames = files_factory.league(day, day)
    game, who = frames["player_box.parquet"].select("game_id", "player_id").row(0)

    def morning(box: pl.DataFrame) -> list[int]:
        """Bring the box scores in, grade what that asks for, and return how many grades are new."""
        files_factory.write(tmp_path / "files", frames | {"player_box.parquet": box})
        context = Context(settings)
        done = ingest(context, day, day, run=f"ingest:{day}:{day}")
        return [grading.grade(context, date.fromisoformat(due))["new"] for due in grading.due(context, day, day, done["changed"])]

    first = frames["player_box.parquet"]
    assert morning(first) == []  # nobody predicted it
    run = {"slate_date": day, "player_id": who, "game_id": game}
    warehouse = Context(settings).warehouse
    warehouse.upsert(SYSTEMS, typed(SYSTEMS, [number(who, game, 12.0) | run]))
    warehouse.upsert(PICKS, typed(PICKS, [pick(who, game, 8.5, team=first["team"][0]) | run]))
    assert morning(first) == [1]
    assert morning(first) == []
    mates = first.filter(pl.col("team") == first["team"][0])["player_id"].to_list()
    moved = pl.when(pl.col("player_id") == mates[0]).then(1).when(pl.col("player_id") == mates[1]).then(-1).otherwise(0)
    assert morning(first.with_columns(pts=pl.col("pts") + moved.cast(pl.Int16))) == [1]
    stored = warehouse.read(grading.TABLE, as_of=LATEST).sort("revision")
    points = first["pts"][0]
    assert stored.select("revision", "actual_points").rows() == [(0, points), (1, points + 1)]
