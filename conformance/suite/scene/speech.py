"""Speech of the agent: audio that can be told apart to the sample, and what became of it."""

from __future__ import annotations

import functools
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from livekit import rtc

from conformance.plugin.room import Clock

if TYPE_CHECKING:
    from livekit.agents import SpeechHandle

FRAME_SECONDS = 0.02
"""Length of the frames that a speech pushes, in seconds."""

_PATTERN_SAMPLES = 1 << 20


@functools.cache
def _pattern() -> bytes:
    """A long stretch of noise in which every window of a few samples occurs once."""
    return random.Random(2026).randbytes(2 * _PATTERN_SAMPLES)


def samples(start: int, count: int) -> bytes:
    """``count`` samples of the pattern from ``start`` on, as 16 bit PCM."""
    data = _pattern()
    begin = 2 * (start % _PATTERN_SAMPLES)
    piece = data[begin : begin + 2 * count]
    while len(piece) < 2 * count:
        piece += data[: 2 * count - len(piece)]
    return piece


@dataclass(frozen=True)
class Pushed:
    """One frame: when it was handed over, in seconds by the stage's clock, and its samples."""

    at: float
    pcm: bytes


@dataclass
class Speech:
    """One segment of agent speech.

    ``seconds`` of audio at ``sample_rate`` Hz, mono. ``paced`` hands a frame over when its time
    has come, as a live model does; otherwise all frames come at once, as a fast TTS does.
    ``offset`` is where in the pattern it begins, so that no two speeches of a scene sound alike.
    """

    text: str
    seconds: float
    sample_rate: int
    offset: int
    clock: Clock
    paced: bool
    frame_seconds: float = FRAME_SECONDS
    handle: SpeechHandle | None = None
    pushed: list[Pushed] = field(default_factory=list)
    heard_before: dict[str, int] = field(default_factory=dict)
    """How many bytes each avatar, by its label, had received before this speech."""

    @property
    def pcm(self) -> bytes:
        """The whole audio of this speech, whether it was pushed or not."""
        return samples(self.offset, round(self.seconds * self.sample_rate))

    def pushed_before(self, at: float) -> bytes:
        """The audio of the frames that were handed over before the moment ``at``."""
        return b"".join(frame.pcm for frame in self.pushed if frame.at < at)

    async def frames(self) -> AsyncIterator[rtc.AudioFrame]:
        """The frames, by the clock when ``paced``."""
        pcm = self.pcm
        step = 2 * round(self.frame_seconds * self.sample_rate)
        began = self.clock.now()
        for index, begin in enumerate(range(0, len(pcm), step)):
            if self.paced:
                due = began + index * self.frame_seconds
                if due > self.clock.now():
                    await self.clock.sleep(due - self.clock.now())
            piece = pcm[begin : begin + step]
            self.pushed.append(Pushed(self.clock.now(), piece))
            yield frame_of(piece, self.sample_rate)


def frame_of(pcm: bytes, sample_rate: int) -> rtc.AudioFrame:
    """A mono frame of 16 bit PCM."""
    return rtc.AudioFrame(
        data=pcm, sample_rate=sample_rate, num_channels=1, samples_per_channel=len(pcm) // 2
    )
