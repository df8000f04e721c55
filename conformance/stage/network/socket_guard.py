"""Keeps blocking sockets, and resolvers that bypass the loop, from reaching anything."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Protocol

from .thread_sockets import Block, ThreadSockets


class Reachable(Protocol):
    """What sockets may reach."""

    def refuse_blocking(self, host: Any, port: Any) -> OSError:
        """Remember an attempt to reach what is not served; returns the error that it gets."""

    def local_address(self, host: Any, port: Any) -> Any | None:
        """Where on 127.0.0.1 a thread's socket reaches what is served there; None: nowhere."""

    def resolve_blocking(self, host: Any, port: Any) -> list[Any] | None:
        """What `getaddrinfo` answers a thread for a served host; None for every other."""


_CONNECTING = ("connect", "connect_ex", "sendto", "sendmsg")
_RESOLVING = ("getaddrinfo", "gethostbyname", "gethostbyname_ex")


class SocketGuard:
    """While entered, blocking sockets reach what is ``reachable``, by 127.0.0.1, and nothing else.

    It is so for every thread, whoever started it and when. Sockets that are connected already, and
    pairs, go on working. What connected sockets wait for, they wait for by ``block``.
    """

    def __init__(self, reachable: Reachable, block: Block) -> None:
        self._reachable = reachable
        self._sockets = ThreadSockets(block)
        self._stack = ExitStack()

    def __enter__(self) -> SocketGuard:
        with ExitStack() as stack:
            for name in _CONNECTING:
                if hasattr(socket.socket, name):
                    _exchange(stack, socket.socket, name, self._connecting(name))
            for name in _RESOLVING:
                _exchange(stack, socket, name, self._resolving(name))
            self._exchange_resolvers(stack)
            self._sockets.patch(stack, _exchange)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    def _connecting(self, name: str) -> Callable[..., Any]:
        real = getattr(socket.socket, name)

        def guarded(sock: socket.socket, *args: Any) -> Any:
            address = _address(name, args)
            if address is None:
                return real(sock, *args)
            host, port = _parts(sock, address)
            try:
                local = self._local_address(name, host, port)
                if local is not None:
                    answer = real(sock, local)
                    self._sockets.adopt(sock)
                    return answer
                error = self._reachable.refuse_blocking(host, port)
            except ConnectionRefusedError as refused:
                error = refused
            if name == "connect_ex":
                return error.errno
            raise error

        return guarded

    def _local_address(self, name: str, host: Any, port: Any) -> Any | None:
        if not name.startswith("connect") or port is None:
            return None
        return self._reachable.local_address(host, port)

    def _resolving(self, name: str) -> Callable[..., Any]:
        real = getattr(socket, name)

        def guarded(host: Any, *args: Any, **kwargs: Any) -> Any:
            if (
                not host
                or kwargs.get("flags", args[4] if len(args) > 4 else 0) & socket.AI_NUMERICHOST
                or _is_number(host)
            ):
                return real(host, *args, **kwargs)
            port = args[0] if args else kwargs.get("port")
            found = self._reachable.resolve_blocking(host, port)
            if found is not None:
                return found if name == "getaddrinfo" else _as_names(name, host, found)
            error = self._reachable.refuse_blocking(host, port)
            raise socket.gaierror(socket.EAI_NONAME, error.strerror)

        return guarded

    def _exchange_resolvers(self, stack: ExitStack) -> None:
        connector: Any = sys.modules.get("aiohttp.connector")
        resolver: Any = sys.modules.get("aiohttp.resolver")
        if connector is None or resolver is None:
            return
        _exchange(stack, connector, "DefaultResolver", resolver.ThreadedResolver)

        async def resolve(asked: Any, *args: Any, **kwargs: Any) -> Any:
            return await resolver.ThreadedResolver(asked._loop).resolve(*args, **kwargs)

        _exchange(stack, resolver.AsyncResolver, "resolve", resolve)


def _as_names(resolver: str, host: Any, found: list[Any]) -> Any:
    addresses = [address[0] for *_, address in found]
    return addresses[0] if resolver == "gethostbyname" else (host, [], addresses)


def _exchange(stack: ExitStack, owner: Any, name: str, value: Any) -> None:
    if name in vars(owner):
        stack.callback(setattr, owner, name, vars(owner)[name])
    else:
        stack.callback(delattr, owner, name)
    setattr(owner, name, value)


def _address(name: str, args: tuple[Any, ...]) -> Any:
    if name == "sendmsg":
        return args[3] if len(args) > 3 else None
    return args[-1] if args else None


def _parts(sock: socket.socket, address: Any) -> tuple[Any, Any]:
    if sock.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple):
        return address[0], address[1]
    shown = address.decode(errors="replace") if isinstance(address, bytes) else address
    return f"unix:{shown}", None


def _is_number(host: Any) -> bool:
    text = host.decode("ascii", "replace") if isinstance(host, (bytes, bytearray)) else str(host)
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, text.partition("%")[0])
        except OSError:
            continue
        return True
    return False
