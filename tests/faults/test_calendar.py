"""The calendar and the tests are the same list."""

import ast
from pathlib import Path

import pytest

from tests.faults.declared import BY_NAME, FAULTS, KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_every_fault_has_its_test_and_every_test_its_fault(kind):
    tree = ast.parse(Path(__file__).with_name(f"test_{kind}.py").read_text("utf-8"))
    tests = [node.name.removeprefix("test_") for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    assert tests == [fault.name for fault in FAULTS if fault.kind == kind]


def test_there_are_enough_and_each_says_what_to_do():
    assert len(BY_NAME) == len(FAULTS) >= 25
    assert all(bool(fault.command) == (fault.person != "Nothing.") for fault in FAULTS if not fault.alerts)
    assert all(fault.command for fault in FAULTS if fault.alerts)
