"""Interface of one participant's room to the server and the other participants."""

from __future__ import annotations

from typing import Any, Protocol

from livekit import rtc

from conformance.results.timeline import Timeline

from .ids import Ids
from .rpc_call import Pending, Request
from .tracks import LoopbackLocalTrackPublication, LoopbackTrack


class RoomClient(Protocol):
    """A participant's room as the server sees it; each ``on_*`` delivers one message to it."""

    client_protocol: int
    pending: dict[str, Pending]

    @property
    def ids(self) -> Ids:
        """Where new ids come from."""

    @property
    def timeline(self) -> Timeline:
        """Where the room's doings are recorded."""

    @property
    def own_publications(self) -> dict[str, LoopbackLocalTrackPublication]:
        """The participant's own publications by SID."""

    async def stop_answering(self) -> None:
        """Cancel the RPC handlers that are running."""

    def lost(self, reason: int) -> None:
        """Tell everybody who waits on this room that the connection is over."""

    def on_connection_state_changed(self, state: rtc.ConnectionState.ValueType) -> None:
        """The connection is cut, or resumed."""

    def on_connected(self) -> None:
        """The server has let this participant in."""

    def on_participant_joined(self, info: Any) -> None:
        """A participant has joined and can receive data."""

    def on_participant_left(self, identity: str, reason: int) -> None:
        """A participant has left."""

    def on_participant_updated(self, info: Any) -> None:
        """A participant's name, metadata or attributes have changed."""

    def on_track_published(self, identity: str, info: Any) -> None:
        """A participant has published a track."""

    def on_track_unpublished(self, identity: str, sid: str) -> None:
        """A participant has withdrawn a track."""

    def on_track_subscription(self, identity: str, sid: str, track: LoopbackTrack | None) -> None:
        """A track has been subscribed to, or unsubscribed from when None."""

    def on_local_track_published(self, sid: str) -> None:
        """An own track has been published."""

    def on_local_track_unpublished(self, publication: rtc.LocalTrackPublication) -> None:
        """An own track has been withdrawn."""

    def on_local_track_subscribed(self, sid: str) -> None:
        """Another participant has subscribed to an own track."""

    def on_data(self, sender: str, data: bytes, topic: str, reliable: bool) -> None:
        """A data packet has arrived."""

    def on_transcription(self, transcription: rtc.Transcription) -> None:
        """Transcription segments in the older, packet-wise form have arrived."""

    def on_stream_opened(self, kind: str, info: Any, sender: str, told_sender: str) -> None:
        """A stream's header has arrived."""

    def on_stream_chunk(self, stream_id: str, chunk: Any) -> None:
        """A piece of a stream has arrived."""

    def on_stream_closed(self, stream_id: str, reason: str, attributes: dict[str, str]) -> None:
        """A stream's trailer has arrived."""

    def on_rpc_request(self, request: Request) -> None:
        """Another participant calls one of this participant's methods."""

    def on_rpc_acknowledged(self, request_id: str) -> None:
        """The destination of a call has received it."""

    def on_rpc_answered(self, request_id: str, result: str | rtc.RpcError) -> None:
        """The answer to a call has arrived."""


__all__ = ["RoomClient"]
