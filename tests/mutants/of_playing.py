"""Mutants whose sink or playback events are wrong."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from livekit import rtc
from livekit.agents.voice import io
from livekit.agents.voice.avatar import DataStreamAudioOutput

from conformance import host
from tests.mutants.robust import SoundAvatar, SoundSink

from .mutant import Kill, SinkAvatar, mutant


class Loud(SoundAvatar):
    """Tells the top of the chain what it should tell its own sink."""

    @property
    def top(self) -> io.AudioOutput:
        """The top of the chain."""
        assert self._output is not None
        top: io.AudioOutput = self._output.audio
        return top

    def _bind(self) -> None:
        super()._bind()
        assert self._binding is not None
        assert self._binding.sink is not None
        self._binding.sink.on("playback_started", self.sink_started)
        self._binding.sink.on("playback_finished", self.sink_finished)

    def sink_started(self, event: io.PlaybackStartedEvent) -> None:
        """The sink has begun to play."""

    def sink_finished(self, event: io.PlaybackFinishedEvent) -> None:
        """The sink is done."""

    def start_again(self) -> None:
        """Report a start once more."""
        self.top.emit("playback_started", io.PlaybackStartedEvent(created_at=time.time()))

    def finish_again(self, position: float = 0.1) -> None:
        """Report an end once more."""
        event = io.PlaybackFinishedEvent(playback_position=position, interrupted=False)
        self.top.emit("playback_finished", event)


@mutant(
    Kill("PLAY-01", "playback_started once at most for a segment; observed 2 times"),
    story="a worker whose library reports each chunk",
)
class StartedTwice(Loud):
    def sink_started(self, event: io.PlaybackStartedEvent) -> None:
        self.start_again()


@mutant(
    Kill("PLAY-01", "playback_started before playback_finished; observed one more after it"),
    story="liveavatar: state_updated to talking comes late",
)
class StartedAfterFinished(Loud):
    def sink_finished(self, event: io.PlaybackFinishedEvent) -> None:
        asyncio.get_running_loop().call_later(0.3, self.start_again)


@mutant(
    Kill("PLAY-02", "playback_finished once for each segment; observed 2 times"),
    Kill("SWAP-03", "playback_finished 1 time(s)", "start-then-close"),
    Kill("SWAP-04", "playback_finished 1 time(s)"),
    story="a plugin that reports the end by the vendor's message and by its own timer",
)
class FinishedTwice(Loud):
    def sink_finished(self, event: io.PlaybackFinishedEvent) -> None:
        asyncio.get_running_loop().call_later(0.3, self.finish_again)


class Sink(SoundSink):
    """The sound avatar's sink, to be changed."""

    def finish(self, position: float) -> None:
        """Report the end of a segment."""
        super().on_playback_finished(playback_position=position, interrupted=False)


@mutant(
    Kill("PLAY-02", "the speech completes within"),
    Kill("SWAP-01", "the speech completes within"),
    story="liveavatar: no end event, and no fallback",
)
class NeverFinishes(Sink):
    def on_playback_finished(self, **event: Any) -> None:
        return


@mutant(
    Kill("PLAY-02", "finished at 1.000 s, what was pushed; observed 0.500 s"),
    Kill("PLAY-07", "segments finished at"),
    story="a plugin that reports when half is played",
)
class FinishedAtHalf(Sink):
    def on_playback_finished(self, *, playback_position: float, **event: Any) -> None:
        if playback_position > 0.5:
            playback_position /= 2
        super().on_playback_finished(playback_position=playback_position, **event)


@mutant(
    Kill("PLAY-02", "not interrupted; observed interrupted"),
    story="a plugin that cannot tell an end from an interruption",
)
class AlwaysInterrupted(Sink):
    def on_playback_finished(self, **event: Any) -> None:
        super().on_playback_finished(**{**event, "interrupted": True})


@mutant(
    Kill("PLAY-03", "reported as played to the end"),
    story="liveavatar's missing latch",
)
class NeverInterrupted(Sink):
    def on_playback_finished(self, **event: Any) -> None:
        super().on_playback_finished(**{**event, "interrupted": False})


@mutant(
    Kill("PLAY-03", "finished at 1.000 s at most, what had been played", "one-answering"),
    Kill("PLAY-03", "at most, what had been played", "one-silent"),
    Kill("PLAY-03", "at most, what had been played", "several-answering"),
    Kill("PLAY-03", "at most, what had been played", "several-silent"),
    story="liveavatar: the position counts what was sent",
)
class PushedNotPlayed(Sink):
    def on_playback_finished(self, **event: Any) -> None:
        pushed = {**event, "playback_position": self._pushed_duration}
        DataStreamAudioOutput.on_playback_finished(self, **pushed)


@mutant(
    Kill("PLAY-03", "interrupted segment(s) finish within", "one-silent"),
    Kill("PLAY-03", "interrupted segment(s) finish within", "several-silent"),
    story="keyframe and lemonslice: clear_buffer_timeout=None",
)
class NoClearTimeout(Sink):
    def __init__(self, room: rtc.Room, **options: Any) -> None:
        super().__init__(room, **options, clear_buffer_timeout=None)


@mutant(
    Kill("PLAY-03", "playback_finished once for each of", "one-answering"),
    Kill("PLAY-03", "playback_finished once for each of", "several-answering"),
    Kill("SWAP-04", "playback_finished 1 time(s)"),
    story="a plugin that reports an interruption, and then the end all the same",
)
class InterruptionFinishedTwice(Loud):
    def sink_finished(self, event: io.PlaybackFinishedEvent) -> None:
        if event.interrupted:
            asyncio.get_running_loop().call_later(0.2, self.finish_again)


@mutant(
    Kill("PLAY-04", "within"),
    story="liveavatar: an interruption before it is connected empties the queue and says nothing",
)
class ForgetsWhatWasClearedEarly(Sink):
    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        if not self._started:
            await io.AudioOutput.capture_frame(self, frame)
            return
        await super().capture_frame(frame)


@mutant(
    Kill("PLAY-05", "a stranger's playback_finished is refused"),
    story="a plugin that registers its own RPC handler and trusts every caller",
)
class TrustsAnyCaller(Sink):
    @classmethod
    def _playback_finished_rpc_handler(cls, data: rtc.RpcInvocationData) -> str:
        event = json.loads(data.payload)
        for identity, handler in cls._playback_finished_handlers.items():
            handler(
                rtc.RpcInvocationData(
                    data.request_id, identity, json.dumps(event), data.response_timeout
                )
            )
        return "ok"


@mutant(
    Kill("PLAY-06", "a flush without audio finishes within"),
    story="a queue that counts each flush as a segment",
)
class EmptyFlushCounted(SinkAvatar):
    def _bind(self) -> None:
        super()._bind()
        top = self._output.audio
        if top is not None:
            plain = top.flush

            def flush() -> None:
                if not host.pending_segments(top):
                    top._AudioOutput__playback_segments_count += 1
                plain()

            top.flush = flush


@mutant(
    Kill("PLAY-06", "observed 2 playback_finished"),
    story="a plugin that answers each flush with an end",
)
class EmptyFlushFinishes(Loud):
    def _bind(self) -> None:
        super()._bind()
        sink: Any = self._binding.sink if self._binding is not None else None
        plain = sink.flush

        def flush() -> None:
            plain()
            if not sink.captured_playout_segments:
                self.finish_again(0.0)

        sink.flush = flush


@mutant(
    Kill("PLAY-07", "segments finished at 0.700 s, 1.200 s, 0.400 s, in this order"),
    story="a plugin that keeps one stream open",
)
class NeverEndsTheStream(Sink):
    def flush(self) -> None:
        io.AudioOutput.flush(self)
        self.finish(self._pushed_duration)


@mutant(
    Kill("BIND-04", "the avatar receives the speech as one segment"),
    story="a vendor's limit of half a second for a message",
)
class SplitsTheStream(Sink):
    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        if self._pushed_duration >= 0.5 and self._stream_writer is not None:
            writer, self._stream_writer = self._stream_writer, None
            await writer.aclose()


@mutant(
    Kill("PLAY-08", "no more frames kept than are on their way"),
    story="thought: a plugin that keeps what it has sent",
)
class KeepsEveryFrame(Sink):
    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        self.__dict__.setdefault("kept", []).append(frame)
        await super().capture_frame(frame)


@mutant(
    Kill("PLAY-08", "600.000 s sent and played; observed"),
    story="a vendor's limit of five minutes for a message",
)
class StopsAfterFiveMinutes(Sink):
    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        if self._pushed_duration < 300:
            await super().capture_frame(frame)


@mutant(
    Kill("PLAY-09", "playback_started when the avatar starts to play"),
    story="eight of the thirteen plugins: wait_playback_start is not set",
)
class StartedWhenPushed(Sink):
    def __init__(self, room: rtc.Room, **options: Any) -> None:
        super().__init__(room, **{**options, "wait_playback_start": False})


@mutant(
    Kill("BIND-04", "audio at 24000 Hz with 1 channel(s), as declared; observed 16000 Hz"),
    story="a sink at the vendor's old rate",
)
class WrongSampleRate(Sink):
    def __init__(self, room: rtc.Room, **options: Any) -> None:
        super().__init__(room, **{**options, "sample_rate": 16000})


@mutant(
    Kill("BIND-04", "24000 Hz with 2 channel(s)"),
    story="a vendor that wants stereo",
)
class Stereo(Sink):
    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        both = b"".join(2 * bytes(frame.data[i : i + 1]) for i in range(frame.samples_per_channel))
        await super().capture_frame(
            rtc.AudioFrame(both, frame.sample_rate, 2, frame.samples_per_channel)
        )


@mutant(
    Kill("BIND-04", "the samples that were pushed, one for one"),
    story="a plugin that turns the volume down",
)
class HalfTheVolume(Sink):
    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        quiet = [sample // 2 for sample in frame.data]
        pcm = b"".join(sample.to_bytes(2, "little", signed=True) for sample in quiet)
        await super().capture_frame(
            rtc.AudioFrame(pcm, frame.sample_rate, 1, frame.samples_per_channel)
        )
