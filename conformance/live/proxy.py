"""The way to the LiveKit server: relays every connection, and can cut one or spoil a call.

Agent, plugin and workers reach the server's signalling and its room API through here; media and
data go to it directly, as WebRTC does. So the real server can be watched (who was removed) and its
failures can be shown (the room API answers 500, a participant loses its connection) without a
change to either side.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

import jwt
from livekit import api

from conformance.stage.faults import Fault

HOST = "127.0.0.1"
API_PREFIX = "/twirp/"
REMOVE = "/RemoveParticipant"
HEAD_LIMIT = 64 * 1024
PIECE = 64 * 1024
HTTP_PORT, HTTPS_PORT = 80, 443


@dataclass(frozen=True)
class Request:
    """The head of a request, as it came in; ``raw`` is all of its bytes."""

    raw: bytes
    path: str
    headers: dict[str, str]

    @classmethod
    def parse(cls, raw: bytes) -> Request:
        """Read a head that ends with an empty line."""
        first, *lines = raw.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, separator, value = line.partition(":")
            if separator:
                headers[name.strip().lower()] = value.strip()
        return cls(raw, first.split(" ")[1], headers)

    @property
    def is_api(self) -> bool:
        """Whether it is a call of the room API."""
        return self.path.startswith(API_PREFIX)

    @property
    def identity(self) -> str | None:
        """The participant whose signalling connection this is, as its token says."""
        token = self.headers.get("authorization", "").removeprefix("Bearer ")
        if not token:
            token = parse_qs(urlsplit(self.path).query).get("access_token", [""])[0]
        try:
            return str(jwt.decode(token, options={"verify_signature": False})["sub"])
        except (jwt.InvalidTokenError, KeyError):
            return None


class Gateway:
    """Listens on 127.0.0.1 and relays to the server at ``url`` (ws, wss, http or https)."""

    def __init__(
        self, url: str, *, removed: Callable[[str], None], failed: Callable[[Fault], None]
    ) -> None:
        target = urlsplit(url)
        self._tls = target.scheme in ("wss", "https")
        self._host = target.hostname or HOST
        self._port = target.port or (HTTPS_PORT if self._tls else HTTP_PORT)
        self._removed = removed
        self._failed = failed
        self._listener: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._lines: dict[str, set[asyncio.StreamWriter]] = {}
        self._cut: set[str] = set()
        self._closing = False
        self.fault: Fault | None = None

    @property
    def target(self) -> tuple[str, int]:
        """The server's host and port."""
        return self._host, self._port

    async def open(self) -> tuple[str, int]:
        """Start listening; returns the host and port to give to participants."""
        self._listener = await asyncio.start_server(self._accept, HOST, 0, limit=HEAD_LIMIT)
        return HOST, self._listener.sockets[0].getsockname()[1]

    async def aclose(self) -> None:
        """Stop listening and end every connection."""
        self._closing = True
        if self._listener is not None:
            self._listener.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def reachable(self) -> bool:
        """Whether the server accepts connections."""
        try:
            _, writer = await asyncio.wait_for(self._connect(), 2.0)
        except (OSError, asyncio.TimeoutError):
            return False
        writer.close()
        return True

    def cut(self, identity: str) -> None:
        """End the signalling connection of a participant and refuse it another."""
        self._cut.add(identity)
        for writer in self._lines.pop(identity, set()):
            writer.transport.abort()

    def mend(self, identity: str) -> None:
        """Let the participant connect again."""
        self._cut.discard(identity)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self._host, self._port, ssl=self._tls or None)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            request = Request.parse(await reader.readuntil(b"\r\n\r\n"))
            serve = self._api if request.is_api else self._signal
            await serve(request, reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # either side has gone: that is what a relay passes on
        except asyncio.CancelledError:
            # asyncio reports a handler that ends cancelled as a failure.
            if not self._closing:
                raise
        finally:
            writer.close()

    async def _signal(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        identity = request.identity
        if identity in self._cut:
            return
        if identity is not None:
            self._lines.setdefault(identity, set()).add(writer)
        try:
            await self._relay(request.raw, reader, writer)
        finally:
            if identity is not None:
                self._lines.get(identity, set()).discard(writer)

    async def _api(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        body = await reader.readexactly(int(request.headers.get("content-length", "0")))
        if request.path.endswith(REMOVE):
            self._removed(api.RoomParticipantIdentity.FromString(body).identity)
        if self.fault is not None:
            self._failed(self.fault)
            if await _spoil(self.fault, writer):
                return
        # One call for each connection, so that the next one is looked at too.
        head = request.raw.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
        await self._relay(head + body, reader, writer)

    async def _relay(
        self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        server_reader, server_writer = await self._connect()
        try:
            server_writer.write(first)
            await _either(_pump(reader, server_writer), _pump(server_reader, writer))
        finally:
            server_writer.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while piece := await source.read(PIECE):
        sink.write(piece)
        await sink.drain()


async def _either(*pumps: Awaitable[None]) -> None:
    tasks = [asyncio.ensure_future(pump) for pump in pumps]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _spoil(fault: Fault, writer: asyncio.StreamWriter) -> bool:
    """Answer a call as ``fault`` says; False when it only comes late."""
    if fault.kind == "answers-slowly":
        await asyncio.sleep(fault.delay)
        return False
    if fault.kind == "never-answers":
        await asyncio.Event().wait()
    if fault.kind in ("refused", "reset-before-answer"):
        writer.transport.abort()
        return True
    if fault.kind == "reset-inside-answer":
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.transport.abort()
        return True
    status = HTTPStatus(fault.status or HTTPStatus.INTERNAL_SERVER_ERROR)
    body = json.dumps({"code": "internal", "msg": f"{status.value} {status.phrase}"}).encode()
    writer.write(
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
        + body
    )
    await writer.drain()
    return True
