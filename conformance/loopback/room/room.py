"""A room that the host cannot tell from `rtc.Room` in what it uses, without the FFI."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from livekit import rtc

from . import data_streams as streams
from . import protobuf as messages
from . import rpc
from .connection import Link, Signalling
from .participants import LoopbackLocalParticipant, LoopbackRemoteParticipant
from .rpc_call import Code, Pending, Request, built_in
from .tracks import (
    LoopbackLocalTrackPublication,
    LoopbackRemoteTrackPublication,
    LoopbackTrack,
    remote_track,
)

if TYPE_CHECKING:
    from conformance.results.timeline import Timeline

    from .ids import Ids

logger = logging.getLogger(__name__)

Reader = streams.LoopbackByteStreamReader | streams.LoopbackTextStreamReader
State = rtc.ConnectionState

CLIENT_PROTOCOL = 2
"""The client protocol version of livekit 1.1.21."""


class LoopbackRoom(rtc.Room):
    """One participant's room. The ``on_*`` methods are how the server's messages reach it."""

    def __init__(self, server: Signalling, *, client_protocol: int = CLIENT_PROTOCOL) -> None:
        rtc.EventEmitter.__init__(self)
        self.server = server
        self.client_protocol = client_protocol
        self.pending: dict[str, Pending] = {}
        # rtc's own properties and its finalizer read these; its constructor would set up the FFI.
        self._ffi_handle = None
        self._info = messages.room("", "", "", 0, 0)
        self._remote_participants: dict[str, rtc.RemoteParticipant] = {}
        self._connection_state = State.CONN_DISCONNECTED
        self._local_participant: rtc.LocalParticipant | None = None
        self._token: str | None = None
        self._server_url: str | None = None
        self._byte_stream_handlers: dict[str, Any] = {}
        self._text_stream_handlers: dict[str, Any] = {}
        self._link: Link | None = None
        self._readers: dict[str, Reader] = {}
        self._answering: set[asyncio.Task[None]] = set()

    def __del__(self) -> None:
        """Nothing native is held."""

    def __repr__(self) -> str:
        """The room's name and the state of its connection."""
        return f"rtc.Room(name={self.name}, connection_state={State.Name(self._connection_state)})"

    @property
    def ids(self) -> Ids:
        """Where new ids come from."""
        return self.server.ids

    @property
    def timeline(self) -> Timeline:
        """Where the room's doings are recorded."""
        return self.server.timeline

    @property
    def own_publications(self) -> dict[str, LoopbackLocalTrackPublication]:
        """The local participant's publications by SID."""
        return self.local.publications

    @property
    def link(self) -> Link:
        """The connection to the server; raises `RuntimeError` before connecting."""
        if self._link is None:
            raise RuntimeError("the room has never been connected")
        return self._link

    @property
    def token(self) -> str:
        """The token that it has joined with, or an empty string."""
        return self._token or ""

    @property
    async def sid(self) -> str:
        """The room's SID."""
        return str(self._info.sid)

    def isconnected(self) -> bool:
        """Whether it is connected, or trying to be again."""
        return self._connection_state != State.CONN_DISCONNECTED

    async def connect(self, url: str, token: str, options: Any = None) -> None:
        """Join with a token; raises `rtc.ConnectError` when it is refused."""
        if self.isconnected():
            raise rtc.ConnectError("the room is already connected")
        auto_subscribe = True if options is None else bool(options.auto_subscribe)
        await self.server.approach(url, token)
        link, others = self.server.admit(self, url, token, auto_subscribe=auto_subscribe)
        self._server_url, self._token = url, token
        self._link = link
        server_room = link.server_room
        self._info = messages.room(
            server_room.name,
            server_room.sid,
            server_room.metadata,
            server_room.creation_time,
            len(server_room.links),
        )
        self._local_participant = LoopbackLocalParticipant(self.server, link)
        self._remote_participants.clear()
        for other in others:
            participant = LoopbackRemoteParticipant(other.info)
            for published in other.published.values():
                participant.publications[published.info.sid] = LoopbackRemoteTrackPublication(
                    published.info, partial(self.server.subscribe, link, other.identity)
                )
            self._remote_participants[other.identity] = participant
        self._connection_state = State.CONN_CONNECTED
        await streams.one_turn()
        link.post(lambda room: room.on_connected())
        self.server.activate(link)

    async def disconnect(
        self, *, reason: rtc.DisconnectReason.ValueType = rtc.DisconnectReason.CLIENT_INITIATED
    ) -> None:
        """Leave; does nothing when not connected."""
        if not self.isconnected() or self._link is None:
            return
        await self.stop_answering()
        self.server.leave(self._link, reason)
        for publication in list(self.local.publications.values()):
            self.on_local_track_unpublished(publication)
        self.local.publications.clear()
        self.lost(reason)
        await streams.one_turn()

    def register_byte_stream_handler(self, topic: str, handler: Any) -> None:
        """Take the byte streams of a topic; raises `ValueError` when it is taken."""
        _register(self._byte_stream_handlers, "byte", topic, handler)

    def unregister_byte_stream_handler(self, topic: str) -> None:
        """Stop taking them."""
        self._byte_stream_handlers.pop(topic, None)

    def register_text_stream_handler(self, topic: str, handler: Any) -> None:
        """Take the text streams of a topic; raises `ValueError` when it is taken."""
        _register(self._text_stream_handlers, "text", topic, handler)

    def unregister_text_stream_handler(self, topic: str) -> None:
        """Stop taking them."""
        self._text_stream_handlers.pop(topic, None)

    async def get_rtc_stats(self) -> rtc.RtcStats:
        """No statistics; raises `RuntimeError` when not connected."""
        if not self.isconnected():
            raise RuntimeError("the room isn't connected")
        return rtc.RtcStats(publisher_stats=[], subscriber_stats=[])

    async def simulate_scenario(self, scenario: Any) -> None:
        """Not a part of this room: raises `NotImplementedError`; use the server's ``drop``."""
        raise NotImplementedError("use the server's drop(room, seconds=...) instead")

    async def stop_answering(self) -> None:
        """Cancel the RPC handlers that are running; their callers are told."""
        running = [task for task in self._answering if task is not asyncio.current_task()]
        for task in running:
            task.cancel()
        if running:
            await asyncio.gather(*running, return_exceptions=True)

    def lost(self, reason: int) -> None:
        """The connection is over: tell everybody who waits on this room."""
        for reader in list(self._readers.values()):
            reader.break_off(streams.DISCONNECTED)
        self._readers.clear()
        for task in self._answering:
            task.cancel()
        self._break_calls(None)
        if self._local_participant is not None:
            self._local_participant._info.disconnect_reason = reason  # type: ignore[assignment]
        self.on_connection_state_changed(State.CONN_DISCONNECTED)
        self._emit("disconnected", reason)

    def on_connection_state_changed(self, state: rtc.ConnectionState.ValueType) -> None:
        """The connection's state has changed."""
        if state == self._connection_state:
            return
        was, self._connection_state = self._connection_state, state
        if was == State.CONN_RECONNECTING and state == State.CONN_CONNECTED:
            self._emit("token_refreshed")
        self._emit("connection_state_changed", state)
        if state == State.CONN_RECONNECTING:
            self._emit("reconnecting")
        if was == State.CONN_RECONNECTING and state == State.CONN_CONNECTED:
            self._emit("reconnected")

    def on_connected(self) -> None:
        """The server has let this participant in."""
        self._emit("connection_state_changed", self._connection_state)
        self._emit("token_refreshed")

    def on_participant_joined(self, info: Any) -> None:
        """A participant has joined and can receive data."""
        participant = LoopbackRemoteParticipant(info)
        self._remote_participants[participant.identity] = participant
        self._emit("participant_connected", participant)
        self._emit("participant_active", participant)

    def on_participant_left(self, identity: str, reason: int) -> None:
        """A participant has left: its tracks are gone, its open streams break off."""
        leaving = self._remote(identity)
        if leaving is None:
            return
        for sid in list(leaving.publications):
            self.on_track_unpublished(identity, sid)
        participant = self._remote_participants.pop(identity)
        self._break_calls(identity)
        for stream_id, reader in list(self._readers.items()):
            if reader.sender == identity:
                del self._readers[stream_id]
                reader.break_off(
                    f"stream closed abnormally: Participant {identity} unexpectedly disconnected"
                    " in the middle of sending data"
                )
        participant._info.disconnect_reason = reason  # type: ignore[assignment]
        self._emit("participant_disconnected", participant)

    def on_participant_updated(self, info: Any) -> None:
        """A participant's name, metadata or attributes have changed."""
        participant = self._participant(info.identity)
        if participant is None:
            return
        known = participant._info
        if known.metadata != info.metadata:
            old, known.metadata = known.metadata, info.metadata
            self._emit("participant_metadata_changed", participant, old, info.metadata)
        if known.name != info.name:
            old, known.name = known.name, info.name
            self._emit("participant_name_changed", participant, old, info.name)
        old_attributes = dict(known.attributes)
        new_attributes = dict(info.attributes)
        if old_attributes != new_attributes:
            changed = {k: v for k, v in new_attributes.items() if old_attributes.get(k) != v}
            changed.update({k: "" for k in old_attributes if k not in new_attributes})
            known.attributes.clear()
            known.attributes.update(new_attributes)
            self._emit("participant_attributes_changed", changed, participant)

    def on_track_published(self, identity: str, info: Any) -> None:
        """A participant has published a track."""
        participant = self._remote(identity)
        if participant is not None:
            publication = LoopbackRemoteTrackPublication(
                info, partial(self.server.subscribe, self.link, identity)
            )
            participant.publications[publication.sid] = publication
            self._emit("track_published", publication, participant)

    def on_track_unpublished(self, identity: str, sid: str) -> None:
        """A participant has withdrawn a track."""
        participant = self._remote(identity)
        if participant is not None and sid in participant.publications:
            self.on_track_subscription(identity, sid, None)
            self._emit("track_unpublished", participant.publications.pop(sid), participant)

    def on_track_subscription(self, identity: str, sid: str, track: LoopbackTrack | None) -> None:
        """A track has been subscribed to, or unsubscribed from when None."""
        participant = self._remote(identity)
        publication = participant.publications.get(sid) if participant is not None else None
        if participant is None or publication is None:
            return
        if track is not None:
            remote = remote_track(publication._info, track)
            publication.attach(remote)
            self._emit("track_subscribed", remote, publication, participant)
        elif publication.track is not None:
            gone = publication.track
            publication.attach(None)
            self._emit("track_unsubscribed", gone, publication, participant)

    def on_local_track_published(self, sid: str) -> None:
        """An own track has been published."""
        publication = self.local.publications.get(sid)
        if publication is not None:
            self._emit("local_track_published", publication, publication.track)

    def on_local_track_unpublished(self, publication: rtc.LocalTrackPublication) -> None:
        """An own track has been withdrawn."""
        self._emit("local_track_unpublished", publication)
        publication.withdrawn()  # type: ignore[attr-defined]

    def on_local_track_subscribed(self, sid: str) -> None:
        """Another participant has subscribed to an own track."""
        publication = self.local.publications.get(sid)
        if publication is not None:
            publication.subscribed_to()
            self._emit("local_track_subscribed", publication.track)

    def on_data(self, sender: str, data: bytes, topic: str, reliable: bool) -> None:
        """A data packet; an empty sender stands for the server."""
        kind = rtc.DataPacketKind.KIND_RELIABLE if reliable else rtc.DataPacketKind.KIND_LOSSY
        packet = rtc.DataPacket(data, kind, self._remote_participants.get(sender), topic)
        self._emit("data_received", packet)

    def on_transcription(self, transcription: rtc.Transcription) -> None:
        """Transcription segments in the older, packet-wise form."""
        participant = self._participant(transcription.participant_identity)
        publication = (
            participant.track_publications.get(transcription.track_sid) if participant else None
        )
        segments = list(transcription.segments)
        self._emit("transcription_received", segments, participant, publication)

    def on_stream_opened(self, kind: str, info: Any, sender: str, told_sender: str) -> None:
        """A stream's header; without a handler for its topic the stream is ignored."""
        handlers = self._byte_stream_handlers if kind == "byte" else self._text_stream_handlers
        handler = handlers.get(info.topic)
        if handler is None:
            logger.info("ignoring %s stream with topic %r: it has no handler", kind, info.topic)
            return
        reader_class: Callable[..., Reader] = (
            streams.LoopbackByteStreamReader if kind == "byte" else streams.LoopbackTextStreamReader
        )
        copy = type(info)(**{**vars(info), "attributes": dict(info.attributes)})
        stream_id = info.stream_id
        reader = reader_class(copy, sender, lambda: self._readers.pop(stream_id, None))
        self._readers[stream_id] = reader
        self._guarded(handler, reader, told_sender)

    def on_stream_chunk(self, stream_id: str, chunk: Any) -> None:
        """A piece of a stream."""
        reader = self._readers.get(stream_id)
        if reader is not None:
            reader.take(chunk)

    def on_stream_closed(self, stream_id: str, reason: str, attributes: dict[str, str]) -> None:
        """A stream's end; a reason makes it an abnormal one."""
        reader = self._readers.pop(stream_id, None)
        if reader is not None:
            error = f"stream closed abnormally: {reason}" if reason else None
            reader.end(error, attributes)

    def on_rpc_request(self, request: Request) -> None:
        """A call of one of this participant's methods: acknowledge it and answer."""
        link, caller = self.link, [request.caller]
        link.send(lambda room: room.on_rpc_acknowledged(request.id), caller)

        async def respond() -> None:
            local = self.local
            result = await rpc.answer(request, local.handlers, local.interceptors)
            if result is not None:
                link.send(lambda room: room.on_rpc_answered(request.id, result), caller)

        task = asyncio.get_running_loop().create_task(respond())
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    def on_rpc_acknowledged(self, request_id: str) -> None:
        """The destination of a call has received it."""
        if (pending := self.pending.get(request_id)) is not None:
            pending.acknowledge()

    def on_rpc_answered(self, request_id: str, result: str | rtc.RpcError) -> None:
        """The answer to a call."""
        if (pending := self.pending.get(request_id)) is not None:
            pending.answer(result)

    @property
    def local(self) -> LoopbackLocalParticipant:
        """The local participant; raises before connecting."""
        local = self.local_participant
        assert isinstance(local, LoopbackLocalParticipant)
        return local

    def _remote(self, identity: str) -> LoopbackRemoteParticipant | None:
        participant = self._remote_participants.get(identity)
        return participant if isinstance(participant, LoopbackRemoteParticipant) else None

    def _participant(self, identity: str) -> rtc.Participant | None:
        if self._local_participant is not None and identity == self._local_participant.identity:
            return self._local_participant
        return self._remote_participants.get(identity)

    def _break_calls(self, identity: str | None) -> None:
        for pending in self.pending.values():
            if identity is None or pending.destination == identity:
                pending.acknowledge()
                pending.answer(built_in(Code.RECIPIENT_DISCONNECTED))

    def _emit(self, event: Any, *arguments: Any) -> None:
        self._guarded(self.emit, event, *arguments)

    def _guarded(self, function: Callable[..., Any], *arguments: Any) -> None:
        try:
            function(*arguments)
        except Exception:
            # A listener's error must not stop the room: the real one logs it and goes on.
            logger.exception("a callback of the room raised")


def _register(handlers: dict[str, Any], kind: str, topic: str, handler: Any) -> None:
    if topic in handlers:
        raise ValueError(f"{kind} stream handler for topic '{topic}' already set")
    handlers[topic] = handler


__all__ = ["LoopbackRoom"]
