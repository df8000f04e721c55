"""A vendor's API in memory: checks every request, brings the workers in, shows faults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from aiohttp import web

from conformance.errors import KitError, exception_text
from conformance.plugin.socket_session import SocketSession
from conformance.plugin.vendor_api import (
    ApiRequest,
    Call,
    Socket,
    VendorAPI,
)
from conformance.plugin.worker import Behaviour, Worker
from conformance.stage.faults import Fault
from conformance.stage.interface import VendorSession

from .fault_injection import Injection, comes_before, instead_of_answer, refusal, spoilt_answer
from .latency import API_LATENCY
from .request_validation import (
    Route,
    access_objections,
    at_place,
    body_objections,
    filled,
    first_message_objections,
    header_objections,
    read_body,
)
from .server import VendorSite
from .sessions import BackendStage, VendorSessions
from .websocket import OpenedSocket, serve_socket

if TYPE_CHECKING:
    from conformance.plugin.context import AdapterContext
    from conformance.plugin.provider import Provider

_UNKNOWN = "unknown call"


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
        self._manifest = manifest
        self._context = context
        self._room_name = context.room_name
        self._network = stage.network
        self._clock = stage.clock
        self._timeline = stage.timeline
        self._identities = {context.identity or manifest.identity}
        default_host = manifest.hosts[0] if manifest.hosts else ""
        endpoints: list[Call | Socket] = [*api.calls, *api.sockets]
        self._routes = [Route(endpoint, default_host) for endpoint in endpoints]
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
        self._sessions = VendorSessions(
            provider, context, stage, api.messages, self._objections.extend
        )
        self._answered_before: dict[tuple[str, str | None, str], str | None] = {}
        """The sessions of calls by name, idempotency key and body."""
        self._injections: list[Injection] = []
        self._failures: list[tuple[str, Exception]] = []
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
        return tuple(self._sessions.known.values())

    @property
    def workers(self) -> Sequence[Worker]:
        """Every worker that a session has brought into being, oldest first."""
        return self._sessions.workers

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
        await self._sessions.aclose()
        if self._failures:
            what, error = self._failures[0]
            raise KitError(
                f"{self._name}: {what} of its adapter raised {exception_text(error)}"
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
            return 2 if session in self._sessions.known else 0
        for access in route.endpoint.rooms:
            if self._sessions.identity_of(access, request, body) in self._identities:
                return 2
        return 1

    async def receive(self, request: web.BaseRequest, route: Route | None) -> web.StreamResponse:
        """Answer a request that is meant for this backend."""
        await self._clock.sleep(API_LATENCY)
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
        endpoint, body = route.endpoint, None
        if isinstance(endpoint, Call):
            body, _ = await read_body(request, endpoint.body_format)
        return found.get("session") or at_place(request, body, endpoint.session), body

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
        problem = self._refused(call, request, noted.session)
        if problem is not None:
            return problem
        _, unreadable = await read_body(request, call.body_format)
        if unreadable is not None and (call.body is not None or call.rooms):
            return self._object([f"{call.name}: {unreadable}"], call.name, 422)
        wrong = body_objections(call, noted.body)
        if not wrong:
            for access in call.rooms:
                wrong += access_objections(call, access, request, noted.body, self._room_name)
        return self._object(wrong, call.name, 422) if wrong else None

    def _refused(
        self, endpoint: Call | Socket, request: web.BaseRequest, session: str | None
    ) -> web.StreamResponse | None:
        """What is answered where a credential is wrong, or the session unknown."""
        values = {**self._context.secrets, "session": session or ""}
        if wrong := list(header_objections(endpoint, request, values)):
            return self._object(wrong, endpoint.name, 401)
        if session is not None and session not in self._sessions.known:
            return self._object([f"{endpoint.name}: there is no such session"], endpoint.name, 404)
        return None

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
        again = (call.name, at_place(request, noted.body, call.idempotency), repr(noted.body))
        if again[1] is not None and again in self._answered_before:
            session = self._answered_before[again]
            workers = self._sessions.workers_of(session)
        else:
            if call.opens_session:
                session = self._open_session(call, request, noted.body)
            workers = self._sessions.bring_in_by(call, request, noted.body, session, self.behaviour)
            self._answered_before[again] = session
        if session != noted.session:
            position = next(i for i, r in enumerate(self._requests) if r is noted)
            noted = self._requests[position] = replace(noted, session=session)
        if call.ends_session:
            self._sessions.end(session)
        try:
            answer = call.answer(noted) if callable(call.answer) else call.answer
        except Exception as error:  # adapters are anybody's code; it is reported by aclose()
            self._failures.append((f"the answer of {call.name!r}", error))
            return self._answered(call.name, refusal(500))
        minted = next((worker.spec for worker in workers if worker.spec.minted), None)
        if minted is not None:
            answer = filled(answer, {"room_url": minted.url, "room_token": minted.token})
        answer = filled(answer, {"session": session or ""})
        if fault is not None and fault.kind != "answers-slowly":
            spoilt = await spoilt_answer(fault, request, call, answer, self._clock)
            return self._answered(call.name, spoilt)
        if call.status == 204:
            return self._answered(call.name, web.Response(status=204))
        return self._answered(call.name, web.json_response(answer, status=call.status))

    def _open_session(self, endpoint: Call | Socket, request: web.BaseRequest, body: Any) -> str:
        assert self._site is not None
        session = self._site.new_session_id()
        accesses = endpoint.rooms[:1]
        identities = [self._sessions.identity_of(each, request, body) for each in accesses]
        self._sessions.open(session, identities[0] if identities else None)
        return session

    async def _upgrade(
        self, endpoint: Socket, request: web.BaseRequest, session: str | None, fault: Fault | None
    ) -> web.StreamResponse:
        if session is None and not self._has_own_session(endpoint) and self._sessions.known:
            session = list(self._sessions.known)[-1]
        problem = self._refused(endpoint, request, session)
        if problem is not None:
            return problem
        if not self._has_own_session(endpoint) and not self._sessions.workers_of(session):
            return self._object([f"{endpoint.name}: there is no such session"], endpoint.name, 404)
        self._timeline.record("backend", "answer", endpoint.name, status=101)
        socket = await serve_socket(
            endpoint,
            request,
            fault,
            clock=self._clock,
            open_session=partial(self._open_socket_session, endpoint, request, session),
            object_to=self._objections.append,
            failed=lambda error: self._failures.append(
                (f"the handler of {endpoint.name!r}", error)
            ),
        )
        self._timeline.record("backend", "socket closed", endpoint.name)
        return socket

    def _has_own_session(self, endpoint: Socket) -> bool:
        """Whether its first message, or itself, says which session it is about."""
        by_message = (endpoint.session or "").startswith("/")
        return endpoint.opens_session or bool(endpoint.rooms) or by_message

    def _open_socket_session(
        self,
        endpoint: Socket,
        request: web.BaseRequest,
        session: str | None,
        socket: web.WebSocketResponse,
        first: Any,
    ) -> OpenedSocket | None:
        """The session that a socket is about; None where it makes no sense, which is noted."""
        session = session or at_place(request, first, endpoint.session)
        wrong = first_message_objections(endpoint, first)
        if session is not None and session not in self._sessions.known:
            wrong.append(f"{endpoint.name}: there is no such session")
        for access in endpoint.rooms:
            wrong += access_objections(endpoint, access, request, first, self._room_name)
        if wrong:
            self._objections += wrong
            return None
        if endpoint.opens_session:
            session = self._open_session(endpoint, request, first)
        workers = self._sessions.bring_in_by(endpoint, request, first, session, self.behaviour)
        workers = workers or self._sessions.workers_of(session)

        async def join(**told: Any) -> Worker:
            return self._sessions.bring_in(endpoint, session, self.behaviour, **told)

        conversation = SocketSession(
            socket,
            session,
            workers[0] if workers else None,
            first=first,
            encoding=endpoint.encoding,
            sample_rate=self._manifest.sample_rate,
            channels=self._manifest.channels,
            join=join,
        )
        closed = partial(self._sessions.end, session) if endpoint.ends_session else None
        return OpenedSocket(conversation, closed)
