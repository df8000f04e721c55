"""Blocking sockets of threads, whose waits are on the stage's time.

A socket that is connected through :class:`ThreadSockets` does not block in the operating system.
Where it would, its thread waits by ``block``, which knows the stage's time; its timeout is one by
that time. Sockets that speak TLS over it do as it does.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

Block = Callable[[int, int, "float | None"], bool]
"""Waits until a file is ready for these events of `select.poll`; false when the time is over."""

_READS = ("recv", "recv_into", "recvfrom", "recvfrom_into", "recvmsg", "recvmsg_into")
_WRITES = ("send",)
_TLS = ("read", "write", "send", "do_handshake", "unwrap")
_TIMEOUTS = ("gettimeout", "settimeout", "setblocking", "getblocking")


class ThreadSockets:
    """Connected sockets of threads, which wait by ``block`` while they are patched."""

    def __init__(self, block: Block) -> None:
        self._block = block
        self._timeouts: dict[tuple[int, int], float | None] = {}
        self._real: dict[str, Any] = {}

    def patch(self, stack: ExitStack, exchange: Callable[[ExitStack, Any, str, Any], None]) -> None:
        """Exchange what blocks in `socket.socket` and `ssl.SSLSocket`."""
        for name in (*_READS, *_WRITES, "sendall", *_TIMEOUTS):
            self._real[name] = getattr(socket.socket, name)
        for name in _READS:
            exchange(stack, socket.socket, name, self._waiting(self._real[name], select.POLLIN))
        for name in _WRITES:
            exchange(stack, socket.socket, name, self._waiting(self._real[name], select.POLLOUT))
        exchange(stack, socket.socket, "sendall", self._sendall())
        for name in _TLS:
            exchange(
                stack, ssl.SSLSocket, name, self._waiting_for_tls(getattr(ssl.SSLSocket, name))
            )
        exchange(stack, socket.socket, "gettimeout", self._gettimeout())
        exchange(stack, socket.socket, "settimeout", self._settimeout())
        exchange(stack, socket.socket, "setblocking", self._setblocking())
        exchange(stack, socket.socket, "getblocking", self._getblocking())

    def adopt(self, sock: socket.socket) -> None:
        """Let ``sock``, which has just been connected, wait by ``block`` from now on."""
        send_at_once(sock)
        timeout = self._real["gettimeout"](sock)
        if timeout != 0.0:
            self._real["settimeout"](sock, 0.0)
            self._timeouts[_key(sock)] = timeout

    def _adopted(self, sock: socket.socket) -> bool:
        return bool(self._timeouts) and _key(sock) in self._timeouts

    def _wait(self, sock: socket.socket, events: int, what: str) -> None:
        timeout = self._timeouts[_key(sock)]
        if timeout == 0.0:
            raise BlockingIOError("the socket does not block")
        if not self._block(sock.fileno(), events, timeout):
            raise TimeoutError(f"{what} timed out" if what else "timed out")

    def _waiting(self, real: Callable[..., Any], events: int) -> Callable[..., Any]:
        def waiting(sock: socket.socket, *args: Any, **options: Any) -> Any:
            while True:
                try:
                    return real(sock, *args, **options)
                except BlockingIOError:
                    if not self._adopted(sock) or self._timeouts[_key(sock)] == 0.0:
                        raise
                self._wait(sock, events, "")

        return waiting

    def _sendall(self) -> Callable[..., Any]:
        real = self._real["sendall"]

        def sendall(sock: socket.socket, data: Any, *flags: int) -> None:
            if not self._adopted(sock):
                real(sock, data, *flags)
                return
            with memoryview(data).cast("B") as view:
                sent = 0
                while sent < len(view):
                    sent += sock.send(view[sent:], *flags)

        return sendall

    def _waiting_for_tls(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def waiting(sock: ssl.SSLSocket, *args: Any, **options: Any) -> Any:
            while True:
                try:
                    return real(sock, *args, **options)
                except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
                    if not self._adopted(sock) or self._timeouts[_key(sock)] == 0.0:
                        raise
                    reads = isinstance(error, ssl.SSLWantReadError)
                what = f"The {real.__name__.replace('do_', '')} operation"
                self._wait(sock, select.POLLIN if reads else select.POLLOUT, what)

        return waiting

    def _gettimeout(self) -> Callable[..., Any]:
        def gettimeout(sock: socket.socket) -> float | None:
            if self._adopted(sock):
                return self._timeouts[_key(sock)]
            timeout: float | None = self._real["gettimeout"](sock)
            return timeout

        return gettimeout

    def _settimeout(self) -> Callable[..., Any]:
        def settimeout(sock: socket.socket, value: float | None) -> None:
            if self._adopted(sock):
                self._timeouts[_key(sock)] = None if value is None else float(value)
                value = 0.0
            self._real["settimeout"](sock, value)

        return settimeout

    def _setblocking(self) -> Callable[..., Any]:
        def setblocking(sock: socket.socket, flag: bool) -> None:
            sock.settimeout(None if flag else 0.0)

        return setblocking

    def _getblocking(self) -> Callable[..., Any]:
        def getblocking(sock: socket.socket) -> bool:
            return sock.gettimeout() != 0.0

        return getblocking


def send_at_once(sock: socket.socket) -> None:
    """Hold nothing back: what is not sent yet can be seen by nobody, and time would go on."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _key(sock: socket.socket) -> tuple[int, int]:
    """What tells a connection from others, also when another object takes over its descriptor."""
    number = sock.fileno()
    try:
        return number, os.fstat(number).st_ino
    except OSError:
        return -1, 0
