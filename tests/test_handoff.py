"""The page of the hand-off: its commands, its calendar, walked from an empty store on, and its runbook, held to what the code can raise."""

import ast
import re
import shlex
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from nba_ml.cli import app
from nba_ml.context import Context
from nba_ml.errors import GateRefused
from nba_ml.gates import load_gates
from nba_ml.monitoring import expected
from nba_ml.notices import tellings
from nba_ml.registry import loading, steps
from nba_ml.rhythm import KINDS
from nba_ml.slate import stops
from nba_ml.systems import panel
from nba_ml.warehouse.schema import tables
from tests.registry import duel
from tests.registry.conftest import TinyPanel, publish_version

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "OPTION-D-PHASE5-COMPLETE.md").read_text("utf-8")
SLATES = 5
LAST = duel.FIRST + timedelta(days=SLATES - 1)
MEANING = {"V1": duel.SERVING, "V2": duel.CHALLENGER, "F": str(duel.FIRST), "D": str(LAST), "TEXT": "because"}
"""What the page leaves open → what a test puts in."""


def cells(headline: str) -> Iterator[list[str]]:
    """Yield the rows of the tables under a headline, without their heads."""
    section = PAGE.split(f"## {headline}\n")[1].split("\n## ")[0]
    for table in re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE):
        yield from ([cell.strip() for cell in row.strip("|").split(" | ")] for row in table.splitlines()[2:])


def commands(text: str) -> list[list[str]]:
    """Return the words of the commands in a text, with what the page leaves open filled in."""
    return [[MEANING.get(word, word) for word in shlex.split(command)] for command in re.findall(r"`nba-ml ([^`]+)`", text)]


@pytest.mark.parametrize("command", sorted(set(map(tuple, commands(PAGE)))), ids=" ".join)
def test_each_command_is_one_that_the_command_line_takes(command):
    group, words = typer.main.get_command(app), list(command)
    while words and hasattr(group, "commands"):
        group = group.commands[words.pop(0)]
    group.make_context("nba-ml", words)


def test_the_calendar_ends_with_the_second_version_at_100_percent_in_production(tmp_path, monkeypatch):
    monkeypatch.setattr(panel, "Panel", TinyPanel)
    monkeypatch.setattr(loading, "_panels", {})
    monkeypatch.setenv("NBA_ML_STORE", f"file:{tmp_path / 'store'}")
    trained = iter((duel.SERVING, duel.CHALLENGER))
    for _, day, environment, _, typed in cells("The four weeks"):
        monkeypatch.setenv("NBA_ML_ENVIRONMENT", environment)
        monkeypatch.setenv("NBA_ML_HOME", str(tmp_path / environment))
        if "graded slates" in day or "five more" in day:
            refused = CliRunner().invoke(app, ["release", "advance", "--reason", "too early"])
            assert isinstance(refused.exception, GateRefused)
            number = steps.open_log(Context()).rollout.number
            duel.play(Context(), SLATES, apart=0.2, release=number, run=f"under {number} ")
        for command in commands(typed):
            if command == ["train"]:
                version = next(trained)
                publish_version(Context().store, version)
                steps.release_trained(Context(), version, actor="training")
            elif command[0] in ("init", "release"):
                CliRunner().invoke(app, command, catch_exceptions=False)
    entries = {name: steps.open_log(Context(), name).entries for name in ("dev", "staging", "production")}
    assert {name: [(entry.action, entry.version, entry.share) for entry in log] for name, log in entries.items()} == {
        "dev": [("release", "v1", 1.0)],
        "staging": [("promote", "v1", 0.0), ("release", "v1", 1.0)],
        "production": [
            ("promote", "v1", 0.0),
            ("release", "v1", 1.0),
            ("release", "v2", 0.1),
            ("advance", "v2", 0.5),
            ("advance", "v2", 1.0),
        ],
    }


NOT_LITERAL = {"burst", "consequences", "delivery", "guards"}
"""Modules that take the causes of their alerts from gates.toml, or from constants of other modules: `computed` knows them."""


def computed() -> set[str]:
    """Return the causes that gates.toml, the kinds of runs and Slack's channels give."""
    gates = load_gates()
    found = {f"{gate['id']}:v1" for gate in gates["burst"]}
    found |= {f"{gate['id']}:v1" for gate in gates["guard"] if gate["trips"] == "roll_back"}
    found |= {gate["id"] for gate in gates["monitor"] if gate["then"] != "stop"}
    found |= {stops.STOP + gate["id"].removeprefix("monitor.") for gate in gates["monitor"] if gate["then"] in ("stop", "roll_back")}
    found |= {expected.cause(kind) for kind in KINDS}
    return found | {f"{tellings.SLACK}:{channel}" for channel in (tellings.URGENT, tellings.NOTICES)}


@cache
def written() -> dict[str, set[str]]:
    """Return, by module that makes alerts, the texts in it that are causes, or begin one."""
    found = {}
    for path in sorted([*(ROOT / "nba_ml").rglob("*.py"), *(ROOT / "plugins").glob("*.py"), *(ROOT / "dags").glob("*.py")]):
        tree = ast.parse(path.read_text("utf-8"))
        called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        if called & {"Alert", "alerts.Alert"}:
            texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
            found[path.stem] = {text for text in texts if re.fullmatch(r"[a-z]+[.:][a-z_]*", text)} - set(tables())
    return found


def causes() -> set[str]:
    """Return every cause that the code can raise; of those that end with what only a run knows, how they begin."""
    known = computed()
    begun = set().union(*written().values())
    return known | {text for text in begun if not any(cause.startswith(text) for cause in known)}


def runbook() -> list[str]:
    """Return the causes that the runbook names; one that ends with a dot or a colon stands for all that begin so."""
    return [
        name.rstrip("…") for first, *_ in cells("Runbook: an alert and what to do") for name in re.findall(r"`([a-z]+[.:][^`]*)`", first)
    ]


def stands_for(name: str, cause: str) -> bool:
    return cause.startswith(name) if name.endswith((".", ":")) else cause == name


def test_every_module_that_makes_alerts_is_known():
    assert {module for module, texts in written().items() if not texts} <= NOT_LITERAL <= set(written())


@pytest.mark.parametrize("cause", sorted(causes()))
def test_every_cause_has_one_row_of_the_runbook(cause):
    assert len([name for name in runbook() if stands_for(name, cause)]) == 1


@pytest.mark.parametrize("name", runbook())
def test_the_runbook_names_no_cause_that_nothing_raises(name):
    assert any(stands_for(name, cause) for cause in causes())
