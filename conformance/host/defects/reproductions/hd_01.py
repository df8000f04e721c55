"""HD-01: aclose() removes whoever has the identity now, also another avatar."""

from __future__ import annotations

import asyncio
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


async def reproduce() -> None:
    room: Any = Room()
    session: Any = rtc.EventEmitter[Any]()
    session._started = False
    removed: list[object] = []

    async def remove_participant(who: Any) -> None:
        removed.append(room.remote_participants[who.identity].sid)

    run_in_job(remove_participant)
    old, new = Avatar(), Avatar()
    await old.start(session, room)
    await new.start(session, room)
    room.leave("avatar")  # the server puts the old participant out when the new one joins
    room.join("avatar")
    await old.aclose()
    assert not removed, "closing the old avatar removed the new one's participant from the room"
    await new.aclose()
    assert len(removed) == 1, "closing the new avatar did not remove its participant"


if __name__ == "__main__":
    asyncio.run(reproduce())
