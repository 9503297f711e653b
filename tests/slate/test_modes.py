"""Live is proved by the clock at the commit, and what comes too late becomes a replay that says so."""

from datetime import UTC, date, datetime, time, timedelta

import polars as pl
import pytest

from nba_ml import alerts, calendar
from nba_ml.errors import GateRefused
from nba_ml.slate import modes, steps
from nba_ml.slate.publishing import PICKS, SYSTEMS
from nba_ml.warehouse.port import LATEST
from tests.slate.little_league import a_quote

SLATE = date(2024, 1, 12)
TIP = datetime(2024, 1, 13, 0, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def ready(loaded, released, suites):
    return loaded


def modes_of(context, table=PICKS) -> set[str]:
    return set(context.warehouse.read(table, as_of=LATEST)["mode"])


def missed(context) -> list[str]:
    return [row["what"] for row in alerts.open_alerts(context).to_dicts() if row["cause"] == modes.NOT_LIVE]


def up_to_publish(context, asked):
    ref = steps.open_slate(context, SLATE, asked)
    for step in (steps.build_features, steps.validate, steps.score, steps.consensus, steps.quality):
        ref = step(context, ref)
    return ref


@pytest.fixture
def slow_commit(ready, clock, monkeypatch):
    """Let the first publication of a run take so long that the first game tips off under way."""

    def from_then_on(after: datetime) -> None:
        honest = ready.warehouse.publish

        def publish(tables, run):
            done = honest(tables, run)
            clock(after)
            return done

        monkeypatch.setattr(ready.warehouse, "publish", publish)

    return from_then_on


def test_auto_is_live_up_to_the_first_tipoff_and_a_replay_from_then_on(ready, clock):
    clock(TIP - SECOND)
    assert steps.predict(ready, SLATE, "auto")["mode"] == "live"
    assert missed(ready) == []
    clock(TIP)
    assert steps.open_slate(ready, SLATE, "auto")["mode"] == "replay"


def test_a_slate_that_is_begun_too_late_is_replayed_and_says_so_once(ready, clock):
    clock(TIP + timedelta(hours=1))
    result = steps.predict(ready, SLATE, "auto")
    assert (result["mode"], result["published"]) == ("replay", 70)
    assert datetime.fromisoformat(result["as_of"]) == TIP - timedelta(hours=2)
    assert modes_of(ready) == modes_of(ready, SYSTEMS) == {"replay"}
    steps.predict(ready, SLATE, "auto")
    (row,) = alerts.open_alerts(ready).to_dicts()
    assert (row["cause"], row["severity"], row["count"], row["slate_date"]) == (modes.NOT_LIVE, "urgent", 1, SLATE)
    assert "2024-01-12 was missed live" in row["what"]
    assert row["blocks"] == "nothing is published live"


def test_an_update_that_is_overtaken_by_the_tipoff_leaves_the_morning_live_and_no_alert(ready, clock, frames, slow_commit):
    clock(TIP - timedelta(hours=4))
    morning = steps.predict(ready, SLATE, "auto")
    moved = a_quote(TIP, "0100", minutes=-120, player_id=100, player_name="ATL 0", team="ATL", line=30.5)
    ready.warehouse.upsert("nba_raw.prop_lines", pl.DataFrame([moved], schema=frames["nba_raw.prop_lines"].schema))
    clock(TIP - SECOND)
    slow_commit(TIP + SECOND)
    assert steps.predict(ready, SLATE, "auto")["mode"] == "replay"
    live = ready.warehouse.read(PICKS, as_of=LATEST, where={"mode": "live"})
    assert set(live["run_key"]) == {morning["run_key"]}
    assert missed(ready) == []


def test_the_next_live_slate_closes_the_alert(ready, clock):
    clock(TIP + timedelta(hours=1))
    steps.predict(ready, SLATE, "auto")
    clock(TIP - timedelta(hours=3))
    steps.predict(ready, SLATE, "auto")
    assert missed(ready) == []


def test_a_slate_that_was_live_in_the_morning_is_not_missed_by_a_late_update(ready, clock):
    clock(TIP - timedelta(hours=3))
    steps.predict(ready, SLATE, "auto")
    clock(TIP + timedelta(hours=1))
    assert steps.predict(ready, SLATE, "auto")["mode"] == "replay"
    assert modes_of(ready) == {"live", "replay"}
    assert missed(ready) == []


def test_a_past_slate_is_replayed_without_an_alert(ready, clock):
    clock(TIP + timedelta(days=2))
    assert steps.predict(ready, SLATE, "auto")["mode"] == "replay"
    assert missed(ready) == []


def test_a_run_that_is_overtaken_by_the_tipoff_before_it_publishes_becomes_a_replay(ready, clock):
    clock(TIP - timedelta(minutes=5))
    ref = up_to_publish(ready, "auto")
    assert ref["mode"] == "live"
    clock(TIP)
    result = steps.publish(ready, ref)
    assert (result["mode"], result["published"]) == ("replay", 70)
    assert modes_of(ready) == modes_of(ready, SYSTEMS) == {"replay"}
    assert len(missed(ready)) == 1


def test_a_commit_that_ends_after_the_tipoff_is_taken_back_and_replayed(ready, clock, slow_commit):
    clock(TIP - SECOND)
    ref = up_to_publish(ready, "auto")
    slow_commit(TIP + SECOND)
    result = steps.publish(ready, ref)
    assert (result["mode"], result["published"]) == ("replay", 70)
    assert modes_of(ready) == modes_of(ready, SYSTEMS) == {"replay"}
    assert len(missed(ready)) == 1
    # The task may be run again after all of that.
    assert steps.publish(ready, ref) == result
    assert ready.warehouse.read(PICKS, as_of=LATEST).height == 70


def test_what_was_asked_to_be_live_is_refused_and_leaves_nothing(ready, clock, slow_commit):
    clock(TIP)
    with pytest.raises(GateRefused, match="--mode replay"):
        steps.predict(ready, SLATE, "live")
    clock(TIP - SECOND)
    ref = up_to_publish(ready, "live")
    slow_commit(TIP + SECOND)
    with pytest.raises(GateRefused, match="nba-ml predict --slate 2024-01-12 --mode replay"):
        steps.publish(ready, ref)
    assert modes_of(ready) == modes_of(ready, SYSTEMS) == set()


def test_a_live_run_that_was_published_in_time_stays_when_its_task_is_run_again_later(ready, clock):
    clock(TIP - SECOND)
    ref = up_to_publish(ready, "auto")
    first = steps.publish(ready, ref)
    before = ready.warehouse.read(PICKS, as_of=LATEST)
    clock(TIP + timedelta(hours=1))
    assert steps.publish(ready, ref) == first
    assert ready.warehouse.read(PICKS, as_of=LATEST).equals(before)


def test_a_tipoff_that_is_moved_forward_under_way_counts(ready, clock, frames):
    clock(TIP - timedelta(hours=2))
    ref = up_to_publish(ready, "auto")
    earlier = frames["nba_raw.schedule"].filter(pl.col("game_date") == SLATE).with_columns(tipoff_utc=pl.lit(TIP - timedelta(hours=3)))
    ready.warehouse.upsert("nba_raw.schedule", earlier)
    assert steps.publish(ready, ref)["mode"] == "replay"
    assert modes_of(ready) == {"replay"}


def test_without_a_known_tipoff_live_ends_at_noon(ready, clock, frames):
    unknown = (
        frames["nba_raw.schedule"].filter(pl.col("game_date") == SLATE).with_columns(tipoff_utc=pl.lit(None, pl.Datetime("us", "UTC")))
    )
    ready.warehouse.upsert("nba_raw.schedule", unknown)
    noon = calendar.at_new_york(SLATE, time(12))
    clock(noon - SECOND)
    assert steps.open_slate(ready, SLATE, "auto")["mode"] == "live"
    clock(noon)
    assert steps.open_slate(ready, SLATE, "auto")["mode"] == "replay"


def test_a_late_update_is_a_run_of_its_own_and_what_was_published_when_can_be_asked(ready, clock, frames):
    clock(TIP - timedelta(hours=4))
    morning = steps.predict(ready, SLATE, "auto")
    assert steps.predict(ready, SLATE, "auto") == morning  # nothing new
    moved = a_quote(TIP, "0100", minutes=-120, player_id=100, player_name="ATL 0", team="ATL", line=30.5)
    ready.warehouse.upsert("nba_raw.prop_lines", pl.DataFrame([moved], schema=frames["nba_raw.prop_lines"].schema))
    clock(TIP - timedelta(minutes=75))
    update = steps.predict(ready, SLATE, "auto")
    assert update["run_key"] != morning["run_key"]
    asked = "SELECT run_number, run_key, line, line_change, in_force, before_tipoff FROM nba_predictions.v_pick_history"
    rows = ready.warehouse.query(f"{asked} WHERE player_id = 100 ORDER BY run_number").rows()
    assert [(number, key, line, in_force, before) for number, key, line, _, in_force, before in rows] == [
        (1, morning["run_key"], 22.5, False, True),
        (2, update["run_key"], 30.5, True, True),
    ]
    assert rows[1][3] == 8.0
