"""Ids and fingerprints: hashes of natural keys, so that writing a row again is writing the same row."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

import polars as pl

_SEPARATOR = "\x1f"
_NULL = "\x00"
ID_LENGTH = 32


def _text(part: object) -> str:
    if part is None:
        return _NULL
    if isinstance(part, datetime):
        return str(round(part.timestamp() * 1_000_000))
    return str(part)


def digest(parts: Iterable[object]) -> str:
    """Hash the parts of one natural key.

    Parameters
    ----------
    parts : iterable of str, int, bool, date, aware datetime or None
        In the key's order. ``None`` is encoded apart from the empty string and from the text "None".

    Returns
    -------
    str
        32 hexadecimal digits (the first 128 bits of sha256).
    """
    return hashlib.sha256(_SEPARATOR.join(map(_text, parts)).encode()).hexdigest()[:ID_LENGTH]


def add_id(frame: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Put the column ``id``, the hash of the natural key, in front; equal to `digest` of each row's key.

    Parameters
    ----------
    frame : DataFrame
        Holds every column of `key`.
    key : sequence of str
        Natural key, in the order that the table's YAML gives.
    """
    parts = []
    for name in key:
        column = pl.col(name)
        if isinstance(frame.schema[name], pl.Datetime):
            column = column.dt.epoch("us")
        elif frame.schema[name] == pl.Boolean:
            column = pl.when(column).then(pl.lit("True")).when(~column).then(pl.lit("False"))
        parts.append(column.cast(pl.String).fill_null(_NULL))
    texts = frame.select(pl.concat_str(parts, separator=_SEPARATOR).alias("text"))["text"]
    ids = [hashlib.sha256(text.encode()).hexdigest()[:ID_LENGTH] for text in texts]
    return frame.drop("id", strict=False).select(pl.Series("id", ids, dtype=pl.String), pl.all())


def frame_fingerprint(frame: pl.DataFrame) -> str:
    """Hash a frame's content: column names, types and values, in their order.

    Sort the frame first where the order of its rows carries no meaning.
    """
    state = hashlib.sha256(repr([(name, str(dtype)) for name, dtype in frame.schema.items()]).encode())
    state.update(frame.write_csv(include_header=False, null_value="\x00").encode())
    return state.hexdigest()[:ID_LENGTH]
