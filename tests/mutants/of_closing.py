"""Mutants that close wrongly: what they leave bound, running or paid for."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar
from weakref import WeakSet

from livekit import api
from livekit.agents import get_job_context
from livekit.agents.voice.avatar import AvatarSession

from conformance.endpoint import swap_audio_endpoint
from conformance.reference.avatar import ReferenceAvatar, ReferenceError
from tests.mutants.robust import SoundAvatar

from .mutant import Kill, SinkAvatar, mutant

COMPLETES = "the speech completes within"


@mutant(
    Kill("UNBIND-02", COMPLETES),
    Kill("SWAP-12", COMPLETES, "close-then-start"),
    story="all thirteen plugins",
)
class TailStays(SoundAvatar):
    """Leaves its sink bound when it is closed."""

    async def _release(self) -> None:
        await ReferenceAvatar._release(self)


@mutant(
    Kill("UNBIND-03", "the endpoint that the application bound since; observed Unbound"),
    story="the pull request's first version: aclose() detaches whatever is bound",
)
class ForeignTailClobbered(SoundAvatar):
    """Unbinds whatever is bound."""

    def _unbind(self) -> None:
        if self._binding is not None:
            swap_audio_endpoint(self._output, None)
            self._binding = None


@mutant(
    Kill("UNBIND-03", "observed nothing is bound"),
    Kill("SWAP-13", "playback_finished 3 time(s)"),
    story="the pull request: session.output.audio is nulled on close",
)
class TailNulled(SoundAvatar):
    """Sets the output to None."""

    def _unbind(self) -> None:
        if self._binding is not None:
            self._output.audio = None
            self._binding = None


@mutant(
    Kill("UNBIND-01", "no further request to the vendor; observed 1 more", "twice"),
    story="runway: each aclose() ends the session",
)
class ClosesTwice(SoundAvatar):
    """Ends its session with each aclose()."""

    ended: str | None = None

    async def aclose(self) -> None:
        self.ended = self._remote_session or self.ended
        again = self._own_room is None and self.ended is not None
        await super().aclose()
        if again and self.ended is not None:
            async with self._vendor() as vendor:
                await vendor.end(self.ended)


@mutant(
    Kill("UNBIND-01", "aclose() raises nothing; observed", "before-start"),
    story="a plugin whose aclose() takes for granted that it was started",
)
class ClosesWhatNeverStarted(SoundAvatar):
    """Asks for its room before it has one."""

    async def aclose(self) -> None:
        if not hasattr(self, "_active"):
            raise AttributeError("reference: no room to leave")
        await super().aclose()


@mutant(
    Kill("UNBIND-01", "no further removal from the room; observed 1 more", "twice"),
    story="runway: a failed instance's aclose() acts on the shared identity",
)
class RemovesTwice(SoundAvatar):
    """Removes its participant with each aclose()."""

    async def aclose(self) -> None:
        await super().aclose()
        context = get_job_context()
        who = api.RoomParticipantIdentity(room=context.room.name, identity=self._identity)
        try:
            await context.api.room.remove_participant(who)
        except api.TwirpError:
            return


@mutant(
    Kill("SWAP-08", "one participant 'shared' in the room", "start-then-close"),
    story="all thirteen plugins: livekit-agents removes by identity",
)
class RemovesWhoeverHasTheIdentity(SoundAvatar):
    """Removes the participant of its identity, whoever that is."""

    @property
    def avatar_identity(self) -> str:
        return self._identity


@mutant(
    Kill("SWAP-08", "one participant 'shared' in the room", "close-then-start"),
    story="a plugin that does not wait for the removal",
)
class RemovesInTheBackground(SoundAvatar):
    """Leaves the room some time after aclose() has returned."""

    async def _leave_room(self) -> None:
        context, room = get_job_context(), self._room
        await super()._leave_room()
        if room is None:
            return
        who = api.RoomParticipantIdentity(room=room.name, identity=self._identity)

        async def remove() -> None:
            await asyncio.sleep(0.3)
            await context.api.room.remove_participant(who)

        self._removing = asyncio.ensure_future(asyncio.gather(remove(), return_exceptions=True))


@mutant(
    Kill("UNBIND-05", "1 of 1 still open and billed; the manifest claims ends_session"),
    Kill("UNBIND-11", "the vendor's session is ended by", "job-shutdown"),
    Kill("UNBIND-11", "the vendor's session is ended by", "session-close"),
    story="anam, bey, tavus and nine more",
)
class NeverEndsTheSession(SoundAvatar):
    """Forgets the vendor's session."""

    async def _release(self) -> None:
        self._remote_session = None
        await super()._release()


@mutant(
    Kill("UNBIND-05", "1 of 1 still open and billed"),
    story="the same, honestly declared",
    manifest={"capabilities": {"restartable": True, "playback_started": True}},
)
class NeverEndsTheSessionAndSaysSo(SoundAvatar):
    """Forgets the vendor's session, and does not claim to end it."""

    async def _release(self) -> None:
        self._remote_session = None
        await super()._release()


@mutant(
    Kill("UNBIND-06", "the new instance's avatar hears the speech, whole"),
    story="liveavatar: what is kept on the class is closed with the first instance",
)
class ClosedForAll(SinkAvatar):
    """Keeps on the class that it was closed, and is silent from then on."""

    closed_rooms: ClassVar[WeakSet[Any]] = WeakSet()

    def _bind(self) -> None:
        super()._bind()
        room = self._own_room
        sink: Any = self._binding.sink if self._binding is not None else None
        if room in self.closed_rooms:
            plain = sink.capture_frame
            skipped: list[Any] = []

            async def later(frame: Any) -> None:
                if skipped:
                    await plain(frame)
                skipped.append(None)

            sink.capture_frame = later

    async def aclose(self) -> None:
        if self._own_room is not None:
            self.closed_rooms.add(self._own_room)
        await super().aclose()


@mutant(
    Kill("UNBIND-07", "the avatar of the second start hears the speech, whole"),
    story="liveavatar: what is not reset makes the second start half work",
)
class RestartHalfWorks(SoundAvatar):
    """Starts again without binding again."""

    bound_once = False

    def _bind(self) -> None:
        if not self.bound_once:
            super()._bind()
        self.bound_once = True


@mutant(
    Kill("UNBIND-07", "as the manifest claims (restartable)"),
    story="a claim that does not hold",
)
class RestartClaimedAndRefused(SoundAvatar):
    """Refuses a second start, which its manifest claims."""

    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        if hasattr(self, "_active"):
            raise ReferenceError("reference: make a new instance to start again")
        await super().start(agent_session, room, **options)


@mutant(
    Kill("UNBIND-07", "a clear error at once; observed"),
    story="runway: a second start that fails late",
    manifest={"capabilities": {"ends_session": True, "playback_started": True}},
)
class RestartRefusedLate(SoundAvatar):
    """Refuses a second start after a long time, in no words."""

    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        if hasattr(self, "_active"):
            await asyncio.sleep(5)
            raise ReferenceError
        await super().start(agent_session, room, **options)


@mutant(
    Kill("UNBIND-08", "nothing is bound when aclose() was called during start()"),
    story="all thirteen plugins: aclose() knows nothing of a start under way",
)
class CloseIgnoresTheStart(SoundAvatar):
    """Closes what there is, and lets a start under way go on."""

    async def aclose(self) -> None:
        if self._starting is not None:
            await AvatarSession.aclose(self)
            return
        await super().aclose()


@mutant(
    Kill("UNBIND-08", "nothing is left when aclose() was called during start()"),
    story="thought: what the start has made so far is known to the start alone",
)
class LeavesWhatTheStartMade(SoundAvatar):
    """Makes a task first, and cancels it when the start has been completed and is closed."""

    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        made = asyncio.ensure_future(asyncio.sleep(600))
        await super().start(agent_session, room, **options)
        self._made = made

    async def _release(self) -> None:
        if hasattr(self, "_made"):
            self._made.cancel()
        await super()._release()


@mutant(
    Kill("UNBIND-08", "aclose() of the avatar avatar returns within"),
    story="thought: an aclose() that waits for a start, which waits for the vendor",
    manifest={"bounds": {"start": 30.0, "close": 2.0, "playout": 30.0}},
)
class CloseWaitsForTheStart(SoundAvatar):
    """Waits for a start under way, however long that takes."""

    async def aclose(self) -> None:
        if self._starting is not None:
            await asyncio.wait([self._starting])
        await super().aclose()


@mutant(
    Kill("UNBIND-09", "aclose() asked for the removal of 'avatar-reference-sound', 'agent'"),
    story="bithuman local: its avatar_identity is the agent's own",
)
class RemovesTheAgent(SoundAvatar):
    """Removes the agent too."""

    async def _leave_room(self) -> None:
        context, room = get_job_context(), self._own_room or self._room
        await super()._leave_room()
        if room is not None and room.isconnected():
            who = api.RoomParticipantIdentity(
                room=room.name, identity=context.local_participant_identity
            )
            await context.api.room.remove_participant(who)


@mutant(
    Kill("UNBIND-10", "aclose() raises nothing; observed ReferenceError", "backend-500"),
    story="a plugin that lets the vendor's error out of aclose()",
)
class CloseRaises(SoundAvatar):
    """Lets a failure of the vendor out."""

    async def _release(self) -> None:
        remote = self._remote_session
        if remote is not None:
            self._remote_session = None
            async with self._vendor() as vendor:
                await vendor.end(remote)
        await super()._release()


@mutant(
    Kill("UNBIND-10", "aclose() raises nothing; observed", "room-api-500"),
    story="a plugin that removes its participant itself",
)
class CloseRaisesForTheRoom(SoundAvatar):
    """Lets a failure of the room's API out."""

    async def _leave_room(self) -> None:
        context, room = get_job_context(), self._room
        if room is not None and room.isconnected():
            who = api.RoomParticipantIdentity(room=room.name, identity=self._identity)
            await context.api.room.remove_participant(who)
        await super()._leave_room()


@mutant(
    Kill("UNBIND-10", "aclose() of the avatar avatar returns within", "room-api-silent"),
    story="all thirteen plugins: the host waits for the room's API without a bound",
)
class CloseWaitsForTheRoom(SoundAvatar):
    """Waits for the room for ever."""

    async def _leave_room(self) -> None:
        self._watched = None
        await ReferenceAvatar._leave_room(self)


@mutant(
    Kill("UNBIND-11", "the vendor's session is ended by session close", "session-close"),
    story="eleven of the thirteen plugins: nothing listens to the session's close",
)
class SessionCloseUnheard(SoundAvatar):
    """Hears nothing of the session's close."""

    def _on_session_close(self, _: object) -> None:
        return


@mutant(
    Kill("UNBIND-11", "ended once; observed 2 requests", "session-close"),
    Kill("UNBIND-11", "ended once; observed 2 requests", "job-shutdown"),
    story="runway: ended by the close event and by aclose()",
)
class EndsTwice(SoundAvatar):
    """Ends its session twice."""

    async def _release(self) -> None:
        remote = self._remote_session
        await super()._release()
        if remote is not None:
            async with self._vendor() as vendor:
                await vendor.end(remote)
