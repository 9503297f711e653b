"""`make env`'s script, with a stand-in for uv that notes what it is asked: no download."""

import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HERE = ".".join(map(str, sys.version_info[:2]))
OTHER = "3.12" if HERE != "3.12" else "3.13"

UV = f"""#!/usr/bin/env bash
[ "$1" = --version ] && echo "uv ${{FAKE_UV_VERSION:-0.13.9}}" && exit
echo "$*" >>calls
case "$1 $2" in
    "python find") exit "${{FAKE_NO_PYTHON:-0}}" ;;
    "python install") exit "${{FAKE_NO_NETWORK:-0}}" ;;
    "pip sync") exit "${{FAKE_SYNC_FAILS:-0}}" ;;
    venv*) mkdir -p .venv/bin && ln -s "${{FAKE_PYTHON:-{sys.executable}}}" .venv/bin/python ;;
esac
"""


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


class Project:
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        (self.folder / "scripts").mkdir(parents=True)
        shutil.copy(ROOT / "scripts" / "env.sh", self.folder / "scripts")
        for name in ("requirements-dev.txt", "requirements-uv.txt", "pyproject.toml"):
            (self.folder / name).write_text(name)
        self.bin = folder / "bin"
        executable(self.bin / "uv", UV)
        executable(self.bin / "python3", f'#!/usr/bin/env bash\nexec {sys.executable} "$@"\n')
        for version in ("3.11", "3.12", "3.13"):
            executable(self.bin / f"python{version}", "#!/usr/bin/env bash\nexit 1\n")

    def env(self, *asked: str, **variables: str) -> subprocess.CompletedProcess:
        """Run the script; `calls` then holds what uv was asked in this run."""
        (self.folder / "calls").write_text("")
        environment = {"PATH": f"{self.bin}:/usr/bin:/bin", "HOME": str(self.folder)} | variables
        done = subprocess.run(["scripts/env.sh", *asked], cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        assert done.stdout == ""
        return done

    @property
    def calls(self) -> list[str]:
        return [" ".join(word for word in line.split()[:2]) for line in (self.folder / "calls").read_text().splitlines()]


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


BUILD = ["venv --quiet", "pip sync", "pip install"]
UPDATE = ["pip sync", "pip install"]


def test_builds_once(project):
    assert project.env().returncode == 0
    assert project.calls == BUILD
    assert project.env().returncode == 0
    assert project.calls == []


def test_every_download_is_checked_against_a_hash(project):
    project.env()
    sync, install = (project.folder / "calls").read_text().splitlines()[1:]
    assert "--require-hashes" in sync
    assert "--no-deps" in install
    assert "--no-build-isolation" in install
    assert "--offline" in install


@pytest.mark.parametrize("name", ["requirements-dev.txt", "pyproject.toml"])
def test_a_changed_lock_updates_in_place(project, name):
    project.env()
    (project.folder / name).write_text("changed")
    project.env()
    assert project.calls == UPDATE


def test_an_interrupted_build_is_thrown_away(project):
    assert project.env(FAKE_SYNC_FAILS="1").returncode == 1
    (project.folder / ".venv" / "half").write_text("")
    assert project.env().returncode == 0
    assert project.calls == BUILD
    assert not (project.folder / ".venv" / "half").exists()


def test_an_interrupted_update_is_thrown_away(project):
    project.env()
    (project.folder / "pyproject.toml").write_text("changed")
    assert project.env(FAKE_SYNC_FAILS="1").returncode == 1
    assert project.env().returncode == 0
    assert project.calls == BUILD


def test_a_lost_interpreter_means_a_new_build(project):
    project.env()
    (project.folder / ".venv" / "bin" / "python").unlink()
    project.env()
    assert project.calls == BUILD


@pytest.mark.parametrize("variables", [{}, {"NBA_ML_PYTHON": OTHER}])
def test_another_python_means_a_new_build(project, variables):
    project.env()
    project.env(*([] if variables else [OTHER]), **variables)
    assert project.calls == ["python find", *BUILD]


@pytest.mark.parametrize("asked", [HERE, sys.executable])
def test_the_same_python_means_nothing_to_do(project, asked):
    project.env()
    assert project.env(asked).returncode == 0
    assert project.calls == []


@pytest.mark.parametrize("asked", ["3.10", "3.14", "2", "/no/such/python", "python-of-dreams"])
def test_what_is_no_supported_python_is_refused(project, asked):
    done = project.env(asked)
    assert done.returncode == 2
    assert asked in done.stderr
    assert project.calls == []


def test_a_python_that_is_not_there_is_fetched_and_named(project):
    done = project.env("3.12", FAKE_NO_PYTHON="1")
    assert done.returncode == 0
    assert "no Python 3.12 on this machine: uv fetches one" in done.stderr
    assert project.calls == ["python find", "python install", *BUILD]


def test_a_python_that_cannot_be_fetched_leaves_the_environment_alone(project):
    project.env()
    assert project.env(OTHER, FAKE_NO_PYTHON="1", FAKE_NO_NETWORK="1").returncode != 0
    assert project.env().returncode == 0
    assert project.calls == []


def test_without_a_fitting_python_uv_fetches_one(project):
    executable(project.bin / "python3", "#!/usr/bin/env bash\necho 3.9.18\n")
    executable(project.bin / "python", "#!/usr/bin/env bash\nexit 1\n")
    done = project.env(FAKE_NO_PYTHON="1")
    assert "no Python 3.12 on this machine: uv fetches one" in done.stderr
    assert done.returncode == 0


@pytest.mark.parametrize("uv", ["absent", "old"])
def test_without_a_recent_uv_one_is_installed_into_the_project(project, uv):
    if uv == "absent":
        (project.bin / "uv").rename(project.bin / "kept")
    own = f"""#!/usr/bin/env bash
case "$*" in
    "-m venv"*) mkdir -p .uv/bin && cp "$0" .uv/bin/python ;;
    "-m pip"*) echo "$*" >pip-calls; cp {project.bin}/kept .uv/bin/uv 2>/dev/null || cp {project.bin}/uv .uv/bin/uv ;;
    *) exec {sys.executable} "$@" ;;
esac
"""
    executable(project.bin / "python3", own)
    done = project.env(FAKE_UV_VERSION="0.7.2" if uv == "old" else "0.13.9")
    assert done.returncode == 0, done.stderr
    assert "installing it into .uv" in done.stderr
    assert "--require-hashes -r requirements-uv.txt" in (project.folder / "pip-calls").read_text()
    assert project.calls == BUILD
