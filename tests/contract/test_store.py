"""What every object store promises."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nba_ml.errors import UsageError

RACERS = 8
RACES = 1000
RACER = f"""
import sys
from nba_ml.settings import Settings
from nba_ml.storage import open_store
store = open_store(Settings(store=sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for number in range({RACES}):
    if store.create(f"releases/points/dev/{{number:08}}.json", (sys.argv[2] * 1000).encode()):
        print(number)
"""

SEGMENT = st.text(st.characters(categories=["L", "N"], include_characters="-_.=: "), min_size=1, max_size=12).filter(
    lambda segment: segment not in (".", "..")
)
NAME = st.lists(SEGMENT, min_size=1, max_size=4).map("/".join)


def test_an_object_is_created_once_and_never_changes(open_store):
    assert open_store().create("models/points/v1/manifest.json", b"first")
    assert not open_store().create("models/points/v1/manifest.json", b"second")
    assert open_store().read("models/points/v1/manifest.json") == b"first"


def test_an_object_that_is_not_there(open_store):
    store = open_store()
    assert not store.exists("a/b")
    with pytest.raises(FileNotFoundError, match="a/b"):
        store.read("a/b")
    store.create("a/b", b"")
    assert store.exists("a/b")
    assert store.read("a/b") == b""
    assert not store.exists("a")
    for name in ("a", "a/b/c"):
        with pytest.raises(FileNotFoundError):
            store.read(name)


def test_names_are_listed_by_prefix_in_order(open_store):
    store = open_store()
    assert store.list("") == []
    names = [
        "releases/points/dev/00000002.json",
        "releases/points/dev/00000010.json",
        "releases/points/development/1",
        "releases/x",
        "Releases/y",
    ]
    for name in reversed(names):
        store.create(name, b"x")
    assert store.list("") == sorted(names)
    assert store.list("releases/points/dev/") == names[:2]
    assert store.list("releases/points/dev") == names[:3]
    assert store.list("releases/points/dev/00000002.json") == names[:1]
    assert store.list("nothing/") == []


@pytest.mark.parametrize("name", ["", "/a", "a/", "a//b", ".", "..", "a/../b", "../a", "a/.", "a\\b", "a\nb", "a\0b"])
def test_a_name_that_leads_astray_is_refused(open_store, name):
    store = open_store()
    for call in (lambda: store.create(name, b"x"), lambda: store.read(name), lambda: store.exists(name), lambda: store.url_of(name)):
        with pytest.raises(UsageError, match="no name of an object"):
            call()
    assert store.list("") == []


def test_the_address_can_be_opened(open_store):
    store = open_store()
    store.create("reports/a b.html", b"x")
    assert "://" in store.url_of("reports/a b.html")
    assert " " not in store.url_of("reports/a b.html")
    assert "://" in store.url


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=NAME, data=st.binary(max_size=64))
def test_bytes_come_back_as_they_went_in(open_store, name, data):
    store = open_store()
    name = f"{len(store.list(''))}/{name}"
    assert store.create(name, data)
    assert store.read(name) == data
    assert name in store.list(name)


@pytest.mark.slow
def test_each_of_a_thousand_racing_releases_has_one_winner(store_address, open_store):
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, store_address, str(racer)],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for racer in range(RACERS)
    ]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    answers = [racer.communicate(timeout=400) for racer in racers]
    assert [racer.returncode for racer in racers] == [0] * RACERS, answers
    winners = [(int(number), racer) for racer, (out, _) in enumerate(answers) for number in out.split()]
    assert Counter(number for number, _ in winners) == dict.fromkeys(range(RACES), 1)
    store = open_store()
    assert store.list("") == [f"releases/points/dev/{number:08}.json" for number in range(RACES)]
    for number, racer in winners:
        assert store.read(f"releases/points/dev/{number:08}.json") == (str(racer) * 1000).encode()
