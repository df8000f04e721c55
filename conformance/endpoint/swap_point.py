"""The swap point: an audio output that stays in the chain while the tail below it is exchanged."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Callable

from livekit import rtc
from livekit.agents.voice import io

from conformance import host

from .capture import Capture
from .segments import Ending, Pauses, Segment, played_by

logger = logging.getLogger(__name__)


class Unbound(io.AudioOutput):
    """Stands below a swap point to which nothing is bound, so that the chain has a tail."""

    def __init__(self) -> None:
        super().__init__(label="unbound", capabilities=io.AudioOutputCapabilities(pause=True))

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Drop the frame; the swap point keeps the account."""

    def flush(self) -> None:
        """Nothing to end."""

    def clear_buffer(self) -> None:
        """Nothing to stop."""


class SwapPoint(host.ChainLink):
    """Exchanges the tail below the wrappers; `swap_audio_endpoint` puts it there.

    Every segment captured here finishes exactly once, whatever the tail does that was bound when
    it ended. With nothing bound, frames are dropped and a flush ends the segment as interrupted,
    in a later iteration of the loop and never inside the flush.
    """

    def __init__(self, tail: io.AudioOutput, *, attached: bool) -> None:
        super().__init__(label="SwapPoint", next_in_chain=tail)
        self._unbound = Unbound()
        self._attached = attached
        self._paused = False
        self._flushing = False
        self._open: deque[Segment] = deque()
        self._capturing: Segment | None = None
        self._pauses = Pauses()
        self._tap = TailListener(self, tail)

    @property
    def tail(self) -> io.AudioOutput | None:
        """The tail that is bound, or None."""
        return None if self._next_in_chain is self._unbound else self._next_in_chain

    @property
    def sample_rate(self) -> int | None:
        """The sample rate that the current tail requires, in Hz; None accepts any."""
        return self._next_in_chain.sample_rate

    @property
    def can_pause(self) -> bool:
        """Whether the current tail can pause."""
        return self._next_in_chain.can_pause

    def take_over(self, playback: host.Playback) -> None:
        """Take over the segments that the tail had open when the swap point came to stand here."""
        self._paused = playback.paused
        for number in range(playback.pending):
            last = number == playback.pending - 1
            segment = Segment(pushed=math.inf, given=True, flushed=True)
            if last:
                segment.flushed = not playback.capturing
                if playback.pushed is not None:
                    segment.pushed = playback.pushed
                elif playback.capturing:
                    segment.pushed = 0.0
                segment.started_at = playback.started_at
                segment.reported = playback.played
                segment.announced = playback.started_at is not None
            self._open.append(segment)
        if playback.pending and playback.capturing:
            self._capturing = self._open[-1]

    def release(self) -> None:
        """Let go of the tail; for a swap point that found no place."""
        self._tap.close()

    def replace_tail(self, sink: io.AudioOutput | None) -> None:
        """Bind ``sink`` in place of the current tail; None leaves nothing bound.

        What the old tail was still playing is stopped. A flushed segment finishes as interrupted,
        at the position that had been played; one that is still being captured goes on to ``sink``.
        """
        old = self._next_in_chain
        new = self._unbound if sink is None else sink
        if new is old:
            return
        words = self._stop(old)
        now = time.time()
        segments = list(self._open)
        played = played_by(now, segments, self._pauses, words)
        for segment, duration in zip(segments, played, strict=True):
            if segment is self._capturing or segment.base:
                self._report_run(segment, duration)
        self._tap.close()
        if self._paused:
            self._quietly(old.resume)
        self._pauses.end(now)
        if self._attached:
            self._quietly(old.on_detached)
        self._next_in_chain = new
        self._tap = TailListener(self, new)
        for segment, duration in zip(segments, played, strict=True):
            if segment is self._capturing:
                segment.leave_tail(duration)
            elif segment.ending is None:
                segment.ending = Ending(segment.position(duration), interrupted=True)
        if self._capturing is not None and self._capturing.finished:
            self._capturing.leave_tail(0.0)
        try:
            if self._attached:
                new.on_attached()
            if self._paused and new.can_pause:
                self._pauses.begin(now)
                new.pause()
        finally:
            self._settle()

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Hand a frame to the current tail, and to the next one if it is exchanged meanwhile."""
        self._settle()
        await super().capture_frame(frame)
        segment = self._capturing
        if segment is None:
            segment = self._capturing = Segment(captured_at=time.time())
            self._open.append(segment)
        segment.pushed += frame.duration
        while self._next_in_chain is not self._unbound and not await self._hand_over(
            segment, frame
        ):
            segment.base = segment.pushed - frame.duration

    async def _hand_over(self, segment: Segment, frame: rtc.AudioFrame) -> bool:
        """Returns False when the tail was exchanged before it had taken the frame."""
        tail, tap = self._next_in_chain, self._tap
        counts = None if segment.given else _counts(tail)
        segment.given = True
        taken = False
        try:
            waiting = Capture.begin(tail.capture_frame(frame), tap.captures)
            if waiting is not None and tap is not self._tap:
                waiting.leave()  # the tail itself had it exchanged
            taken = waiting is None or await waiting
        except Exception:  # what a tail raises that has left is nobody's concern
            if tap is self._tap:
                raise
        finally:
            refused = not taken and counts == _counts(tail)
            if refused and tap is self._tap:
                segment.given = False
        return not refused

    def flush(self) -> None:
        """End the segment that is being captured."""
        super().flush()
        segment, self._capturing = self._capturing, None
        if segment is not None:
            segment.flushed = True
        self._flushing = True
        try:
            self._next_in_chain.flush()
        finally:
            self._flushing = False
            if segment is not None and not segment.given and segment.ending is None:
                # no tail will ever tell how it ended
                cancelled = self.tail is not None and not segment.base
                segment.ending = Ending(segment.reached, True, cancelled_capture=cancelled)
                asyncio.get_running_loop().call_soon(self._settle)

    def clear_buffer(self) -> None:
        """Stop playback."""
        self._next_in_chain.clear_buffer()

    def on_attached(self) -> None:
        """Attach the current tail, and those to come."""
        self._attached = True
        super().on_attached()

    def on_detached(self) -> None:
        """Detach the current tail, and those to come."""
        self._attached = False
        super().on_detached()

    def pause(self) -> None:
        """Pause the current tail, and those to come."""
        self._paused = True
        if self._next_in_chain.can_pause:
            self._pauses.begin(time.time())
        super().pause()

    def resume(self) -> None:
        """Let the current tail go on."""
        self._paused = False
        self._pauses.end(time.time())
        super().resume()

    # what the current tail says

    def tail_started(self, event: io.PlaybackStartedEvent) -> None:
        """The current tail has begun to play its oldest segment that had not begun."""
        for segment in self._open:
            if segment.given and segment.started_at is None:
                segment.started_at = event.created_at
                if not segment.announced:
                    segment.announced = True
                    self.on_playback_started(created_at=event.created_at)
                return

    def tail_progressed(self, *, started_at: float, offset: float, duration: float) -> None:
        """The current tail has played a stretch of its oldest segment."""
        segment = self._oldest_given()
        if segment is not None:
            segment.reported = offset + duration
            host.report_progress(
                self, started_at=started_at, offset=segment.base + offset, duration=duration
            )

    def tail_finished(self, event: io.PlaybackFinishedEvent) -> None:
        """The current tail is done with its oldest segment."""
        segment = self._oldest_given()
        if segment is None:
            return
        if segment.base and segment.reported is None:
            self._report_run(segment, event.playback_position)
        segment.ending = Ending(
            segment.position(event.playback_position),
            event.interrupted,
            event.synchronized_transcript,
            host.is_cancelled_capture(event),
        )
        if self._flushing:
            asyncio.get_running_loop().call_soon(self._settle)
        else:
            self._settle()

    def _oldest_given(self) -> Segment | None:
        return next((s for s in self._open if s.given and s.ending is None), None)

    def _stop(self, old: io.AudioOutput) -> list[float]:
        """Silence a tail that leaves; returns the positions that it gave while it was stopped."""
        self._tap.mute()
        capturing = self._capturing is not None and self._capturing.given
        if capturing or self._oldest_given() is not None:
            if capturing:
                self._quietly(old.flush)
            self._quietly(old.clear_buffer)
        return self._tap.final_positions

    def _quietly(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception:  # a tail whose avatar is closed already must not keep the next one out
            logger.warning("the tail that is being unbound failed", exc_info=True)

    def _report_run(self, segment: Segment, duration: float) -> None:
        """Place what a tail played of a segment that crosses a swap, if it does not do so itself.

        The rest of the segment is placed by others, so an unplaced part would be lost.
        """
        if segment.reported is None and segment.started_at is not None and duration > 0:
            host.report_progress(
                self, started_at=segment.started_at, offset=segment.base, duration=duration
            )

    def _settle(self) -> None:
        """Report the end of every segment that is over, oldest first."""
        while self._open and (ending := self._open[0].ending) is not None:
            self._open.popleft().finished = True
            if not self._open:
                self._pauses.forget()
            if ending.cancelled_capture:
                host.finish_cancelled_capture(self)
            else:
                self.on_playback_finished(
                    playback_position=ending.position,
                    interrupted=ending.interrupted,
                    synchronized_transcript=ending.transcript,
                )


class TailListener:
    """Listens to one tail for as long as it is bound; what comes later goes nowhere."""

    def __init__(self, point: SwapPoint, tail: io.AudioOutput) -> None:
        self._point = point
        self._tail = tail
        self._muted = False
        self._closed = False
        self.captures: set[Capture] = set()
        self.final_positions: list[float] = []
        tail.on("playback_started", self._on_started)
        tail.on("playback_progressed", self._on_progressed)  # type: ignore[arg-type,unused-ignore]
        tail.on("playback_finished", self._on_finished)

    def mute(self) -> None:
        """From now on only note what the tail says of the stop that it is about to be told."""
        self._muted = True

    def close(self) -> None:
        """Stop listening, and wait for nothing that the tail has not taken yet."""
        self._closed = True
        self._tail.off("playback_started", self._on_started)
        self._tail.off("playback_progressed", self._on_progressed)  # type: ignore[arg-type,unused-ignore]
        self._tail.off("playback_finished", self._on_finished)
        for capture in tuple(self.captures):
            capture.leave()

    def _on_started(self, event: io.PlaybackStartedEvent) -> None:
        if not self._muted:
            self._point.tail_started(event)

    def _on_progressed(self, event: io.PlaybackProgressedEvent) -> None:
        if not self._closed:
            self._point.tail_progressed(
                started_at=event.started_at, offset=event.offset, duration=event.duration
            )

    def _on_finished(self, event: io.PlaybackFinishedEvent) -> None:
        if not self._muted:
            self._point.tail_finished(event)
        elif not self._closed:
            self.final_positions.append(event.playback_position)


def _counts(tail: io.AudioOutput) -> list[int]:
    """How many segments each output of the chain below has taken frames of."""
    return [host.captured_segments(output) for output in host.chain_of(tail)]
