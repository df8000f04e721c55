"""Keyframe: one call; its newer models take byte streams of records, audio among them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from conformance.plugin import (
    STRING,
    AdapterContext,
    ByteStreamWorker,
    RoomAccess,
    VendorAPI,
    fields,
    hookimpl,
    session_api,
)

from ._deviations.keyframe import known_deviations as known_deviations

if TYPE_CHECKING:
    from livekit import rtc

FRAMED_MODEL = "persona-2.0-live"
"""The model that takes records. With ``persona-1.5-live`` the plugin sends plain PCM."""

AUDIO, CUE = 1, 2
HEADER = struct.Struct("<BI")


@hookimpl
def avatar_provider_manifest() -> dict[str, object]:
    """Declare Keyframe."""
    return {
        "name": "keyframe",
        "distribution": "livekit-plugins-keyframe",
        "avatar_session": "livekit.plugins.keyframe:AvatarSession",
        "exception": "livekit.plugins.keyframe:KeyframeException",
        "transport": "bytestream",
        "sample_rate": 24000,
        "identity": "keyframe-avatar-agent",
        "hosts": ["api.keyframelabs.com"],
        "credentials": [{"name": "api_key", "environment": "KEYFRAME_API_KEY"}],
        "capabilities": {"playback_started": True, "restartable": True},
    }


@hookimpl
def create_avatar(context: AdapterContext) -> object:
    """Construct it."""
    from livekit.agents import NOT_GIVEN
    from livekit.plugins import keyframe

    identity = context.identity or NOT_GIVEN
    return keyframe.AvatarSession(
        persona_id="persona-1", avatar_participant_identity=identity, **context.conn_options()
    )


@hookimpl
def vendor_backend(context: AdapterContext) -> VendorAPI:
    """Describe its one call."""
    room = {"room_name": STRING, "livekit_url": STRING, "livekit_token": STRING}
    source = {"source_participant_identity": {"const": context.agent_identity}}
    return session_api(
        "/v1/sessions/plugins/livekit",
        headers={"Authorization": "Bearer {api_key}"},
        body=fields({**room, **source, "persona_id": STRING}),
        room=RoomAccess("/livekit_url", "/livekit_token", room_name="/room_name"),
        answer={"reservation_id": "{session}", "model_id": FRAMED_MODEL},
    )


@hookimpl
def avatar_worker() -> type[KeyframeWorker]:
    """The worker that takes records apart."""
    return KeyframeWorker


class KeyframeWorker(ByteStreamWorker):
    """Plays the audio records of framed streams, and plain streams as they are."""

    async def joined(self, room: rtc.Room, attributes: Mapping[str, str]) -> None:
        """Say that it understands records, then listen."""
        await room.local_participant.set_attributes({"kfl.protocol": "2"})
        await super().joined(_UnframingRoom(room), attributes)  # type: ignore[arg-type]


class _UnframingRoom:
    """A room whose byte streams reach their handler as plain PCM."""

    def __init__(self, room: rtc.Room) -> None:
        self._room = room

    def __getattr__(self, name: str) -> Any:
        return getattr(self._room, name)

    def register_byte_stream_handler(self, topic: str, handler: Callable[..., None]) -> None:
        def unframed(reader: rtc.ByteStreamReader, identity: str) -> None:
            framed = "kfl.framing" in (reader.info.attributes or {})
            handler(_Records(reader) if framed else reader, identity)

        self._room.register_byte_stream_handler(topic, unframed)


class _Records:
    """Reads a framed stream: the PCM of its audio records, cues left out."""

    def __init__(self, reader: rtc.ByteStreamReader) -> None:
        self._reader = reader
        self._unread = b""
        self.info = reader.info

    def __aiter__(self) -> _Records:
        return self

    async def __anext__(self) -> bytes:
        while not (pcm := self._audio()):
            self._unread += await self._reader.__anext__()
        return pcm

    def _audio(self) -> bytes:
        pcm = b""
        while len(self._unread) >= HEADER.size:
            kind, length = HEADER.unpack_from(self._unread)
            if kind not in (AUDIO, CUE):
                raise ValueError(f"keyframe: a record of unknown type {kind}")
            end = HEADER.size + length
            if len(self._unread) < end:
                break
            if kind == AUDIO:
                pcm += self._unread[HEADER.size : end]
            self._unread = self._unread[end:]
        return pcm
