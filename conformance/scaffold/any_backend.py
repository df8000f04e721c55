"""A vendor's API that takes anything, and remembers it: hosts, calls, sockets, room tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from conformance.errors import KitError
from conformance.loopback.stage import CREDENTIALS, LoopbackStage
from conformance.plugin.vendor_api import ApiRequest, BodyFormat
from conformance.plugin.vendor_messages import decoded
from conformance.plugin.worker import Behaviour, ByteStreamWorker, WorkerSpec
from conformance.stage.interface import Backend, Injected, VendorSession
from conformance.stage.vendor.request_validation import claims_in, read_body

from .field_reads import FieldReads

if TYPE_CHECKING:
    from livekit import rtc

    from conformance.plugin.context import AdapterContext
    from conformance.plugin.provider import Provider
    from conformance.stage.faults import Fault

START, CLOSE = "start", "close"
NOT_JSON = "<!doctype html><title>Service</title><p>All went well."
_PORTS = (443, 80)
_FORMS: Mapping[str, BodyFormat] = {
    "multipart/form-data": "multipart",
    "application/x-www-form-urlencoded": "form",
}


@dataclass(frozen=True)
class RecordedCall:
    """A request as it came: ``key`` tells which call it is, ``phase`` when it was made."""

    phase: str
    key: str
    method: str
    host: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    body_format: BodyFormat
    is_socket: bool = False
    messages: list[Any] = field(default_factory=list)
    """What came over the socket: decoded JSON, text, or bytes."""


@dataclass
class Script:
    """How the vendor behaves in one run.

    ``answers`` are those of the calls that are known, by key; ``same`` maps what is another value
    in this run to the one that keys are made with; ``spoilt`` is the call whose answer is no JSON.
    """

    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    same: Mapping[str, str] = field(default_factory=dict)
    spoilt: str | None = None


class AnyBackend:
    """Answers whatever is asked on whatever host; brings a worker in for every room token."""

    def __init__(self, stage: LoopbackStage, script: Script, reads: FieldReads) -> None:
        self.behaviour = Behaviour(play_after=1.0)
        self.phase = START
        self.calls: list[RecordedCall] = []
        self.data: list[tuple[str, str, bytes]] = []
        """The data messages to the avatar: phase, topic and payload."""
        self.hosts: dict[str, None] = {}
        self.workers: list[RecordedWorker] = []
        self.requests: Sequence[ApiRequest] = ()
        self.request_violations: Sequence[str] = ()
        self.sessions: Sequence[VendorSession] = ()
        self._stage = stage
        self._script = script
        self._reads = reads
        self._server = web.Server(self._handle, handler_cancellation=True, access_log=None)
        stage.network.unknown = self._serve

    def inject(self, fault: Fault, **_: Any) -> Injected:
        """Not of use here."""
        raise KitError(f"a recording shows no {fault}")

    async def aclose(self) -> None:
        """Let every worker leave."""
        self._stage.network.unknown = None
        for worker in self.workers:
            await worker.aclose()
        self._server.pre_shutdown()
        await self._server.shutdown(0.01)

    def _serve(self, host: str) -> None:
        self.hosts.setdefault(host)
        for port in _PORTS:
            self._stage.network.serve(host, port, self._server)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        form = _FORMS.get(request.content_type, "json")
        body, unreadable = await read_body(request, form)
        path = request.path
        for other, base in self._script.same.items():
            path = path.replace(other, base)
        for value in leaves(self._script.answers):
            path = path.replace(str(value), "{session}") if value else path
        key = f"{request.method} {request.url.host}{path}"
        socket = request.headers.get("Upgrade", "").lower() == "websocket"
        call = RecordedCall(
            self.phase,
            key,
            request.method,
            request.url.host or "",
            path,
            dict(request.query),
            dict(request.headers),
            await request.text() if unreadable else body,
            form,
            socket,
        )
        self.calls.append(call)
        headers = (value.rpartition(" ")[2] for value in call.headers.values())
        self._bring_in([*leaves(body), *call.query.values(), *headers])
        if socket:
            return await self._listen(request, call)
        if self._script.spoilt == key:
            text = self._reads.known(key, NOT_JSON)
        else:
            text = self._reads.text(key, self._script.answers.get(key, {}))
        return web.Response(text=text, content_type="application/json")

    async def _listen(self, request: web.BaseRequest, call: RecordedCall) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            data = message.data
            call.messages.append(decoded(data) if isinstance(data, str) else data)
            self._bring_in(leaves(call.messages[-1]))
        return socket

    def _bring_in(self, values: Sequence[Any] | Iterator[Any]) -> None:
        for token in filter(is_room_token, values):
            if any(worker.spec.token == token for worker in self.workers):
                continue
            spec = WorkerSpec(
                name=f"participant-{len(self.workers) + 1}",
                token=token,
                url=CREDENTIALS.url,
                server=self._stage.server,
                clock=self._stage.clock,
                timeline=self._stage.timeline,
                behaviour=self.behaviour,
            )
            worker = RecordedWorker(spec, self)
            self.workers.append(worker)
            worker.begin()


class RecordedWorker(ByteStreamWorker):
    """Hears audio, and remembers the data messages that it is sent."""

    def __init__(self, spec: WorkerSpec, backend: AnyBackend) -> None:
        super().__init__(spec)
        self._backend = backend

    async def joined(self, room: rtc.Room, attributes: Mapping[str, str]) -> None:
        """Listen for data messages too."""

        def on_data(packet: rtc.DataPacket) -> None:
            message = (self._backend.phase, packet.topic or "", bytes(packet.data))
            self._backend.data.append(message)

        room.on("data_received", on_data)
        await super().joined(room, attributes)


class RecordingStage(LoopbackStage):
    """A stage on which any vendor's API answers; ``script`` and ``reads`` are set for the run."""

    script: Script
    reads: FieldReads
    backend: AnyBackend

    async def open_backend(self, provider: Provider, context: AdapterContext) -> Backend:
        """Answer for every host from now on."""
        self.backend = AnyBackend(self, self.script, self.reads)
        self._backends.push_async_callback(self.backend.aclose)
        return self.backend


def leaves(value: Any) -> Iterator[Any]:
    """Every value in a JSON value that has none inside."""
    if isinstance(value, Mapping):
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from leaves(each)
    else:
        yield value


def claims_of(token: Any) -> Mapping[str, Any]:
    """What a room token of the stage's server claims; nothing for another value."""
    claims = claims_in(token)
    return claims if claims.get("iss") == CREDENTIALS.api_key else {}


def is_room_token(value: Any) -> bool:
    """Whether a value is a token to join a room of the stage's server."""
    return bool(claims_of(value).get("video", {}).get("roomJoin"))


__all__ = ["CLOSE", "START", "AnyBackend", "RecordedCall", "RecordingStage", "Script"]
