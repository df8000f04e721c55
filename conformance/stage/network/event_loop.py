"""An event loop whose connections go through a network, once one is installed."""

from __future__ import annotations

import asyncio
import errno
import logging
import select
import socket
import ssl
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

from conformance.errors import exception_text

from .tls import TlsProtocol

logger = logging.getLogger(__name__)


class Connections(Protocol):
    """What a networked loop asks for addresses and connections; see `network.Network`."""

    def resolve(self, host: Any, port: Any, *, kind: int = 0) -> list[Any]:
        """The addresses of a served host; raises `socket.gaierror` for others."""

    def reach(self, address: Any) -> Any:
        """The listener at a socket address; raises `ConnectionRefusedError` without one."""

    def connect_socket(self, sock: socket.socket, address: Any) -> None:
        """Let ``sock`` stand for a connection to ``address``."""

    def stands_for(self, sock: socket.socket) -> bool:
        """Whether ``sock`` was connected here."""

    def open(
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        *,
        sock: socket.socket | None = None,
        listener: Any = None,
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """Make the connection that ``sock`` stands for, or one to ``listener``."""

    def refuse_blocking(self, host: Any, port: Any) -> OSError:
        """Remember an attempt to reach something else; returns the error that it gets."""

    @property
    def has_child(self) -> bool:
        """Whether a child process that was started here may still be at work."""

    def time_passes(self) -> None:
        """Note that time jumps while a child process lives, whose work nothing waits for."""


class NetworkedLoop(asyncio.SelectorEventLoop):
    """Set :attr:`network` to have every connection made there. The loop's own pipe is untouched.

    :attr:`on_unhandled` is told of what nobody awaited or caught, as it is logged.
    """

    network: Connections | None = None
    on_unhandled: Callable[[Mapping[str, Any]], None] | None = None

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Log in one line what nobody awaited or caught.

        Tasks say so when they are collected, which may be in the middle of `ast.parse`: formatting
        a traceback there parses again, and CPython 3.11's parser does not bear that (gh-106905).
        It may also be long after the run has its verdict, when it is of no use to anybody.
        """
        error = context.get("exception")
        what = f": {exception_text(error)}" if error is not None else ""
        level = logging.DEBUG if self.is_closed() else logging.ERROR
        logger.log(level, "%s%s", context.get("message", "unhandled"), what)
        if self.on_unhandled is not None and not self.is_closed():
            self.on_unhandled(context)

    def block_thread(self, file: int, events: int, timeout: float | None) -> bool:
        """Block a thread until ``file`` is ready for ``events``; false after ``timeout`` seconds.

        ``events`` are those of `select.poll`.
        """
        poll = select.poll()
        poll.register(file, events)
        return bool(poll.poll(None if timeout is None else round(timeout * 1000)))

    async def getaddrinfo(
        self,
        host: Any,
        port: Any,
        *,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> list[Any]:
        """Addresses of declared hosts; others raise `socket.gaierror`."""
        if self.network is None:
            return await super().getaddrinfo(
                host, port, family=family, type=type, proto=proto, flags=flags
            )
        return self.network.resolve(host, port, kind=type)

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> tuple[str, str]:
        """The address as it is: nothing is asked for names."""
        if self.network is None:
            return await super().getnameinfo(sockaddr, flags)
        return str(sockaddr[0]), str(sockaddr[1])

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """Connect ``sock`` to a declared host."""
        if self.network is None:
            await super().sock_connect(sock, address)
        elif sock.family in (socket.AF_INET, socket.AF_INET6):
            self.network.connect_socket(sock, address)
        else:
            raise self.network.refuse_blocking(f"unix:{address}", None)

    async def create_connection(self, protocol_factory: Any, *args: Any, **kwargs: Any) -> Any:
        """Connect to a declared host, by TLS where ``ssl`` asks for it."""
        if self.network is None:
            return await super().create_connection(protocol_factory, *args, **kwargs)
        host = args[0] if args else kwargs.get("host")
        port = args[1] if len(args) > 1 else kwargs.get("port")
        sock: socket.socket | None = kwargs.get("sock")
        if sock is not None:
            if not self.network.stands_for(sock):
                return await super().create_connection(protocol_factory, *args, **kwargs)
            connect = partial(self.network.open, sock=sock)
        elif host is None:
            raise ValueError("host and port was not specified and no sock specified")
        else:
            found = self.network.resolve(host, port)
            connect = partial(self.network.open, listener=self.network.reach(found[0][4]))
        if not kwargs.get("ssl"):
            return connect(protocol_factory)
        return await self._secured(connect, protocol_factory(), {"server_hostname": host, **kwargs})

    async def _secured(
        self, connect: Callable[..., Any], protocol: Any, options: Mapping[str, Any]
    ) -> tuple[asyncio.BaseTransport, Any]:
        context = options["ssl"]
        if context is True:
            context = ssl.create_default_context()
        waiter = self.create_future()
        timeout = options.get("ssl_handshake_timeout")
        tls = TlsProtocol(
            self,
            protocol,
            context,
            waiter,
            server_hostname=options["server_hostname"],
            ssl_handshake_timeout=timeout,
        )
        transport, _ = connect(lambda: tls)
        try:
            await waiter
        except BaseException:
            transport.abort()
            raise
        return tls._app_transport, protocol

    async def create_datagram_endpoint(
        self, protocol_factory: Any, local_addr: Any = None, remote_addr: Any = None, **kwargs: Any
    ) -> Any:
        """Refused where it names a remote address."""
        if self.network is not None and remote_addr is not None:
            raise self.network.refuse_blocking(*_host_and_port(remote_addr))
        return await super().create_datagram_endpoint(
            protocol_factory, local_addr, remote_addr, **kwargs
        )

    async def sock_sendto(self, sock: Any, data: Any, address: Any) -> int:
        """Refused: no declared host takes datagrams."""
        if self.network is None:
            real: Any = super()  # Python 3.10 has no sock_sendto
            return int(await real.sock_sendto(sock, data, address))
        raise self.network.refuse_blocking(*_host_and_port(address))

    async def create_unix_connection(
        self, protocol_factory: Any, path: Any = None, **kwargs: Any
    ) -> Any:
        """Refused where it names a path."""
        if self.network is not None and path is not None:
            raise self.network.refuse_blocking(f"unix:{path}", None)
        return await super().create_unix_connection(protocol_factory, path, **kwargs)


def _host_and_port(address: Any) -> tuple[Any, Any]:
    if isinstance(address, tuple):
        return address[0], address[1]
    raise OSError(errno.EAFNOSUPPORT, f"cannot reach {address!r}")
