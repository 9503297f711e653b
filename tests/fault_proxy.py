"""A proxy between a client and an emulator that makes chosen requests fail as networks and services do."""

import asyncio
import re
import socket
import struct
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

SILENT = "silent"
"""The request is taken and never answered, and never reaches the service."""
CUT = "cut"
"""The service does the work; the connection is reset after half of its answer."""
LOST = "lost"
"""The service does the work; the connection is reset before its answer."""


@dataclass
class FaultProxy:
    """A running proxy.

    Attributes
    ----------
    url : str
        Where clients find it.
    seen : list of str
        Each request as "METHOD path?query", in order.
    """

    url: str
    seen: list[str] = field(default_factory=list)
    _faults: list[tuple[re.Pattern, deque[str | int]]] = field(default_factory=list)

    def fail(self, pattern: str, *faults: str | int) -> None:
        """Let the next requests that match fail: `SILENT`, `CUT`, `LOST`, or the HTTP status of an answer that is not the service's."""
        self._faults.append((re.compile(pattern), deque(faults)))

    def heal(self) -> None:
        """Let no further request fail."""
        self._faults.clear()

    def take(self, request: str) -> str | int | None:
        """Note a request, and return its fault, if it is to have one."""
        self.seen.append(request)
        for pattern, faults in self._faults:
            if faults and pattern.search(request):
                return faults.popleft()
        return None


@contextmanager
def fault_proxy(service: str) -> Iterator[FaultProxy]:
    """Run a proxy before the service at an address such as http://127.0.0.1:9050."""
    host, port = service.removeprefix("http://").split(":")
    loop = asyncio.new_event_loop()
    listening = socket.create_server(("127.0.0.1", 0))
    proxy = FaultProxy(f"http://127.0.0.1:{listening.getsockname()[1]}")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _answer(proxy, host, int(port), reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = loop.run_until_complete(asyncio.start_server(serve, sock=listening, limit=2**20))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:

        async def stop() -> None:
            server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _answer(proxy: FaultProxy, host: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take one request to the service and its answer back, or do as the fault says; the connection then ends."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await _body(reader, headers)
    fault = proxy.take(" ".join(first.split()[:2]))
    if fault == SILENT:
        await asyncio.sleep(3600)
    if isinstance(fault, int):
        text = (
            f'{{"error": {{"code": {fault}, "message": "from the proxy", "errors": [{{"reason": "proxy", "message": "from the proxy"}}]}}}}'
        )
        answer = (
            f"HTTP/1.1 {fault} Failed\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n{text}"
        )
        writer.write(answer.encode())
        await writer.drain()
        return
    kept = [line for line in lines if line.partition(":")[0].lower() not in ("host", "connection", "transfer-encoding", "content-length")]
    sent = [first, f"Host: {host}:{port}", "Connection: close", f"Content-Length: {len(body)}", *kept]
    upstream, to_service = await asyncio.open_connection(host, port)
    to_service.write("\r\n".join(sent).encode("latin-1") + b"\r\n\r\n" + body)
    answer = await upstream.read()
    to_service.close()
    if fault in (CUT, LOST):
        if fault == CUT:
            writer.write(answer[: len(answer) // 2])
            await writer.drain()
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        return
    writer.write(answer)
    await writer.drain()


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return await reader.readexactly(int(headers.get("content-length", 0)))
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body
