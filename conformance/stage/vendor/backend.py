"""A vendor's API in memory: checks every request, brings the workers in, shows faults."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from aiohttp import web

from conformance.errors import KitError
from conformance.plugin.room import Clock
from conformance.plugin.vendor_api import ApiRequest, Call, RoomAccess, Socket, VendorAPI
from conformance.plugin.vendor_messages import DataMessage, RoomMessage
from conformance.plugin.worker import Behaviour, Worker, WorkerSpec
from conformance.results.timeline import Timeline
from conformance.stage.faults import Fault
from conformance.stage.interface import Server, VendorSession
from conformance.stage.network.network import Network

from .fault_injection import Injection, comes_before, instead_of_answer, refusal, spoilt_answer
from .request_validation import (
    Route,
    at_pointer,
    body_objections,
    filled,
    header_objections,
    identity_in,
    message_objections,
    read_body,
)
from .server import VendorSite
from .websocket import serve_socket

if TYPE_CHECKING:
    from conformance.plugin.context import AdapterContext
    from conformance.plugin.provider import Provider

_UNKNOWN = "unknown call"


class BackendStage(Protocol):
    """A stage that vendors' APIs are served on, in memory."""

    @property
    def network(self) -> Network:
        """The network that the vendor's hosts are served on."""

    @property
    def server(self) -> Server:
        """The server of the rooms that workers join."""

    @property
    def clock(self) -> Clock:
        """The stage's time."""

    @property
    def timeline(self) -> Timeline:
        """Where requests and answers are recorded."""


class MemoryBackend:
    """Serves one avatar's `VendorAPI`; see `conformance.stage.Backend`.

    Call :meth:`start` before the plugin's first request and :meth:`aclose` at the end; `aclose`
    raises `KitError` when the adapter's own code has failed meanwhile.
    """

    def __init__(self, provider: Provider, context: AdapterContext, stage: BackendStage) -> None:
        manifest = provider.manifest
        api = provider.vendor_backend(context) or VendorAPI()
        self.behaviour = Behaviour()
        self._name = provider.name
        self._worker_factory = provider.avatar_worker(context)
        self._context = context
        self._network = stage.network
        self._server = stage.server
        self._clock = stage.clock
        self._timeline = stage.timeline
        self._identities = {context.identity or manifest.identity}
        default_host = manifest.hosts[0] if manifest.hosts else ""
        endpoints: list[Call | Socket] = [*api.calls, *api.sockets]
        self._routes = [Route(endpoint, default_host) for endpoint in endpoints]
        self._messages = api.messages
        if any(not route.host for route in self._routes):
            raise KitError(
                f"{self._name}: the manifest declares no host, but its backend has calls:"
                " declare the vendor's host in `hosts`"
            )
        self._hosts = frozenset(route.host for route in self._routes) | {
            host.lower() for host in manifest.hosts
        }
        self._requests: list[ApiRequest] = []
        self._objections: list[str] = []
        self._sessions: dict[str, VendorSession] = {}
        self._workers: list[tuple[str | None, Worker]] = []
        self._injections: list[Injection] = []
        self._failures: list[tuple[str, Exception]] = []
        self._leaving: set[asyncio.Task[None]] = set()
        self._site: VendorSite | None = None

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts that it answers for."""
        return self._hosts

    @property
    def requests(self) -> Sequence[ApiRequest]:
        """Every request received, oldest first."""
        return tuple(self._requests)

    @property
    def request_violations(self) -> Sequence[str]:
        """Violations of the vendor's API, in words without secrets."""
        return tuple(self._objections)

    @property
    def sessions(self) -> Sequence[VendorSession]:
        """Every remote session ever opened, oldest first."""
        return tuple(self._sessions.values())

    @property
    def workers(self) -> Sequence[Worker]:
        """Every worker that a session has brought into being, oldest first."""
        return tuple(worker for _, worker in self._workers)

    def inject(
        self, fault: Fault, *, call: str | None = None, times: int | None = None
    ) -> Injection:
        """Make a call (every call when None) show ``fault``, ``times`` times or always."""
        names = [route.endpoint.name for route in self._routes]
        if call is not None and call not in names:
            raise KitError(
                f"{self._name}: there is no call {call!r} to show {fault};"
                f" its calls are {', '.join(map(repr, names)) or 'none'}"
            )
        injection = Injection(fault, call, times)
        self._injections.append(injection)
        if fault.kind == "refused" and self._site is not None:
            for host in self._hosts:
                self._site.hang_up(host)
        return injection

    async def start(self) -> None:
        """Answer from now on."""
        self._site = VendorSite.of(self._network)
        self._site.add(self)

    async def aclose(self) -> None:
        """Stop answering, and let every worker leave."""
        site, self._site = self._site, None
        if site is None:
            return
        await site.remove(self)
        for task in self._leaving:
            task.cancel()
        await asyncio.gather(*self._leaving, return_exceptions=True)
        for worker in self.workers:
            await worker.aclose()
        if self._failures:
            what, error = self._failures[0]
            raise KitError(
                f"{self._name}: {what} of its adapter raised {type(error).__name__}: {error}"
            ) from error

    def admits(self, host: str) -> bool:
        """Whether a new connection to ``host`` is accepted."""
        if host in self._hosts:
            for injection in self._injections:
                if injection.fault.kind == "refused" and self._is_next(injection, host):
                    injection.meet()
                    self._timeline.record(
                        "backend", "fault", injection.call or host, what="refused"
                    )
                    return False
        return True

    def route_of(self, request: web.BaseRequest) -> Route | None:
        """The endpoint that a request is for."""
        host, path = request.url.host or "", request.url.path
        for route in self._routes:
            if route.method == request.method and route.match(host, path) is not None:
                return route
        return None

    async def claims(self, route: Route, request: web.BaseRequest) -> int:
        """Routing score of a request: 0 not ours, 1 possibly ours, 2 certainly ours."""
        session, body = await self._addressed(route, request)
        if session is not None:
            return 2 if session in self._sessions else 0
        if isinstance(route.endpoint, Call):
            for access in route.endpoint.rooms:
                if identity_in(at_pointer(body, access.token)) in self._identities:
                    return 2
        return 1

    async def receive(self, request: web.BaseRequest, route: Route | None) -> web.StreamResponse:
        """Answer a request that is meant for this backend."""
        if route is None:
            what = f"{request.method} {request.url.host}{request.url.path}"
            self._note(request, _UNKNOWN, await request.text() or None, None)
            return self._object([f"{what}: the vendor has no such call"], _UNKNOWN, 404)
        endpoint = route.endpoint
        session, body = await self._addressed(route, request)
        noted = self._note(request, endpoint.name, body, session)
        fault = self._fault_for(endpoint)
        if fault is not None:
            self._timeline.record("backend", "fault", endpoint.name, what=str(fault))
            if fault.kind == "answers-slowly":
                await self._clock.sleep(fault.delay)
        if isinstance(endpoint, Socket):
            if fault is not None and comes_before(fault):
                return self._answered(endpoint.name, await instead_of_answer(fault, request))
            return await self._upgrade(endpoint, request, session, fault)
        problem = await self._problems(endpoint, request, noted)
        if fault is not None and comes_before(fault):
            return self._answered(endpoint.name, await instead_of_answer(fault, request))
        if problem is not None:
            return problem
        return await self._carry_out(endpoint, request, noted, fault)

    async def _addressed(self, route: Route, request: web.BaseRequest) -> tuple[str | None, Any]:
        found = route.match(request.url.host or "", request.url.path) or {}
        endpoint = route.endpoint
        if isinstance(endpoint, Socket):
            return found.get("session"), None
        body, _ = await read_body(request, endpoint.body_format)
        return found.get("session") or at_pointer(body, endpoint.session), body

    def _note(
        self, request: web.BaseRequest, call: str, body: Any, session: str | None
    ) -> ApiRequest:
        noted = ApiRequest(
            self._clock.now(),
            call,
            request.method,
            request.url.host or "",
            request.path_qs,
            request.headers.copy(),
            body,
            session,
        )
        self._requests.append(noted)
        self._timeline.record("backend", "request", call)
        return noted

    def _fault_for(self, endpoint: Call | Socket) -> Fault | None:
        for injection in self._injections:
            if injection.concerns(endpoint):
                return injection.meet()
        return None

    def _is_next(self, injection: Injection, host: str) -> bool:
        """Whether a connection made now is for the call that is to be refused."""
        if not injection.active:
            return False
        if injection.call is None:
            return True
        before = None
        for route in self._routes:
            if route.endpoint.name == injection.call:
                if route.host != host:
                    return False
                return before is None or self._count(before) > self._count(injection.call)
            if route.host == host and getattr(route.endpoint, "when", "start") == "start":
                before = route.endpoint.name
        return False

    def _count(self, call: str) -> int:
        return sum(1 for request in self._requests if request.call == call)

    async def _problems(
        self, call: Call, request: web.BaseRequest, noted: ApiRequest
    ) -> web.StreamResponse | None:
        values = {**self._context.secrets, "session": noted.session or ""}
        if wrong := list(header_objections(call, request.headers, values)):
            return self._object(wrong, call.name, 401)
        if noted.session is not None and noted.session not in self._sessions:
            return self._object([f"{call.name}: there is no such session"], call.name, 404)
        _, unreadable = await read_body(request, call.body_format)
        if unreadable is not None and (call.body is not None or call.rooms):
            return self._object([f"{call.name}: {unreadable}"], call.name, 422)
        wrong = body_objections(call, noted.body)
        if not wrong:
            for access in call.rooms:
                wrong += self._access_objections(call, access, noted.body)
        return self._object(wrong, call.name, 422) if wrong else None

    def _access_objections(self, call: Call, access: RoomAccess, body: Any) -> list[str]:
        wrong = [
            f"{call.name}: body{pointer}: the room's {what} is missing"
            for pointer, what in ((access.url, "URL"), (access.token, "token"))
            if not at_pointer(body, pointer)
        ]
        token = at_pointer(body, access.token)
        repeated = (
            (access.identity, identity_in(token), "is not the identity in the room token"),
            (access.room_name, self._context.room_name, "is not the room's name"),
        )
        for pointer, expected, words in repeated:
            if pointer is not None and at_pointer(body, pointer) != expected:
                wrong.append(f"{call.name}: body{pointer}: {words}")
        return wrong

    def _object(self, request_violations: list[str], call: str, status: int) -> web.StreamResponse:
        self._objections += request_violations
        return self._answered(call, refusal(status))

    def _answered(self, call: str, response: web.StreamResponse) -> web.StreamResponse:
        self._timeline.record("backend", "answer", call, status=response.status)
        if any(i.active and i.fault.kind == "refused" for i in self._injections):
            response.force_close()
        return response

    async def _carry_out(
        self, call: Call, request: web.BaseRequest, noted: ApiRequest, fault: Fault | None
    ) -> web.StreamResponse:
        session = noted.session
        if call.opens_session:
            session = self._open_session(call, noted.body)
        if call.rooms:
            self._bring_in(call, noted.body, session)
        if session != noted.session:
            position = next(i for i, r in enumerate(self._requests) if r is noted)
            noted = self._requests[position] = replace(noted, session=session)
        if call.ends_session:
            self._end_session(session)
        try:
            answer = call.answer(noted) if callable(call.answer) else call.answer
        except Exception as error:  # adapters are anybody's code; it is reported by aclose()
            self._failures.append((f"the answer of {call.name!r}", error))
            return self._answered(call.name, refusal(500))
        answer = filled(answer, {"session": session or ""})
        if fault is not None and fault.kind != "answers-slowly":
            spoilt = await spoilt_answer(fault, request, call, answer, self._clock)
            return self._answered(call.name, spoilt)
        if call.status == 204:
            return self._answered(call.name, web.Response(status=204))
        return self._answered(call.name, web.json_response(answer, status=call.status))

    def _open_session(self, call: Call, body: Any) -> str:
        assert self._site is not None
        identity = None
        for access in call.rooms[:1]:
            identity = at_pointer(body, access.identity) or identity_in(
                at_pointer(body, access.token)
            )
        session = self._site.new_session_id()
        self._sessions[session] = VendorSession(session, self._clock.now(), None, identity)
        return session

    def _bring_in(self, call: Call, body: Any, session: str | None) -> None:
        for access in call.rooms:
            spec = WorkerSpec(
                name=access.participant,
                token=at_pointer(body, access.token) or "",
                url=at_pointer(body, access.url) or "",
                server=self._server,
                clock=self._clock,
                timeline=self._timeline,
                behaviour=self.behaviour,
                session=session,
                end_session=partial(self._end_session, session),
                messages=self._messages,
                told=partial(self._told, session),
                ends_with_worker=call.ends_with_worker,
            )
            worker = self._worker_factory(spec)
            self._workers.append((session, worker))
            worker.begin()

    def _end_session(self, session: str | None) -> None:
        known = self._sessions.get(session or "")
        if known is None or known.ended_at is not None:
            return
        self._sessions[known.id] = replace(known, ended_at=self._clock.now())
        for worker in self._workers_of(session):
            task = asyncio.get_running_loop().create_task(worker.leave())
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    def _told(self, session: str | None, message: RoomMessage, payload: object) -> bool:
        wrong = message_objections(message, payload)
        if wrong and isinstance(message, DataMessage) and message.topic is None:
            return False  # it was meant for somebody else
        self._timeline.record("backend", "told", message.name)
        self._objections += wrong
        if message.ends_session and not wrong:
            self._end_session(session)
        return not wrong

    def _workers_of(self, session: str | None) -> list[Worker]:
        return [worker for of, worker in self._workers if of == session]

    async def _upgrade(
        self, endpoint: Socket, request: web.BaseRequest, session: str | None, fault: Fault | None
    ) -> web.StreamResponse:
        if session is None and self._sessions:
            session = list(self._sessions)[-1]
        workers = self._workers_of(session)
        if session not in self._sessions or not workers:
            return self._object([f"{endpoint.name}: there is no such session"], endpoint.name, 404)
        self._timeline.record("backend", "answer", endpoint.name, status=101)
        socket = await serve_socket(
            endpoint,
            request,
            session,
            workers[0],
            fault,
            clock=self._clock,
            object_to=self._objections.append,
        )
        self._timeline.record("backend", "socket closed", endpoint.name)
        return socket
