"""A voice drawn as a wave: what stands in for a model that draws an avatar."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Union

import numpy as np

from livekit import rtc
from livekit.agents.utils.audio import AudioByteStream
from livekit.agents.voice.avatar import AudioSegmentEnd, VideoGenerator

WIDTH, HEIGHT, FPS = 320, 180, 25
"""The size of the pictures, and how many there are in a second."""

Rendered = Union[rtc.VideoFrame, rtc.AudioFrame, AudioSegmentEnd]


class WaveRenderer(VideoGenerator):
    """Draws the voice as a wave, one picture for every piece of audio that it lasts."""

    def __init__(self) -> None:
        self._pieces: asyncio.Queue[rtc.AudioFrame | AudioSegmentEnd] = asyncio.Queue()
        self._cutter: AudioByteStream | None = None

    async def push_audio(self, frame: rtc.AudioFrame | AudioSegmentEnd) -> None:
        """Take a frame of the voice, or the end of a segment."""
        if isinstance(frame, AudioSegmentEnd):
            if self._cutter is not None:
                for piece in self._cutter.flush():
                    self._pieces.put_nowait(piece)
            self._cutter = None
            self._pieces.put_nowait(frame)
            return
        if self._cutter is None:
            self._cutter = AudioByteStream(
                sample_rate=frame.sample_rate,
                num_channels=frame.num_channels,
                samples_per_channel=frame.sample_rate // FPS,
            )
        for piece in self._cutter.push(bytes(frame.data)):
            self._pieces.put_nowait(piece)

    def clear_buffer(self) -> None:
        """Drop everything that has not been drawn."""
        self._cutter = None
        while not self._pieces.empty():
            self._pieces.get_nowait()

    def __aiter__(self) -> AsyncIterator[Rendered]:
        return self._frames()

    async def _frames(self) -> AsyncIterator[Rendered]:
        yield _picture(None)
        while True:
            piece = await self._pieces.get()
            if isinstance(piece, AudioSegmentEnd):
                yield _picture(None)
            else:
                yield _picture(piece)
            yield piece


def _picture(voice: rtc.AudioFrame | None) -> rtc.VideoFrame:
    """A line that is as far from the middle as the voice is loud; a flat one for silence."""
    pixels = np.full((HEIGHT, WIDTH, 4), (24, 24, 32, 255), dtype=np.uint8)
    height = np.zeros(WIDTH)
    if voice is not None and voice.samples_per_channel:
        samples = np.frombuffer(voice.data, dtype=np.int16)[:: voice.num_channels]
        at = np.linspace(0, len(samples) - 1, WIDTH).astype(int)
        height = samples[at] / 32768
    rows = (HEIGHT / 2 * (1 - 0.9 * height)).astype(int).clip(0, HEIGHT - 1)
    pixels[rows, np.arange(WIDTH)] = (90, 200, 250, 255)
    return rtc.VideoFrame(WIDTH, HEIGHT, rtc.VideoBufferType.RGBA, pixels.tobytes())
