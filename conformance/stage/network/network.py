"""The network of a run: declared hosts are served in memory, nothing else can be reached.

A :class:`~conformance.stage.network.event_loop.NetworkedLoop` asks its network for addresses and
connections. What Python code tries to reach beside the declared hosts is refused and remembered as
a `conformance.stage.Contact`; native code that opens its own sockets is out of sight.
"""

from __future__ import annotations

import asyncio
import contextvars
import errno
import ipaddress
import socket
import ssl
import threading
import weakref
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from conformance.results.timeline import Timeline
from conformance.stage.interface import ChildProcess, Contact
from conformance.stage.network.thread_owners import owner_of_this_thread

from .authority import run_authority
from .bridge import Bridges
from .call_site import origin_of_contact
from .event_loop import NetworkedLoop
from .native_sockets import NativeSockets
from .process_watch import ProcessWatch, living_children
from .socket_guard import SocketGuard
from .socket_view import SocketView
from .tls import TlsProtocol
from .transport import MemoryTransport

ProtocolFactory = Callable[[], asyncio.BaseProtocol]

HTTPS = 443
NATIVE = "native code"
"""The origin of a connection that was opened beside Python."""

REAL_TIME_HINT = (
    "give the manifest the capability real_time, to play its checks in real time, or use --live"
)
"""What there is to do about work that virtual time cannot wait for."""

_CLIENT_ADDRESS = "198.19.255.254"
_FIRST_ADDRESS = ipaddress.IPv4Address("198.18.0.1")
"""Synthetic addresses come from 198.18.0.0/15, which is set aside for tests (RFC 2544)."""


class NetworkClock(Protocol):
    """What a network needs of a clock: the time, and the loop whose connections it makes."""

    @property
    def loop(self) -> NetworkedLoop:
        """The loop that asks for addresses and connections."""

    def now(self) -> float:
        """Seconds since the stage was opened."""


@dataclass(eq=False)
class Listener:
    """A host and port that is served. ``admit`` is asked before each connection is accepted.

    ``tls`` is what it speaks TLS with, as everybody's port 443 does; None: it does not.
    """

    host: str
    port: int
    factory: ProtocolFactory
    admit: Callable[[], bool] | None = None
    tls: ssl.SSLContext | None = None
    connections: weakref.WeakSet[MemoryTransport] = field(default_factory=weakref.WeakSet)
    context: contextvars.Context = field(default_factory=contextvars.copy_context)


class Network:
    """The hosts that can be reached while it is entered; contacts go to ``timeline`` too."""

    def __init__(self, clock: NetworkClock, timeline: Timeline | None = None) -> None:
        self._clock = clock
        self._loop = clock.loop
        self._timeline = timeline
        self._listeners: dict[tuple[str, int], Listener] = {}
        self._addresses: dict[str, str] = {}
        self._connected: weakref.WeakKeyDictionary[socket.socket, Listener] = (
            weakref.WeakKeyDictionary()
        )
        self._client_port = 49152
        self._bridges = Bridges(self._loop)
        self._loop_thread = threading.get_ident()
        self._stack = ExitStack()
        self._contacts: list[Contact] = []
        self._native = NativeSockets()
        self._past_children = False
        self._others_children: frozenset[int] = frozenset()
        self.limits: list[str] = []
        """What was asked for that cannot be served in memory, in words: nobody's failure."""
        self.unknown: Callable[[str], None] | None = None
        """Called with the name of a host that nobody serves, and may serve it then."""
        self.children: list[ChildProcess] = []
        """The child processes that were started, each kind once."""

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """Every attempt to reach something that is not served, oldest first.

        Those of native code are the connections that it holds at the moment of a look.
        """
        for address in self._native.found():
            self._contacts.append(Contact(self._clock.now(), address, NATIVE))
        return tuple(self._contacts)

    @property
    def has_child(self) -> bool:
        """Whether a child process that was started here may still be at work."""
        return bool(self.children) and not living_children() <= self._others_children

    def time_passes(self) -> None:
        """Note that time jumps while a child process lives, whose work nothing waits for."""
        if not self._past_children and self.has_child:
            self._past_children = True
            programs = ", ".join(f"{child.program}, by {child.origin}" for child in self.children)
            self.limits.append(
                f"virtual time went on while a child process was at work ({programs}): "
                f"{REAL_TIME_HINT}"
            )

    def __enter__(self) -> Network:
        self._others_children = living_children()
        self._stack.callback(self._bridges.close)
        self._stack.enter_context(SocketGuard(self, self._loop.block_thread))
        self._stack.enter_context(run_authority().trusted())
        self._stack.enter_context(ProcessWatch(self._child_started, self._channel_opened))
        self._stack.callback(setattr, self._loop, "network", self._loop.network)
        self._loop.network = self
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    def serve(
        self,
        host: str,
        port: int,
        protocol_factory: ProtocolFactory,
        *,
        admit: Callable[[], bool] | None = None,
    ) -> Listener:
        """Make ``host:port`` reachable; each connection talks to a protocol from the factory.

        Connections are refused while ``admit()`` is false. Raises ValueError when the address is
        served already.
        """
        host = _bare(host)
        address = self._address_of(host)
        if (address, port) in self._listeners:
            raise ValueError(f"{host}:{port} is served already; close it before serving it anew")
        tls = run_authority().server_context(host) if port == HTTPS else None
        listener = Listener(host, port, protocol_factory, admit, tls)
        self._listeners[address, port] = listener
        return listener

    def close(self, listener: Listener) -> None:
        """Serve it no more; connections that are open stay open."""
        self._listeners = {k: v for k, v in self._listeners.items() if v is not listener}

    def resolve(self, host: Any, port: Any, *, kind: int = 0) -> list[Any]:
        """What `getaddrinfo` answers for a served host; raises `socket.gaierror` for others."""
        name = _bare(host)
        self._ask_for(name)
        address = self._addresses.get(name)
        if address is None or not self._is_served(name):
            number = _as_address(name)
            if number is None:
                self.refuse(name, port)
                raise socket.gaierror(
                    socket.EAI_NONAME, f"{_shown(name, port)} is not a declared host"
                )
            address = number
        at = _as_port(port)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        where = (address, at, 0, 0) if ":" in address else (address, at)
        kind = kind or socket.SOCK_STREAM
        protocol = socket.IPPROTO_UDP if kind == socket.SOCK_DGRAM else socket.IPPROTO_TCP
        return [(family, socket.SocketKind(kind), protocol, "", where)]

    def reach(self, address: Any) -> Listener:
        """The listener at a socket address; raises `ConnectionRefusedError` when there is none."""
        host, port = address[0], address[1]
        listener = self._listeners.get((_bare(host), port))
        if listener is None:
            names = [name for name, number in self._addresses.items() if number == _bare(host)]
            host = names[0] if names else host
            self.refuse(host, port)
            raise ConnectionRefusedError(
                errno.ECONNREFUSED, f"{_shown(host, port)} is not a declared host"
            )
        if listener.admit is not None and not listener.admit():
            raise ConnectionRefusedError(
                errno.ECONNREFUSED, f"Connect call failed {listener.host}:{listener.port}"
            )
        return listener

    def connect_socket(self, sock: socket.socket, address: Any) -> None:
        """Let ``sock`` stand for a connection to ``address``."""
        self._connected[sock] = self.reach(address)

    def stands_for(self, sock: socket.socket) -> bool:
        """Whether ``sock`` was connected here."""
        return sock in self._connected

    def open(
        self,
        protocol_factory: ProtocolFactory,
        *,
        sock: socket.socket | None = None,
        listener: Listener | None = None,
    ) -> tuple[MemoryTransport, asyncio.BaseProtocol]:
        """Make the connection that ``sock`` stands for, or one to ``listener``."""
        if listener is None:
            assert sock is not None
            listener = self._connected.pop(sock)
        self._client_port += 1
        here = (_CLIENT_ADDRESS, self._client_port)
        there = (self._addresses[listener.host], listener.port)
        protocol = protocol_factory()
        near = MemoryTransport(
            self._loop,
            protocol,
            {"socket": sock or SocketView(here, there), "sockname": here, "peername": there},
            contextvars.copy_context(),
            owned=sock,
        )
        far = MemoryTransport(
            self._loop,
            self._server_end(listener),
            {"sockname": there, "peername": here},
            listener.context.copy(),
        )
        listener.connections.add(far)
        far.open(near)
        near.open(far)
        return near, protocol

    def _server_end(self, listener: Listener) -> asyncio.BaseProtocol:
        protocol = listener.factory()
        if listener.tls is None:
            return protocol
        nobody: Any = None  # waits for the handshake
        return TlsProtocol(self._loop, protocol, listener.tls, nobody, server_side=True)

    def refuse(self, host: Any, port: Any = None) -> None:
        """Remember an attempt to reach something that is not served."""
        address = host if port is None else _shown(host, port)
        origin = origin_of_contact(self._loop, _bare(host))
        self._contacts.append(
            Contact(self._clock.now(), str(address), origin, owner_of_this_thread())
        )
        if self._timeline is not None:
            self._timeline.record("backend", "undeclared contact", str(address), origin=origin)

    def refuse_blocking(self, host: Any, port: Any) -> OSError:
        """Remember a blocking socket's attempt; returns the error that it gets."""
        self.refuse(host, port)
        what = host if port is None else _shown(host, port)
        return ConnectionRefusedError(errno.ECONNREFUSED, f"{what} is not a declared host")

    def resolve_blocking(self, host: Any, port: Any) -> list[Any] | None:
        """What `getaddrinfo` answers for a served host; None for every other."""
        self._ask_for(_bare(host))
        return self.resolve(host, port) if self._is_served(_bare(host)) else None

    def _ask_for(self, name: str) -> None:
        if self.unknown is not None and not self._is_served(name) and _as_address(name) is None:
            self.unknown(name)

    def local_address(self, host: Any, port: Any) -> Any | None:
        """Where on 127.0.0.1 a thread's socket reaches what is served; None where nothing is.

        Raises `ConnectionRefusedError` for a connection that is not admitted, and for one that
        would block the loop, which could then never answer.
        """
        listener = self._listeners.get((_bare(host), port))
        if listener is None:
            return None
        self.reach((host, port))
        if threading.get_ident() == self._loop_thread:
            self.limits.append(self._blocks_the_loop(listener))
            raise ConnectionRefusedError(errno.ECONNREFUSED, self.limits[-1])
        return self._bridges.address(id(listener), partial(self.open, listener=listener))

    def _child_started(self, program: str) -> None:
        origin = origin_of_contact(self._loop, program)
        child = ChildProcess(program, origin, owner_of_this_thread())
        if child not in self.children:
            self.children.append(child)

    def _channel_opened(self, target: str) -> None:
        """Refuse a gRPC channel: its core resolves and connects beside everything in Python."""
        host, _, port = target.rpartition("/")[2].rpartition(":")
        if not self._is_served(_bare(host or port)):
            raise self.refuse_blocking(host or port, port if host else None)
        origin = origin_of_contact(self._loop, host)
        self.limits.append(
            f"{origin} opens a gRPC channel to {host}, whose core has sockets and a resolver of "
            "its own that nothing in memory reaches: use --live with the vendor's own API"
        )
        raise ConnectionRefusedError(errno.ECONNREFUSED, self.limits[-1])

    def _blocks_the_loop(self, listener: Listener) -> str:
        origin = origin_of_contact(self._loop, listener.host)
        return (
            f"{origin} opens a blocking socket to {listener.host} in the event loop's thread, "
            "which nothing in memory can answer meanwhile: call it in a thread "
            "(asyncio.to_thread), or use --live with the vendor's own API"
        )

    def _is_served(self, name: str) -> bool:
        address = self._addresses.get(name)
        return any(key[0] == address for key in self._listeners)

    def _address_of(self, host: str) -> str:
        if host not in self._addresses:
            number = _as_address(host)
            synthetic = str(_FIRST_ADDRESS + len(self._addresses))
            self._addresses[host] = number or synthetic
        return self._addresses[host]


def _bare(host: Any) -> str:
    if isinstance(host, (bytes, bytearray)):
        host = bytes(host).decode("ascii", "replace")
    return str(host or "").strip("[]").rstrip(".").lower()


def _as_address(host: str) -> str | None:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None


def _as_port(port: Any) -> int:
    if port in (None, "", b""):
        return 0
    try:
        return int(port)
    except ValueError:
        name = port.decode() if isinstance(port, bytes) else str(port)
        return socket.getservbyname(name)


def _shown(host: Any, port: Any) -> str:
    name = _bare(host)
    name = f"[{name}]" if ":" in name else name
    return f"{name}:{_as_port(port)}" if port not in (None, "", 0) else name
