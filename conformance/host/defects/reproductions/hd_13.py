"""HD-13: a playback report of one room ends the speech of another."""

from __future__ import annotations

import asyncio
import json
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


async def reproduce() -> None:
    ended: list[str] = []
    rooms: list[Any] = [Room(), Room()]
    for number, room in enumerate(rooms, 1):
        output = DataStreamAudioOutput(room, destination_identity="avatar")
        output.on("playback_finished", lambda _, n=number: ended.append(f"room {n}"))
        await output.capture_frame(speech(1.0))
        output.flush()
    report = rtc.RpcInvocationData(
        request_id="1",
        caller_identity="avatar",
        payload=json.dumps({"playback_position": 1.0, "interrupted": False}),
        response_timeout=5.0,
    )
    told = rooms[0].local_participant._rpc_handlers["lk.playback_finished"]
    told(report)
    assert ended == ["room 1"], f"the avatar of room 1 reported, and speech ended in {ended}"


if __name__ == "__main__":
    asyncio.run(reproduce())
