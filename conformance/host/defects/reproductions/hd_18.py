"""HD-18: speech for an avatar that never joins waits for it for ever."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from livekit import rtc
from livekit.agents.voice.avatar import DataStreamAudioOutput

PATIENCE = 25.0
"""Seconds after which no user is on the line any more."""


class Agent:
    """The agent's own participant."""

    def __init__(self) -> None:
        self.identity = "agent"
        self.kind = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        self._rpc_handlers: dict[str, Any] = {}
        self.track_publications: dict[str, Any] = {}

    def register_rpc_method(self, method: str, handler: Any) -> None:
        self._rpc_handlers[method] = handler


class EmptyRoom(rtc.EventEmitter[Any]):
    """A connected room that no avatar joins."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "room"
        self.local_participant = Agent()
        self.remote_participants: dict[str, SimpleNamespace] = {}

    def isconnected(self) -> bool:
        return True


async def reproduce() -> None:
    room: Any = EmptyRoom()
    output = DataStreamAudioOutput(room, destination_identity="avatar")
    try:
        await asyncio.wait_for(output.capture_frame(_frame()), PATIENCE)
        output.flush()
        await asyncio.wait_for(output.wait_for_playout(), 1.0)
    except asyncio.TimeoutError:
        raise AssertionError(f"{PATIENCE:g} s later, speech still waits for the avatar") from None


def _frame() -> rtc.AudioFrame:
    return rtc.AudioFrame(bytes(4800), 24000, 1, 2400)


if __name__ == "__main__":
    asyncio.run(reproduce())
