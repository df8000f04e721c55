"""Participants as a room sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from livekit import rtc

from . import data_streams as streams
from . import rpc
from .connection import Link, Signalling
from .rpc_call import Call
from .tracks import LoopbackLocalTrackPublication, LoopbackRemoteTrackPublication, LoopbackTrack

if TYPE_CHECKING:
    from livekit.rtc.participant import RpcHandler

MAX_DATA_BYTES = 15_000


class LoopbackRemoteParticipant(rtc.RemoteParticipant):
    """Another participant."""

    def __init__(self, info: Any) -> None:
        _describe(self, info)
        self._track_publications: dict[str, rtc.RemoteTrackPublication] = {}

    @property
    def publications(self) -> dict[str, LoopbackRemoteTrackPublication]:
        """Its publications by SID, to be changed by the room."""
        return self._track_publications  # type: ignore[return-value]


class LoopbackLocalParticipant(rtc.LocalParticipant):
    """The participant that a room belongs to."""

    def __init__(self, server: Signalling, link: Link) -> None:
        _describe(self, link.info)
        self._server = server
        self._link = link
        self._track_publications: dict[str, rtc.LocalTrackPublication] = {}
        # The host's byte-stream output asks this dict which methods it has registered already.
        self._rpc_handlers: dict[str, RpcHandler] = {}
        self._rpc_interceptors: list[Any] = []

    async def publish_data(
        self,
        payload: bytes | str,
        *,
        reliable: bool = True,
        destination_identities: list[str] | None = None,
        topic: str = "",
    ) -> None:
        """Send a data packet; raises `PublishDataError` when not connected."""
        if not self._link.open:
            raise rtc.participant.PublishDataError("engine: connection error: not connected")
        data = payload.encode() if isinstance(payload, str) else bytes(payload)
        sender = self.identity
        self._link.send(
            lambda room: room.on_data(sender, data, topic, reliable), destination_identities
        )
        await streams.one_turn()

    async def publish_dtmf(self, *, code: int, digit: str) -> None:
        """Not a part of this room: raises `NotImplementedError`."""
        raise NotImplementedError("the loopback room sends no DTMF tones")

    async def publish_transcription(self, transcription: rtc.Transcription) -> None:
        """Send transcription segments as the older, packet-wise transcription."""
        self._link.send(lambda room: room.on_transcription(transcription))
        await streams.one_turn()

    async def stream_bytes(
        self,
        name: str,
        *,
        total_size: int | None = None,
        mime_type: str = "application/octet-stream",
        attributes: dict[str, str] | None = None,
        stream_id: str | None = None,
        destination_identities: list[str] | None = None,
        topic: str = "",
    ) -> rtc.ByteStreamWriter:
        """Open a byte stream to the destinations, or to everybody."""
        header = streams.byte_header(
            self._server.ids.stream(stream_id), name, topic, mime_type, total_size, attributes
        )
        writer = streams.LoopbackByteStreamWriter(self._link, header, destination_identities)
        await writer.open()
        return writer  # type: ignore[return-value]

    async def stream_text(
        self,
        *,
        destination_identities: list[str] | None = None,
        topic: str = "",
        attributes: dict[str, str] | None = None,
        stream_id: str | None = None,
        reply_to_id: str | None = None,
        total_size: int | None = None,
        sender_identity: str | None = None,
    ) -> rtc.TextStreamWriter:
        """Open a text stream to the destinations, or to everybody.

        Receivers are told ``sender_identity`` when this participant is an agent, and the real
        sender otherwise: measured on a real server. The total size of a text is not sent.
        """
        header = streams.text_header(self._server.ids.stream(stream_id), topic, None, attributes)
        is_agent = self.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        writer = streams.LoopbackTextStreamWriter(
            self._link, header, destination_identities, sender_identity if is_agent else None
        )
        await writer.open()
        return writer  # type: ignore[return-value]

    async def send_text(
        self,
        text: str,
        *,
        destination_identities: list[str] | None = None,
        topic: str = "",
        attributes: dict[str, str] | None = None,
        reply_to_id: str | None = None,
        compress: bool = True,
    ) -> rtc.TextStreamInfo:
        """Send a whole text as one stream."""
        writer = await self.stream_text(
            destination_identities=destination_identities,
            topic=topic,
            attributes=attributes,
            reply_to_id=reply_to_id,
            total_size=len(text.encode()),
        )
        await writer.write(text)
        await writer.aclose()
        return writer.info

    async def send_bytes(
        self,
        data: bytes,
        *,
        topic: str = "",
        name: str | None = None,
        mime_type: str | None = None,
        destination_identities: list[str] | None = None,
        attributes: dict[str, str] | None = None,
        stream_id: str | None = None,
        compress: bool = True,
    ) -> rtc.ByteStreamInfo:
        """Send bytes as one stream."""
        writer = await self.stream_bytes(
            name or "unknown",
            total_size=len(data),
            mime_type=mime_type or "application/octet-stream",
            attributes=attributes,
            stream_id=stream_id,
            destination_identities=destination_identities,
            topic=topic,
        )
        await writer.write(data)
        await writer.aclose()
        return writer.info

    async def send_file(self, file_path: str, **options: Any) -> rtc.ByteStreamInfo:
        """Not a part of this room: raises `NotImplementedError`."""
        raise NotImplementedError("the loopback room sends no files: use stream_bytes")

    async def perform_rpc(
        self,
        *,
        destination_identity: str,
        method: str,
        payload: str,
        response_timeout: float | None = None,
        max_round_trip_latency: float | None = None,
    ) -> str:
        """Call another participant's method; raises `RpcError`."""
        call = Call(destination_identity, method, payload, response_timeout, max_round_trip_latency)
        return await rpc.perform(self._link, tuple(self._rpc_interceptors), call)

    def register_rpc_method(self, method_name: str, handler: Any = None) -> Any:
        """Answer calls of a method; without ``handler`` it returns a decorator."""

        def register(function: Any) -> Any:
            self._rpc_handlers[method_name] = function
            return function

        return register if handler is None else register(handler)

    def unregister_rpc_method(self, method: str) -> None:
        """Stop answering calls of a method."""
        self._rpc_handlers.pop(method, None)

    def add_rpc_interceptor(self, interceptor: Any) -> None:
        """Wrap every call made or answered; adding the same object twice does nothing."""
        if not any(existing is interceptor for existing in self._rpc_interceptors):
            self._rpc_interceptors.append(interceptor)

    def remove_rpc_interceptor(self, interceptor: Any) -> None:
        """Stop wrapping calls."""
        self._rpc_interceptors = [i for i in self._rpc_interceptors if i is not interceptor]

    @property
    def handlers(self) -> Mapping[str, RpcHandler]:
        """The RPC methods that it answers."""
        return self._rpc_handlers

    @property
    def interceptors(self) -> Sequence[Any]:
        """The interceptors, outermost first."""
        return tuple(self._rpc_interceptors)

    @property
    def publications(self) -> dict[str, LoopbackLocalTrackPublication]:
        """Its publications by SID, to be changed by the room."""
        return self._track_publications  # type: ignore[return-value]

    async def set_attributes(self, attributes: dict[str, str]) -> None:
        """Change attributes; without the permission it does nothing, as the real one."""
        await self._update(attributes=attributes)

    async def set_metadata(self, metadata: str) -> None:
        """Change the metadata; without the permission it does nothing, as the real one."""
        await self._update(metadata=metadata)

    async def set_name(self, name: str) -> None:
        """Change the name; without the permission it does nothing, as the real one."""
        await self._update(name=name)

    async def publish_track(
        self, track: rtc.LocalTrack, options: rtc.TrackPublishOptions | None = None
    ) -> rtc.LocalTrackPublication:
        """Publish a track; raises `PublishTrackError` without the permission."""
        if not isinstance(track, LoopbackTrack):
            raise TypeError(
                f"{track!r} was made outside the stage: create tracks with"
                " rtc.LocalAudioTrack.create_audio_track or rtc.LocalVideoTrack.create_video_track"
                " while it is open"
            )
        await streams.one_turn()
        return self._server.publish(self._link, track, options)

    async def unpublish_track(self, track_sid: str) -> None:
        """Withdraw a published track; raises `UnpublishTrackError` for an unknown one."""
        self._server.unpublish(self._link, track_sid)
        await streams.one_turn()

    def set_track_subscription_permissions(
        self, *, allow_all_participants: bool, participant_permissions: Any = None
    ) -> None:
        """Not a part of this room: raises `NotImplementedError` unless it allows everybody."""
        if not allow_all_participants:
            raise NotImplementedError("the loopback room lets everybody subscribe to every track")

    async def publish_data_track(self, *, name: str) -> Any:
        """Not a part of this room: raises `NotImplementedError`."""
        raise NotImplementedError("the loopback room has no data tracks")

    async def _update(self, **changes: Any) -> None:
        if self._server.update(self._link, **changes):
            await self._link.caught_up()


def _describe(participant: rtc.Participant, info: Any) -> None:
    # rtc's own properties read `_info` and `_connection_quality`, and the host reads
    # `_info.client_protocol`. The base constructor takes an FFI handle, which nothing here has.
    copy = type(info)()
    copy.CopyFrom(info)
    participant._info = copy
    unknown: Any = getattr(rtc.ConnectionQuality, "QUALITY_UNKNOWN", 0)
    participant._connection_quality = unknown
