"""Block Kit's parts within Slack's limits, whatever text they are made of.

Limits: https://docs.slack.dev/reference/block-kit/blocks (a header 150 characters, a section's text 3,000, ten fields of 2,000 each, a message
50 blocks). Lengths are counted after escaping, which is never less than what Slack counts.
"""

import re
from itertools import accumulate
from typing import Any
from urllib.parse import quote, urlsplit

from nba_ml.redaction import redact

Block = dict[str, Any]

HEADER, SECTION, FIELD, FIELDS, CONTEXT, MESSAGE = 150, 3000, 2000, 10, 2000, 50

_NOTHING = "–"
_CUT = "…"
_LONGEST_LINK = 1500
_URL_SAFE = ":/?#[]@!$&'()*+,;=%~"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def plain(text: str, limit: int) -> str:
    """Return a text without secrets and control characters, cut to `limit` characters; never empty."""
    text = _CONTROL.sub(" ", redact(text)).encode("utf-8", "replace").decode().strip() or _NOTHING
    return text if len(text) <= limit else text[: limit - 1].rstrip() + _CUT


def escaped(text: str, limit: int) -> str:
    """Return a text as mrkdwn, without secrets, in at most `limit` characters: no link, no mention, no open block of code, no escape cut in two."""
    shown = [_ESCAPES.get(character, character) for character in plain(text.replace("```", "'''"), limit)]
    if sum(map(len, shown)) <= limit:
        return "".join(shown)
    ends = accumulate(map(len, shown))
    return "".join(part for part, end in zip(shown, ends, strict=True) if end < limit) + _CUT


def code(text: str, limit: int) -> str:
    """Return a text as code of one line."""
    return f"`{escaped(' '.join(text.replace('`', chr(39)).split()), limit - 2)}`"


def code_block(text: str, limit: int) -> str:
    """Return a text as a block of code, which is easy to copy."""
    return f"```{escaped(text.replace('`', chr(39)), limit - 6)}```"


def link(address: str, label: str) -> str:
    """Return a link, or the address as code where it is none that a browser opens, or holds a secret."""
    target = quote(address, safe=_URL_SAFE, errors="replace").replace("&", "&amp;")
    if not _is_web(address) or redact(address) != address or len(target) > _LONGEST_LINK:
        return code(address, FIELD // 2)
    return f"<{target}|{escaped(label, 80).replace('|', ' ')}>"


def _is_web(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def header(text: str) -> Block:
    """Return a headline."""
    return {"type": "header", "text": {"type": "plain_text", "text": plain(" ".join(text.split()), HEADER), "emoji": True}}


def section(mrkdwn: str) -> Block:
    """Return a paragraph of at most `SECTION` characters that the functions above made."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": mrkdwn}}


def fields(pairs: dict[str, str]) -> Block:
    """Return names with their values, in two columns; at most `FIELDS`."""
    shown = [{"type": "mrkdwn", "text": f"*{name}*\n{escaped(value, FIELD - 100)}"} for name, value in pairs.items()]
    return {"type": "section", "fields": shown[:FIELDS]}


def context(*mrkdwn: str) -> Block:
    """Return small print; each part at most `CONTEXT` characters."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": part} for part in mrkdwn]}


def divider() -> Block:
    """Return a line."""
    return {"type": "divider"}
