"""A small HTTP proxy between a client and a server, which answers some requests by a fault."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Fault:
    """What happens to requests whose first line holds `matching`, the first `times` of them.

    `kind` is a status (429, 500), ``hang`` (no answer), ``refuse`` (the connection is cut before the request is passed on), ``cut`` (half
    of the answer comes) or ``lose`` (the request is passed on and done, its answer never comes).
    """

    kind: int | str
    matching: str
    times: int = 1


@dataclass
class Proxy:
    """Where it listens, what it does, and the first lines of the requests that it saw."""

    url: str
    faults: list[Fault] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    def fault_for(self, line: str) -> Fault | None:
        for fault in self.faults:
            if fault.times and fault.matching in line:
                fault.times -= 1
                return fault
        return None


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes] | None:
    """Read one HTTP message: head and body."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in head.split(b"\r\n")[1:])}
    if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
        body = b""
        while True:
            size = await reader.readuntil(b"\r\n")
            chunk = await reader.readexactly(int(size, 16) + 2)
            body += size + chunk
            if int(size, 16) == 0:
                return head, body
    return head, await reader.readexactly(int(headers.get(b"content-length", b"0")))


async def _serve(proxy: Proxy, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    address = urlsplit(target)
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        while message := await _message(reader):
            line = message[0].split(b"\r\n")[0].decode()
            proxy.seen.append(line)
            fault = proxy.fault_for(line)
            kind = fault.kind if fault else None
            if kind == "hang":
                await asyncio.sleep(3600)
            if kind == "refuse":
                break
            if isinstance(kind, int):
                body = json.dumps({"error": {"code": kind, "message": f"a fault of {kind}", "errors": []}}).encode()
                writer.write(
                    b"HTTP/1.1 %d Fault\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (kind, len(body)) + body
                )
                await writer.drain()
                continue
            there, away = await asyncio.open_connection(address.hostname, address.port)
            away.write(b"".join(message))
            await away.drain()
            answer = await _message(there)
            away.close()
            if answer is None or kind == "lose":
                break
            sent = b"".join(answer)
            writer.write(sent[: len(answer[0]) + len(answer[1]) // 2] if kind == "cut" else sent)
            await writer.drain()
            if kind == "cut":
                break
    writer.close()


@contextmanager
def fault_proxy(target: str) -> Iterator[Proxy]:
    """Run a proxy before the server at `target`, as in ``http://127.0.0.1:9050``."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def call(make: Callable[[], object]) -> object:
        return asyncio.run_coroutine_threadsafe(make(), loop).result(10)

    proxy = Proxy("")
    server = call(lambda: asyncio.start_server(lambda r, w: _serve(proxy, target, r, w), "127.0.0.1", 0, limit=2**26))
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
