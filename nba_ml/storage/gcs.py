"""The object store in Google Cloud Storage: a bucket, and a prefix inside it."""

import base64
import itertools
import os
import uuid
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote

import google_crc32c
from google.api_core import exceptions
from google.cloud import storage

from nba_ml.errors import NbaMlError, UsageError
from nba_ml.google_calls import REQUEST_SECONDS, tried
from nba_ml.settings import Settings
from nba_ml.storage.gcs_errors import explained, transient
from nba_ml.storage.names import checked, checked_prefix

T = TypeVar("T")

_WRITER = "nba-ml-writer"
"""Metadata key that says which call created an object."""

_CHUNK_BYTES = 8 * 1024**2
"""A larger object is sent in parts of this size; Google's client would send it in one piece."""

_SLOWEST_BYTES_PER_SECOND = 1_000_000
"""A slower line counts as one that does not answer."""


class GcsStore:
    """The ObjectStore port over a bucket; see `nba_ml.storage.port.ObjectStore` for what each method promises.

    An object is created on the condition that none has its name (generation 0), which the service checks: one writer only can win. Each
    call marks what it creates, so that a call whose answer was lost knows its own object when it asks again. CRC32C is checked by the
    service when an object is written and here when it is read. No permission to overwrite or delete is needed.

    Parameters
    ----------
    client : google.cloud.storage.Client
    bucket : str
        Must exist.
    prefix : str
        Folder inside the bucket; empty for the whole bucket.
    """

    def __init__(self, client: storage.Client, bucket: str, prefix: str = "") -> None:
        self.url = f"gs://{bucket}/{prefix}".rstrip("/")
        self._client = client
        self._bucket = client.bucket(bucket)
        self._prefix = f"{prefix}/" if prefix else ""

    def create(self, name: str, data: bytes) -> bool:
        """Create an object, whole or not at all; return False, with nothing changed, if the name is taken."""
        checksum, writer = _crc32c(data), uuid.uuid4().hex
        seconds = REQUEST_SECONDS + min(len(data), _CHUNK_BYTES) / _SLOWEST_BYTES_PER_SECOND
        tries = itertools.count(1)

        def create() -> bool:
            number = next(tries)
            blob = self._blob(name)
            blob.metadata = {_WRITER: writer}
            if len(data) > _CHUNK_BYTES:
                blob.chunk_size = _CHUNK_BYTES
            try:
                blob.upload_from_string(data, if_generation_match=0, checksum="crc32c", timeout=seconds, retry=None)
            except exceptions.PreconditionFailed:
                # What a first try finds is another's; what a later one finds may be an earlier one's whose answer was lost.
                return number > 1 and self._writer(blob.name) == writer
            if blob.crc32c != checksum:
                raise NbaMlError(f"{self.url_of(name)} was stored with the checksum {blob.crc32c}, not {checksum}: delete it by hand")
            return True

        return self._tried(f"creating {name}", create)

    def read(self, name: str) -> bytes:
        """Return an object's bytes; `FileNotFoundError` if there is none."""

        def read() -> bytes | None:
            blob = self._blob(name)
            try:
                data: bytes = blob.download_as_bytes(checksum=None, timeout=REQUEST_SECONDS, retry=None)
            except exceptions.NotFound:
                self._require_bucket()
                return None
            if blob.crc32c != _crc32c(data):
                raise exceptions.DataLoss(f"{len(data)} bytes came with the checksum {_crc32c(data)}, not {blob.crc32c}")
            return data

        data = self._tried(f"reading {name}", read)
        if data is None:
            raise FileNotFoundError(f"there is no object {name} in {self.url}")
        return data

    def exists(self, name: str) -> bool:
        """Tell whether there is such an object."""

        def exists() -> bool:
            if self._blob(name).exists(timeout=REQUEST_SECONDS, retry=None):
                return True
            self._require_bucket()
            return False

        return self._tried(f"looking for {name}", exists)

    def list(self, prefix: str) -> list[str]:
        """Return the names that start with `prefix`, ascending."""
        start = self._prefix + checked_prefix(prefix)

        def names() -> set[str]:
            blobs = self._client.list_blobs(
                self._bucket, prefix=start, fields="items(name),nextPageToken", timeout=REQUEST_SECONDS, retry=None
            )
            return {blob.name for blob in blobs}

        return sorted(name.removeprefix(self._prefix) for name in self._tried(f"listing {prefix}*", names))

    def url_of(self, name: str) -> str:
        """Return the address that opens the object in a browser that is logged in to Google."""
        host = os.environ.get("STORAGE_EMULATOR_HOST", "https://storage.cloud.google.com")
        return f"{host}/{quote(f'{self._bucket.name}/{self._prefix}{checked(name)}')}"

    def _blob(self, name: str) -> storage.Blob:
        return self._bucket.blob(self._prefix + checked(name))

    def _writer(self, path: str) -> str | None:
        """Return the mark of the call that created an object."""
        blob = self._bucket.get_blob(path, timeout=REQUEST_SECONDS, retry=None)
        return None if blob is None else (blob.metadata or {}).get(_WRITER)

    def _require_bucket(self) -> None:
        """Raise `NotFound` if there is no bucket: to Google's client, its objects are then just not there."""
        for _ in self._client.list_blobs(self._bucket, max_results=1, timeout=REQUEST_SECONDS, retry=None):
            break

    def _tried(self, what: str, call: Callable[[], T]) -> T:
        bucket = f"gs://{self._bucket.name}"
        return tried(call, lambda error, tries, seconds: explained(error, bucket, what, tries, seconds), transient)


def _crc32c(data: bytes) -> str:
    """Return a checksum as the service writes it."""
    return base64.b64encode(google_crc32c.Checksum(data).digest()).decode()


def open_bucket(settings: Settings, client: storage.Client | None = None) -> GcsStore:
    """Open the bucket that the settings name.

    Raises
    ------
    UsageError
        If the address is none of a bucket, or there are no credentials.
    """
    bucket, _, prefix = settings.store_url.removeprefix("gs://").rstrip("/").partition("/")
    if not bucket:
        raise UsageError(f"NBA_ML_STORE={settings.store_url} names no bucket: set it to gs://bucket/prefix")
    if prefix:
        checked(prefix)
    if client is None:
        client = tried(
            lambda: storage.Client(project=settings.project),
            lambda error, tries, seconds: explained(error, f"gs://{bucket}", "looking for credentials", tries, seconds),
        )
    return GcsStore(client, bucket, prefix)
