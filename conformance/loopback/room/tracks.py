"""Tracks and their sources without the FFI: what is pushed plays by the loop's clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from livekit import rtc

from . import protobuf as messages

BYTES_PER_SAMPLE = 2


@dataclass(frozen=True)
class HeardTrack:
    """The audio of one published track: 16 bit PCM, as far as it has been played by now."""

    identity: str
    name: str
    sample_rate: int
    channels: int
    pcm: bytes

    @property
    def duration(self) -> float:
        """How many seconds have been played."""
        return len(self.pcm) / (BYTES_PER_SAMPLE * self.channels * self.sample_rate)


class LoopbackAudioSource(rtc.AudioSource):
    """Plays the frames it is given, one after the other, and remembers what was played."""

    def __init__(
        self,
        sample_rate: int,
        num_channels: int,
        queue_size_ms: int = 1000,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._sample_rate = sample_rate
        self._num_channels = num_channels
        self._loop = loop or asyncio.get_event_loop()
        self._queue_size = queue_size_ms / 1000
        self._pushed = bytearray()
        self._dry_at = 0.0
        self._closed = False
        self._changed: set[asyncio.Future[None]] = set()

    @property
    def sample_rate(self) -> int:
        """In Hz."""
        return self._sample_rate

    @property
    def num_channels(self) -> int:
        """How many channels."""
        return self._num_channels

    @property
    def queued_duration(self) -> float:
        """How many seconds are still to be played."""
        return max(self._dry_at - self._loop.time(), 0.0)

    @property
    def played(self) -> bytes:
        """The 16 bit PCM that has been played by now."""
        return bytes(self._pushed[: len(self._pushed) - self._queued_bytes()])

    def clear_queue(self) -> None:
        """Drop what has not been played."""
        queued = self._queued_bytes()
        if queued:
            del self._pushed[-queued:]
        self._dry_at = self._loop.time()
        for waiter in list(self._changed):
            if not waiter.done():
                waiter.set_result(None)

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Queue a frame; waits as long as the queue holds more than its size."""
        if self._closed or frame.samples_per_channel == 0:
            return
        if frame.sample_rate != self._sample_rate or frame.num_channels != self._num_channels:
            raise ValueError(
                f"the frame has {frame.sample_rate} Hz and {frame.num_channels} channels, the"
                f" source {self._sample_rate} Hz and {self._num_channels}"
            )
        self._pushed += bytes(frame.data)
        self._dry_at = max(self._dry_at, self._loop.time()) + (
            frame.samples_per_channel / self._sample_rate
        )
        await self._until_queued(self._queue_size)
        await asyncio.sleep(0)

    async def wait_for_playout(self) -> None:
        """Wait until everything queued has been played or cleared."""
        await self._until_queued(0.0)

    async def aclose(self) -> None:
        """Take no more frames."""
        self._closed = True

    async def _until_queued(self, seconds: float) -> None:
        while (excess := self.queued_duration - seconds) > 1e-9:
            waiter: asyncio.Future[None] = self._loop.create_future()
            self._changed.add(waiter)
            try:
                await asyncio.wait([waiter], timeout=excess)
            finally:
                self._changed.discard(waiter)
                waiter.cancel()

    def _queued_bytes(self) -> int:
        frame = BYTES_PER_SAMPLE * self._num_channels
        return min(round(self.queued_duration * self._sample_rate) * frame, len(self._pushed))


class LoopbackVideoSource(rtc.VideoSource):
    """Counts the frames it is given."""

    def __init__(self, width: int, height: int, *, is_screencast: bool = False) -> None:
        self.width = width
        self.height = height
        self.frames = 0

    def capture_frame(self, frame: rtc.VideoFrame, **_: Any) -> None:
        """Show a frame."""
        self.frames += 1

    async def aclose(self) -> None:
        """Nothing is held."""


class LoopbackTrack(rtc.Track):
    """A track of this room, local or remote; ``source`` is what it plays."""

    def __init__(self, name: str, kind: int, source: Any, *, remote: bool = False) -> None:
        # rtc's own properties read `_info`; the base constructor takes an FFI handle.
        self._info = messages.track("", name, kind, remote=remote)
        self.source = source

    def published_as(self, sid: str) -> None:
        """The server has given it an SID."""
        self._info.sid = sid

    async def get_stats(self) -> list[Any]:
        """There is no transport, so there are no statistics."""
        return []

    def _mute(self, muted: bool) -> None:
        self._info.muted = muted


class LoopbackLocalAudioTrack(LoopbackTrack, rtc.LocalAudioTrack):
    """An audio track to publish."""

    @staticmethod
    def create_audio_track(name: str, source: Any) -> LoopbackLocalAudioTrack:
        """Make a track that plays an audio source."""
        return LoopbackLocalAudioTrack(name, rtc.TrackKind.KIND_AUDIO, source)

    def mute(self) -> None:
        """Mute it."""
        self._mute(True)

    def unmute(self) -> None:
        """Unmute it."""
        self._mute(False)


class LoopbackLocalVideoTrack(LoopbackTrack, rtc.LocalVideoTrack):
    """A video track to publish."""

    @staticmethod
    def create_video_track(name: str, source: Any) -> LoopbackLocalVideoTrack:
        """Make a track that shows a video source."""
        return LoopbackLocalVideoTrack(name, rtc.TrackKind.KIND_VIDEO, source)

    def mute(self) -> None:
        """Mute it."""
        self._mute(True)

    def unmute(self) -> None:
        """Unmute it."""
        self._mute(False)


class LoopbackRemoteAudioTrack(LoopbackTrack, rtc.RemoteAudioTrack):
    """An audio track of another participant."""


class LoopbackRemoteVideoTrack(LoopbackTrack, rtc.RemoteVideoTrack):
    """A video track of another participant."""


def remote_track(info: Any, track: LoopbackTrack) -> LoopbackTrack:
    """A published track as another participant gets it."""
    video = info.kind == rtc.TrackKind.KIND_VIDEO
    kind = LoopbackRemoteVideoTrack if video else LoopbackRemoteAudioTrack
    remote = kind(info.name, info.kind, track.source, remote=True)
    remote.published_as(info.sid)
    return remote


class LoopbackLocalTrackPublication(rtc.LocalTrackPublication):
    """The publication of an own track."""

    def __init__(self, info: Any, track: LoopbackTrack) -> None:
        # As in LoopbackTrack: rtc's properties read `_info` and `_track`.
        self._info = info
        self._track = track
        self._first_subscription: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def subscribed_to(self) -> bool:
        """Note a subscription; true for the first one."""
        if self._first_subscription.done():
            return False
        self._first_subscription.set_result(None)
        return True

    def withdrawn(self) -> None:
        """Note that the track has been unpublished."""
        self._track = None


class LoopbackRemoteTrackPublication(rtc.RemoteTrackPublication):
    """The publication of another participant's track."""

    def __init__(self, info: Any, subscribe: Callable[[str, bool], None]) -> None:
        # As in LoopbackTrack: rtc's properties read `_info`, `_track` and `_subscribed`.
        self._info = type(info)()
        self._info.CopyFrom(info)
        self._track = None
        self._subscribed = False
        self._subscribe = subscribe

    def set_subscribed(self, subscribed: bool) -> None:
        """Subscribe or unsubscribe; the room's events tell when it is done."""
        self._subscribe(self.sid, subscribed)

    def set_video_quality(self, quality: Any) -> None:
        """There are no simulcast layers here: raises `ValueError`."""
        raise ValueError(f"set_video_quality requires a simulcasted publication (sid={self.sid})")

    def attach(self, track: LoopbackTrack | None) -> None:
        """Set the track that has been subscribed to, or None."""
        self._track = track
        self._subscribed = track is not None


STAND_INS = {
    "AudioSource": LoopbackAudioSource,
    "VideoSource": LoopbackVideoSource,
    "LocalAudioTrack": LoopbackLocalAudioTrack,
    "LocalVideoTrack": LoopbackLocalVideoTrack,
}


@contextmanager
def stand_ins() -> Iterator[None]:
    """Replace the sources and tracks of `livekit.rtc` by those of this module, for a while."""
    originals = {name: getattr(rtc, name) for name in STAND_INS}
    for name, stand_in in STAND_INS.items():
        setattr(rtc, name, stand_in)
    try:
        yield
    finally:
        for name, original in originals.items():
            setattr(rtc, name, original)


def heard(identity: str, tracks: Sequence[LoopbackTrack]) -> tuple[HeardTrack, ...]:
    """The audio played by now on each audio track among these."""
    return tuple(
        HeardTrack(
            identity,
            track.name,
            track.source.sample_rate,
            track.source.num_channels,
            track.source.played,
        )
        for track in tracks
        if isinstance(track.source, LoopbackAudioSource)
    )
