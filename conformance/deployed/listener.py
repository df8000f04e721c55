"""A participant that only listens: what it hears of an avatar, and who comes and goes."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from livekit import rtc

from conformance.plugin.room import Clock

from .audible_code import Samples
from .decoding import decode
from .recording import Heard

RATE = 16000
"""The sample rate at which is listened, in Hz."""
AROUND = 2.0
"""How many seconds before and after a frame the delivery of frames is compared over."""


@dataclass
class _Stretch:
    """The sound of one track as it came: frames, and when each was delivered."""

    identity: str
    frames: list[Samples] = field(default_factory=list)
    delivered: list[float] = field(default_factory=list)


class Listener:
    """Listens to everybody in ``room`` but the agent, from when it is made."""

    def __init__(self, room: rtc.Room, clock: Clock, *, known: frozenset[str]) -> None:
        self._room = room
        self._clock = clock
        self._known = known
        self._stretches: list[_Stretch] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._listening: dict[tuple[str, str], asyncio.Task[None]] = {}
        self.joined: dict[str, list[float]] = {}
        """When each identity has come into the room."""
        self.left: dict[str, list[float]] = {}
        """When each identity has left it."""
        self.kinds: dict[str, str] = {}
        self.video_at: dict[str, float] = {}
        """When the first picture of each identity was seen."""
        self.audio_at: dict[str, float] = {}
        """When the audio track of each identity was there to be heard."""
        room.on("participant_connected", self._came)
        room.on("participant_disconnected", self._went)
        room.on("track_subscribed", self._subscribed)
        room.on("track_unsubscribed", self._unsubscribed)

    def present(self, identity: str) -> bool:
        """Whether ``identity`` is in the room now."""
        return identity in self._room.remote_participants

    def heard(self) -> tuple[Heard, ...]:
        """The blocks heard so far, of everybody, in the order in which they were heard."""
        found = []
        for stretch in self._stretches:
            if not stretch.frames:
                continue
            samples = np.concatenate(stretch.frames)
            offsets = _offsets(stretch)
            step = len(stretch.frames[0]) / RATE
            for block in decode(samples, RATE):
                at = offsets[min(len(offsets) - 1, int(block.start / step))]
                found.append(
                    Heard(
                        block.number,
                        round(at + block.start, 3),
                        round(at + block.end, 3),
                        stretch.identity,
                    )
                )
        return tuple(sorted(found, key=lambda block: block.start))

    async def aclose(self) -> None:
        """Stop listening."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._room.disconnect()

    def _came(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity not in self._known:
            self.joined.setdefault(participant.identity, []).append(self._clock.now())
            self.kinds[participant.identity] = rtc.ParticipantKind.Name(participant.kind)

    def _went(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity not in self._known:
            self.left.setdefault(participant.identity, []).append(self._clock.now())
            for identity, sid in self._listening:
                if identity == participant.identity:
                    self._stop(identity, sid)

    def _subscribed(
        self,
        track: rtc.Track,
        publication: rtc.RemoteTrackPublication,
        participant: rtc.RemoteParticipant,
    ) -> None:
        if participant.identity in self._known:
            return
        if track.kind == rtc.TrackKind.KIND_AUDIO:
            self.audio_at.setdefault(participant.identity, self._clock.now())
            self._stop_replaced(participant, track.sid)
            listening = asyncio.ensure_future(self._listen(track, participant.identity))
            self._listening[participant.identity, track.sid] = listening
        else:
            listening = asyncio.ensure_future(self._look(track, participant.identity))
        self._tasks.append(listening)

    def _unsubscribed(
        self,
        track: rtc.Track,
        publication: rtc.RemoteTrackPublication,
        participant: rtc.RemoteParticipant,
    ) -> None:
        self._stop(participant.identity, track.sid)

    def _stop(self, identity: str, sid: str) -> None:
        """Stop listening to a track that is gone: the SDK gives its way to the next one's sound."""
        listening = self._listening.get((identity, sid))
        if listening is not None:
            listening.cancel()

    def _stop_replaced(self, participant: rtc.RemoteParticipant, new: str) -> None:
        """Stop listening to tracks that ``new`` takes the place of, when a connection starts anew.

        The SDK hands out the same sound through both.
        """
        for (identity, sid), listening in self._listening.items():
            gone = sid == new or sid not in participant.track_publications
            if identity == participant.identity and gone:
                listening.cancel()

    async def _listen(self, track: rtc.Track, identity: str) -> None:
        stretch = _Stretch(identity)
        self._stretches.append(stretch)
        stream = rtc.AudioStream(track, sample_rate=RATE, num_channels=1)
        try:
            async for event in stream:
                stretch.frames.append(np.frombuffer(event.frame.data, np.int16).copy())
                stretch.delivered.append(self._clock.now())
        finally:
            with contextlib.suppress(Exception):
                await stream.aclose()

    async def _look(self, track: rtc.Track, identity: str) -> None:
        stream = rtc.VideoStream(track)
        try:
            async for _ in stream:
                self.video_at.setdefault(identity, self._clock.now())
                break
        finally:
            with contextlib.suppress(Exception):
                await stream.aclose()


def _offsets(stretch: _Stretch) -> npt.NDArray[np.float64]:
    """For each frame, what is added to a time in the stretch to get a time of the clock.

    A busy machine hands frames over late, and never early: the least delay of the frames around
    one is that of the stream itself.
    """
    lengths = np.array([len(frame) for frame in stretch.frames]) / RATE
    late = np.array(stretch.delivered) - np.cumsum(lengths)
    reach = max(1, round(AROUND / float(lengths[0])))
    padded = np.pad(late, reach, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    least: npt.NDArray[np.float64] = windows.min(axis=1)
    return least


__all__ = ["Listener"]
