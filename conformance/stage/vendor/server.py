"""The vendor hosts of a network: one server, shared by the backends of several avatars."""

from __future__ import annotations

import asyncio
import functools
import itertools
import weakref
from typing import Any, Protocol

from aiohttp import web

from conformance.stage.network.network import Listener, Network
from conformance.stage.network.transport import underneath

from .fault_injection import reset
from .request_validation import Route

PORTS = (443, 80)
_LARGEST_BODY = 64 * 1024 * 1024


class ServedBackend(Protocol):
    """One avatar's backend as the server of its hosts sees it."""

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts that it answers for."""

    def admits(self, host: str) -> bool:
        """Whether a new connection to ``host`` is accepted."""

    def route_of(self, request: web.BaseRequest) -> Route | None:
        """The endpoint that a request is for."""

    async def claims(self, route: Route, request: web.BaseRequest) -> int:
        """Routing score of a request: 0 not ours, 1 possibly ours, 2 certainly ours."""

    async def receive(self, request: web.BaseRequest, route: Route | None) -> web.StreamResponse:
        """Answer a request that is meant for this backend."""


class VendorSite:
    """Serves the hosts of its backends, and finds the backend that a request is meant for.

    Two avatars of one vendor share a host: a request goes to the backend that knows its session,
    or whose avatar the room token in it is for, or else to the one that was opened last.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._backends: list[ServedBackend] = []
        self._listeners: dict[str, list[Listener]] = {}
        self._busy: set[asyncio.BaseTransport] = set()
        self._numbers = itertools.count(1)
        self._server = web.Server(
            self._handle,
            request_factory=self._request,
            handler_cancellation=True,
            access_log=None,
        )

    @classmethod
    def of(cls, network: Network) -> VendorSite:
        """The site of this network."""
        site = _sites.get(network)
        if site is None:
            site = _sites[network] = cls(network)
        return site

    def new_session_id(self) -> str:
        """``session-1``, ``session-2``, ..."""
        return f"session-{next(self._numbers)}"

    def add(self, backend: ServedBackend) -> None:
        """Serve a backend's hosts."""
        for host in backend.hosts:
            if host not in self._listeners:
                admit = functools.partial(self._admits, host)
                self._listeners[host] = [
                    self._network.serve(host, port, self._server, admit=admit) for port in PORTS
                ]
        self._backends.append(backend)

    async def remove(self, backend: ServedBackend) -> None:
        """Stop serving what only this backend needed."""
        self._backends.remove(backend)
        needed = {host for other in self._backends for host in other.hosts}
        for host in [host for host in self._listeners if host not in needed]:
            for listener in self._listeners.pop(host):
                self._network.close(listener)
        if not self._backends:
            _sites.pop(self._network, None)
            self._server.pre_shutdown()
            await self._server.shutdown(0.01)  # none at all would wait for ever

    def hang_up(self, host: str) -> None:
        """Break the connections to a host that are idle, so that clients have to connect anew."""
        for listener in self._listeners.get(host, ()):
            for transport in list(listener.connections):
                if transport not in self._busy:
                    transport.reset(at_once=True)

    def _admits(self, host: str) -> bool:
        return all(backend.admits(host) for backend in reversed(self._backends))

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        transport = underneath(request.transport)
        if transport is None:
            return web.Response()
        self._busy.add(transport)
        try:
            backend, route = await self._meant_for(request)
            if backend is None:
                return reset(request)
            return await backend.receive(request, route)
        finally:
            self._busy.discard(transport)

    async def _meant_for(
        self, request: web.BaseRequest
    ) -> tuple[ServedBackend | None, Route | None]:
        host = request.url.host or ""
        here = [b for b in reversed(self._backends) if host in b.hosts]
        best: tuple[ServedBackend | None, Route | None] = (here[0] if here else None, None)
        surest = -1
        for backend in here:
            route = backend.route_of(request)
            if route is None:
                continue
            sure = await backend.claims(route, request)
            if sure > surest:
                best, surest = (backend, route), sure
        return best

    def _request(
        self, message: Any, payload: Any, protocol: Any, writer: Any, task: asyncio.Task[None]
    ) -> web.BaseRequest:
        return web.BaseRequest(
            message,
            payload,
            protocol,
            writer,
            task,
            asyncio.get_running_loop(),
            client_max_size=_LARGEST_BODY,
        )


_sites: weakref.WeakKeyDictionary[Network, VendorSite] = weakref.WeakKeyDictionary()
