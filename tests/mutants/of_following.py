"""Mutants that fail when a call goes on: another agent, another avatar, one that is refused."""

from __future__ import annotations

from typing import Any

from livekit import api

from conformance.endpoint import swap_audio_endpoint
from conformance.reference import api as reference
from conformance.reference.api import ReferenceApi, ReferenceError
from tests.mutants.robust import SoundAvatar

from .mutant import Kill, mutant


@mutant(
    Kill("SWAP-15", "the next agent's speech is heard", "idle"),
    Kill("SWAP-15", "the next agent's speech is heard", "mid-speech"),
    story="reported: after a handoff the avatar stands there and is silent",
)
class BelongsToTheFirstAgent(SoundAvatar):
    """Lets go when another agent has the word, and leaves its own tail there, deaf."""

    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        self._agent = agent_session.current_agent
        await super().start(agent_session, room, **options)

    def _sink(self) -> Any:
        sink = super()._sink()
        session, mine, plain = self._own_session, self._agent, sink.capture_frame

        async def capture(frame: Any) -> None:
            if session is not None and session.current_agent is not mine:
                frame.data[:] = bytes(2 * len(frame.data))
            await plain(frame)

        sink.capture_frame = capture
        return sink


@mutant(
    Kill("SWAP-15", "after a handoff the avatar's tail is bound", "idle"),
    story="thought: closed with the agent that it was started by",
)
class LeavesWithItsAgent(SoundAvatar):
    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        await super().start(agent_session, room, **options)
        mine = agent_session.current_agent

        def look(_: object) -> None:
            if agent_session.current_agent is not mine:
                self._unbind()

        self._look = look
        agent_session.on("conversation_item_added", look)
        agent_session.on("agent_state_changed", look)

    async def _release(self) -> None:
        if self._own_session is not None and hasattr(self, "_look"):
            self._own_session.off("conversation_item_added", self._look)
            self._own_session.off("agent_state_changed", self._look)
        await super()._release()


@mutant(
    Kill("SWAP-16", "no tail of one that was closed before is bound again", "a-b"),
    Kill("SWAP-16", "no tail of one that was closed before is bound again", "a-b-a"),
    story="thought: what was there before is put back, and was closed in the meantime",
)
class PutsBackADeadTail(SoundAvatar):
    def _put_back(self) -> None:
        if self._former is not None:
            swap_audio_endpoint(self._output, self._former)


@mutant(
    Kill("UNBIND-14", "after aclose() the tail of before is bound again, FakeTail"),
    story="reported: without its avatar the agent is not heard at all any more",
)
class LeavesSilenceBehind(SoundAvatar):
    def _put_back(self) -> None:
        return


@mutant(
    Kill("SWAP-17", "the first one is in the room", "401"),
    Kill("SWAP-17", "the first one is in the room", "503"),
    story="reported: one more avatar was refused, and the one on the screen disappeared",
)
class ClearsTheRoomFirst(SoundAvatar):
    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        if self._identity in room.remote_participants:
            async with api.LiveKitAPI() as server:
                await server.room.remove_participant(
                    api.RoomParticipantIdentity(room=room.name, identity=self._identity)
                )
        await super().start(agent_session, room, **options)


@mutant(
    Kill("UNBIND-05", "still open and billed: the call failed once", "once-500"),
    Kill("UNBIND-05", "still open and billed: the call failed once", "once-reset"),
    story="reported: one 500 when the session was to be ended, and it was billed to its limit",
)
class EndsItOnceOrNever(ReferenceApi):
    async def __aenter__(self) -> ReferenceApi:
        await super().__aenter__()
        assert self._http is not None
        self._http._retry_connection = False  # aiohttp makes a DELETE again by itself; others don't
        return self

    async def end(self, session_id: str) -> None:
        try:
            await self._end_once(session_id)
        except reference._TryAgain as error:
            raise ReferenceError(f"reference: ending failed: {error}") from error
