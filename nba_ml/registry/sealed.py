"""JSON documents that carry a checksum of themselves, so that a torn or altered one is told from a whole one."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from nba_ml.errors import ArtefactError

_CHECKSUM = "checksum"


def sha256(data: bytes) -> str:
    """Return the sha256 of some bytes, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def canonical(document: object) -> bytes:
    """Write a JSON document in the one form that it is stored, compared and hashed in: sorted keys, UTF-8, no NaN."""
    return json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def seal(document: Mapping[str, Any]) -> bytes:
    """Add the checksum to a document and write it."""
    return canonical({**document, _CHECKSUM: sha256(canonical(dict(document)))})


def unseal(data: bytes, name: str, next_step: str) -> dict[str, Any]:
    """Read a sealed document back, without its checksum.

    Raises
    ------
    ArtefactError
        If one byte is missing, added or changed; `name` says which object it is and `next_step` what to do.
    """
    try:
        document = json.loads(data)
        expected = document.pop(_CHECKSUM)
    except (ValueError, KeyError, AttributeError):
        raise ArtefactError(f"{name}: {len(data)} bytes that are no sealed JSON document: cut short or altered. {next_step}") from None
    found = sha256(canonical(document))
    if found != expected:
        raise ArtefactError(f"{name}: checksum is {expected}, content gives {found}: altered. {next_step}")
    if seal(document) != data:
        raise ArtefactError(f"{name}: bytes differ from the form that this document is written in: altered. {next_step}")
    return document
