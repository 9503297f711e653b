"""Every next step can be pasted into a shell: the command line's own parser takes it, with real dates."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from nba_ml import alerts, by_hand, calendar
from nba_ml.context import Context
from nba_ml.monitoring import consequences, expected
from nba_ml.rhythm import KINDS, PREDICT, UPDATE
from nba_ml.slate import modes, watch
from tests.command_lines import commands, parse

SLATE = date(2025, 1, 8)
TIP = datetime(2025, 1, 9, 0, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    def hold(moment):
        monkeypatch.setattr(calendar, "now", lambda: moment)

    hold(calendar.at_new_york(SLATE, time(12)))
    return hold


def late(day=SLATE, due=TIP - timedelta(hours=2)):
    return [{"slate_date": day, "due_at": due}]


def test_the_parser_refuses_what_nobody_can_type():
    for wrong in ("nba-ml ingest --from 2025-01-08 --to 2025-01-08, then nba-ml predict --slate 2025-01-08", "nba-ml train --slate x"):
        with pytest.raises(Exception, match="No such option: --slate"):
            parse(wrong)
    with pytest.raises(KeyError):
        parse("nba-ml undo")


def test_what_a_slate_needs_is_loaded_before_it_is_predicted():
    step = by_hand.predict(SLATE)
    assert step == "nba-ml ingest --from 2025-01-07 --to 2025-01-08 && nba-ml predict --slate 2025-01-08"
    assert step == by_hand.predict()
    assert by_hand.ingest() == "nba-ml ingest --from 2024-12-31 --to 2025-01-09"
    assert by_hand.grade() == "nba-ml grade --slate 2025-01-07"
    assert [parse(command) for command in commands(step)] == ["ingest", "predict"]
    assert [parse(command) for made in (by_hand.ingest(), by_hand.grade()) for command in commands(made)] == ["ingest", "grade"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_missing_is_mended_by_a_command(kind):
    step = expected.next_step(kind, late())
    assert [parse(command) for command in commands(step)] == (["ingest", "predict"] if kind in (PREDICT, UPDATE) else [kind])


@pytest.mark.parametrize("kind", [PREDICT, UPDATE])
def test_of_a_slate_that_has_begun_nothing_is_predicted(kind, clock):
    due = TIP - timedelta(hours=2) if kind == PREDICT else TIP - timedelta(minutes=30)
    clock(TIP - timedelta(seconds=1))
    assert "nba-ml predict" in expected.next_step(kind, late(due=due))
    clock(TIP)
    step = expected.next_step(kind, late(due=due))
    assert step.startswith("Nothing can be done for 2025-01-08 any more.")
    assert f"nba_{kind} is unpaused" in step
    assert [parse(command) for command in commands(step)] == ["doctor"]


def test_the_alerts_of_a_slate_and_of_the_monitor_end_with_a_command():
    context = Context()
    context.warehouse.ensure()
    modes.note_late_start(context, SLATE, TIP)
    alerts.write(context, watch._alert(watch.LINES, SLATE, watch._Found(0.1, 0.5, "few")))
    for then, act in consequences._ACT.items():
        if then != "roll_back":
            result = {"id": f"monitor.{then}", "then": then, "metric": "concept", "value": 0.1, "n": 9, "threshold": 0.0, "window": None}
            act(context, {**result, "names": [], "rule": "", "reason": "", "first_slate": str(SLATE)}, SLATE, {"alerts": []})
    steps = alerts.open_alerts(context)["next_step"].to_list()
    assert sorted(parse(command) for step in steps for command in commands(step)) == [
        "alerts close",
        "doctor",
        "ingest",
        "monitor",
        "predict",
        "train",
    ]
