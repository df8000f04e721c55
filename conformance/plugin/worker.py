"""The vendor's worker: the participant that joins, shows video, and plays the audio it is sent.

:class:`Worker` is what
the suite sees of a worker; :class:`ByteStreamWorker` is the one that eleven of the thirteen vendors
share. An adapter with another kind of worker subclasses :class:`Worker`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from conformance.results.timeline import Timeline

from .player import Player, ReceivedSegment
from .vendor_messages import RoomMessage, listen

if TYPE_CHECKING:
    from livekit import rtc

    from .room import Clock, RoomServer


@dataclass(frozen=True)
class Behaviour:
    """How a worker behaves. The default is a healthy one.

    Times are in seconds. ``join_after=None`` never joins. It shows its video ``video_after``
    seconds after it has joined, and hears nothing before, unless ``hears_before_video``.
    ``play_after`` is how long it holds a segment before it plays it. ``clear`` says what follows an
    interruption: ``finish`` reports the position, ``silent`` acknowledges and reports nothing,
    ``late`` reports after ``clear_delay``, ``unanswered`` never answers the call.
    """

    join_after: float | None = 0.0
    play_after: float = 0.0
    publish_video: bool = True
    video_after: float = 0.0
    hears_before_video: bool = False
    notify_started: bool = True
    notify_finished: bool = True
    clear: Literal["finish", "silent", "late", "unanswered"] = "finish"
    clear_delay: float = 1.0


def _nothing() -> None:
    """A vendor session that cannot be ended from within the room."""


def _not_understood(message: RoomMessage, payload: object) -> bool:
    """A vendor that listens to nothing in the room."""
    return False


@dataclass(frozen=True)
class WorkerSpec:
    """A participant to be brought into the room: its token, and what it needs to play."""

    name: str
    token: str
    url: str
    server: RoomServer
    clock: Clock
    timeline: Timeline
    behaviour: Behaviour
    session: str | None = None
    end_session: Callable[[], None] = _nothing
    """Ends the vendor's session, and its workers leave: for a vendor that is told in the room."""
    messages: Sequence[RoomMessage] = ()
    """What the plugin may tell this participant in the room."""
    told: Callable[[RoomMessage, object], bool] = _not_understood
    """Is called with each such message; says whether the vendor could make sense of it."""
    minted: bool = False
    """Whether the vendor, and not the plugin, minted the token."""
    leaves_with: str | None = None
    """The participant with whom the session ends, when that one has left the room."""
    ends_with_worker: bool = False
    """Whether the vendor ends the session when this participant is no longer in the room."""


class Worker:
    """A vendor's participant: joins with its token, publishes video, and can leave.

    Subclasses override :meth:`joined` to receive audio and feed :attr:`player`.
    """

    def __init__(self, spec: WorkerSpec) -> None:
        self.spec = spec
        self.behaviour = spec.behaviour
        self.player = Player(
            spec.clock,
            on_started=self._player_started,
            on_finished=self._player_finished,
            play_after=spec.behaviour.play_after,
        )
        self.player.deaf = not spec.behaviour.hears_before_video
        self.received = bytearray()
        """Every byte of audio that reached it, also what was cleared before it was played."""
        self.room: rtc.Room | None = None
        self.refused: str | None = None
        self.broken: BaseException | None = None
        """What the stand-in itself raised; the provider is not to be judged then."""
        self._task: asyncio.Task[None] | None = None
        self._leaving: asyncio.Task[None] | None = None

    @property
    def identity(self) -> str | None:
        """The identity in the room, or None before it has joined."""
        return self.room.local_participant.identity if self.room is not None else None

    @property
    def in_room(self) -> bool:
        """Whether it is connected now."""
        return self.room is not None and self.room.isconnected()

    @property
    def heard(self) -> Sequence[ReceivedSegment]:
        """Every segment received so far, oldest first."""
        return self.player.heard

    @property
    def pcm(self) -> bytes:
        """All audio received so far, in order."""
        return bytes(self.received) or b"".join(bytes(s.pcm) for s in self.player.heard)

    def begin(self) -> None:
        """Start joining, as its behaviour says."""
        self._task = asyncio.get_running_loop().create_task(self._serve())
        self._task.add_done_callback(self._served)

    async def leave(self) -> None:
        """Leave the room as a worker that crashed or was told to go; twice at once is once."""
        if self._leaving is None or self._leaving.done():
            self._leaving = asyncio.get_running_loop().create_task(self._leave())
        await asyncio.shield(self._leaving)

    async def _leave(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self.player.close()
        self.player.deaf = True
        await self.ended()
        if self.room is not None and self.room.isconnected():
            await self.room.disconnect()

    async def come_back(self) -> None:
        """Join again with the same token, after :meth:`leave`."""
        self.begin()
        await asyncio.sleep(0)

    async def aclose(self) -> None:
        """Leave and let go of everything."""
        await self.leave()

    async def joined(self, room: rtc.Room, attributes: Mapping[str, str]) -> None:
        """Called once in the room, before video is published; ``attributes`` are its token's."""

    async def ended(self) -> None:
        """Called before it leaves: stop what :meth:`joined` started."""

    def notify_started(self) -> None:
        """Tell the agent that playback of a segment has started."""

    def notify_finished(self, position: float, *, interrupted: bool) -> None:
        """Tell the agent that playback has finished at ``position`` seconds."""

    def _served(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self.broken = task.exception()

    async def _serve(self) -> None:
        from livekit import rtc

        spec = self.spec
        if self.behaviour.join_after is None:
            return
        if self.behaviour.join_after:
            await spec.clock.sleep(self.behaviour.join_after)
        try:
            room = await spec.server.join(spec.token, url=spec.url)
        except rtc.ConnectError as error:
            self.refused = str(error.message)
            spec.timeline.record("worker", "refused", spec.name, why=self.refused)
            return
        self.room = room
        room.on("disconnected", self._disconnected)
        self.player.deaf = not self.behaviour.hears_before_video
        local = room.local_participant
        spec.timeline.record("worker", "joined", local.identity)
        listen(room, spec.messages, spec.told)
        room.on("participant_disconnected", self._other_left)
        # The agent speaks as soon as it sees the video, so the worker must be listening by then.
        await self.joined(room, local.attributes)
        if self.behaviour.publish_video:
            if self.behaviour.video_after:
                await spec.clock.sleep(self.behaviour.video_after)
            self.player.deaf = False
            await spec.server.publish_video(room)

    def _disconnected(self, reason: object) -> None:
        self.player.deaf = True
        if self.spec.ends_with_worker:
            self.spec.end_session()

    def _other_left(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == self.spec.leaves_with:
            self.spec.end_session()

    def _player_started(self, segment: ReceivedSegment) -> None:
        self.spec.timeline.record("worker", "playing", self.identity or self.spec.name)
        if self.behaviour.notify_started:
            self.notify_started()

    def _player_finished(self, segment: ReceivedSegment) -> None:
        self.spec.timeline.record(
            "worker",
            "played",
            self.identity or self.spec.name,
            position=segment.played,
            interrupted=bool(segment.interrupted),
        )
        if segment.interrupted and self.behaviour.clear != "finish":
            if self.behaviour.clear == "late":
                asyncio.get_running_loop().call_later(
                    self.behaviour.clear_delay, self._notify_interrupted, segment.played
                )
            return
        if self.behaviour.notify_finished:
            self.notify_finished(segment.played, interrupted=bool(segment.interrupted))

    def _notify_interrupted(self, position: float) -> None:
        self.notify_finished(position, interrupted=True)


class ByteStreamWorker(Worker):
    """Receives audio over the host's byte streams and answers with its playback RPCs."""

    async def joined(self, room: rtc.Room, attributes: Mapping[str, str]) -> None:
        """Start the host's own receiver, listening to the agent it publishes on behalf of."""
        from conformance.host import avatar_receiver

        self._receiver = avatar_receiver(
            room, sender_identity=self.sender(attributes), received=self._receive
        )
        await self._receiver.start()
        self._receiver.on("clear_buffer", self._cleared)
        if self.behaviour.clear == "unanswered":
            room.local_participant.register_rpc_method("lk.clear_buffer", self._never_answer)
        self._reading = asyncio.get_running_loop().create_task(self._read())

    def _receive(self, pcm: bytes) -> None:
        if not self.player.deaf:
            self.received.extend(pcm)

    def sender(self, attributes: Mapping[str, str]) -> str | None:
        """Whose audio it takes: the agent it publishes on behalf of; None: the first agent's."""
        from conformance.host import publish_on_behalf_attribute

        return attributes.get(publish_on_behalf_attribute())

    async def ended(self) -> None:
        """Stop reading."""
        reading = getattr(self, "_reading", None)
        if reading is not None:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await self._receiver.aclose()
            del self._reading

    def notify_started(self) -> None:
        """Send ``lk.playback_started``."""
        self._receiver.notify_playback_started()

    def notify_finished(self, position: float, *, interrupted: bool) -> None:
        """Send ``lk.playback_finished``."""
        self._receiver.notify_playback_finished(position, interrupted)

    async def _read(self) -> None:
        from livekit import rtc

        async for frame in self._receiver:
            if isinstance(frame, rtc.AudioFrame):
                self.player.push(bytes(frame.data), frame.sample_rate, frame.num_channels)
            else:
                self.player.end_segment()

    def _cleared(self) -> None:
        self.player.clear()

    async def _never_answer(self, data: rtc.RpcInvocationData) -> str:
        self.player.clear()
        await asyncio.Event().wait()
        return ""
