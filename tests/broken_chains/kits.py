"""Ways of wrapping, swapping and unbinding that are broken."""

from __future__ import annotations

import asyncio

from livekit import rtc
from livekit.agents.voice import io

from conformance import host
from conformance.endpoint import SwapPoint, current_endpoint, swap_audio_endpoint
from conformance.endpoint.segments import Ending
from conformance.suite.scene.host_chain import EndpointSwap, Wrap, Wrapper

from .declared import broken


def splice_another(root: io.AudioOutput) -> None:
    """Put one more swap point above the tail of a chain."""
    *wrappers, tail = host.chain_of(root)
    point = SwapPoint(tail, attached=False)
    host.splice(point, above=wrappers[-1], playback=host.playback_of(wrappers, tail))


@broken("HOST-01", "expected exactly one swap point between the wrapper and the leaf")
@broken("HOST-02", "expected one swap point below two wrappers")
class NoSwapPoint(EndpointSwap):
    def wrap(self, below: io.AudioOutput, make: Wrap) -> io.AudioOutput:
        return make(below)


@broken("HOST-01", "swap point -> swap point -> leaf")
class TwoSwapPoints(EndpointSwap):
    def wrap(self, below: io.AudioOutput, make: Wrap) -> io.AudioOutput:
        root = super().wrap(below, make)
        splice_another(root)
        return root


@broken("HOST-02", "swap point -> swap point -> leaf")
class OneForEachWrapper(EndpointSwap):
    def wrap(self, below: io.AudioOutput, make: Wrap) -> io.AudioOutput:
        root = make(below)
        splice_another(root)
        return root


@broken("HOST-02", "expected no further swap point above an existing one")
class AboveASwapPoint(EndpointSwap):
    def wrap(self, below: io.AudioOutput, make: Wrap) -> io.AudioOutput:
        root = super().wrap(below, make)
        if isinstance(below, SwapPoint):
            splice_another(root)
        return root


@broken("HOST-02", "expected one swap point after three swaps")
class OneForEachSwap(EndpointSwap):
    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        super().swap(output, SwapPoint(sink, attached=False))


@broken("HOST-03", "observed it is new")
class RawAssignment(EndpointSwap):
    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        output.audio = sink


@broken("HOST-03", "expected output.audio is the same wrapper after the swap")
class ReWrapped(EndpointSwap):
    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        output.audio = self.wrap(sink, Wrapper)


@broken("HOST-03", "expected every wrapper is still in the chain")
class SwappedTooHigh(EndpointSwap):
    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        root = output.audio
        assert root is not None
        for name, value in list(vars(root).items()):
            if value is root.next_in_chain:
                setattr(root, name, SwapPoint(sink, attached=False))


@broken("HOST-03", "observed those of ['wrapper'] changed")
class ListenersDropped(EndpointSwap):
    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        super().swap(output, sink)
        assert output.audio is not None
        for listener in host.listeners(output.audio, "playback_started"):
            output.audio.off("playback_started", listener)  # type: ignore[arg-type]


@broken("HOST-04", "with nothing in the output, the new tail becomes the output")
class NothingToReplace(EndpointSwap):
    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        if output.audio is not None:
            super().swap(output, sink)


@broken("HOST-04", "with a bare leaf in the output, the new tail becomes the output")
class LeafKept(EndpointSwap):
    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        if output.audio is None:
            output.audio = sink


@broken("HOST-04", "expected the new output is attached once")
class AttachedTwice(EndpointSwap):
    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        super().swap(output, sink)
        sink.on_attached()


@broken("HOST-05", "expected output.audio is what was assigned")
class AssignmentKeepsWrappers(EndpointSwap):
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
class AssignmentWithoutDetach(EndpointSwap):
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
class LeavesOnly(EndpointSwap):
    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        assert sink.next_in_chain is None, "a tail must be a leaf"
        super().swap(output, sink)


@broken("HOST-06", "observed it got 0 of 10 frames")
class BottomOfChainNotFed(EndpointSwap):
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
class NewTailNotHeard(EndpointSwap):
    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        super().swap(output, sink)
        for point in host.chain_of(output.audio):
            if isinstance(point, SwapPoint):
                point.release()


@broken("HOST-13", "the synchronizer ends its audio input once; observed it ended it 0 times")
class EndedBeforeTheFlush(EndpointSwap):
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


@broken("HOST-13", "the synchronizer rotates its segment once; observed it rotated it 2 times")
class CallersFlushReentered(EndpointSwap):
    def wrap(self, below: io.AudioOutput, make: Wrap) -> io.AudioOutput:
        root = super().wrap(below, make)
        point = next(o for o in host.chain_of(root) if isinstance(o, SwapPoint))

        def again(event: io.PlaybackFinishedEvent) -> None:
            asyncio.get_running_loop().call_soon(root.flush)

        point.on("playback_finished", again)
        return root


@broken("HOST-15", "expected the chain is the same and every frame reaches the tail once")
class TailTwiceInTheChain(EndpointSwap):
    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        if current_endpoint(output) is sink and output.audio is not None:
            fed = sink.frames  # type: ignore[attr-defined]
            fed.extend(fed[-1:])
        super().swap(output, sink)
