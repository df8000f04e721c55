from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from livekit import rtc
from livekit.agents.voice import io

from conformance import host
from conformance.endpoint import (
    SwapPoint,
    binding,
    current_endpoint,
    swap_audio_endpoint,
    swap_point,
)
from conformance.endpoint.segments import Ending, Segment
from conformance.loopback.clock import VirtualClock, run_virtual
from conformance.outcomes import NotApplicable, Violation
from conformance.suite import host_chain
from conformance.suite.host_chain import ChainScene, EndpointKit
from conformance.suite.host_chain_scene import Wrap, Wrapper
from conformance.suite.registry import registered
from conformance.timeline import Timeline

CHECKS = {
    c.requirement: c for c in registered() if c.function.__module__.startswith(host_chain.__name__)
}
BROKEN: list[tuple[str, str, Callable[[], EndpointKit]]] = []


def broken(requirement: str, observed: str) -> Callable[[Any], Any]:
    """Declare a kit, or a swap point to put into the sound kit, that must fail in these words."""

    def declare(made: Any) -> Any:
        kit = made if issubclass(made, EndpointKit) else functools.partial(PointKit, made)
        BROKEN.append((requirement, observed, kit))
        return made

    return declare


class PointKit(EndpointKit):
    """The sound endpoint with another swap point, or another tap on the tails, in it."""

    def __init__(self, part: type) -> None:
        home, name = (binding, "SwapPoint") if issubclass(part, SwapPoint) else (swap_point, "_Tap")
        self._patched = lambda: mock.patch.object(home, name, part)

    def wrap(self, below: io.AudioOutput, make: Wrap) -> io.AudioOutput:
        with self._patched():
            return super().wrap(below, make)

    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        with self._patched():
            super().swap(output, sink)

    def unbind(self, output: io.AgentOutput) -> None:
        with self._patched():
            super().unbind(output)


def splice_another(root: io.AudioOutput) -> None:
    """Put one more swap point above the tail of a chain."""
    *wrappers, tail = host.chain_of(root)
    point = SwapPoint(tail, attached=False)
    host.splice(point, above=wrappers[-1], playback=host.playback_of(wrappers, tail))


@broken("HOST-01", "expected exactly one swap point between the wrapper and the leaf")
@broken("HOST-02", "expected one swap point below two wrappers")
class NoSwapPoint(EndpointKit):
    def wrap(self, below: io.AudioOutput, make: Wrap) -> io.AudioOutput:
        return make(below)


@broken("HOST-01", "swap point -> swap point -> leaf")
class TwoSwapPoints(EndpointKit):
    def wrap(self, below: io.AudioOutput, make: Wrap) -> io.AudioOutput:
        root = super().wrap(below, make)
        splice_another(root)
        return root


@broken("HOST-02", "swap point -> swap point -> leaf")
class OneForEachWrapper(EndpointKit):
    def wrap(self, below: io.AudioOutput, make: Wrap) -> io.AudioOutput:
        root = make(below)
        splice_another(root)
        return root


@broken("HOST-02", "expected no further swap point above an existing one")
class AboveASwapPoint(EndpointKit):
    def wrap(self, below: io.AudioOutput, make: Wrap) -> io.AudioOutput:
        root = super().wrap(below, make)
        if isinstance(below, SwapPoint):
            splice_another(root)
        return root


@broken("HOST-02", "expected one swap point after three swaps")
class OneForEachSwap(EndpointKit):
    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        super().swap(output, SwapPoint(sink, attached=False))


@broken("HOST-03", "observed it is new")
class RawAssignment(EndpointKit):
    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        output.audio = sink


@broken("HOST-03", "expected output.audio is the same wrapper after the swap")
class ReWrapped(EndpointKit):
    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        output.audio = self.wrap(sink, Wrapper)


@broken("HOST-03", "expected every wrapper is still in the chain")
class SwappedTooHigh(EndpointKit):
    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        root = output.audio
        assert root is not None
        for name, value in list(vars(root).items()):
            if value is root.next_in_chain:
                setattr(root, name, SwapPoint(sink, attached=False))


@broken("HOST-03", "observed those of ['wrapper'] changed")
class ListenersDropped(EndpointKit):
    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        super().swap(output, sink)
        assert output.audio is not None
        for listener in host.listeners(output.audio, "playback_started"):
            output.audio.off("playback_started", listener)  # type: ignore[arg-type]


@broken("HOST-04", "with nothing in the output, the new tail becomes the output")
class NothingToReplace(EndpointKit):
    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        if output.audio is not None:
            super().swap(output, sink)


@broken("HOST-04", "with a bare leaf in the output, the new tail becomes the output")
class LeafKept(EndpointKit):
    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        if output.audio is None:
            output.audio = sink


@broken("HOST-04", "expected the new output is attached once")
class AttachedTwice(EndpointKit):
    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        super().swap(output, sink)
        sink.on_attached()


@broken("HOST-05", "expected output.audio is what was assigned")
class AssignmentKeepsWrappers(EndpointKit):
    def agent_output(self) -> io.AgentOutput:
        class Keeping(io.AgentOutput):
            @property
            def audio(self) -> io.AudioOutput | None:
                return super().audio

            @audio.setter
            def audio(self, sink: io.AudioOutput | None) -> None:
                if super().audio is None:
                    io.AgentOutput.audio.fset(self, sink)  # type: ignore[attr-defined]
                else:
                    swap_audio_endpoint(self, sink)

        return Keeping(lambda: None, lambda: None, lambda: None)


@broken("HOST-05", "the old tail was told ['attach']")
class AssignmentWithoutDetach(EndpointKit):
    def agent_output(self) -> io.AgentOutput:
        class Silent(io.AgentOutput):
            @property
            def audio(self) -> io.AudioOutput | None:
                return super().audio

            @audio.setter
            def audio(self, sink: io.AudioOutput | None) -> None:
                self._audio_sink = sink
                if sink is not None:
                    sink.on_attached()

        return Silent(lambda: None, lambda: None, lambda: None)


@broken("HOST-06", "it raised AssertionError: a tail must be a leaf")
class LeavesOnly(EndpointKit):
    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        assert sink.next_in_chain is None, "a tail must be a leaf"
        super().swap(output, sink)


@broken("HOST-06", "observed it got 0 of 10 frames")
class BottomOfChainNotFed(EndpointKit):
    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        if sink.next_in_chain is not None:

            async def swallow(frame: rtc.AudioFrame) -> None:
                await io.AudioOutput.capture_frame(sink, frame)

            sink.capture_frame = swallow  # type: ignore[method-assign]
            sink.flush = lambda: asyncio.get_running_loop().call_soon(  # type: ignore[method-assign,assignment,return-value]
                lambda: sink.on_playback_finished(playback_position=0.2, interrupted=False)
            )
        super().swap(output, sink)


@broken("HOST-06", "it hung for 10 s")
@broken("HOST-07", "it hung for 10 s")
class NewTailNotHeard(EndpointKit):
    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        super().swap(output, sink)
        for point in host.chain_of(output.audio):
            if isinstance(point, SwapPoint):
                point.release()


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
class OldListenersKept(swap_point._Tap):
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


@broken(
    "HOST-10",
    "once, interrupted; observed the top heard started, finished at 0.50 s",
)
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
    "HOST-12",
    "the tail that leaves is told flush and clear once; observed it was told neither",
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


@broken(
    "HOST-13",
    "the synchronizer ends its audio input once; observed it ended it 0 times",
)
class EndedBeforeTheFlush(EndpointKit):
    def wrap(self, below: io.AudioOutput, make: Wrap) -> io.AudioOutput:
        root = super().wrap(below, make)
        point = next(o for o in host.chain_of(root) if isinstance(o, SwapPoint))
        capture = root.capture_frame

        async def capture_and_end(frame: rtc.AudioFrame) -> None:
            await capture(frame)
            segment = point._capturing
            if point.tail is None and segment is not None and segment.pushed > 0.99:
                segment.ending = Ending(segment.reached, interrupted=True)
                point._settle()

        root.capture_frame = capture_and_end  # type: ignore[method-assign]
        return root


@broken(
    "HOST-13",
    "the synchronizer rotates its segment once; observed it rotated it 2 times",
)
class CallersFlushReentered(EndpointKit):
    def wrap(self, below: io.AudioOutput, make: Wrap) -> io.AudioOutput:
        root = super().wrap(below, make)
        point = next(o for o in host.chain_of(root) if isinstance(o, SwapPoint))

        def again(event: io.PlaybackFinishedEvent) -> None:
            asyncio.get_running_loop().call_soon(root.flush)

        point.on("playback_finished", again)
        return root


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


@broken("HOST-15", "expected the chain is the same and every frame reaches the tail once")
class TailTwiceInTheChain(EndpointKit):
    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        if current_endpoint(output) is sink and output.audio is not None:
            fed = sink.frames  # type: ignore[attr-defined]
            fed.extend(fed[-1:])
        super().swap(output, sink)


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


@broken(
    "HOST-16",
    "reports progress and a new one that does not, the placed audio adds up",
)
class UnreportedNotPlaced(SwapPoint):
    def _report_run(self, segment: Segment, duration: float) -> None:
        pass


@broken("HOST-16", "observed placed: 0.00 to 1.00 s, 1.00 to 1.60 s")
class PushedPlaced(SwapPoint):
    def _report_run(self, segment: Segment, duration: float) -> None:
        super()._report_run(segment, segment.length)


PROGRESS = {"HOST-16"} if not host.has_progress_events() else set()


@pytest.mark.parametrize(("requirement", "observed", "kit"), BROKEN)
def test_a_broken_chain_fails_for_its_reason(
    requirement: str, observed: str, kit: Callable[[], EndpointKit]
) -> None:
    """A small change to the sound endpoint fails the check that is there for it, in its words."""

    requirement, _, variant = requirement.rstrip("]").partition("[")
    check = CHECKS[requirement]
    arguments = (variant,) if variant else check.variants[:1]

    async def main(clock: VirtualClock) -> None:
        await check.function(ChainScene(kit(), clock, Timeline(clock.now)), *arguments)

    if requirement in PROGRESS:
        with pytest.raises(NotApplicable):
            run_virtual(main)
        return
    with pytest.raises(Violation) as caught:
        run_virtual(main)
    assert observed in str(caught.value)


def test_every_check_has_a_broken_chain() -> None:
    """No check of the family is without something that it fails, nor any variant but the first."""
    due = {
        c.requirement if c.variants[:1] == (variant,) or variant is None else f"{id}[{variant}]"
        for id, c in CHECKS.items()
        for variant in c.variants or (None,)
    }
    assert {requirement for requirement, _, _ in BROKEN} == due
