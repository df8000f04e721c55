"""Tails of the suite's own: what an application might have bound before, or after, an avatar."""

from __future__ import annotations

import asyncio
import time

from livekit import rtc
from livekit.agents.voice import io

from conformance.plugin.player import Player, ReceivedSegment
from conformance.plugin.room import Clock


class FakeTail(io.AudioOutput):
    """A well-behaved tail that plays what it is given by the stage's clock.

    ``heard`` keeps every segment, as a worker's does.
    """

    def __init__(self, clock: Clock, *, sample_rate: int | None = None, label: str = "app") -> None:
        super().__init__(
            label=label,
            capabilities=io.AudioOutputCapabilities(pause=False),
            sample_rate=sample_rate,
        )
        self._clock = clock
        self._player = Player(clock, on_started=self._started, on_finished=self._finished)

    @property
    def heard(self) -> list[ReceivedSegment]:
        """Every segment received so far, oldest first."""
        return self._player.heard

    @property
    def pcm(self) -> bytes:
        """All audio received so far, in order."""
        return b"".join(bytes(segment.pcm) for segment in self._player.heard)

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Take a frame."""
        await super().capture_frame(frame)
        self._player.push(bytes(frame.data), frame.sample_rate, frame.num_channels)

    def flush(self) -> None:
        """The segment is complete."""
        super().flush()
        self._player.end_segment()

    def clear_buffer(self) -> None:
        """Stop at once."""
        self._player.clear()

    def _started(self, segment: ReceivedSegment) -> None:
        self.on_playback_started(created_at=time.time())

    def _finished(self, segment: ReceivedSegment) -> None:
        # a player answers in the middle of the call that ended the segment; a sink does later
        asyncio.get_running_loop().call_soon(self._report, segment)

    def _report(self, segment: ReceivedSegment) -> None:
        self.on_playback_finished(
            playback_position=segment.played, interrupted=bool(segment.interrupted)
        )
