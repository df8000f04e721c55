"""HD-17: outputs of closed avatars are kept alive by their class."""

from __future__ import annotations

import asyncio
import gc
import weakref
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


async def reproduce() -> None:
    room: Any = Room()
    outputs: list[weakref.ref[Any]] = []
    for number in range(3):
        identity = f"avatar-{number}"
        room.join(identity)
        output = DataStreamAudioOutput(room, destination_identity=identity)
        outputs.append(weakref.ref(output))
        del output
        await asyncio.sleep(0.01)
    gc.collect()
    kept = sum(output() is not None for output in outputs)
    assert not kept, f"of 3 outputs that nobody uses {kept} are alive"


if __name__ == "__main__":
    asyncio.run(reproduce())
