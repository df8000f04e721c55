"""Mutants that do well alone, and wrongly when one avatar replaces another."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from livekit import rtc
from livekit.agents.voice import io

from conformance import host
from conformance.endpoint import current_endpoint
from tests.mutants.robust import SoundAvatar, SoundSink

from .mutant import Kill, SinkAvatar, mutant

TOGETHER = "old and new avatar together hear every frame once, in order"


@mutant(
    Kill("SWAP-01", "had no tail of its own when start() returned"),
    Kill("SWAP-09", "had no tail of its own when start() returned"),
    story="a plugin that keeps the session's first sink",
)
class KeepsTheFirstSink(SoundAvatar):
    """Binds once for each session."""

    bound: ClassVar[WeakKeyDictionary[Any, Any]] = WeakKeyDictionary()

    def _bind(self) -> None:
        first = self.bound.setdefault(self._output, self)
        if first is self:
            super()._bind()

    def _unbind(self) -> None:
        return


@mutant(
    Kill("SWAP-01", "the old avatar hears the speech before the swap, and nothing after it"),
    Kill("SWAP-13", "and nothing after it"),
    story="avatartalk: nothing tells the old worker to stop",
)
class OldAvatarHearsOn(SinkAvatar):
    """Goes on sending to its worker, which is told nothing, what others are given."""

    def _bind(self) -> None:
        super()._bind()
        top: Any = self._output.audio
        sink = self._binding.sink if self._binding is not None else None
        plain = top.capture_frame

        async def to_both(frame: rtc.AudioFrame) -> None:
            await plain(frame)
            if current_endpoint(self._output) is not sink:
                await sink.capture_frame(frame)

        top.capture_frame = to_both

    async def _release(self) -> None:
        self._unbind()
        self._own_room = None


class _Sink(SoundSink):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.first = True


@mutant(
    Kill("SWAP-02", TOGETHER),
    story="thought: a sink that opens its stream with the first frame, and forgets that frame",
)
class DropsTheFirstFrame(_Sink):
    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        if self.first:
            self.first = False
            return
        await super().capture_frame(frame)


@mutant(
    Kill("SWAP-02", "s were never sent", "close-then-start"),
    Kill("SWAP-02", "s were never sent", "start-then-close"),
    story="avatartalk: frames are gathered to larger ones, and a flush does not send the rest",
)
class GathersAndForgets(SoundSink):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.gathered: list[rtc.AudioFrame] = []

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        self.gathered.append(frame)
        if len(self.gathered) == 21:
            for one in self.gathered:
                await super().capture_frame(one)
            self.gathered.clear()

    def flush(self) -> None:
        self.gathered.clear()
        super().flush()


@mutant(
    Kill("SWAP-02", TOGETHER),
    story="the pull request: the proxy hands the frame at the swap to both",
)
class PlaysAFrameTwice(_Sink):
    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        if self.first:
            self.first = False
            await super().capture_frame(frame)
        await super().capture_frame(frame)


@mutant(
    Kill("SWAP-02", TOGETHER, "close-then-start"),
    Kill("SWAP-02", "s before the swap; observed it heard", "start-then-close"),
    story="liveavatar: start() returns before what it started has happened",
)
class SwapsInTheBackground(SoundAvatar):
    """Binds, and closes, some time after it has said so."""

    def _bind(self) -> None:
        asyncio.get_running_loop().call_later(0.4, super()._bind)

    async def aclose(self) -> None:
        async def later() -> None:
            await asyncio.sleep(0.4)
            await SoundAvatar.aclose(self)

        self._later = asyncio.ensure_future(later())


class Ends(SoundAvatar):
    """Ends itself what is still playing at the swap."""

    def end(self, top: io.AudioOutput, pushed: float) -> None:
        """End a segment of ``pushed`` seconds at the top of the chain."""

    def _end_all(self) -> None:
        top: Any = self._output.audio if self._output is not None else None
        if top is not None and not host.is_capturing(top) and host.pending_segments(top):
            self.end(top, 4.0)

    def _bind(self) -> None:
        self._end_all()
        super()._bind()

    def _unbind(self) -> None:
        self._end_all()
        super()._unbind()


@mutant(
    Kill("SWAP-03", "finishes as interrupted", "close-then-start"),
    Kill("SWAP-03", "finishes as interrupted", "start-then-close"),
    story="livekit-agents 1.6.1 and the pull request",
)
class EndsAsPlayed(Ends):
    def end(self, top: io.AudioOutput, pushed: float) -> None:
        top.on_playback_finished(playback_position=pushed, interrupted=False)


@mutant(
    Kill("SWAP-03", "the position that the old avatar had played", "close-then-start"),
    Kill("SWAP-03", "the position that the old avatar had played", "start-then-close"),
    story="livekit-agents 1.6.1: what was pushed counts as played",
)
class EndsAtWhatWasPushed(Ends):
    def end(self, top: io.AudioOutput, pushed: float) -> None:
        top.on_playback_finished(playback_position=pushed, interrupted=True)


class Stealthy(SoundAvatar):
    """Changes what the objects of the chain do, from the second avatar of a session on."""

    seen: ClassVar[WeakKeyDictionary[Any, int]] = WeakKeyDictionary()

    def alter(self) -> None:
        """The change."""

    def _bind(self) -> None:
        super()._bind()
        self.seen[self._output] = self.seen.get(self._output, 0) + 1
        if self.seen[self._output] == 2:
            self.alter()


@mutant(
    Kill("SWAP-05", "text after the swap in step with the audio", "close-then-start"),
    Kill("SWAP-05", "text after the swap in step with the audio", "start-then-close"),
    story="the pull request: after the swap the text is flushed at once",
)
class TextFlushedEarly(Stealthy):
    def alter(self) -> None:
        text: Any = self._output.transcription
        text.capture_text = text.next_in_chain.capture_text
        text.flush = text.next_in_chain.flush


@mutant(
    Kill("SWAP-05", "the whole text of the segment after the swap"),
    story="the pull request: the segment is rotated twice, and its text is lost",
)
class TextLost(Stealthy):
    def alter(self) -> None:
        text: Any = self._output.transcription
        plain = text.capture_text
        captured: list[str] = []

        async def some(words: str) -> None:
            captured.append(words)
            await plain(words if len(captured) > 1 else words[: len(words) // 2])

        text.capture_text = some


@mutant(
    Kill("SWAP-06", "of speech on the recording's agent channel", "close-then-start"),
    Kill("SWAP-06", "of speech on the recording's agent channel", "start-then-close"),
    story="the pull request: the recorder is bypassed after a switch",
)
class RecorderBypassed(Stealthy):
    def alter(self) -> None:
        for output in host.chain_of(self._output.audio):
            if "Recorder" in type(output).__name__:
                below: Any = output.next_in_chain
                output.capture_frame = below.capture_frame  # type: ignore[method-assign]
                output.flush = below.flush  # type: ignore[method-assign]


@mutant(
    Kill("SWAP-11", "the speech completes within", "close-then-start"),
    Kill("SWAP-11", "the speech completes within", "start-then-close"),
    story="thought: a plugin that hands the chain's events on itself",
)
class EventsLostAfterTheSwap(Stealthy):
    def alter(self) -> None:
        top: Any = self._output.audio
        below = top.next_in_chain
        for listener in host.listeners(below, "playback_finished"):
            below.off("playback_finished", listener)


class ReportsLate(SinkAvatar):
    """Forwards what its worker says when nothing of its own is playing; after ``delay``."""

    delay = 0.0

    def late(self, position: float) -> None:
        """Forward it."""
        event = io.PlaybackFinishedEvent(playback_position=position, interrupted=False)
        top: Any = self._output.audio
        if self.delay:
            asyncio.get_running_loop().call_later(self.delay, top.emit, "playback_finished", event)
        else:
            top.emit("playback_finished", event)

    def _sink(self) -> Any:
        sink = super()._sink()
        plain = sink.on_playback_finished

        def finished(*, playback_position: float, **event: Any) -> None:
            if not host.pending_segments(sink):
                self.late(playback_position)
            else:
                plain(playback_position=playback_position, **event)

        sink.on_playback_finished = finished
        return sink


@mutant(
    Kill("SWAP-07", "it was finished by the old avatar's", "start-then-close"),
    story="the pull request: a late event of the old sink ends the new segment",
)
class LateEventForwarded(ReportsLate):
    def late(self, position: float) -> None:
        super().late(position)


@mutant(
    Kill("SWAP-07", "it was finished by the old avatar's", "close-then-start"),
    story="liveavatar: its socket goes on reporting after aclose()",
)
class LateEventQueued(ReportsLate):
    delay = 1.7

    def late(self, position: float) -> None:
        super().late(position)


@mutant(
    Kill("SWAP-13", "the speech after rebinding is heard at the room's output, whole"),
    Kill("UNBIND-03", "the next speech is heard at that endpoint"),
    story="thought: a plugin that leaves something of its own above the tail",
)
class DropsAfterClosing(SoundAvatar):
    """Lets the chain drop the first frame of each segment once it is closed."""

    def _unbind(self) -> None:
        super()._unbind()
        top: Any = self._output.audio if self._output is not None else None
        if top is None:
            return
        plain = top.capture_frame
        known: list[int] = [top.captured_playout_segments]

        async def capture(frame: rtc.AudioFrame) -> None:
            await plain(frame)

        async def drop(frame: rtc.AudioFrame) -> None:
            below = host.is_capturing(top)
            if below or known[0] == -1:
                await capture(frame)
                known[0] = 0
            else:
                known[0] = -1

        top.capture_frame = drop
