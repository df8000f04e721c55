"""Mutants whose avatar is wrong after an interruption, or after a long silence."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from livekit import rtc

from tests.mutants.robust import SoundSink

from .mutant import Kill, mutant

FALLBACK = 2.5
"""Seconds after a clear in which this sink waits for the avatar's report."""

IDLE = 300.0
"""Seconds of silence after which the proxy in front of a vendor closes a connection."""


@mutant(
    Kill("PLAY-03", "the new speech ends by its own length", "new-speech-silent"),
    Kill("PLAY-03", "the new speech ends by its own length", "new-speech-late"),
    story="livekit-agents 1.8.8: the fallback of a clear ends whatever is being spoken by then",
)
class FallbackEndsTheNextSpeech(SoundSink):
    def clear_buffer(self) -> None:
        super().clear_buffer()
        asyncio.get_running_loop().call_later(FALLBACK, self.give_up)

    def give_up(self) -> None:
        """Take the segment to be over, whichever it is by now."""
        self.on_playback_finished(playback_position=0.5, interrupted=True)


@mutant(
    Kill("PLAY-03", "1 interrupted segment(s) finish within", "one-unanswered"),
    story="a plugin that reports an interruption when the avatar has answered the clear call",
)
class WaitsForTheAnswer(SoundSink):
    def clear_buffer(self) -> None:
        self._answering = asyncio.ensure_future(self.ask())

    async def ask(self) -> None:
        """Report the end once the call is answered, however long that takes."""
        room: rtc.Room = self._room
        await room.local_participant.perform_rpc(
            destination_identity=self._destination_identity or "",
            method="lk.clear_buffer",
            payload="",
            response_timeout=1e6,
        )
        super().clear_buffer()


@mutant(
    Kill("PLAY-12", "after an interruption the avatar is sent the next speech"),
    story="reported: the rest of an interrupted answer is heard in front of the next one",
)
class RestOfTheInterruptedSpeech(SoundSink):
    _last: rtc.AudioFrame | None = None
    _left_over: rtc.AudioFrame | None = None

    def clear_buffer(self) -> None:
        self._left_over = self._last
        super().clear_buffer()

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        left_over, self._left_over = self._left_over, None
        self._last = frame
        if left_over is not None:
            await super().capture_frame(left_over)
        await super().capture_frame(frame)


@mutant(
    Kill("PLAY-13", "speech after 10 minutes of silence is heard, whole"),
    story="reported: the avatar is mute after minutes without speech, until it is started again",
)
class MuteAfterASilence(SoundSink):
    _spoke_at: float | None = None

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        now = time.time()
        silent = now - self._spoke_at if self._spoke_at is not None else 0.0
        if silent > IDLE:
            quiet = bytes(2 * frame.samples_per_channel * frame.num_channels)
            frame = rtc.AudioFrame(
                quiet, frame.sample_rate, frame.num_channels, frame.samples_per_channel
            )
        else:
            self._spoke_at = now
        await super().capture_frame(frame)

    def on_playback_finished(self, **event: Any) -> None:
        self._spoke_at = self._spoke_at and max(self._spoke_at, time.time() - 1.0)
        super().on_playback_finished(**event)
