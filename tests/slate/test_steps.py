"""A slate from open to published, in a real warehouse."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from nba_ml.errors import GateRefused, UsageError
from nba_ml.slate import steps
from nba_ml.slate.publishing import PICKS, SYSTEMS
from nba_ml.warehouse.port import LATEST
from tests.slate.little_league import a_quote, load

SLATE = date(2024, 1, 12)
TIP = datetime(2024, 1, 13, 0, 0, tzinfo=UTC)
COUNTS = ("population", "predicted", "abstained", "blocked", "published")


@pytest.fixture
def ready(loaded, released, suites):
    return loaded


def picks(context, **where) -> pl.DataFrame:
    return context.warehouse.read(PICKS, as_of=LATEST, where=where)


def systems(context) -> pl.DataFrame:
    return context.warehouse.read(SYSTEMS, as_of=LATEST)


def test_a_slate_is_published_whole(ready):
    result = steps.predict(ready, SLATE, "replay")
    assert {name: result[name] for name in COUNTS} == dict(zip(COUNTS, (70, 70, 0, 0, 70), strict=True))
    assert (result["games"], result["mode"], result["slate_date"]) == (5, "replay", "2024-01-12")
    assert datetime.fromisoformat(result["as_of"]) == TIP - timedelta(hours=2)
    rows = picks(ready)
    assert (rows["run_key"] == result["run_key"]).all()
    assert rows["published_at"].null_count() == 0
    assert rows.filter(pl.col("line").is_null())["side"].null_count() == 30
    lined = rows.filter(pl.col("line").is_not_null())
    assert lined.height == 40
    assert ((lined["predicted_points"] > lined["line"]) == (lined["side"] == "over")).all()
    assert (lined["edge"] - (lined["predicted_points"] - lined["line"])).abs().max() < 1e-9
    assert systems(ready).height == 70 * 5
    silent = systems(ready).filter(pl.col("predicted_points").is_null())
    assert silent["system_id"].unique().to_list() == ["similarity"]
    assert silent["abstain_reason"].null_count() == 0


def test_every_step_speaks_json(ready):
    ref = steps.open_slate(ready, SLATE, "replay")
    for step in (steps.build_features, steps.validate, steps.score, steps.consensus, steps.quality):
        assert not picks(ready).height
        ref = json.loads(json.dumps(step(ready, json.loads(json.dumps(ref)))))
    assert json.loads(json.dumps(steps.publish(ready, ref)))["published"] == 70


def test_three_replays_are_one(ready, clock):
    steps.predict(ready, SLATE, "replay")
    first = (picks(ready), systems(ready))
    for later in (1, 2):
        clock(datetime(2024, 6, later, tzinfo=UTC))
        steps.predict(ready, SLATE, "replay")
        assert picks(ready).equals(first[0])
        assert systems(ready).equals(first[1])


def test_every_step_can_be_run_again(ready):
    ref = steps.open_slate(ready, SLATE, "replay")
    for step in (steps.build_features, steps.validate, steps.score, steps.consensus, steps.quality):
        step(ready, ref)
        ref = step(ready, ref)
    steps.publish(ready, ref)
    again = picks(ready)
    steps.publish(ready, ref)
    assert picks(ready).equals(again)
    steps.predict(ready, SLATE, "replay")
    assert picks(ready).equals(again)


def test_a_new_input_is_a_new_run_and_the_earlier_one_stays(ready, frames):
    first = steps.predict(ready, SLATE, "replay")
    moved = a_quote(TIP, "0100", minutes=-130, player_id=100, player_name="ATL 0", team="ATL", line=30.5)
    ready.warehouse.upsert("nba_raw.prop_lines", pl.DataFrame([moved], schema=frames["nba_raw.prop_lines"].schema))
    second = steps.predict(ready, SLATE, "replay")
    assert second["run_key"] != first["run_key"]
    assert picks(ready).height == 140
    assert picks(ready, run_key=second["run_key"], player_id=100)["line"].item() == 30.5


def test_another_release_is_another_run(ready, released):
    first = steps.predict(ready, SLATE, "replay")
    released.models["v2"] = released.version("v2")
    released.rollout = replace(released.rollout, in_force=2, serving="v2")
    assert steps.predict(ready, SLATE, "replay")["run_key"] != first["run_key"]


def test_a_release_in_the_middle_of_a_slate_stops_it(ready, released):
    ref = steps.build_features(ready, steps.open_slate(ready, SLATE, "replay"))
    released.models["v2"] = released.version("v2")
    released.rollout = replace(released.rollout, in_force=2, serving="v2")
    with pytest.raises(GateRefused, match="nba-ml predict --slate 2024-01-12"):
        steps.score(ready, ref)
    assert not picks(ready).height


def test_inputs_that_change_in_the_middle_stop_the_run(ready, frames):
    ref = steps.build_features(ready, steps.open_slate(ready, SLATE, "replay"))
    late = a_quote(TIP, "0100", minutes=-130, player_id=100, player_name="ATL 0", team="ATL", line=30.5)
    ready.warehouse.upsert("nba_raw.prop_lines", pl.DataFrame([late], schema=frames["nba_raw.prop_lines"].schema))
    with pytest.raises(GateRefused, match="changed while"):
        steps.score(ready, ref)


def test_results_of_the_slate_and_quotes_after_the_cut_off_change_nothing(context, frames, released, suites):
    load(context, frames)
    first = steps.predict(context, SLATE, "replay")
    before = picks(context)
    late = [
        a_quote(TIP, "0100", minutes=minutes, player_id=100, player_name="ATL 0", team="ATL", line=45.5, bookmaker=f"late {minutes}")
        for minutes in (-100, 0, 30)
    ]
    context.warehouse.upsert("nba_raw.prop_lines", pl.DataFrame(late, schema=frames["nba_raw.prop_lines"].schema))
    box = frames["nba_raw.player_box"].filter(pl.col("game_date") == SLATE).with_columns(points=pl.lit(60))
    context.warehouse.upsert("nba_raw.player_box", box)
    assert steps.predict(context, SLATE, "replay")["run_key"] == first["run_key"]
    assert picks(context).equals(before)


def test_undated_lines_are_used_in_a_replay_under_their_label_and_never_live(ready, frames, clock):
    undated = a_quote(TIP, "0100", minutes=None, player_id=105, player_name="ATL 5", team="ATL", line=9.5)
    ready.warehouse.upsert("nba_raw.prop_lines", pl.DataFrame([undated], schema=frames["nba_raw.prop_lines"].schema))
    replay = steps.predict(ready, SLATE, "replay")
    row = picks(ready, run_key=replay["run_key"], player_id=105)
    assert (row["line"].item(), row["line_kind"].item(), row["line_captured_at"].item()) == (9.5, "undated_snapshot", None)
    clock(TIP - timedelta(hours=1))
    live = steps.predict(ready, SLATE, "live")
    assert picks(ready, run_key=live["run_key"], player_id=105)["line"].item() is None
    assert picks(ready, run_key=live["run_key"], player_id=100)["line"].item() == 22.5


def test_live_again_with_nothing_new_keeps_its_first_moment(ready, clock):
    clock(TIP - timedelta(hours=2))
    first = steps.predict(ready, SLATE, "live")
    before = picks(ready)
    clock(TIP - timedelta(hours=1))
    again = steps.predict(ready, SLATE, "live")
    assert again == first
    assert picks(ready).equals(before)


def test_live_and_replay_give_the_same_numbers(ready, clock):
    replay = steps.predict(ready, SLATE, "replay")
    clock(TIP - timedelta(hours=2))
    live = steps.predict(ready, SLATE, "live")
    assert replay["run_key"] != live["run_key"]
    one, other = (picks(ready, run_key=run["run_key"]).drop("id", "run_key", "mode", "published_at") for run in (replay, live))
    assert one.equals(other)


@pytest.mark.parametrize("as_of", [TIP, "2024-01-13T01:00:00+00:00", datetime(2999, 1, 1, tzinfo=UTC)])
def test_a_cut_off_that_live_could_not_have_is_refused(ready, as_of):
    with pytest.raises(UsageError):
        steps.open_slate(ready, SLATE, "replay", as_of)


def test_an_unknown_mode_is_refused(ready):
    with pytest.raises(UsageError, match="--mode"):
        steps.open_slate(ready, SLATE, "backtest")


def test_a_slate_without_games_passes_through_and_leaves_nothing(ready, monkeypatch):
    monkeypatch.setattr(steps, "load_released", lambda context: pytest.fail("no model is needed"))
    result = steps.predict(ready, date(2024, 7, 1), "replay")
    assert {name: result[name] for name in COUNTS} == dict.fromkeys(COUNTS, 0)
    assert (result["games"], result["run_key"]) == (0, None)
    assert not picks(ready).height


def test_no_model_no_predictions(context, frames, suites):
    load(context, frames)
    with pytest.raises(Exception, match="nba-ml train"):
        steps.predict(context, SLATE, "replay")
    assert not picks(context).height


def without_last_rows(frames, teams):
    lost = (pl.col("game_date") == SLATE - timedelta(days=1)) & pl.col("team").is_in(teams)
    return frames | {"nba_raw.player_box": frames["nba_raw.player_box"].filter(~lost)}


def test_one_stale_team_blocks_its_own_players_by_name(context, frames, released, suites):
    load(context, without_last_rows(frames, ["ATL"]))
    result = steps.predict(context, SLATE, "replay")
    assert result["stale_teams"] == ["ATL"]
    rows = picks(context)
    stale = rows.filter(pl.col("reasons").fill_null("").str.contains("stale_team"))
    assert stale["team"].unique().to_list() == ["ATL"]
    assert stale.height == 7
    assert stale["blocked"].all()
    assert (stale["quality_tier"] == "unusable").all()
    assert stale["predicted_points"].null_count() == 0
    assert not rows.filter(pl.col("team") != "ATL")["blocked"].any()


def test_too_many_stale_teams_refuse_the_slate(context, frames, released, suites):
    load(context, without_last_rows(frames, ["ATL", "BOS", "CHI"]))
    with pytest.raises(GateRefused, match=r"3 of 10 teams.*ATL.*BOS.*CHI.*nba-ml ingest --from 2024-01-11 --to 2024-01-11") as refused:
        steps.predict(context, SLATE, "replay")
    assert refused.value.report["stale_teams"] == ["ATL", "BOS", "CHI"]
    assert not picks(context).height


def test_a_quarantined_row_is_not_scored_and_stays_by_name(ready, released, suites):
    suites.slate = ("BOS 2",)
    result = steps.predict(ready, SLATE, "replay")
    assert (result["population"], result["abstained"], result["blocked"]) == (70, 1, 1)
    assert 202 not in released.models["v1"].panel.asked
    row = picks(ready, player_id=202).row(0, named=True)
    assert row["reasons"].split(",")[:2] == ["quarantined", "abstained"]
    assert row["predicted_points"] is None
    told = systems(ready).filter(pl.col("player_id") == 202)
    assert told["abstain_reason"].to_list() == ["quarantined"] * 5


def test_a_pick_that_fails_its_check_is_blocked_with_its_number(ready, suites):
    suites.predictions = ("BOS 2",)
    assert steps.predict(ready, SLATE, "replay")["blocked"] == 1
    row = picks(ready, player_id=202).row(0, named=True)
    assert "failed_check" in row["reasons"].split(",")
    assert row["predicted_points"] is not None


def test_a_failing_model_publishes_nothing(ready, released, monkeypatch):
    monkeypatch.setattr(released.models["v1"].panel, "predict", lambda *inputs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        steps.predict(ready, SLATE, "replay")
    assert not picks(ready).height
    assert not systems(ready).height


def test_the_real_suites_pass_a_sound_slate_and_stop_another_schema(context, frames, released):
    load(context, frames)
    assert steps.predict(context, SLATE, "replay")["published"] == 70
    released.models["v1"].manifest["feature_schema"].reverse()
    with pytest.raises(GateRefused, match="schema_as_trained"):
        steps.predict(context, SLATE, "replay")
