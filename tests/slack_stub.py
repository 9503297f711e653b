"""A stand-in for Slack's incoming webhooks: it holds each message to Block Kit's limits, and answers as a test tells it to.

The limits are those of https://docs.slack.dev/reference/block-kit/blocks, written down here apart from the code that keeps them.
"""

import json
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATH = "/services/T0STUB/B0STUB/s3cr3tTokenOfTheStub"


def problems(payload: Any) -> list[str]:
    """Return what Slack would refuse a message for."""
    if not isinstance(payload, dict):
        return ["a payload is an object"]
    found = [f"unknown key {name}" for name in set(payload) - {"text", "blocks", "unfurl_links", "unfurl_media"}]
    text, blocks = payload.get("text"), payload.get("blocks", [])
    if not isinstance(text, str) or not 1 <= len(text) <= 40_000:
        found.append("text: 1 to 40,000 characters")
    if not 1 <= len(blocks) <= 50:
        found.append(f"{len(blocks)} blocks: 1 to 50")
    for number, block in enumerate(blocks):
        found += [f"block {number} ({block.get('type')}): {problem}" for problem in _block(block)]
    return found


def _block(block: dict[str, Any]) -> Iterator[str]:
    kind = block.get("type")
    keys = {"header": {"text"}, "section": {"text", "fields"}, "context": {"elements"}, "divider": set()}.get(kind)
    if keys is None:
        yield "unknown type"
        return
    if set(block) - keys - {"type"}:
        yield f"unknown keys {set(block) - keys}"
    if kind == "header":
        yield from _text(block["text"], 150, "plain_text")
    if kind == "section":
        if "text" not in block and "fields" not in block:
            yield "neither text nor fields"
        if "text" in block:
            yield from _text(block["text"], 3000)
        if "fields" in block and not 1 <= len(block["fields"]) <= 10:
            yield f"{len(block['fields'])} fields: 1 to 10"
        for field in block.get("fields", []):
            yield from _text(field, 2000)
    if kind == "context":
        if not 1 <= len(block["elements"]) <= 10:
            yield f"{len(block['elements'])} elements: 1 to 10"
        for element in block["elements"]:
            yield from _text(element, 2000)


def _text(part: dict[str, Any], longest: int, kind: str = "mrkdwn") -> Iterator[str]:
    if part.get("type") != kind:
        yield f"text of type {part.get('type')}, not {kind}"
    text = part.get("text", "")
    if not 1 <= len(text) <= longest:
        yield f"{len(text)} characters: 1 to {longest}"
    if not text.strip():
        yield "blank text"
    if kind == "plain_text":
        return
    without_links = re.sub(r"<https?://[^\s<>|]+\|[^<>|]+>", "", text)
    if re.search(r"[<>]", without_links):
        yield f"an unescaped < or > in {without_links[:80]!r}"
    if re.search(r"&(?!amp;|lt;|gt;)", text):
        yield "an unescaped &"
    if text.count("```") % 2:
        yield "a block of code that does not end"


class SlackStub(ThreadingHTTPServer):
    """The server; `answers` are used up one a request, after that each message is taken.

    An answer is a status, a status with headers, ``"slow"`` (none before the client gives up), ``"reset"`` (the connection breaks) or
    ``"took, then reset"`` (the message is taken and the answer lost). A message with the text `dislikes` is refused.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[Any] = []
        self.taken: list[dict[str, Any]] = []
        self.refused: list[list[str]] = []
        self.dislikes: str | None = None
        self.requests = 0
        self.turn = threading.Lock()

    @property
    def url(self) -> str:
        """Address of the webhook."""
        return f"http://127.0.0.1:{self.server_address[1]}{PATH}"

    @property
    def texts(self) -> list[str]:
        """Each message that was taken, as one text."""
        return [json.dumps(payload, ensure_ascii=False) for payload in self.taken]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that break: tests break them."""


class _Handler(BaseHTTPRequestHandler):
    server: SlackStub

    def do_POST(self) -> None:
        payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.turn:
            self.server.requests += 1
            answer = self.server.answers.pop(0) if self.server.answers else 200
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        if status == "slow":
            time.sleep(3)
            return
        if status == "reset":
            self._reset()
            return
        found = problems(payload)
        if status == "took, then reset":
            self.server.taken.append(payload)
            self._reset()
            return
        if self.server.dislikes and self.server.dislikes in json.dumps(payload):
            status, found = 400, ["disliked"]
        if status == 200 and found:
            self.server.refused.append(found)
            status = 400
        if status == 200:
            self.server.taken.append(payload)
        body = b"ok" if status == 200 else b"invalid_blocks" if found else b"no_service"
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, *_: Any) -> None:
        """Write no log: standard error is a test's."""


@contextmanager
def slack_stub() -> Iterator[SlackStub]:
    """Run a stub in a thread."""
    with SlackStub() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
