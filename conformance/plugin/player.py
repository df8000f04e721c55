"""Plays PCM by the stage's clock, and remembers what was heard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from .room import Clock

BYTES_PER_SAMPLE = 2


@dataclass
class ReceivedSegment:
    """One segment as a worker heard it; times in seconds by the stage's clock.

    ``pcm`` is everything received, ``played`` how many seconds of it have been played, and
    ``interrupted`` is None until the segment has finished.
    """

    sample_rate: int
    channels: int
    received_at: float
    pcm: bytearray = field(default_factory=bytearray)
    ended: bool = False
    started_at: float | None = None
    finished_at: float | None = None
    played: float = 0.0
    interrupted: bool | None = None

    @property
    def duration(self) -> float:
        """How many seconds of audio were received."""
        return len(self.pcm) / self.bytes_per_second

    @property
    def bytes_per_second(self) -> int:
        """How much PCM one second is."""
        return BYTES_PER_SAMPLE * self.channels * self.sample_rate


class Player:
    """Plays segments one after the other, by the clock, without a timer for each frame."""

    def __init__(
        self,
        clock: Clock,
        *,
        on_started: Callable[[ReceivedSegment], None] | None = None,
        on_finished: Callable[[ReceivedSegment], None] | None = None,
        play_after: float = 0.0,
    ) -> None:
        self._clock = clock
        self._play_after = play_after
        self.on_started = on_started
        self.on_finished = on_finished
        self.heard: list[ReceivedSegment] = []
        self.deaf = False
        """While set, pushed audio is dropped, as by an avatar that is not there yet or has left."""
        self._queue: list[ReceivedSegment] = []
        self._run_since: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._paused = False

    @property
    def playing(self) -> bool:
        """Whether a segment has been received that has not finished."""
        return bool(self._queue)

    def push(self, pcm: bytes, sample_rate: int, channels: int) -> None:
        """Take 16 bit PCM for the segment that is being received; opens one if none is."""
        if self.deaf:
            return
        if not self._queue or self._queue[-1].ended:
            segment = ReceivedSegment(sample_rate, channels, self._clock.now())
            self._queue.append(segment)
            self.heard.append(segment)
        self._queue[-1].pcm += pcm
        if self._run_since is None:
            self._advance()

    def end_segment(self) -> None:
        """The segment that is being received is complete."""
        if self._queue and not self._queue[-1].ended:
            self._queue[-1].ended = True
            if self._run_since is None:
                self._advance()

    def clear(self) -> ReceivedSegment | None:
        """Stop at once and drop what is queued; returns the segment that was interrupted.

        A pause is over by it.
        """
        self._account()
        self._stop()
        self._paused = False
        if not self._queue:
            return None
        current, *dropped = self._queue
        self._queue = []
        for segment in dropped:
            segment.ended = True
            segment.interrupted = True
            segment.finished_at = self._clock.now()
        current.ended = True
        self._finish(current, interrupted=True)
        return current

    def pause(self) -> None:
        """Play nothing until :meth:`resume`; what is pushed meanwhile is queued."""
        self._account()
        self._stop()
        self._paused = True

    def resume(self) -> None:
        """Go on where :meth:`pause` has stopped."""
        if self._paused:
            self._paused = False
            self._advance()

    def close(self) -> None:
        """Stop without reporting anything."""
        self._account()
        self._stop()
        self._queue = []

    def _account(self) -> None:
        if self._run_since is None or not self._queue:
            return
        now = self._clock.now()
        current = self._queue[0]
        current.played = min(current.duration, current.played + now - self._run_since)
        self._run_since = now

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self._run_since = None

    def _advance(self) -> None:
        if self._paused:
            return
        self._account()
        self._stop()
        while self._queue:
            current = self._queue[0]
            held = current.received_at + self._play_after - self._clock.now()
            if current.started_at is None and held > 1e-6:
                self._timer = asyncio.get_running_loop().call_later(held, self._advance)
                return
            if current.started_at is None and current.pcm:
                current.started_at = self._clock.now()
                if self.on_started is not None:
                    self.on_started(current)
            left = current.duration - current.played
            if left > 1e-6:
                self._run_since = self._clock.now()
                self._timer = asyncio.get_running_loop().call_later(left, self._advance)
                return
            if not current.ended:
                return
            self._queue.pop(0)
            current.played = current.duration
            if current.pcm:
                self._finish(current, interrupted=False)

    def _finish(self, segment: ReceivedSegment, *, interrupted: bool) -> None:
        segment.finished_at = self._clock.now()
        segment.interrupted = interrupted
        if self.on_finished is not None:
            self.on_finished(segment)
