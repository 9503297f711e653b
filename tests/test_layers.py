"""Imports: dependencies point one way, airflow stays outside the platform, heavy packages load late, and nothing unpickles."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
CODE = ("nba_ml", "plugins", "dags", "scripts", "benchmarks", "examples")

# Parts of nba_ml, from the ground up. A part imports parts of earlier layers only, and itself.
LAYERS = (
    {"atomic", "clients", "errors", "calendar", "games", "ids", "odds", "progress", "redaction", "sequential"},
    {"settings", "gates", "google_calls", "slate_calendar"},
    {"rhythm"},
    {"by_hand"},
    {"warehouse", "storage"},
    {"sources"},
    {"context"},
    {"lines", "features"},
    {"voids"},
    {"alerts", "validation", "systems"},
    {"coverage", "ingest", "notices", "registry"},
    {"training", "slate"},
    {"grading"},
    {"monitoring"},
    {"doctor_google"},
    {"readiness", "doctor", "replay"},
    {"cli"},
)
RANK = {part: rank for rank, layer in enumerate(LAYERS) for part in layer}

HEAVY = (
    "airflow.providers.google",
    "google.api_core",
    "google.auth",
    "google.cloud",
    "great_expectations",
    "matplotlib",
    "pandas",
    "scipy",
    "sklearn",
    "xgboost",
)
UNPICKLERS = ("cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve")


def modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def imports(tree: ast.Module, *, top_level: bool = False) -> Iterator[str]:
    """Yield the full dotted names that a module imports; `from a import b` gives a.b, which may be a module or not."""
    nodes = tree.body if top_level else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def run(program: str) -> object:
    """Run a program that prints one JSON document as its last line."""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def part_of(path: Path) -> str:
    inside = path.relative_to(ROOT / "nba_ml")
    return inside.parts[0].removesuffix(".py")


def offences(folders: tuple[str, ...], forbidden: tuple[str, ...], *, top_level: bool = False) -> list[str]:
    """Name each import of a forbidden package, with its file."""
    return [
        f"{path.relative_to(ROOT)}: {name}"
        for path in modules(*folders)
        for name in imports(ast.parse(path.read_text()), top_level=top_level)
        if within(name, forbidden)
    ]


def test_every_part_has_a_layer():
    parts = {part_of(path) for path in modules("nba_ml")} - {"__init__"}
    assert parts - set(RANK) == set()


def test_dependencies_point_one_way():
    upward = []
    for path in modules("nba_ml"):
        part = part_of(path)
        for name in imports(ast.parse(path.read_text())):
            other = name.split(".")[1] if name.startswith("nba_ml.") else part
            if other != part and other in RANK and RANK[other] >= RANK.get(part, -1):
                upward.append(f"{path.relative_to(ROOT)}: {name}")
    assert upward == []


def test_the_platform_never_imports_what_stands_on_it():
    above = ("airflow", *(module.stem for module in modules("plugins", "scripts", "dags")))
    assert offences(("nba_ml",), above) == []


def test_airflow_is_not_loaded_by_any_module_of_the_platform():
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in modules("nba_ml")]
    program = f"""
import importlib, json, sys
for name in {names!r}:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(json.dumps([name for name in sys.modules if name.split(".")[0] == "airflow"]))
"""
    assert run(program) == []


def test_dags_and_plugins_load_nothing_heavy_at_the_top():
    assert offences(("dags", "plugins"), HEAVY, top_level=True) == []


def test_what_dags_and_plugins_take_from_the_platform_loads_nothing_heavy():
    taken = {
        name.rpartition(".")[0]
        for path in modules("dags", "plugins")
        for name in imports(ast.parse(path.read_text()), top_level=True)
        if name.startswith("nba_ml.")
    }
    assert taken
    program = f"""
import importlib, json, sys
before = set(sys.modules)
for name in {sorted(taken)!r}:
    importlib.import_module(name)
print(json.dumps(sorted(set(sys.modules) - before)))
"""
    assert [name for name in run(program) if within(name, HEAVY)] == []


def test_help_comes_at_once():
    program = """
import json, sys, time
before = set(sys.modules)
begun = time.perf_counter()
from nba_ml.cli import app
try:
    app(["--help"])
except SystemExit as end:
    code = end.code
print(json.dumps([code, time.perf_counter() - begun, sorted(set(sys.modules) - before)]))
"""
    code, seconds, loaded = run(program)
    assert code == 0
    assert seconds < 5
    assert [name for name in loaded if within(name, (*HEAVY, "duckdb", "polars", "pyarrow"))] == []


def test_nothing_unpickles():
    assert offences((*CODE, "tests"), UNPICKLERS) == []


def test_the_scan_sees_imports_inside_functions():
    tree = ast.parse("def f():\n    from xgboost import Booster\n    import pickle as p\n")
    assert list(imports(tree)) == ["xgboost.Booster", "pickle"]
    assert list(imports(tree, top_level=True)) == []
    assert within("google.cloud", HEAVY)
    assert not within("googletrans", HEAVY)
