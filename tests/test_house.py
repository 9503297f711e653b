"""The repository itself: what is tracked, the locks, the Makefile, CI, the image, and what the README promises."""

import ast
import os
import re
import shutil
import subprocess
import tomllib
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from nba_ml.settings import Settings

ROOT = Path(__file__).parents[1]
TARGETS = ("help", "env", "demo", "test", "check", "up", "down", "clean", "bench", "tune", "lock", "emulators", "test-live")
LONGEST_MODULE = 300
LONGEST_DAG = 100
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-uv.txt", "requirements-emulators.txt")
SELF = "tests/test_house.py"
EMULATORS = {"bigquery", "gcs"}


@cache
def tracked() -> tuple[Path, ...]:
    """Return what git tracks or would track, that is, does not ignore."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.fail("the house is checked in a git checkout")
    listed = subprocess.run([git, "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return tuple(ROOT / name for name in sorted(set(listed.stdout.split("\0"))) if name and (ROOT / name).is_file())


@cache
def texts() -> dict[str, str]:
    """Return every tracked text file by its path, this one left out: it spells out what the others must not hold."""
    found = {}
    for path in tracked():
        name = path.relative_to(ROOT).as_posix()
        if name != SELF and b"\0" not in path.read_bytes()[:8000]:
            found[name] = path.read_text("utf-8")
    return found


def lines_with(pattern: str, *, skip: tuple[str, ...] = ()) -> list[str]:
    expression = re.compile(pattern)
    return [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in texts().items()
        if name not in skip
        for number, line in enumerate(text.splitlines(), 1)
        if expression.search(line)
    ]


def pins(lock: str) -> dict[str, set[str]]:
    """Return the pinned versions of each package in a lock, and fail on one without a hash."""
    found = defaultdict(set)
    for entry in re.split(r"\n(?=[a-z0-9])", (ROOT / lock).read_text()):
        name, _, rest = entry.partition("==")
        found[canonicalize_name(name.partition("[")[0])].add(rest.split()[0])
        assert "--hash=sha256:" in entry, f"{lock}: {name} has no hash"
    return found


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_no_machine_path():
    assert lines_with(r"(?<![\w.~$}/-])/(root|work|tmp|home|Users)/\w") == []


def test_no_registry_host():
    assert lines_with(r"(?i)pyp[i]\.org|pythonhoste[d]|npmj[s]|crates\.io|proxy\.golan[g]|maven\.org|deb\.debia[n]") == []


def test_no_data_and_no_model_is_tracked():
    assert [
        path.name for path in tracked() if path.suffix in {".parquet", ".ubj", ".duckdb", ".wal", ".pkl", ".joblib", ".arrow", ".db"}
    ] == []


def test_no_secret_file_is_tracked():
    assert [path.name for path in tracked() if path.name == ".env" or path.suffix in {".pem", ".key"}] == []


def test_nothing_is_left_for_later():
    assert lines_with(r"\b(TOD[O]|FIXM[E])\b") == []


def test_modules_are_short():
    folders = {"nba_ml", "plugins", "dags", "scripts", "benchmarks", "examples"}
    lengths = {name: text.count("\n") for name, text in texts().items() if name.endswith(".py") and name.split("/")[0] in folders}
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_dag_files_are_short_besides_their_manual():
    for path in sorted((ROOT / "dags").glob("*.py")):
        text = path.read_text()
        manual = ast.parse(text).body[0]
        assert isinstance(manual, ast.Expr), f"{path.name} has no docstring"
        assert text.count("\n") - manual.end_lineno <= LONGEST_DAG, path.name


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("requirements.txt", lambda toml: toml["project"]["dependencies"]),
        ("requirements-dev.txt", lambda toml: toml["project"]["dependencies"] + toml["project"]["optional-dependencies"]["dev"]),
        ("requirements-dev.txt", lambda toml: toml["build-system"]["requires"]),
        ("requirements-uv.txt", lambda toml: toml["dependency-groups"]["uv"]),
        ("requirements-emulators.txt", lambda toml: toml["dependency-groups"]["emulators"]),
    ],
)
def test_locks_cover_the_project(lock, wanted):
    pinned = pins(lock)
    for requirement in map(Requirement, wanted(project())):
        versions = pinned.get(canonicalize_name(requirement.name), set())
        assert versions, f"{lock} lacks {requirement}: make lock"
        assert all(requirement.specifier.contains(version) for version in versions), (
            f"{lock}: {requirement} is pinned as {versions}: make lock"
        )


def test_the_development_lock_holds_the_runtime_lock():
    development = pins("requirements-dev.txt")
    assert {name: versions for name, versions in pins("requirements.txt").items() if development.get(name) != versions} == {}


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_name_no_address(lock):
    assert re.findall(r"(?m)^.*(?:://|--index|--find-links|--extra-index|\.whl).*$", (ROOT / lock).read_text()) == []


@pytest.mark.parametrize("lock", LOCKS[:2])
def test_one_xgboost_on_every_python(lock):
    pinned = pins(lock)
    assert pinned["xgboost-cpu"] == pinned["xgboost"] == {"3.2.0"}


def make(*arguments: str) -> str:
    """Return what make says, asked as by a person: not as a part of the make that runs these tests, and with a PYTHON that is another tool's."""
    program = shutil.which("make") or pytest.fail("make is not installed")
    environment = {"PATH": os.environ["PATH"], "PYTHON": "3.9"}
    return subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, text=True, check=True, env=environment).stdout


def test_make_help_lists_every_target():
    listed = re.findall(r"^  make ([\w-]+) +\S", make("help"), re.MULTILINE)
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE).group(1).split()
    assert sorted(listed) == sorted(phony)
    assert set(TARGETS) <= set(listed)


@pytest.mark.parametrize(
    ("goal", "command"),
    [
        (["demo"], "scripts/demo.py"),
        (["demo", "SOURCE=files"], "scripts/demo.py --source 'files'"),
        (["demo", "SOURCE=files", "WAREHOUSE=bigquery"], "scripts/demo.py --source 'files' --warehouse 'bigquery'"),
        (["env", "PYTHON=3.12"], "scripts/env.sh '3.12'"),
        (["env"], "scripts/env.sh ''"),
        (["up"], "scripts/up.py"),
        (["down"], "scripts/down.py"),
        (["lock"], "scripts/lock.sh"),
        (["emulators"], "scripts/emulators.sh"),
    ],
)
def test_targets_call_their_scripts(goal, command):
    assert make("-n", *goal).rstrip().endswith(command)
    assert (ROOT / re.search(r"scripts/\w+\.\w+", command).group()).is_file()


def test_only_clean_and_help_do_without_the_environment():
    for target in set(TARGETS) - {"help", "clean"}:
        assert make("-n", target).startswith("scripts/env.sh ''"), target


@pytest.mark.parametrize("name", [".ci/run", "scripts/emulators.sh", "scripts/env.sh", "scripts/lock.sh"])
def test_scripts_can_be_run_and_stop_at_the_first_error(name):
    assert os.access(ROOT / name, os.X_OK)
    text = texts()[name]
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "\nset -euo pipefail\n" in text
    subprocess.run(["bash", "-n", name], cwd=ROOT, check=True)


def test_ci_skips_nothing():
    script = texts()[".ci/run"]
    assert script.index("make check") < script.index("NBA_ML_TEST_STRICT=1 make test")


def test_the_licence_is_apache_2():
    text = texts()["LICENSE"]
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert project()["project"]["license"] == "Apache-2.0"


def test_compose_is_whole():
    compose = yaml.safe_load(texts()["docker-compose.yaml"])
    services = compose["services"]
    assert set(services) == {"postgres", "airflow-init", "apiserver", "scheduler", "dag-processor", "triggerer", *EMULATORS}
    assert {name for name, service in services.items() if service.get("profiles") == ["emulators"]} == EMULATORS
    for name, service in services.items():
        runs_once = service["restart"] == "no"
        assert runs_once or "healthcheck" in service, name
        for needed, how in service.get("depends_on", {}).items():
            known = {"service_healthy": "healthcheck", "service_completed_successfully": "command"}
            assert known[how["condition"]] in services[needed], f"{name} waits for {needed}"
        for mount in service["volumes"]:
            source = mount.split(":")[0]
            assert source in compose["volumes"] or (source.startswith("./") and (ROOT / source).is_dir()), f"{name}: {source}"
    assert services["scheduler"]["depends_on"]["apiserver"] == {"condition": "service_healthy"}
    assert {mount for mount in services["scheduler"]["volumes"] if mount.startswith("./")} == {
        f"./{folder}:/opt/nba-ml/{folder}:ro" for folder in ("dags", "plugins", "nba_ml", "expectations")
    }


def test_compose_has_no_secret_and_stops_where_one_is_missing():
    services = yaml.safe_load(texts()["docker-compose.yaml"])["services"]
    demanded = set()
    for service in services.values():
        for name, value in service.get("environment", {}).items():
            if value is None:
                continue
            demanded |= set(re.findall(r"\$\{(\w+):\?", str(value)))
            if re.search(r"PASSWORD|SECRET|_KEY|TOKEN|CONN", name) and not name.endswith("_FILE"):
                assert re.search(r"\$\{\w+:\?[^}]*\.env[^}]*\}", value), name
            if "NBA_ML_" in name:
                assert name.removeprefix("NBA_ML_").lower() in Settings.model_fields, name
    example = dict(re.findall(r"(?m)^(\w+)=(.*)$", texts()[".env.example"]))
    assert {name: example.get(name) for name in demanded} == dict.fromkeys(demanded, "")


def test_compose_passes_on_every_setting_but_folders():
    # The home is a volume; a folder of files has to be mounted by whoever has one.
    environment = yaml.safe_load(texts()["docker-compose.yaml"])["services"]["scheduler"]["environment"]
    assert {f"NBA_ML_{name.upper()}" for name in Settings.model_fields} - set(environment) == {"NBA_ML_HOME", "NBA_ML_FILES_DIR"}


def test_tasks_wait_as_long_for_the_api_server_in_compose_as_on_a_laptop():
    environment = yaml.safe_load(texts()["docker-compose.yaml"])["services"]["scheduler"]["environment"]
    name = "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT"
    assert f'"{name}": "{environment[name]}"' in texts()["scripts/airflow_home.py"]


def test_the_emulators_of_compose_are_those_of_the_tests():
    services = yaml.safe_load(texts()["docker-compose.yaml"])["services"]
    version = re.search(r"fake-gcs-server@v(\S+)", texts()["scripts/emulators.sh"]).group(1)
    assert services["gcs"]["image"] == f"fsouza/fake-gcs-server:{version}"
    assert "scripts/bigquery_emulator.py" in texts()[services["bigquery"]["build"]["dockerfile"]]
    for name in EMULATORS:
        assert all(port.startswith("127.0.0.1:") for port in services[name]["ports"])


@pytest.mark.parametrize("dockerfile", ["Dockerfile", "bigquery-emulator.Dockerfile"])
def test_the_image_is_locked_and_runs_as_nobody_special(dockerfile):
    text = texts()[dockerfile]
    assert re.findall(r"(?m)^USER (\S+)$", text)[-1] not in ("root", "0")
    for step in re.findall(r"(?m)^RUN .+(?:\\\n.+)*", text):
        for install in re.findall(r"pip (?:install|sync) [^&]+", step):
            assert "--require-hashes" in install or "--build-constraints requirements-dev.txt" in install, install
    let_in = [line.removeprefix("!") for line in texts()[".dockerignore"].splitlines() if line.startswith("!")]
    copied = {name for line in re.findall(r"(?m)^COPY (?!--from|--chown)(.+) \S+$", text) for name in line.split()}
    for name in copied:
        assert (ROOT / name).exists(), name
        assert any(Path(name).match(pattern) for pattern in let_in), f"{name} is kept out by .dockerignore"


def test_the_readme_names_the_two_commands_and_real_things():
    text = texts()["README.md"]
    assert "make demo" in text
    assert "make test" in text
    for target in re.findall(r"`make (\w+)", text):
        assert re.search(rf"(?m)^{target}:", texts()["Makefile"]), target
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / link).exists(), link


def test_the_readme_has_its_figures():
    assert re.findall("«[^»]*»", texts()["README.md"]) == []


def test_the_readme_lists_every_setting():
    named = set(re.findall(r"NBA_ML_(\w+)", texts()["README.md"]))
    fields = {field.upper() for field in Settings.model_fields}
    others = {"PYTHON", "TEST_STRICT", "AIRFLOW_PORT", "COMMIT"}
    assert fields - named == set()
    assert named - fields - others == set()


def test_the_readme_lists_every_command():
    from nba_ml.cli import app

    commands = {(command.name or command.callback.__name__).replace("_", "-") for command in app.registered_commands}
    commands |= {group.name or group.typer_instance.info.name for group in app.registered_groups}
    named = set(re.findall(r"nba-ml ([a-z]+)", texts()["README.md"]))
    assert named == commands
