"""The emulators: built once, shared by processes, stopped with the last of them however it ends, their data kept; and what is built is real."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[1]

USER = """
import sys
from pathlib import Path
import emulators
with emulators.share("gcs", Path(sys.argv[1])) as variables:
    print(variables["STORAGE_EMULATOR_HOST"], flush=True)
    sys.stdin.readline()
"""


def start(folder: Path) -> subprocess.Popen:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "scripts")))}
    return subprocess.Popen(
        [sys.executable, "-c", USER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )


def answers(url: str) -> bool:
    try:
        return urllib.request.urlopen(f"{url}/storage/v1/b?project=p", timeout=5).status == 200  # noqa: S310
    except OSError:
        return False


def wait_until(condition, seconds=20):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def keepers(folder: Path) -> list[psutil.Process]:
    return [process for process in psutil.process_iter(["cmdline"]) if {"--keep", str(folder)} <= set(process.info["cmdline"] or [])]


def create(url: str, bucket: str) -> None:
    body = json.dumps({"name": bucket}).encode()
    request = urllib.request.Request(f"{url}/storage/v1/b?project=p", body, {"Content-Type": "application/json"})  # noqa: S310
    urllib.request.urlopen(request, timeout=5)  # noqa: S310


def test_one_emulator_for_all_users_stopped_when_the_last_is_killed(gcs_emulator, tmp_path):
    users = [start(tmp_path / "gcs") for _ in range(4)]
    addresses = {user.stdout.readline().strip() for user in users}
    assert len(addresses) == 1
    url = addresses.pop()
    assert url != gcs_emulator.url
    for user in users[:3]:
        user.send_signal(signal.SIGKILL)
        user.wait()
    time.sleep(0.5)
    assert answers(url)
    users[3].send_signal(signal.SIGINT)
    users[3].wait()
    wait_until(lambda: not answers(url) and not keepers(tmp_path / "gcs"))


def test_the_next_user_finds_the_data_of_the_last_one_at_the_same_address(gcs_emulator, tmp_path):
    urls = []
    for attempt in range(2):
        user = start(tmp_path / "gcs")
        url = user.stdout.readline().strip()
        urls.append(url)
        if attempt == 0:
            create(url, "kept")
        names = urllib.request.urlopen(f"{url}/storage/v1/b?project=p", timeout=5).read().decode()  # noqa: S310
        assert "kept" in names
        user.communicate("done\n", timeout=20)
    assert urls[0] == urls[1]


def test_a_port_that_is_taken_is_left_to_its_owner(tmp_path):
    import emulators

    with socket.create_server(("127.0.0.1", 0)) as owner:
        taken = owner.getsockname()[1]
        (tmp_path / "port").write_text(str(taken))
        assert emulators._port(tmp_path / "port") not in (0, taken)


def test_a_keeper_that_was_killed_is_replaced(gcs_emulator, tmp_path):
    first = start(tmp_path / "gcs")
    url = first.stdout.readline().strip()
    keeper = keepers(tmp_path / "gcs")[0]
    server = keeper.children()[0]
    keeper.kill()
    server.kill()
    wait_until(lambda: not answers(url))
    second = start(tmp_path / "gcs")
    assert answers(second.stdout.readline().strip())
    for user in (first, second):
        user.communicate("done\n", timeout=20)
    wait_until(lambda: not keepers(tmp_path / "gcs"))


def test_an_emulator_that_does_not_start_says_why(gcs_emulator, tmp_path):
    import emulators

    from nba_ml.errors import NbaMlError

    (tmp_path / "gcs").mkdir()
    (tmp_path / "gcs" / "data").write_text("a file where the folder should be")
    with pytest.raises(NbaMlError, match="did not start"), emulators.share("gcs", tmp_path / "gcs"):
        pass


def test_the_emulated_bigquery_is_one(bigquery_emulator, monkeypatch):
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import bigquery

    for name, value in bigquery_emulator.variables.items():
        monkeypatch.setenv(name, value)
    with bigquery.Client(project=bigquery_emulator.project, credentials=AnonymousCredentials()) as client:
        client.create_dataset("emulators_test", exists_ok=True)
        client.query("CREATE OR REPLACE TABLE emulators_test.t (a INT64 NOT NULL)").result(timeout=30)
        client.query("INSERT emulators_test.t VALUES (1), (2)").result(timeout=30)
        assert [tuple(row) for row in client.query("SELECT SUM(a) FROM emulators_test.t").result(timeout=30)] == [(3,)]
    host, port = bigquery_emulator.grpc_address.split(":")
    assert host == "127.0.0.1"
    assert int(port)


def test_by_hand_it_prints_the_variables_and_stops_at_ctrl_c(bigquery_emulator, gcs_emulator, tmp_path):
    command = [sys.executable, str(ROOT / "scripts" / "emulators.py"), "--folder", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    lines = [process.stdout.readline().strip() for _ in range(3)]
    assert {line.partition("=")[0] for line in lines} == {f"export {name}" for name in bigquery_emulator.variables | gcs_emulator.variables}
    assert answers(lines[2].partition("=")[2])
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    wait_until(lambda: not any(keepers(tmp_path / name) for name in ("bigquery", "gcs")))


# the script that builds them, with stand-ins for what downloads

UV = """#!/usr/bin/env bash
echo "uv $*" >>calls
case "$1 $2" in
    "python find"|"python install") exit 1 ;;
    "pip sync") exit "${FAKE_FAILS:-0}" ;;
    venv*) mkdir -p .emulators/bigquery/bin && cp fake/python3.13 .emulators/bigquery/bin/python ;;
esac
"""
GO = """#!/usr/bin/env bash
echo "go $*" >>calls
exit "${FAKE_FAILS:-0}"
"""


class Project:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "scripts").mkdir()
        shutil.copy(ROOT / "scripts" / "emulators.sh", folder / "scripts")
        (folder / "requirements-emulators.txt").write_text("lock")
        for name, text in {
            "uv": UV,
            "go": GO,
            "python3.13": "#!/usr/bin/env bash\n[ \"$*\" = '-c import sys; print(sys.executable)' ] && echo found\nexit 0\n",
        }.items():
            self.add(name, text)

    def add(self, name: str, text: str) -> None:
        path = self.folder / "fake" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def build(self, *names: str, **variables: str) -> subprocess.CompletedProcess:
        (self.folder / "calls").write_text("")
        environment = {"PATH": f"{self.folder / 'fake'}:/usr/bin:/bin", "HOME": str(self.folder)} | variables
        return subprocess.run(
            ["scripts/emulators.sh", *names], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )

    @property
    def calls(self) -> list[str]:
        return [" ".join(line.split()[:3]) for line in (self.folder / "calls").read_text().splitlines()]


BUILD = ["uv venv --quiet", "uv pip sync", "go install github.com/fsouza/fake-gcs-server@v1.56.1"]


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def test_builds_once_with_hashes_and_pins(project):
    assert project.build().returncode == 0
    assert project.calls == BUILD
    assert "--require-hashes" in (project.folder / "calls").read_text()
    assert project.build().returncode == 0
    assert project.calls == []


def test_an_interrupted_build_is_begun_anew(project):
    assert project.build(FAKE_FAILS="1").returncode == 1
    assert project.build().returncode == 0
    assert project.calls == BUILD


def test_a_changed_lock_builds_that_emulator_alone(project):
    project.build()
    (project.folder / "requirements-emulators.txt").write_text("changed")
    assert project.build().returncode == 0
    assert project.calls == BUILD[:2]


@pytest.mark.parametrize(("absent", "said", "built"), [("go", "install Go", BUILD[:2]), ("python3.13", "pyenv install 3.13", BUILD[2:])])
def test_what_is_absent_is_named_and_the_other_is_built(project, absent, said, built):
    project.add(absent, "#!/usr/bin/env bash\nexit 1\n")
    if absent == "go":
        (project.folder / "fake" / "go").unlink()
    done = project.build()
    assert done.returncode == 2
    assert said in done.stderr
    assert [call for call in project.calls if "python" not in call] == built


def test_a_python_of_pyenv_is_found(project):
    project.add("python3.13", '#!/usr/bin/env bash\n[ "$PYENV_VERSION" = 3.13.7 ] || exit 1\necho of-pyenv\n')
    project.add("pyenv", "#!/usr/bin/env bash\nprintf '3.11.7\\n3.13.2\\n3.13.7\\n3.14.1\\n'\n")
    project.build("bigquery")
    assert "--python of-pyenv" in (project.folder / "calls").read_text()


# what tests see of it

SUITE = """
import os, signal, sys
def test_one(gcs_emulator):
    print("emulator", gcs_emulator.url)
def test_two(gcs_emulator):
    if os.environ.get("INTERRUPT"):
        os.kill(os.getpid(), signal.SIGINT)
"""


def pytest_session(folder: Path, *options: str, **variables: str) -> subprocess.CompletedProcess:
    """Run a small suite with the project's fixtures, as a session of its own."""
    (folder / "conftest.py").write_text("from tests.conftest import *\n")
    (folder / "test_suite.py").write_text(SUITE)
    command = [sys.executable, "-m", "pytest", "-s", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml"), f"--rootdir={ROOT}"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "NBA_ML_TEST_STRICT"))}
    return subprocess.run(
        [*command, f"--basetemp={folder / 'base'}", *options, str(folder)],
        cwd=ROOT,
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_interrupted_session_leaves_none_running(gcs_emulator, tmp_path):
    done = pytest_session(tmp_path, INTERRUPT="1")
    assert done.returncode == 2, done.stdout
    url = done.stdout.partition("emulator ")[2].split()[0]
    wait_until(lambda: not answers(url) and not keepers(tmp_path / "base" / "emulators" / "gcs"))


def test_workers_share_one(gcs_emulator, tmp_path):
    done = pytest_session(tmp_path, "-n", "2")
    assert "2 passed" in done.stdout, done.stdout
    assert [path.name for path in (tmp_path / "base").glob("emulators/*")] == ["gcs"]


@pytest.mark.parametrize(("strict", "outcome"), [("0", "2 skipped"), ("1", "2 errors")])
def test_without_go_tests_skip_and_say_what_to_install(tmp_path, strict, outcome):
    stand_in = "import emulators\ndef build(name): raise UsageError('install Go')\nemulators.build = build\n"
    done_in = tmp_path / "suite"
    done_in.mkdir()
    (done_in / "plugin.py").write_text(f"from nba_ml.errors import UsageError\n{stand_in}")
    done = pytest_session(
        done_in,
        "-rs",
        "-p",
        "plugin",
        NBA_ML_TEST_STRICT=strict,
        PYTHONPATH=os.pathsep.join(map(str, (done_in, ROOT, ROOT / "scripts"))),
    )
    assert outcome in done.stdout, done.stdout
    assert "install Go" in done.stdout
