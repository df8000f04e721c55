"""An event loop in real time: vendors' hosts are in memory, the LiveKit server is really there."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterable
from typing import Any

from conformance.stage.network.event_loop import NetworkedLoop

Address = tuple[str, int]


class RealTimeLoop(NetworkedLoop):
    """Connects to the addresses given to :meth:`let_through` by real sockets.

    All others go through :attr:`network`, which serves declared hosts and refuses the rest.
    """

    def __init__(self) -> None:
        super().__init__()
        self._real: set[Address] = set()

    def let_through(self, addresses: Iterable[Address]) -> None:
        """Connect to these hosts and ports by real sockets from now on."""
        self._real.update(addresses)

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> list[Any]:
        """Addresses of declared hosts, and the real ones of those that are let through."""
        if not self._is_real(host, port):
            return await super().getaddrinfo(host, port, **options)
        try:
            # No thread is started for what is a number already: it would look left behind.
            numeric = options.get("flags", 0) | socket.AI_NUMERICHOST
            found = socket.getaddrinfo(host, port, **{**options, "flags": numeric})
        except socket.gaierror:
            found = await asyncio.SelectorEventLoop.getaddrinfo(self, host, port, **options)
        self.let_through((str(address[0]), int(address[1])) for *_, address in found)
        return found

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """Connect ``sock`` to a declared host, or really."""
        if not self._is_real(*address[:2]):
            await super().sock_connect(sock, address)
            return
        try:
            # While a network is there, the method of `socket.socket` refuses every address.
            socket.SocketType.connect(sock, address)
        except (BlockingIOError, InterruptedError):
            await self._until_writable(sock)
            error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                raise OSError(error, f"{os.strerror(error)}: {address}") from None

    async def create_connection(self, protocol_factory: Any, *args: Any, **kwargs: Any) -> Any:
        """Connect to a declared host, or really."""
        host = args[0] if args else kwargs.get("host")
        port = args[1] if len(args) > 1 else kwargs.get("port")
        if kwargs.get("sock") is not None or not self._is_real(host, port):
            return await super().create_connection(protocol_factory, *args, **kwargs)
        family, kind, protocol, _, address = (
            await self.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )[0]
        sock = socket.socket(family, kind, protocol)
        sock.setblocking(False)
        try:
            await self.sock_connect(sock, address)
        except BaseException:
            sock.close()
            raise
        options = {k: v for k, v in kwargs.items() if k not in ("host", "port", "sock")}
        if options.get("ssl") and options.get("server_hostname") is None:
            options["server_hostname"] = host
        return await asyncio.SelectorEventLoop.create_connection(
            self, protocol_factory, sock=sock, **options
        )

    def _is_real(self, host: Any, port: Any) -> bool:
        return (host, port) in self._real

    async def _until_writable(self, sock: socket.socket) -> None:
        ready = self.create_future()
        self.add_writer(sock, _set, ready)
        try:
            await ready
        finally:
            self.remove_writer(sock)


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
