"""A folder under several processes, after one of them is killed, and without space or permission."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nba_ml.errors import NbaMlError, UsageError
from nba_ml.storage.local import LocalStore

ROOT = Path(__file__).parents[2]


def start(code: str, *arguments: object) -> subprocess.Popen:
    prelude = "import os, sys, time\nfrom pathlib import Path\nfrom nba_ml.storage.local import LocalStore\nstore = LocalStore(Path(sys.argv[1]))\n"
    command = [sys.executable, "-c", prelude + code, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_write_that_is_killed_leaves_no_object(tmp_path):
    code = """
import threading
def fall():
    while not any((store.folder / ".partial").glob("*")):
        pass
    os.kill(os.getpid(), 9)
threading.Thread(target=fall).start()
for number in range(100_000):
    store.create(f"big/{sys.argv[2]}-{number}", b"x" * 5_000_000)
"""
    for attempt in range(5):
        writer = start(code, tmp_path, attempt)
        writer.communicate(timeout=60)
        assert writer.returncode == -9
    store = LocalStore(tmp_path)
    assert all(len(store.read(name)) == 5_000_000 for name in store.list(""))
    assert list((tmp_path / ".partial").iterdir())
    assert not [name for name in store.list("") + store.list(".") if "partial" in name]
    assert store.create("big/after", b"x")


def test_a_write_that_is_killed_before_the_link_leaves_no_object(tmp_path):
    writer = start("os.link = lambda *_: os.kill(os.getpid(), 9)\nstore.create('a/b', b'x')", tmp_path)
    writer.communicate(timeout=60)
    assert writer.returncode == -9
    store = LocalStore(tmp_path)
    assert store.list("") == []
    assert store.create("a/b", b"y")
    assert store.read("a/b") == b"y"


def test_the_folder_of_half_written_objects_is_no_place_for_objects(tmp_path):
    with pytest.raises(UsageError):
        LocalStore(tmp_path).create(".partial/a", b"x")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_full_or_forbidden_disk_is_said_and_leaves_nothing(tmp_path, monkeypatch, code):
    def fail(handle: int) -> None:
        raise OSError(code, os.strerror(code))

    store = LocalStore(tmp_path)
    store.create("a/first", b"x")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(NbaMlError, match=r"a/second can't be written.*NBA_ML_STORE") as refusal:
        store.create("a/second", b"x")
    assert os.strerror(code) in str(refusal.value)
    assert store.list("") == ["a/first"]
    assert list((tmp_path / ".partial").iterdir()) == []


def test_an_object_can_be_no_folder_and_a_folder_no_object(tmp_path):
    store = LocalStore(tmp_path)
    store.create("a/b", b"x")
    for name in ("a", "a/b/c"):
        with pytest.raises(UsageError, match="choose another name"):
            store.create(name, b"x")


def test_the_store_of_a_setting_may_be_written_in_both_ways(tmp_path):
    from nba_ml.settings import Settings
    from nba_ml.storage import open_store

    for store in (f"file:{tmp_path / 's'}", f"file://{tmp_path / 's'}"):
        assert open_store(Settings(store=store)).url_of("a") == (tmp_path / "s" / "a").as_uri()
