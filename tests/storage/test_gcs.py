"""GCS when the network or the service fails, when settings or permissions are wrong, and large objects."""

import base64
import time

import pytest
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

import nba_ml.storage
from nba_ml import google_calls
from nba_ml.clients import Clients
from nba_ml.errors import Unavailable, UsageError
from nba_ml.settings import Settings
from nba_ml.storage import gcs
from nba_ml.storage.gcs import GcsStore
from nba_ml.storage.gcs_errors import PERMISSIONS, explained
from tests.fault_proxy import CUT, LOST, SILENT, fault_proxy

UPLOAD = "^POST /upload/"
READ = "^GET /download/"


@pytest.fixture
def proxy(gcs_bucket, gcs_emulator, monkeypatch):
    # Google's client looks at the bucket in the background, for traces.
    monkeypatch.setenv("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
    with fault_proxy(gcs_emulator.url) as running:
        yield running


@pytest.fixture
def store(gcs_bucket, proxy):
    """Return a store whose requests go through the proxy."""
    options = {"api_endpoint": proxy.url}
    with storage.Client(project="p", credentials=AnonymousCredentials(), client_options=options) as client:
        yield GcsStore(client, gcs_bucket[1], "prefix")


@pytest.fixture
def direct(gcs_bucket):
    """Return a store that reaches the emulator without a fault."""
    return GcsStore(*gcs_bucket, "prefix")


@pytest.fixture
def _impatient(monkeypatch):
    monkeypatch.setattr(gcs, "REQUEST_SECONDS", 0.5)
    monkeypatch.setattr(google_calls, "RETRY_SECONDS", 1.5)


@pytest.mark.parametrize("lost", [LOST, CUT])
def test_a_create_whose_answer_is_lost_knows_its_own_object(store, direct, proxy, lost):
    proxy.fail(UPLOAD, lost)
    assert store.create("a", b"ours")
    assert [request.split()[0] for request in proxy.seen] == ["POST", "POST", "GET"]
    assert direct.read("a") == b"ours"
    assert direct.list("") == ["a"]
    proxy.seen.clear()
    assert not store.create("a", b"ours")
    assert [request.split()[0] for request in proxy.seen] == ["POST"]


def test_a_create_that_lost_is_not_taken_for_won_even_with_the_same_bytes(store, direct, proxy):
    direct.create("a", b"the same")
    proxy.fail(UPLOAD, 503, LOST)
    assert not store.create("a", b"the same")


def test_another_winner_between_two_tries_is_seen(store, direct, proxy, monkeypatch):
    proxy.fail(UPLOAD, 503)
    take = proxy.take

    def overtaken(request):
        fault = take(request)
        if fault:
            direct.create("a", b"theirs")
        return fault

    monkeypatch.setattr(proxy, "take", overtaken)
    assert not store.create("a", b"ours")
    assert direct.read("a") == b"theirs"


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("fault", [SILENT, 429, 500, 502, 503, 504, CUT, LOST])
def test_what_may_heal_is_tried_again(store, direct, proxy, fault):
    proxy.fail(UPLOAD, fault)
    assert store.create("a", b"x" * 100_000)
    for pattern, call, answer in [
        (READ, lambda: store.read("a"), b"x" * 100_000),
        ("^GET .*/o/", lambda: store.exists("a"), True),
        ("^GET .*/o\\?", lambda: store.list(""), ["a"]),
    ]:
        proxy.fail(pattern, fault)
        before = len(proxy.seen)
        assert call() == answer
        assert len(proxy.seen) == before + 2


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("fault", [SILENT, 429, 500, LOST])
def test_what_does_not_heal_says_which_call_how_often_and_what_next(store, proxy, fault):
    calls = {
        "creating a": lambda: store.create("a", b"x"),
        "reading a": lambda: store.read("a"),
        "looking for a": lambda: store.exists("a"),
        "listing ": lambda: store.list(""),
    }
    for what, call in calls.items():
        proxy.fail("", *[fault] * 20)
        with pytest.raises(Unavailable, match=rf"gs://test-\w+, {what}.*tried [2-9] times in \d s.*again in a minute") as refusal:
            call()
        assert "\n" not in str(refusal.value)


def test_silence_ends_within_half_a_minute(store, proxy):
    proxy.fail("", *[SILENT] * 20)
    began = time.monotonic()
    with pytest.raises(Unavailable, match="tried"):
        store.exists("a")
    assert time.monotonic() - began < 30


def test_bytes_that_were_damaged_on_their_way_are_read_again(store, monkeypatch):
    store.create("a", b"whole")
    taken = []
    honest = storage.Blob.download_as_bytes

    def damaged(blob, **more):
        taken.append(honest(blob, **more))
        return taken[-1] if len(taken) > 1 else b"whale"

    monkeypatch.setattr(storage.Blob, "download_as_bytes", damaged)
    assert store.read("a") == b"whole"
    assert len(taken) == 2


@pytest.mark.usefixtures("_impatient")
def test_bytes_that_stay_damaged_are_no_answer(store, monkeypatch):
    store.create("a", b"whole")
    monkeypatch.setattr(gcs, "_crc32c", lambda data: base64.b64encode(b"none").decode())
    with pytest.raises(Unavailable, match="checksum"):
        store.read("a")


def test_an_object_in_parts_is_created_once_and_read_whole(store, direct):
    data = bytes(range(256)) * 80_000
    assert len(data) > gcs._CHUNK_BYTES * 2
    assert store.create("big", data)
    assert not store.create("big", data[:-1] + b"!")
    assert direct.read("big") == data


def test_a_bucket_that_is_not_there_is_said_by_every_call(gcs_bucket):
    store = GcsStore(gcs_bucket[0], "not-there", "prefix")
    calls = [lambda: store.create("a", b"x"), lambda: store.read("a"), lambda: store.exists("a"), lambda: store.list("")]
    for call in calls:
        began = time.monotonic()
        with pytest.raises(
            UsageError, match=r"gs://not-there, .* no such bucket.*NBA_ML_STORE.*gcloud storage buckets create gs://not-there"
        ):
            call()
        assert time.monotonic() - began < 30


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_is_not_repeated_and_names_the_role_or_the_login(store, proxy, status):
    calls = {
        "creating a": lambda: store.create("a", b"x"),
        "reading a": lambda: store.read("a"),
        "looking for a": lambda: store.exists("a"),
        "listing ": lambda: store.list(""),
    }
    for what, call in calls.items():
        proxy.fail("", status)
        permission, role = PERMISSIONS[what.split()[0]]
        match = rf"{permission}.*--role={role}" if status == 403 else "gcloud auth application-default login"
        with pytest.raises(UsageError, match=rf"{what}.*tried once.*{match}") as refusal:
            call()
        assert "\n" not in str(refusal.value)


def test_without_credentials_the_login_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(UsageError, match="gcloud auth application-default login"):
        nba_ml.storage.open_store(Settings(store="gs://bucket/prefix"))


@pytest.mark.parametrize("address", ["gs://", "gs:///prefix", "gs://bucket/a//b", "gs://bucket/../b"])
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(UsageError, match=r"NBA_ML_STORE|no name"):
        nba_ml.storage.open_store(Settings(store=address))


def test_objects_lie_under_the_prefix_and_a_ready_client_is_used(gcs_bucket, gcs_emulator):
    client, bucket = gcs_bucket
    store = nba_ml.storage.open_store(Settings(store=f"gs://{bucket}/teams/nba/"), Clients(storage=client))
    store.create("models/m", b"x")
    assert [blob.name for blob in client.list_blobs(bucket)] == ["teams/nba/models/m"]
    assert store.url == f"gs://{bucket}/teams/nba"
    assert store.list("") == ["models/m"]
    assert nba_ml.storage.open_store(Settings(store=f"gs://{bucket}"), Clients(storage=client)).list("teams") == ["teams/nba/models/m"]


def test_the_address_of_an_object_is_one_that_browsers_open(direct, monkeypatch):
    import urllib.request

    direct.create("reports/a b.html", b"page")
    assert urllib.request.urlopen(direct.url_of("reports/a b.html"), timeout=5).read() == b"page"  # noqa: S310
    monkeypatch.delenv("STORAGE_EMULATOR_HOST")
    assert direct.url_of("a b").startswith("https://storage.cloud.google.com/test-")


def test_an_unknown_error_points_to_the_doctor():
    assert str(explained(exceptions.Conflict("odd"), "gs://b", "creating a", 1, 0)).endswith("Run `nba-ml doctor`")
