"""HD-04: an avatar that leaves before its video is there spoils the sink for good."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from types import SimpleNamespace
from typing import Any

from livekit import rtc
from livekit.agents.voice.avatar import DataStreamAudioOutput


class Agent:
    """The agent's own participant."""

    def __init__(self) -> None:
        self.identity = "agent"
        self.kind = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        self._rpc_handlers: dict[str, Any] = {}
        self.track_publications: dict[str, Any] = {}

    def register_rpc_method(self, method: str, handler: Any) -> None:
        self._rpc_handlers[method] = handler

    async def perform_rpc(self, **_: Any) -> str:
        return "ok"

    async def stream_bytes(self, **_: Any) -> Any:
        return SimpleNamespace(write=self._done, aclose=self._done)

    async def _done(self, *_: object) -> None:
        pass


class Room(rtc.EventEmitter[Any]):
    """A connected room with an avatar in it that reports nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "room"
        self.local_participant = Agent()
        self.remote_participants: dict[str, Any] = {}
        self.join("avatar")

    def isconnected(self) -> bool:
        return True

    def join(self, identity: str, **publications: Any) -> None:
        kind = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        participant = SimpleNamespace(
            identity=identity,
            sid=object(),
            kind=kind,
            state=rtc.ParticipantState.PARTICIPANT_STATE_ACTIVE,
            track_publications=publications,
        )
        self.remote_participants[identity] = participant
        self.emit("participant_connected", participant)
        self.emit("participant_active", participant)
        for publication in publications.values():
            self.emit("track_published", publication, participant)

    def leave(self, identity: str) -> None:
        self.emit("participant_disconnected", self.remote_participants.pop(identity))


def speech(seconds: float) -> rtc.AudioFrame:
    samples = int(seconds * 24000)
    return rtc.AudioFrame(bytes(2 * samples), 24000, 1, samples)


async def bounded(act: Awaitable[Any], what: str, seconds: float = 0.5) -> Any:
    try:
        return await asyncio.wait_for(act, seconds)
    except asyncio.TimeoutError:
        raise AssertionError(f"after {seconds} s, {what}") from None


async def reproduce() -> None:
    room: Any = Room()
    video = rtc.TrackKind.KIND_VIDEO
    output = DataStreamAudioOutput(
        room, destination_identity="avatar", wait_remote_track=video, clear_buffer_timeout=None
    )
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    room.leave("avatar")
    await asyncio.sleep(0)
    room.join("avatar", camera=SimpleNamespace(kind=video))
    try:
        await bounded(output.capture_frame(speech(1.0)), "the avatar that is back hears nothing")
    except RuntimeError as error:
        raise AssertionError(f"the avatar is back, and its output raises: {error}") from error


if __name__ == "__main__":
    asyncio.run(reproduce())
