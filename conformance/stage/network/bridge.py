"""Listeners on 127.0.0.1, through which sockets of threads reach what is served in memory."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable
from typing import Any, Protocol

from .thread_sockets import send_at_once

_CHUNK = 256 * 1024
_RESET = struct.pack("ii", 1, 0)


class Openable(Protocol):
    """Opens connections in memory: a network, for one of its listeners."""

    def __call__(self, protocol_factory: Callable[[], asyncio.BaseProtocol], /) -> Any:
        """Connect a protocol; as `asyncio`'s ``create_connection``, without waiting."""


class Bridge:
    """A listener on 127.0.0.1; what connects to it is connected by ``connect`` in memory.

    Made by any thread; what it does it does in the loop's.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, connect: Openable) -> None:
        self._loop = loop
        self._connect = connect
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(128)
        self._socket.setblocking(False)
        self._ends: set[_End] = set()
        loop.call_soon_threadsafe(self._serve)

    @property
    def address(self) -> Any:
        """Where it listens."""
        return self._socket.getsockname()

    def close(self) -> None:
        """Listen no more, and break what is connected; only in the loop's thread."""
        if not self._loop.is_closed():
            self._loop.remove_reader(self._socket)
        self._socket.close()
        for end in list(self._ends):
            end.connection_lost(ConnectionResetError())

    def _serve(self) -> None:
        if self._socket.fileno() >= 0:
            self._loop.add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        try:
            accepted, _ = self._socket.accept()
        except (BlockingIOError, OSError):
            return
        accepted.setblocking(False)
        send_at_once(accepted)
        end = _End(self._loop, accepted, self._ends.discard)
        self._ends.add(end)
        self._connect(lambda: end)


class _End(asyncio.Protocol):
    """Carries bytes between a socket and a connection in memory, both ways."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        closed: Callable[[_End], None],
    ) -> None:
        self._loop = loop
        self._socket = sock
        self._closed = closed
        self._transport: Any = None
        self._unsent = bytearray()
        self._ending = False

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._loop.add_reader(self._socket, self._read)

    def data_received(self, data: bytes) -> None:
        self._unsent += data
        self._write()

    def eof_received(self) -> bool:
        self._ending = True
        self._write()
        return True

    def pause_writing(self) -> None:
        self._loop.remove_reader(self._socket)

    def resume_writing(self) -> None:
        if self._socket.fileno() >= 0:
            self._loop.add_reader(self._socket, self._read)

    def connection_lost(self, error: Exception | None) -> None:
        if self._socket.fileno() < 0:
            return
        if not self._loop.is_closed():
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
        if error is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        elif self._unsent:
            self._send()
        self._socket.close()
        self._closed(self)

    def _read(self) -> None:
        try:
            data = self._socket.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            self._transport.abort()
            return
        if data:
            self._transport.write(data)
        else:
            self._loop.remove_reader(self._socket)
            self._transport.write_eof()

    def _write(self) -> None:
        if not self._send():
            self._transport.abort()
        elif self._unsent:
            self._transport.pause_reading()
            self._loop.add_writer(self._socket, self._write)
        else:
            self._loop.remove_writer(self._socket)
            self._transport.resume_reading()
            if self._ending:
                self._end()

    def _send(self) -> bool:
        try:
            while self._unsent:
                del self._unsent[: self._socket.send(self._unsent)]
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True

    def _end(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            self._transport.abort()


class Bridges:
    """The bridges of a network, one for each of its listeners, made when a thread asks."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._bridges: dict[int, Bridge] = {}

    def address(self, key: int, connect: Openable) -> Any:
        """Where to connect to reach what ``connect`` opens."""
        with self._lock:
            if key not in self._bridges:
                self._bridges[key] = Bridge(self._loop, connect)
            return self._bridges[key].address

    def close(self) -> None:
        """Close all of them."""
        for bridge in self._bridges.values():
            bridge.close()
        self._bridges.clear()
