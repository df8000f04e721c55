"""Two ends of a connection in memory: bytes written to one arrive at the other's protocol."""

from __future__ import annotations

import asyncio
import contextvars
import errno
import socket
from collections import deque
from collections.abc import Mapping
from typing import Any

HIGH_WATER = 64 * 1024
_UNDERNEATH = "conformance.transport"
_PORTION = 256 * 1024


class MemoryTransport(asyncio.Transport):
    """One end. What is written waits at the other end until its protocol takes it.

    A transport that speaks TLS over it answers for it: see :func:`underneath`. ``extra`` answers
    `get_extra_info`. ``owned`` is a socket that stands for this connection at its user's and is
    closed with it. Protocol methods run in ``context``.
    """

    _start_tls_compatible = True  # asks asyncio's start_tls()

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        protocol: asyncio.BaseProtocol,
        extra: Mapping[str, Any],
        context: contextvars.Context,
        owned: socket.socket | None = None,
    ) -> None:
        super().__init__({**extra, _UNDERNEATH: self})
        self._loop = loop
        self._protocol = protocol
        self._context = context
        self._owned = owned
        self._peer: MemoryTransport | None = None
        self._inbox: deque[bytes] = deque()
        self._inbox_size = 0
        self._eof_arrived = False
        self._eof_told = False
        self._eof_sent = False
        self._reading = True
        self._pump_planned = False
        self._closing = False
        self._lost = False
        self._writing_paused = False
        self._high = HIGH_WATER
        self._low = HIGH_WATER // 4

    def open(self, peer: MemoryTransport) -> None:
        """Join this end to the other one and tell the protocol."""
        self._peer = peer
        self._context.run(self._protocol.connection_made, self)

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        """Send; what is sent to an end that has closed is lost."""
        if self._eof_sent:
            raise RuntimeError("Cannot call write() after write_eof()")
        peer = self._peer
        if self._closing or peer is None or peer._closing or not data:
            return
        peer._inbox.append(bytes(data))
        peer._inbox_size += len(data)
        peer._plan_pump()
        if not self._writing_paused and peer._inbox_size > self._high:
            self._writing_paused = True
            self._protocol.pause_writing()

    def write_eof(self) -> None:
        """Say that nothing more will be written."""
        if self._closing or self._eof_sent:
            return
        self._eof_sent = True
        self._send_eof()

    def can_write_eof(self) -> bool:
        """A connection can be closed one way."""
        return True

    def get_write_buffer_size(self) -> int:
        """Bytes that the other end has not taken yet."""
        return self._peer._inbox_size if self._peer is not None else 0

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """The low and the high water mark, in bytes."""
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set the water marks of flow control, in bytes."""
        if high is None:
            high = HIGH_WATER if low is None else 4 * low
        low = high // 4 if low is None else low
        if not high >= low >= 0:
            raise ValueError(f"high ({high!r}) must be >= low ({low!r}) must be >= 0")
        self._high, self._low = high, low

    def is_reading(self) -> bool:
        """Whether data is passed on to the protocol."""
        return self._reading and not self._closing

    def pause_reading(self) -> None:
        """Keep what arrives until :meth:`resume_reading`."""
        self._reading = False

    def resume_reading(self) -> None:
        """Pass data on again."""
        if not self._reading:
            self._reading = True
            self._plan_pump()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Pass what arrives from now on to another protocol."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The protocol that is told what arrives."""
        return self._protocol

    def is_closing(self) -> bool:
        """Whether this end was closed."""
        return self._closing

    def close(self) -> None:
        """Close this end; the other one still gets what was written."""
        self._close(None)

    def abort(self) -> None:
        """Close this end at once."""
        self._close(None)

    def _force_close(self, error: Exception | None) -> None:
        # What asyncio's TLS asks of a transport when a handshake fails.
        self._close(error)

    def reset(self, *, at_once: bool = False) -> None:
        """Break the connection: the other end gets `ConnectionResetError` and nothing more.

        ``at_once`` tells it before anything else can happen, a request of its user's say.
        """
        peer = self._peer
        if peer is not None and not peer._lost:
            peer._inbox.clear()
            peer._inbox_size = 0
            error = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
            peer._close(error, at_once=at_once)
        self._close(None)

    def _close(self, error: Exception | None, *, at_once: bool = False) -> None:
        if self._closing:
            return
        self._closing = True
        self._inbox.clear()
        self._inbox_size = 0
        self._send_eof()
        if at_once:
            self._context.run(self._tell_lost, error)
        else:
            self._loop.call_soon(self._tell_lost, error, context=self._context)

    def _send_eof(self) -> None:
        peer = self._peer
        if peer is not None and not peer._eof_arrived:
            peer._eof_arrived = True
            peer._plan_pump()

    def _tell_lost(self, error: Exception | None) -> None:
        self._lost = True
        try:
            self._protocol.connection_lost(error)
        finally:
            if self._owned is not None:
                self._owned.close()
                self._owned = None

    def _plan_pump(self) -> None:
        if not self._pump_planned and not self._closing:
            self._pump_planned = True
            self._loop.call_soon(self._pump, context=self._context)

    def _pump(self) -> None:
        self._pump_planned = False
        if self._closing or not self._reading:
            return
        if self._inbox:
            data = b"".join(self._inbox) if len(self._inbox) > 1 else self._inbox[0]
            self._inbox.clear()
            if len(data) > _PORTION:
                self._inbox.append(data[_PORTION:])
                data = data[:_PORTION]
            self._inbox_size -= len(data)
            self._relieve()
            _pass_on(data, self._protocol)
            if self._inbox or self._eof_arrived:
                self._plan_pump()
        elif self._eof_arrived and not self._eof_told:
            self._eof_told = True
            protocol: Any = self._protocol
            if not protocol.eof_received():
                self.close()

    def _relieve(self) -> None:
        peer = self._peer
        if peer is not None and peer._writing_paused and self._inbox_size <= peer._low:
            peer._writing_paused = False
            self._loop.call_soon(peer._tell_resumed, context=peer._context)

    def _tell_resumed(self) -> None:
        if not self._lost:
            self._protocol.resume_writing()


def underneath(transport: asyncio.BaseTransport | None) -> MemoryTransport | None:
    """The connection in memory that ``transport`` is, or speaks TLS over; None if there is none."""
    found = transport.get_extra_info(_UNDERNEATH) if transport is not None else None
    return found if isinstance(found, MemoryTransport) else None


def _pass_on(data: bytes, protocol: Any) -> None:
    if not isinstance(protocol, asyncio.BufferedProtocol):
        protocol.data_received(data)
        return
    while data:
        buffer = memoryview(protocol.get_buffer(len(data)))
        taken = min(len(buffer), len(data))
        buffer[:taken] = data[:taken]
        protocol.buffer_updated(taken)
        data = data[taken:]
