import json
import logging

import pytest
import typer
from typer.testing import CliRunner

from nba_ml.errors import ArtefactError, GateRefused, Unavailable, UsageError
from nba_ml.registry import projection, steps
from nba_ml.registry.in_force import load_released
from nba_ml.registry.showing import show

pytestmark = pytest.mark.usefixtures("evidence")

ANN = {"actor": "ann", "reason": "looked at the report"}


def published(context, tiny, *names):
    for name in names:
        tiny.publish(context.store, name)
    return context


def test_training_releases_everything_by_itself_once(context, tiny):
    published(context, tiny, "v1", "v2")
    first = steps.release_trained(context, "v1", actor="nba_train")
    assert (first["version"], first["state"], first["number"], first["current"], first["next"]) == ("v1", "100 %", 1, "v1", None)
    assert steps.release_trained(context, "v1", actor="nba_train") == first
    assert steps.release_trained(context, "v2", actor="nba_train")["state"] == "100 %"
    assert len(show(context)["history"]) == 2


def test_a_person_releases_where_the_settings_ask_for_one(make_context, tiny):
    context = published(make_context(approval="person"), tiny, "v1")
    left = steps.release_trained(context, "v1", actor="nba_train")
    assert (left["state"], left["number"], left["next"]) == ("candidate", None, "nba-ml release approve v1 --reason TEXT")
    assert show(context)["versions"][0]["state"] == "candidate"
    assert steps.approve(context, "v1", **ANN)["number"] == 1
    assert steps.release_trained(context, "v1", actor="nba_train")["state"] == "100 %"


def test_training_never_brings_back_a_version_that_was_gone_back_from(context, tiny):
    published(context, tiny, "v1", "v2")
    for version in ("v1", "v2"):
        steps.release_trained(context, version, actor="nba_train")
    assert steps.rollback(context, actor="ann", reason="all under")["current"] == "v1"
    left = steps.release_trained(context, "v2", actor="nba_train")
    assert (left["state"], left["current"]) == ("rolled_back", "v1")
    assert steps.approve(context, "v2", actor="ann", reason="it was the feed")["state"] == "10 %"


def test_training_releases_nothing_past_a_challenger_a_pin_or_a_shadow(context, tiny):
    published(context, tiny, "v1", "v2", "v3")
    steps.approve(context, "v1", **ANN)
    steps.approve(context, "v2", **ANN)
    left = steps.release_trained(context, "v3", actor="nba_train")
    assert (left["state"], left["next"]) == ("candidate", "nba-ml release advance v2 --reason TEXT")
    steps.rollback(context, **ANN)
    steps.pin(context, "v1", **ANN)
    left = steps.release_trained(context, "v3", actor="nba_train")
    assert (left["state"], left["next"]) == ("candidate", "nba-ml release unpin --reason TEXT")
    steps.unpin(context, **ANN)
    steps.shadow(context, "v3", **ANN)
    assert steps.release_trained(context, "v3", actor="nba_train")["state"] == "shadow"


def test_a_person_starts_at_ten_percent_and_skips_steps_only_by_saying_so(context, tiny):
    published(context, tiny, "v1", "v2", "v3")
    assert steps.approve(context, "v1", share=1.0, **ANN)["share"] == 1.0
    with pytest.raises(UsageError, match=r"no graded slate compares the two.*say --at-once"):
        steps.approve(context, "v2", share=1.0, **ANN)
    tenth = steps.approve(context, "v2", **ANN)
    assert (tenth["state"], tenth["share"], tenth["current"], tenth["challenger"]) == ("10 %", 0.1, "v1", "v2")
    assert tenth["next"] == "nba-ml release advance v2 --reason TEXT"
    assert [steps.advance(context, **ANN)["state"] for _ in range(2)] == ["50 %", "100 %"]
    assert steps.approve(context, "v3", share=1.0, at_once=True, **ANN)["current"] == "v3"


def test_no_step_forward_without_the_guards(context, tiny, evidence):
    published(context, tiny, "v1", "v2")
    steps.approve(context, "v1", **ANN)
    steps.shadow(context, "v2", **ANN)
    for state in ("shadow", "10 %", "50 %"):
        evidence["refused"] = GateRefused("not enough evidence")
        with pytest.raises(GateRefused, match="not enough evidence"):
            steps.advance(context, **ANN)
        assert steps.open_log(context).rollout.state_of("v2") == state
        del evidence["refused"]
        steps.advance(context, **ANN)
    assert evidence["asked"] == ["v2"] * 6
    with pytest.raises(UsageError, match="it is 100 %"):
        steps.advance(context, "v2", **ANN)
    assert len(evidence["asked"]) == 6


def test_what_serves_and_what_challenges_is_opened_with_every_shadow_that_can_be(context, tiny, caplog):
    published(context, tiny, "v1", "v2", "v3", "v4")
    steps.approve(context, "v1", **ANN)
    steps.approve(context, "v2", **ANN)
    for version in ("v3", "v4"):
        steps.shadow(context, version, **ANN)
    path = context.store.folder / "models/points/v4/model.ubj"
    path.write_bytes(b"[1, 1, 1.000]")
    opened = load_released(context)
    assert [one.version for one in opened.published] == ["v1", "v2"]
    assert [one.version for one in opened.shadows] == ["v3"]
    assert "model.ubj" in opened.failed["v4"]
    assert "shadow v4 does not score along" in caplog.text
    (context.store.folder / "models/points/v2/model.ubj").write_bytes(b"[1, 1, 1.000]")
    with pytest.raises(ArtefactError, match=r"v2/model\.ubj.*nba-ml release rollback"):
        load_released(context)


def test_promotion_waits_for_the_other_environments_person(context, make_context, tiny):
    published(context, tiny, "v1")
    steps.approve(context, "v1", **ANN)
    carried = steps.promote(context, "v1", "staging", **ANN)
    assert (carried["state"], carried["current"]) == ("candidate", None)
    assert carried["next"] == "NBA_ML_ENVIRONMENT=staging nba-ml release approve v1 --reason TEXT"
    staging = make_context(environment="staging")
    with pytest.raises(ArtefactError, match="no model is released in staging"):
        load_released(staging)
    assert steps.approve(staging, "v1", actor="bob", reason="seen in dev")["current"] == "v1"
    assert load_released(staging).serving.manifest_sha256 == load_released(context).serving.manifest_sha256
    assert show(context)["elsewhere"]["staging"]["current"]["actor"] == "bob"
    with pytest.raises(UsageError, match="no environment"):
        steps.promote(context, "v1", "moon", **ANN)


def test_promotion_to_dev_is_released_where_the_settings_let_it(make_context, tiny):
    staging = published(make_context(environment="staging"), tiny, "v1")
    steps.approve(staging, "v1", **ANN)
    assert steps.promote(staging, "v1", "dev", **ANN)["state"] == "100 %"


def test_a_decision_stands_where_the_tables_cannot_follow(context, tiny, monkeypatch, caplog):
    published(context, tiny, "v1")

    def busy(context):
        raise Unavailable("held by process 7")

    monkeypatch.setattr(projection, "rebuild", busy)
    assert steps.approve(context, "v1", **ANN)["current"] == "v1"
    assert "nba-ml registry rebuild" in caplog.text
    assert load_released(context).serving.version == "v1"


def test_who_is_told_when_and_why(context, tiny, caplog):
    published(context, tiny, "v1", "v2")
    with caplog.at_level(logging.INFO):
        steps.approve(context, "v1", **ANN)
    assert "v1 is 100 % in dev (entry 1)" in caplog.text
    steps.approve(context, "v2", actor="bob", reason="better on bench players")
    steps.pin(context, "v2", actor="eve", reason="holidays")
    shown = show(context)
    assert (shown["serving"], shown["challenger"], shown["share"], shown["pinned"], shown["number"]) == ("v1", "v2", 0.1, True, 3)
    assert [shown[name]["actor"] for name in ("current", "challenge", "pin")] == ["ann", "bob", "eve"]
    spans = [(span["version"], span["state"], span["share"], span["from_number"], span["until_number"]) for span in shown["timeline"]]
    assert spans == [("v1", "100 %", 1.0, 1, 2), ("v1", "100 %", 0.9, 2, None), ("v2", "10 %", 0.1, 2, None)]


def test_the_projection_follows_the_store_and_a_second_rebuild_adds_nothing(context, tiny):
    published(context, tiny, "v1", "v2")
    steps.approve(context, "v1", **ANN)
    assert projection.rebuild(context) == {
        projection.MODEL_REGISTRY: {"rows": 2, "new": 0},
        projection.RELEASE_EVENTS: {"rows": 1, "new": 0},
    }
    path = context.store.folder / "releases/points/dev/00000001.json"
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(ArtefactError):
        projection.rebuild(context)


@pytest.fixture
def run(context, monkeypatch):
    from nba_ml.cli import release

    app = typer.Typer()
    release.register(app)
    monkeypatch.setattr("nba_ml.context.Context", lambda: context)

    def call(*arguments):
        result = CliRunner().invoke(app, list(arguments))
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call


def test_every_command_writes_one_entry_and_answers_in_json(run, context, tiny):
    published(context, tiny, "v1", "v2", "v3", "v4")
    told = [
        json.loads(run("release", *words, "--reason", "because", "--json").stdout)
        for words in (
            ("approve", "v1"),
            ("approve", "v2"),
            ("advance",),
            ("rollback",),
            ("approve", "v3", "--shadow"),
            ("advance", "v3"),
            ("pin", "v1"),
            ("unpin",),
            ("rollback", "--to", "v1"),
            ("reject", "v4"),
            ("shadow", "v2"),
            ("retire", "v2"),
            ("approve", "v2", "--share", "1.0", "--at-once"),
        )
    ]
    assert [answer["number"] for answer in told] == list(range(1, 14))
    assert [answer["state"] for answer in told] == [
        *("100 %", "10 %", "50 %", "100 %", "shadow", "10 %", "100 %", "100 %", "100 %", "rejected", "shadow", "retired", "100 %")
    ]
    assert json.loads(run("release", "promote", "v2", "--to", "staging", "--reason", "week 2", "--json").stdout)["state"] == "candidate"
    shown = json.loads(run("release", "show", "--json").stdout)
    assert (shown["serving"], shown["current"]["version"], shown["number"]) == ("v2", "v2", 13)
    assert [entry["number"] for entry in shown["history"]] == list(range(13, 0, -1))
    assert json.loads(run("registry", "rebuild", "--json").stdout)["nba_ops.release_events"]["rows"] == 14
    for words in (("approve", "v1"), ("advance",), ("rollback",), ("unpin",)):
        assert run("release", *words).exit_code == 2
    with pytest.raises(UsageError, match="--shadow publishes nothing"):
        run("release", "approve", "v4", "--shadow", "--share", "0.5", "--reason", "because")


def test_people_read_a_timeline(run, context, tiny):
    published(context, tiny, "v1", "v2", "v3")
    assert "Nothing is released in dev" in run("release", "show").stdout
    for words in (("approve", "v1"), ("approve", "v2"), ("shadow", "v3")):
        told = run("release", *words, "--reason", "because").stdout
    assert "next: nba-ml release advance v2 --reason TEXT" in told
    told = run("release", "pin", "v2", "--reason", "because").stdout
    assert "v2 is 10 % (entry 4); v1 serves, v2 challenges it, shadows: v3, pinned." in told
    assert "next: nba-ml release unpin --reason TEXT" in told
    shown = run("release", "show").stdout
    assert "v1 runs in dev since" in shown
    assert "v2 predicts 10% of the rows since" in shown
    assert "pinned since" in shown
    assert "█ 100 % " in shown
    assert "▒ 10 % ▒" in shown
    assert "░ shadow ░" in shown


def test_a_pin_is_an_answer_of_the_gate(run, context, tiny):
    published(context, tiny, "v1", "v2")
    run("release", "approve", "v1", "--reason", "because")
    run("release", "pin", "v1", "--reason", "because")
    with pytest.raises(GateRefused, match="nba-ml release unpin"):
        run("release", "approve", "v2", "--reason", "because")
