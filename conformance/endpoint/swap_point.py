"""The swap point: an audio output that stays in the chain while the tail below it is exchanged."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any
from weakref import ReferenceType

from livekit import rtc
from livekit.agents.voice import io

from conformance import host

from .capture import Capture
from .offer import EarlyCapture, Offer, segments_counted
from .segments import Ending, Pauses, Segment, played_by
from .tail_listener import TailListener

logger = logging.getLogger(__name__)

_EXCHANGES_IN_A_ROW = 10
"""How many further exchanges the tails can ask for while they are told of one."""


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
        self.output: ReferenceType[io.AgentOutput] | None = None
        self._unbound = Unbound()
        self._attached = attached
        self._paused = False
        self._flushing = False
        self._exchanging = False
        self._wanted: io.AudioOutput = tail
        self._open: deque[Segment] = deque()
        self._capturing: Segment | None = None
        self._streaming: Segment | None = None  # the same, once the current tail gets it
        self._pauses = Pauses()
        self._tap = TailListener(self, tail)

    @property
    def serves(self) -> io.AgentOutput | None:
        """The agent's output that has it in its chain, as far as is known."""
        output = self.output() if self.output is not None else None
        in_chain = output is not None and any(o is self for o in host.chain_of(output.audio))
        return output if in_chain else None

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

    def take_over(self, playback: host.Playback, waiting: Sequence[EarlyCapture] = ()) -> None:
        """Take over the segments that the tail had open when the swap point came to stand here.

        ``waiting`` are the frames that the tail has not taken yet.
        """
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
            self._streaming = None if waiting else self._capturing
        if self._open and playback.started_at is not None and playback.paused_for:
            self._pauses.begin(playback.started_at)
            self._pauses.end(playback.started_at + playback.paused_for)
        if self._paused and self._next_in_chain.can_pause:
            since = playback.paused_since
            self._pauses.begin(time.time() if since is None else since)
        for early in waiting:
            segment = self._capturing or Segment(pushed=early.frame.duration, given=True)
            early.adopt(
                Offer(self, segment, early.frame, early.counts, self._next_in_chain, self._tap),
                self._tap.captures,
            )

    def release(self) -> None:
        """Let go of the tail; for a swap point that found no place."""
        self._tap.close()

    def replace_tail(self, sink: io.AudioOutput | None) -> None:
        """Bind ``sink`` in place of the current tail; None leaves nothing bound.

        What the old tail was still playing is stopped. A flushed segment finishes as interrupted,
        at the position that had been played; one that is still being captured goes on to ``sink``.
        When the ``on_attached`` of ``sink`` raises, nothing has changed. A tail that asks for
        another one while it is told of an exchange gets it after that one.
        """
        self._wanted = self._unbound if sink is None else sink
        if self._exchanging:
            return
        self._exchanging = True
        try:
            exchanges = 0
            while self._wanted is not self._next_in_chain and exchanges < _EXCHANGES_IN_A_ROW:
                self._exchange(self._wanted)
                exchanges += 1
            if self._wanted is not self._next_in_chain:
                logger.error(
                    "%r stays bound: each tail asks for another one when it is detached",
                    self._next_in_chain,
                )
        finally:
            self._exchanging = False
            self._settle()

    def _exchange(self, new: io.AudioOutput) -> None:
        old = self._next_in_chain
        if self._attached:
            new.on_attached()
        words = self._stop(old)
        now = time.time()
        played: list[tuple[Segment, float]] = []
        if self._open:
            segments = list(self._open)
            durations = played_by(now, segments, self._pauses, words)
            played = list(zip(segments, durations, strict=True))
            for segment, duration in played:
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
        self._streaming = None
        for segment, duration in played:
            if segment is self._capturing:
                segment.leave_tail(duration)
            elif segment.ending is None:
                segment.ending = Ending(segment.position(duration), interrupted=True)
        if self._capturing is not None and self._capturing.finished:
            self._capturing.leave_tail(0.0)
        if self._paused and new.can_pause:
            self._pauses.begin(now)
            self._quietly(new.pause)

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Hand a frame to the current tail, and to the next one if it is exchanged meanwhile."""
        segment = self._streaming
        if segment is None:
            await self._capture_first(frame)
            return
        segment.pushed += frame.samples_per_channel / frame.sample_rate
        tail = self._next_in_chain
        taking: Any = None
        try:
            # the first step is taken here: most tails need no more, and nothing else is as quick
            taking = tail.capture_frame(frame)
            waits_for = taking.send(None)
        except StopIteration:
            return
        except Exception:
            if taking is None or hasattr(taking, "send"):
                if tail is self._next_in_chain:
                    raise
                return  # what a tail raises that has left is nobody's concern
        else:
            await self._wait(Capture(taking, waits_for, self._tap.captures), tail)
            return
        waiting = Capture.begin(taking, self._tap.captures)  # an awaitable of another kind
        if waiting is not None:
            await self._wait(waiting, tail)

    async def _capture_first(self, frame: rtc.AudioFrame) -> None:
        """Capture a frame of which the current tail has got none before it in this segment."""
        segment = self._capturing
        if segment is None:
            self._settle()
            await super().capture_frame(frame)
            segment = self._capturing = Segment(captured_at=time.time())
            self._open.append(segment)
        segment.pushed += frame.duration
        await self._offer(segment, frame)

    async def _wait(self, waiting: Capture, tail: io.AudioOutput) -> None:
        tap = self._tap
        if tail is not self._next_in_chain:  # the tail itself had it exchanged
            waiting.leave()
        try:
            await waiting
        except Exception:
            if tap is self._tap:
                raise

    async def _offer(self, segment: Segment, frame: rtc.AudioFrame) -> None:
        """Offer the frame to the tail that is bound, and to the next one while it is refused."""
        while self._next_in_chain is not self._unbound:
            tail, tap = self._next_in_chain, self._tap
            offer = Offer(self, segment, frame, segments_counted(tail), tail, tap)
            segment.given = True
            taken = False
            try:
                waiting = Capture.begin(tail.capture_frame(frame), tap.captures)
                if waiting is not None and tap is not self._tap:
                    waiting.leave()
                taken = waiting is None or await waiting
            except Exception:
                if tap is self._tap:
                    raise
            finally:
                refused = offer.refused(taken)
                if segment.given and segment is self._capturing and tap is self._tap:
                    self._streaming = segment
            if not refused:
                return
            offer.make_first_again()

    async def offer_again(self, offer: Offer) -> None:
        """Hand a frame over that the tail before did not take."""
        offer.make_first_again()
        await self._offer(offer.segment, offer.frame)

    def flush(self) -> None:
        """End the segment that is being captured."""
        super().flush()
        segment, self._capturing, self._streaming = self._capturing, None, None
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
