import json

import pytest
import typer
from typer.testing import CliRunner

from nba_ml.errors import ArtefactError
from nba_ml.registry import projection, steps


def test_training_releases_by_itself_once(context, tiny):
    tiny.publish(context.store)
    first = steps.release_trained(context, "v1", actor="nba_train")
    assert first == {"version": "v1", "state": "100 %", "number": 1, "current": "v1", "next": None}
    assert steps.release_trained(context, "v1", actor="nba_train") == first
    assert len(steps.show(context)["history"]) == 1


def test_a_person_releases_where_the_settings_ask_for_one(make_context, tiny):
    context = make_context(approval="person")
    tiny.publish(context.store)
    left = steps.release_trained(context, "v1", actor="nba_train")
    assert (left["state"], left["number"], left["next"]) == ("candidate", None, "nba-ml release approve v1 --reason TEXT")
    assert steps.show(context)["versions"][0]["state"] == "candidate"
    assert steps.approve(context, "v1", actor="ann", reason="looked at the report")["number"] == 1
    assert steps.release_trained(context, "v1", actor="nba_train")["state"] == "100 %"


def test_training_never_brings_back_a_version_that_was_gone_back_from(context, tiny):
    for version in ("v1", "v2"):
        tiny.publish(context.store, version)
        steps.release_trained(context, version, actor="nba_train")
    assert steps.rollback(context, actor="ann", reason="all under")["current"] == "v1"
    left = steps.release_trained(context, "v2", actor="nba_train")
    assert (left["state"], left["current"]) == ("rolled_back", "v1")
    assert {row["version"]: row["state"] for row in steps.show(context)["versions"]} == {"v1": "100 %", "v2": "rolled_back"}
    assert steps.approve(context, "v2", actor="ann", reason="it was the feed")["current"] == "v2"


def test_the_projection_follows_the_store_and_a_second_rebuild_adds_nothing(context, tiny):
    for version in ("v1", "v2"):
        tiny.publish(context.store, version)
    steps.approve(context, "v1", actor="ann", reason="first")
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


def test_the_commands_answer_in_json_and_in_tables(run, context, tiny):
    for version in ("v1", "v2"):
        tiny.publish(context.store, version)
        assert json.loads(run("release", "approve", version, "--reason", "good", "--json").stdout)["current"] == version
    assert json.loads(run("release", "rollback", "--reason", "bad", "--json").stdout)["number"] == 3
    shown = json.loads(run("release", "show", "--json").stdout)
    assert shown["current"]["version"] == "v1"
    assert [entry["number"] for entry in shown["history"]] == [3, 2, 1]
    human = run("release", "show").stdout
    assert "v1 runs in dev" in human
    assert "rollback" in human
    assert json.loads(run("registry", "rebuild", "--json").stdout)["nba_ops.release_events"]["rows"] == 3
    assert run("release", "approve", "v1").exit_code == 2
