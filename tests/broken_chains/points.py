"""Swap points that are broken, in an endpoint that is sound otherwise."""

from __future__ import annotations

from livekit import rtc
from livekit.agents.voice import io

from conformance import host
from conformance.endpoint import SwapPoint, swap_point
from conformance.endpoint.segments import Ending, Segment

from .declared import broken


@broken("HOST-07", "observed the top heard finished at 0.20 s")
class StartNotForwarded(SwapPoint):
    def on_playback_started(self, *, created_at: float) -> None:
        pass


@broken("HOST-07", "finished at 0.20 s interrupted")
class AlwaysInterrupted(SwapPoint):
    def on_playback_finished(
        self,
        *,
        playback_position: float,
        interrupted: bool,
        synchronized_transcript: str | None = None,
    ) -> None:
        super().on_playback_finished(playback_position=playback_position, interrupted=True)


@broken("HOST-08", "observed the top heard started, finished at 7.00 s interrupted")
class OldListenersKept(swap_point.TailListener):
    def mute(self) -> None:
        pass

    def close(self) -> None:
        pass


@broken("HOST-09", "expected a swap detaches the one, attaches the other")
class AttachmentStays(SwapPoint):
    def replace_tail(self, sink: io.AudioOutput | None) -> None:
        attached, self._attached = self._attached, False
        super().replace_tail(sink)
        self._attached = attached


@broken("HOST-09", "expected a swap while detached fires neither")
class AttachesWhileDetached(SwapPoint):
    def replace_tail(self, sink: io.AudioOutput | None) -> None:
        attached, self._attached = self._attached, True
        super().replace_tail(sink)
        self._attached = attached


@broken("HOST-09", "expected switching audio off detaches the current tail only")
class OldTailDetachedToo(SwapPoint):
    def on_detached(self) -> None:
        super().on_detached()
        for old in self.__dict__.get("all_tails", []):
            old.on_detached()

    def replace_tail(self, sink: io.AudioOutput | None) -> None:
        self.__dict__.setdefault("all_tails", []).append(self.tail)
        super().replace_tail(sink)


@broken("HOST-10", "observed it finished at 2.00 s, with 2.00 s pushed")
class PushedNotPlayed(SwapPoint):
    def replace_tail(self, sink: io.AudioOutput | None) -> None:
        for segment in self._open:
            segment.reported = segment.pushed
        super().replace_tail(sink)


@broken("HOST-10", "observed it finished at 0.00 s, with 2.00 s pushed")
class PositionUnknown(SwapPoint):
    def replace_tail(self, sink: io.AudioOutput | None) -> None:
        for segment in self._open:
            segment.reported = 0.0
        super().replace_tail(sink)


@broken("HOST-10", "it hung for 10 s")
class PlayingSegmentForgotten(SwapPoint):
    def replace_tail(self, sink: io.AudioOutput | None) -> None:
        self._open.clear()
        super().replace_tail(sink)


@broken("HOST-10", "once, interrupted; observed the top heard started, finished at 0.50 s")
class EndedAsIfHeard(SwapPoint):
    def on_playback_finished(
        self,
        *,
        playback_position: float,
        interrupted: bool,
        synchronized_transcript: str | None = None,
    ) -> None:
        super().on_playback_finished(playback_position=playback_position, interrupted=False)


@broken("HOST-10[two-pending]", "it hung for 10 s")
class OnlyThePlayingSegmentEnded(SwapPoint):
    def replace_tail(self, sink: io.AudioOutput | None) -> None:
        while len(self._open) > 1:
            self._open.pop()
        super().replace_tail(sink)


@broken("HOST-10[two-pending]", "that had been played by then, 0.00 s; observed it finished at 0.5")
class QueuedSegmentEndsWhereThePlayingOneDid(SwapPoint):
    def replace_tail(self, sink: io.AudioOutput | None) -> None:
        for segment in self._open:
            segment.reported = 0.5
        super().replace_tail(sink)


@broken("HOST-11[flushed-at-once]", "it hung for 10 s")
class FlushWithNothingMoreIgnored(SwapPoint):
    def flush(self) -> None:
        if not self._open or self._open[-1].given:
            super().flush()


@broken("HOST-11", "expected it finishes when the new tail has played the rest")
class CapturedSegmentEnded(SwapPoint):
    def replace_tail(self, sink: io.AudioOutput | None) -> None:
        super().flush()
        super().replace_tail(sink)


@broken("HOST-11", "expected the old tail gets what was captured while it was bound")
class FramesStayAtTheOldTail(SwapPoint):
    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        first = self.__dict__.setdefault("first", self.tail)
        if first is not self.tail:
            await first.capture_frame(frame)
        await super().capture_frame(frame)


@broken("HOST-11", "expected the new tail gets what was captured while it was bound")
class FrameTwice(SwapPoint):
    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        known, self.__dict__["known"] = self.__dict__.get("known", self.tail), self.tail
        if known is not self.tail:
            await super().capture_frame(frame)
        await super().capture_frame(frame)


@broken("HOST-11", "it hung for 10 s")
class CapturedSegmentForgotten(SwapPoint):
    def replace_tail(self, sink: io.AudioOutput | None) -> None:
        super().replace_tail(sink)
        self._open.clear()


@broken(
    "HOST-12", "the tail that leaves is told flush and clear once; observed it was told neither"
)
class NotCleared(SwapPoint):
    def _stop(self, old: io.AudioOutput) -> list[float]:
        self._tap.mute()
        return []


@broken("HOST-12", "is told flush and clear once; observed it was told clear")
class NotFlushed(SwapPoint):
    def _stop(self, old: io.AudioOutput) -> list[float]:
        self._tap.mute()
        old.clear_buffer()
        return []


@broken(
    "HOST-12", "with a segment flushed and still playing, the tail that leaves is told clear once"
)
class ClearedTwice(SwapPoint):
    def _stop(self, old: io.AudioOutput) -> list[float]:
        words = super()._stop(old)
        if self._capturing is None:
            old.clear_buffer()
        return words


@broken(
    "HOST-12",
    "expected an idle tail that leaves is not flushed or cleared; observed it was told clear",
)
class IdleCleared(SwapPoint):
    def _stop(self, old: io.AudioOutput) -> list[float]:
        if not self._open:
            old.clear_buffer()
        return super()._stop(old)


@broken("HOST-13", "observed playback_finished came before flush() had returned")
class ToldInsideTheFlush(SwapPoint):
    def flush(self) -> None:
        super().flush()
        self._settle()


@broken("HOST-13", "it hung for 10 s")
class NeverTold(SwapPoint):
    def flush(self) -> None:
        host.ChainLink.flush(self)
        self._capturing = None


@broken("HOST-13", "interrupted at 0.50 s; observed the top heard started, finished at 0.00 s")
class UnboundForgetsWhatWasPlayed(SwapPoint):
    def flush(self) -> None:
        if self._capturing is not None:
            self._capturing.reached = 0.0
        super().flush()


@broken("HOST-14", "expected sample_rate is the tail's")
class SampleRateCopied(SwapPoint):
    @property
    def sample_rate(self) -> int | None:
        rate: int | None = self.__dict__.setdefault("rate", super().sample_rate)
        return rate


@broken("HOST-14", "expected can_pause is the tail's, False; observed it is True")
class CanPauseCopied(SwapPoint):
    @property
    def can_pause(self) -> bool:
        can: bool = self.__dict__.setdefault("can", super().can_pause)
        return can


@broken("HOST-15", "expected the tail is told nothing by a swap to itself")
class SwappedAllTheSame(SwapPoint):
    def replace_tail(self, sink: io.AudioOutput | None) -> None:
        if sink is self.tail:
            super().replace_tail(None)
        super().replace_tail(sink)


@broken("HOST-15", "expected the segment plays to its end")
class EndedBySwapToItself(SwapPoint):
    def replace_tail(self, sink: io.AudioOutput | None) -> None:
        if sink is self.tail and self._open and self._capturing is None:
            self._open[0].ending = Ending(0.2, interrupted=True)
            self._settle()
        super().replace_tail(sink)


@broken(
    "HOST-16",
    "no part of the segment is placed twice; observed placed: 0.00 to 0.40 s, 0.00 to 0.60 s",
)
class CountedFromEachTailsZero(SwapPoint):
    def on_playback_progressed(self, *, started_at: float, offset: float, duration: float) -> None:
        for segment in self._open:
            offset -= segment.base
        super().on_playback_progressed(
            started_at=started_at, offset=max(0.0, offset), duration=duration
        )


@broken("HOST-16", "reports progress and a new one that does not, the placed audio adds up")
class UnreportedNotPlaced(SwapPoint):
    def _report_run(self, segment: Segment, duration: float) -> None:
        pass


@broken("HOST-16", "observed placed: 0.00 to 1.00 s, 1.00 to 1.60 s")
class PushedPlaced(SwapPoint):
    def _report_run(self, segment: Segment, duration: float) -> None:
        super()._report_run(segment, segment.length)
