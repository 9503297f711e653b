"""Missed runs: found in the tables whatever the reason, told once with the next step, closed when they come, and none where none is due."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from nba_ml import alerts, calendar, grading, slate_calendar
from nba_ml.cli import app
from nba_ml.context import Context
from nba_ml.errors import BadInput, PermissionMissing
from nba_ml.monitoring import expected, heartbeat, ping, steps
from nba_ml.notices.delivery import deliver
from nba_ml.settings import Settings
from nba_ml.slate import modes
from nba_ml.slate.publishing import PICKS, SYSTEMS
from nba_ml.warehouse.port import LATEST
from tests.slate.little_league import typed

DAY = timedelta(days=1)
SLATE = date(2025, 1, 8)  # a Wednesday
TIP = datetime(2025, 1, 9, 0, 0, tzinfo=UTC)  # 19:00 in New York


def new_york(day, hour, minute=0):
    return calendar.at_new_york(day, time(hour, minute))


@pytest.fixture
def clock(monkeypatch):
    def hold(moment):
        monkeypatch.setattr(calendar, "now", lambda: moment)

    hold(new_york(SLATE, 8))
    return hold


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    made = Context(Settings(home=tmp_path_factory.mktemp("template"), _env_file=None))
    made.warehouse.ensure()
    return made.settings.duckdb_path.read_bytes()


@pytest.fixture
def context(tmp_path, template, clock):
    opened = Context(Settings(home=tmp_path / "home", _env_file=None))
    opened.settings.home_folder.mkdir()
    opened.settings.duckdb_path.write_bytes(template)
    schedule(opened, SLATE - DAY, SLATE, SLATE + DAY, SLATE + 2 * DAY)
    return opened


def upsert(context, table, rows):
    context.warehouse.upsert(table, typed(table, rows))


def game(day, points=None, tip=None):
    known = {"known_at": calendar.schedule_known_at(day, "Regular Season"), "result_known_at": calendar.results_known_at(day)}
    same = {"game_id": f"g{day}", "season": "2024-25", "season_type": "Regular Season", "game_date": day, "source": "made up"}
    return {
        **same,
        **known,
        "tipoff_utc": tip or TIP + (day - SLATE),
        "home": "BOS",
        "away": "NYK",
        "home_points": points,
        "away_points": points,
    }


def schedule(context, *days, **more):
    upsert(context, "nba_raw.schedule", [game(day, **more) for day in days])


def results(context, day):
    schedule(context, day, points=50)
    same = {"game_id": f"g{day}", "season": "2024-25", "season_type": "Regular Season", "game_date": day, "source": "made up"}
    rows = [
        {
            **same,
            "player_id": number + slot,
            "player_name": "p",
            "team": team,
            "opponent": other,
            "is_home": True,
            "minutes": 30.0,
            "points": 10,
        }
        | {"known_at": calendar.results_known_at(day)}
        for team, other, number in (("BOS", "NYK", 1), ("NYK", "BOS", 11))
        for slot in range(5)
    ]
    upsert(context, "nba_raw.player_box", rows)


def publish(context, day, at, mode="live", key="r1"):
    run = {"slate_date": day, "run_key": f"{key}{day}", "mode": mode, "game_id": f"g{day}", "player_id": 1, "model_version": "v1"}
    person = {
        "player_name": "p",
        "team": "BOS",
        "opponent": "NYK",
        "is_home": True,
        "as_of": at,
        "release_number": 1,
        "feature_version": "f",
    }
    marks = {"quality_tier": "gold", "missing_features": 0, "blocked": False, "published_at": at, "predicted_points": 12.0}
    upsert(context, PICKS, [{**run, **person, **marks}])
    upsert(context, SYSTEMS, [{**run, "system_id": "ensemble", "predicted_points": 12.0, "published_at": at}])
    audit(context, f"predict:{day}:{key}{day}", at)


def audit(context, run, at):
    same = {"suite": "predictions", "rule": "r", "severity": "stop", "passed": True, "rows": 1, "reason": "because"}
    upsert(context, "nba_ops.validation_runs", [{**same, "run": run, "checked_at": at}])


def look(context, day):
    names = ("window_slates", "mode", "in_sample", "system_id", "model_version", "population", "first_slate")
    row = dict(zip(names, (7, "live", False, "ensemble", "published", "all", day), strict=True))
    table = next(spec for name, spec in context.warehouse.tables.items() if name == "nba_ops.performance_daily")
    needed = {column.name: 0 for column in table.columns if column.required and column.name not in (*row, "slate_date", "id")}
    upsert(context, "nba_ops.performance_daily", [{**needed, **row, "slate_date": day, "computed_at": calendar.now()}])


def whole_day(context, clock, day):
    """Do all that is expected of a slate, in time."""
    publish(context, day, new_york(day, 9, 5))
    audit(context, f"predict:{day}:r1{day}", new_york(day, 17, 47))
    results(context, day)
    clock(new_york(day + DAY, 7, 40))
    grading.grade(context, day)
    clock(new_york(day + DAY, 13, 15))
    look(context, day)


def states(context, day):
    rows = context.warehouse.read(expected.TABLE, as_of=LATEST, where={"slate_date": day})
    return dict(rows.select("kind", "state").iter_rows())


def causes(context):
    return {row["cause"]: row for row in alerts.open_alerts(context).to_dicts()}


def test_planning_is_repeatable_and_knows_days_without_games(context):
    assert expected.plan(context, SLATE, SLATE) == 5
    assert expected.plan(context, SLATE, SLATE) == 0
    assert states(context, SLATE) == dict.fromkeys(("ingest", "predict", "update", "grade", "monitor"), "expected")
    assert expected.plan(context, date(2025, 7, 1), date(2025, 9, 30)) == 0


def test_a_tipoff_that_is_moved_moves_what_is_due(context):
    expected.plan(context, SLATE, SLATE)
    schedule(context, SLATE, tip=TIP - timedelta(hours=4))
    expected.plan(context, SLATE, SLATE)
    rows = context.warehouse.read(expected.TABLE, as_of=LATEST, where={"slate_date": SLATE, "kind": "predict"})
    assert rows["due_at"].to_list() == [TIP - timedelta(hours=6)]


def test_a_day_on_which_all_is_done_in_time_is_done_and_silent(context, clock):
    expected.missed(context)
    whole_day(context, clock, SLATE)
    result = expected.missed(context)
    assert states(context, SLATE) == dict.fromkeys(("ingest", "predict", "update", "grade", "monitor"), "done")
    assert (result["overdue"], result["alerts"], causes(context)) == ([], [], {})


def test_a_paused_prediction_is_found_before_the_tipoff_and_told_once(context, clock):
    expected.missed(context)
    clock(new_york(SLATE, 16, 59))
    assert expected.missed(context)["alerts"] == []
    clock(new_york(SLATE, 17, 15))
    expected.missed(context)
    (row,) = causes(context).values()
    assert (row["cause"], row["severity"], row["slate_date"], row["next_step"]) == (
        modes.NOT_LIVE,
        "urgent",
        SLATE,
        f"nba-ml ingest --from {SLATE - DAY} --to {SLATE} && nba-ml predict --slate {SLATE}",
    )
    assert "due at 2025-01-08 17:00 New York" in row["what"]
    clock(new_york(SLATE, 18, 15))
    expected.missed(context)
    assert causes(context)[modes.NOT_LIVE]["count"] == 1


def test_whoever_tells_that_a_slate_is_late_tells_the_same(context, clock):
    expected.missed(context)
    clock(new_york(SLATE, 17, 15))
    expected.missed(context)
    before = causes(context)[modes.NOT_LIVE]
    clock(TIP + timedelta(minutes=1))
    modes.note_late_start(context, SLATE, TIP)
    after = causes(context)[modes.NOT_LIVE]
    assert [(row["severity"], row["blocks"], row["count"]) for row in (before, after)] == [("urgent", "nothing is published live", 1)] * 2


def test_of_a_slate_that_has_begun_the_heartbeat_says_what_keeps_the_next_one_from_the_same(context, clock):
    expected.missed(context)
    clock(TIP + timedelta(hours=1))
    assert heartbeat.heartbeat(context)["problems"][0]["next_step"].startswith(
        f"Nothing can be done for {SLATE} any more. For the next slate"
    )


def test_what_comes_late_is_late_and_closes_what_can_be_mended(context, clock):
    expected.missed(context)
    publish(context, SLATE, new_york(SLATE, 9))
    audit(context, f"predict:{SLATE}:r1{SLATE}", new_york(SLATE, 17, 50))
    clock(new_york(SLATE + DAY, 10, 15))
    expected.missed(context)
    assert set(causes(context)) == {"missed.ingest"}
    assert causes(context)["missed.ingest"]["next_step"] == f"nba-ml ingest --from {SLATE} --to {SLATE}"
    assert states(context, SLATE)["grade"] == "expected"  # it waits for the results: one fault, one alarm
    results(context, SLATE)
    clock(new_york(SLATE + DAY, 11, 30))
    expected.missed(context)
    assert states(context, SLATE)["ingest"] == "late"
    assert causes(context) == {}


def look_at_half_of_the_games(context, clock):
    """Look the morning after a slate of two games of which one has results."""
    expected.missed(context)
    results(context, SLATE)
    upsert(context, "nba_raw.schedule", [game(SLATE) | {"game_id": "other", "home": "DEN", "away": "LAL"}])
    clock(new_york(SLATE + DAY, 10, 15))
    expected.missed(context)


def test_half_of_the_games_are_not_the_results(context, clock):
    look_at_half_of_the_games(context, clock)
    assert "1 of 2 games of 2025-01-08 have no whole result" in causes(context)["missed.ingest"]["what"]


def test_an_alert_about_results_that_never_came_ends_with_what_became_of_them(context, clock):
    look_at_half_of_the_games(context, clock)
    clock(new_york(SLATE + 7 * DAY, 10, 15))
    for days in range(1, 7):
        results(context, SLATE + days * DAY)
    expected.missed(context)
    ended = {row["cause"]: row["resolution"] for row in alerts.all_alerts(context).to_dicts()}
    assert ended["missed.ingest"] == "ingest: nothing is overdue any more; 1 games of 2025-01-08 have no result and count as postponed."


def test_ungraded_slates_and_a_dead_monitor_are_found(context, clock):
    expected.missed(context)
    publish(context, SLATE, new_york(SLATE, 9))
    results(context, SLATE)
    clock(new_york(SLATE + DAY, 12, 1))
    expected.missed(context)
    assert causes(context)["missed.grade"]["next_step"] == f"nba-ml grade --slate {SLATE}"
    grading.grade(context, SLATE)
    clock(new_york(SLATE + DAY, 15, 15))
    expected.missed(context)
    assert "missed.grade" not in causes(context)
    assert causes(context)["missed.monitor"]["next_step"] == "nba-ml monitor"


def test_a_replay_is_not_what_was_expected_and_the_next_live_slate_ends_it(context, clock):
    expected.missed(context)
    clock(new_york(SLATE, 17, 15))
    expected.missed(context)
    publish(context, SLATE, new_york(SLATE, 22), mode="replay")
    clock(new_york(SLATE + DAY, 8))
    assert [row["kind"] for row in expected.missed(context)["overdue"]] == ["predict", "update"]
    publish(context, SLATE + DAY, new_york(SLATE + DAY, 9))
    clock(new_york(SLATE + DAY, 9, 30))
    assert [row["kind"] for row in expected.missed(context)["overdue"]] == ["update"]
    assert states(context, SLATE)["predict"] == "missed"


def test_an_empty_upstream_is_found_where_the_schedule_should_reach(context, clock):
    day = SLATE + 5 * DAY
    clock(new_york(day, 8))
    expected.missed(context)
    clock(new_york(day, 18))
    overdue = expected.missed(context)["overdue"]
    assert ("predict", str(day)) in [(row["kind"], row["slate_date"]) for row in overdue]


def test_a_slate_whose_games_are_all_moved_away_needs_nothing(context, clock):
    expected.missed(context)
    upsert(context, "nba_raw.schedule", [game(SLATE) | {"game_date": SLATE + 2 * DAY}])
    clock(new_york(SLATE + DAY, 15, 15))
    expected.missed(context)
    assert {states(context, SLATE)[kind] for kind in ("ingest", "predict", "update", "grade")} == {"not_needed"}
    assert [row["slate_date"] for row in expected.missed(context)["overdue"] if row["slate_date"] == str(SLATE)] == []


def test_the_week_without_training_is_found(context, clock):
    monday = SLATE + 5 * DAY
    clock(new_york(monday, 9))
    expected.missed(context)
    clock(new_york(monday, 20, 15))
    expected.missed(context)
    assert causes(context)["missed.train"]["next_step"] == "nba-ml train"


def test_no_training_is_missed_where_none_is_scheduled(context, clock):
    context = Context(context.settings.model_copy(update={"retrain": "off"}))
    clock(new_york(SLATE + 5 * DAY, 20, 15))
    expected.missed(context)
    assert "missed.train" not in causes(context)


def test_the_off_season_plans_nothing_and_alerts_of_nothing(context, clock):
    for day in (date(2025, 7, 1), date(2025, 8, 5), date(2025, 9, 30)):
        clock(new_york(day, 18, 15))
        result = expected.missed(context)
        assert (result["overdue"], result["alerts"]) == ([], [])
        assert heartbeat.heartbeat(context)["ok"]


def test_the_heart_beats_while_the_scheduler_is_dead(context, clock):
    expected.missed(context)
    assert heartbeat.heartbeat(context)["ok"]
    before = context.warehouse.count()
    clock(new_york(SLATE + 4 * DAY, 18))
    found = heartbeat.heartbeat(context)
    assert not found["ok"]
    assert found["problems"][0]["what"].startswith("predict: ")
    assert heartbeat.sentence(found).startswith("OVERDUE: predict: ")
    assert context.warehouse.count() == before


def test_what_never_ran_says_so(context, clock):
    clock(new_york(SLATE, 18))
    found = heartbeat.heartbeat(context)
    assert (found["ok"], found["never_ran"]) == (False, True)
    assert "nothing has ever been watched here" in heartbeat.sentence(found)
    clock(new_york(date(2025, 8, 1), 18))
    assert heartbeat.sentence(heartbeat.heartbeat(context)) == "OK: nothing has run here yet; nothing is due"


def test_a_slack_that_takes_no_messages_is_a_problem(tmp_path, context, clock):
    expected.missed(context)
    down = Context(Settings(home=context.settings.home, slack_webhook="http://127.0.0.1:9/services/T/B/X", _env_file=None))
    alerts.write(down, alerts.Alert("made.up", "warning", "Something.", "nba-ml doctor", "now"))
    assert deliver(down)["failed"]
    found = heartbeat.heartbeat(down)
    assert not found["ok"]
    assert found["problems"][-1]["next_step"] == "nba-ml alerts send"


def test_a_calendar_that_the_scheduler_cannot_read_is_a_problem(context, clock):
    expected.missed(context)
    (context.settings.home_folder / slate_calendar.FILE).write_text("{")
    found = heartbeat.heartbeat(context)
    assert not found["ok"]
    assert slate_calendar.FILE in heartbeat.sentence(found)
    assert found["problems"][0]["next_step"] == f"nba-ml ingest --from {SLATE - 8 * DAY} --to {SLATE + DAY}"


def test_the_command_ends_with_three_where_something_is_overdue(context, clock, monkeypatch, capsys):
    monkeypatch.setenv("NBA_ML_HOME", str(context.settings.home))
    expected.missed(context)
    for moment, code, word in ((new_york(SLATE, 9), 0, "OK: predict of 2025-01-08"), (new_york(SLATE, 18), 3, "OVERDUE: predict")):
        clock(moment)
        with pytest.raises(SystemExit) as end:
            app(["heartbeat"])
        assert end.value.code == code
        assert capsys.readouterr().out.startswith(word)


def test_whoever_may_only_read_the_home_is_answered_and_may_not_write(context, clock, monkeypatch):
    expected.missed(context)

    def read_only(path, mode="r", *arguments, opener=Path.open, **more):
        if mode != "r":
            raise PermissionError(13, "Permission denied", str(path))
        return opener(path, mode, *arguments, **more)

    monkeypatch.setattr(Path, "open", read_only)
    assert heartbeat.heartbeat(context)["ok"]
    with pytest.raises(PermissionMissing, match=r"may not write it\. Run the command as the user who owns"):
        expected.missed(context)


def test_whoever_may_not_even_read_it_is_told_in_one_line(context, clock, monkeypatch):
    def closed(path, *_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "exists", closed)
    with pytest.raises(PermissionMissing, match="may not read it"):
        heartbeat.heartbeat(context)


def test_a_warehouse_that_is_no_such_file_is_told_with_what_mends_it(context, clock):
    context.settings.duckdb_path.write_bytes(b"garbage" * 1000)
    with pytest.raises(BadInput, match=r"is no DuckDB file.*nba-ml init"):
        heartbeat.heartbeat(context)


def test_the_monitor_pings_only_where_nothing_is_overdue(context, clock, monkeypatch):
    pings = []
    monkeypatch.setattr(steps, "ping", lambda settings: pings.append(calendar.now()))
    steps.missed(context, {"until": "2025-01-07"})
    assert len(pings) == 1
    clock(new_york(SLATE, 18))
    assert steps.missed(context, {"until": "2025-01-07"})["missed"]["overdue"]
    assert len(pings) == 1


def test_a_ping_goes_out_after_live_slates_and_never_fails_a_task(caplog):
    nowhere = Settings(ping_url="http://127.0.0.1:9/a-secret", _env_file=None)
    assert not ping.ping(nowhere)
    assert "a-secret" not in caplog.text
    assert not ping.ping(Settings(_env_file=None))
    assert not ping.after_slate(nowhere, {"mode": "replay", "published": 70})


def test_a_ping_that_is_answered():
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    asked = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        settings = Settings(ping_url=f"http://127.0.0.1:{server.server_port}/me", _env_file=None)
        assert ping.after_slate(settings, {"mode": "live", "published": 70})
    assert asked == ["/me"]


@pytest.mark.parametrize("cause", [f"task.nba_predict.score:{SLATE}", f"deadline.nba_predict:{SLATE}", f"run.nba_predict:{SLATE}"])
def test_what_airflow_has_told_is_not_told_again(context, clock, cause):
    expected.missed(context)
    alerts.write(context, alerts.Alert(cause, "urgent", "It failed.", "Clear the task", "run", slate_date=SLATE))
    clock(new_york(SLATE, 17, 15))
    assert [row["kind"] for row in expected.missed(context)["overdue"]] == ["predict"]
    assert set(causes(context)) == {cause}
    assert states(context, SLATE)["predict"] == "missed"


def test_a_failure_that_another_run_made_good_is_closed(context, clock):
    expected.missed(context)
    for cause, day in ((f"task.nba_predict.score:{SLATE}", SLATE), (f"task.nba_predict.score:{SLATE - DAY}", SLATE - DAY)):
        alerts.write(context, alerts.Alert(cause, "urgent", "It failed.", "Clear the task", "run", slate_date=day))
    publish(context, SLATE, new_york(SLATE, 17, 50))
    clock(new_york(SLATE, 18, 15))
    expected.missed(context)
    assert set(causes(context)) == {f"task.nba_predict.score:{SLATE - DAY}"}


def fail_the_update(context, day):
    for cause in (f"task.nba_update.score:{day}", f"run.nba_update:{day}"):
        alerts.write(context, alerts.Alert(cause, "warning", "It failed.", "Clear the task", "run", slate_date=day))


def ends(context):
    return {row["cause"]: row["resolution"] for row in alerts.all_alerts(context).to_dicts()}


def test_an_update_that_failed_is_over_with_its_slate_and_is_not_told_again(context, clock):
    expected.missed(context)
    publish(context, SLATE, new_york(SLATE, 9))
    fail_the_update(context, SLATE)
    clock(new_york(SLATE, 20))
    expected.missed(context)
    assert f"run.nba_update:{SLATE}" in causes(context)
    for hour in (8, 9):
        clock(new_york(SLATE + DAY, hour))
        expected.missed(context)
        assert causes(context) == {}
    what = f"The slate of {SLATE} is over: {SLATE} was not predicted again before its first tip-off."
    assert ends(context) == {f"task.nba_update.score:{SLATE}": what, f"run.nba_update:{SLATE}": what}


def test_an_update_that_failed_after_it_was_done_is_closed(context, clock):
    expected.missed(context)
    publish(context, SLATE, new_york(SLATE, 9))
    audit(context, f"predict:{SLATE}:r1{SLATE}", new_york(SLATE, 17, 47))
    clock(new_york(SLATE, 18, 15))
    expected.missed(context)
    fail_the_update(context, SLATE)
    expected.missed(context)
    assert ends(context)[f"run.nba_update:{SLATE}"].startswith(f"It needs nobody any more: {SLATE} was looked at again")


def test_an_update_of_a_slate_that_nobody_looks_at_any_more_is_closed(context, clock):
    long_ago = SLATE - 60 * DAY
    fail_the_update(context, long_ago)
    expected.missed(context)
    assert ends(context)[f"run.nba_update:{long_ago}"] == f"The slate of {long_ago} is over: nothing can update it any more."
