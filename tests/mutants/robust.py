"""The sound avatar: the reference avatar, and what the host leaves to do for a robust one."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakSet, WeakValueDictionary

from livekit import rtc
from livekit.agents import APIConnectOptions
from livekit.agents.voice import io
from livekit.agents.voice.avatar import DataStreamAudioOutput

from conformance.endpoint import Binding, current_endpoint, swap_audio_endpoint
from conformance.reference.avatar import SAMPLE_RATE, ReferenceAvatar

if TYPE_CHECKING:
    from livekit.agents import AgentSession

logger = logging.getLogger(__name__)

JOIN_WITHIN = 15.0
"""How long it lets speech wait for a worker that has not joined, in seconds."""

LEAVE_TIMEOUT = 10.0
"""How long it waits for the room's API when it is closed, in seconds."""


class SoundSink(DataStreamAudioOutput):
    """The host's sink, which reports of an interrupted segment no more than was played.

    It can be told not to wait for its avatar any longer.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._began: float | None = None
        self._stopped: float | None = None
        self._given_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def give_up(self) -> None:
        """Let go of the frame that waits for the avatar, which is not going to come."""
        if not self._given_up.done():
            self._given_up.set_result(None)

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Send a frame, or wait with it until the avatar is there or given up."""
        if self._started:
            await super().capture_frame(frame)
            return
        taking = asyncio.ensure_future(super().capture_frame(frame))
        try:
            await asyncio.wait((taking, self._given_up), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not taking.done():
                taking.cancel()
        if not taking.cancelled() and taking.done():
            taking.result()

    def clear_buffer(self) -> None:
        """Stop playback."""
        self._stopped = time.time()
        super().clear_buffer()

    def on_playback_started(self, *, created_at: float) -> None:
        """The avatar has begun to play a segment."""
        self._began, self._stopped = created_at, None
        super().on_playback_started(created_at=created_at)

    def on_playback_finished(
        self, *, playback_position: float, interrupted: bool, **options: Any
    ) -> None:
        """The avatar is done with a segment, or is taken to be."""
        if interrupted:
            until = self._stopped if self._stopped is not None else time.time()
            played = max(0.0, until - self._began) if self._began is not None else 0.0
            playback_position = min(playback_position, played)
        self._began = None
        super().on_playback_finished(
            playback_position=playback_position, interrupted=interrupted, **options
        )


class SoundAvatar(ReferenceAvatar):
    """Passes every check on every host that has a swap point.

    Beyond the reference avatar it takes its endpoint out of the chain when it is closed or its
    worker leaves or does not come, puts back what was there before it, binds a new one when the
    worker comes back, does not wait for the room for ever, tells what was played from what was
    pushed, and leaves alone a participant of the same identity that is somebody else's.
    """

    _newest: ClassVar[WeakValueDictionary[tuple[int, str], SoundAvatar]] = WeakValueDictionary()
    """The instance that was started last, by room and identity."""

    _avatars: ClassVar[WeakSet[io.AudioOutput]] = WeakSet()
    """The sinks of every instance."""

    def __init__(
        self,
        *,
        api_key: str | None = None,
        identity: str | None = None,
        conn_options: APIConnectOptions | None = None,
    ) -> None:
        super().__init__(api_key=api_key, identity=identity, conn_options=conn_options)
        self._participant_sid: str | None = None
        self._watched: rtc.Room | None = None
        self._binding: Binding | None = None
        self._gone = False
        self._waiting: SoundSink | None = None
        self._former: io.AudioOutput | None = None
        self._giving_up: asyncio.TimerHandle | None = None

    @property
    def avatar_identity(self) -> str:
        """The identity of the avatar's participant; of nobody, once that one is gone."""
        return f"{self._identity} (left)" if self._gone else self._identity

    async def start(self, agent_session: AgentSession[Any], room: rtc.Room, **options: Any) -> None:
        """Start, and watch the worker come and go."""
        self._gone = False
        self._participant_sid = None
        known = room.remote_participants.get(self._identity)
        foreign = known.sid if known is not None else None

        def active(participant: rtc.RemoteParticipant) -> None:
            if participant.identity != self._identity or participant.sid == foreign:
                return
            if self._newest.get((id(room), self._identity)) is self:
                self._on_active(participant)

        self._active = active
        self._watched = room
        self._newest[id(room), self._identity] = self
        room.on("participant_active", active)
        room.on("participant_disconnected", self._on_left)
        await super().start(agent_session, room, **options)
        self._giving_up = asyncio.get_running_loop().call_later(JOIN_WITHIN, self._give_up)

    async def _release(self) -> None:
        mine = self._binding is not None and self._binding.owner
        self._unbind()
        if mine:
            self._put_back()
        await super()._release()

    def _put_back(self) -> None:
        """Bind what was bound before, where it is no avatar's, which may be closed by now."""
        if self._former is not None and self._former not in self._avatars:
            swap_audio_endpoint(self._output, self._former)
        self._former = None

    async def _leave_room(self) -> None:
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None
        if self._watched is not None:
            self._watched.off("participant_active", self._active)
            self._watched.off("participant_disconnected", self._on_left)
            present = self._watched.remote_participants.get(self._identity)
            displaced = present is not None and present.sid != self._participant_sid
            newest = self._newest.get((id(self._watched), self._identity))
            self._gone = displaced or newest is not self
            self._watched = None
        try:
            await asyncio.wait_for(super()._leave_room(), LEAVE_TIMEOUT)
        except asyncio.TimeoutError:
            logger.warning("reference: the room did not answer; the participant may stay")
        self._gone = False

    def _bind(self) -> None:
        sink = self._sink()
        self._avatars.add(sink)
        self._former = current_endpoint(self._output)
        self._waiting = sink if isinstance(sink, SoundSink) else None
        self._binding = swap_audio_endpoint(self._output, sink)

    def _sink(self) -> DataStreamAudioOutput:
        assert self._own_room is not None
        return SoundSink(
            self._own_room,
            destination_identity=self._identity,
            sample_rate=SAMPLE_RATE,
            wait_remote_track=rtc.TrackKind.KIND_VIDEO,
            wait_playback_start=True,
        )

    def _unbind(self) -> None:
        if self._waiting is not None:
            self._waiting.give_up()
            self._waiting = None
        if self._binding is not None:
            self._binding.unbind()
            self._binding = None

    def _on_active(self, participant: rtc.RemoteParticipant) -> None:
        if self._participant_sid is None:
            self._participant_sid = participant.sid
            if self._output is not None and self._binding is None:
                self._bind()

    def _on_left(self, participant: rtc.RemoteParticipant) -> None:
        if participant.sid == self._participant_sid:
            self._participant_sid = None
            self._unbind()

    def _give_up(self) -> None:
        if self._participant_sid is None:
            logger.warning("reference: the avatar has not joined within %g s", JOIN_WITHIN)
            self._unbind()
