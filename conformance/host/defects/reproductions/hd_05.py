"""HD-05: aclose() waits for the room's API for as long as that takes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from types import SimpleNamespace
from typing import Any

from livekit import rtc
from livekit.agents import job
from livekit.agents.voice.avatar import AvatarSession


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


class Avatar(AvatarSession[Any]):
    @property
    def avatar_identity(self) -> str:
        return "avatar"


def run_in_job(remove_participant: Any) -> None:
    """Be in a job whose room API does ``remove_participant``."""
    api = SimpleNamespace(room=SimpleNamespace(remove_participant=remove_participant))
    context: Any = SimpleNamespace(api=api, add_shutdown_callback=lambda callback: None)
    job._JobContextVar.set(context)


async def bounded(act: Awaitable[Any], what: str, seconds: float = 0.5) -> Any:
    try:
        return await asyncio.wait_for(act, seconds)
    except asyncio.TimeoutError:
        raise AssertionError(f"after {seconds} s, {what}") from None


async def reproduce() -> None:
    room: Any = Room()
    session: Any = rtc.EventEmitter[Any]()
    session._started = False

    async def never_answered(_: Any) -> None:
        await asyncio.Event().wait()

    run_in_job(never_answered)
    avatar = Avatar()
    await avatar.start(session, room)
    await bounded(avatar.aclose(), "aclose() is still waiting for the room's API", 20.0)


if __name__ == "__main__":
    asyncio.run(reproduce())
