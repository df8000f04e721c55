"""The picture that a worker shows: a wave that runs from right to left."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
from livekit import rtc

WIDTH, HEIGHT = 320, 180
FRAMES_PER_SECOND = 10
CYCLE = 20
"""How many pictures there are before the first one comes again."""
SHADES = 255
INK, PAPER = (240, 200, 60), (16, 24, 40)


def picture(
    phase: float,
    *,
    amplitude: float = 0.3,
    ink: Sequence[int] = INK,
    size: tuple[int, int] = (WIDTH, HEIGHT),
) -> bytes:
    """One RGBA picture of a sine wave; ``phase`` in turns, ``amplitude`` in heights."""
    width, height = size
    across = np.arange(width, dtype=np.float32) / width
    line = height * (0.5 + amplitude * np.sin(2 * np.pi * (2 * across + phase)))
    down = np.arange(height, dtype=np.float32)
    distance = np.abs(down[:, None] - line[None, :].astype(np.float32)) * (HEIGHT / height)
    strength = np.clip((3.0 - distance / 2.0) * SHADES, 0, SHADES).astype(np.uint8)
    return _shades(tuple(ink))[strength].tobytes()


@cache
def _shades(ink: tuple[int, ...]) -> npt.NDArray[np.uint32]:
    """From paper to ink, each an RGBA pixel in one number."""
    strength = np.arange(SHADES + 1)[:, None] / SHADES
    pixels = np.full((SHADES + 1, 4), 255, dtype=np.uint8)
    pixels[:, :3] = np.asarray(PAPER) + strength * (np.asarray(ink) - np.asarray(PAPER))
    return pixels.view(np.uint32)[:, 0]


@cache
def _cycle() -> tuple[bytes, ...]:
    return tuple(picture(number / CYCLE) for number in range(CYCLE))


class Wave:
    """A published camera track that shows the wave until it is closed."""

    def __init__(self) -> None:
        self.source = rtc.VideoSource(WIDTH, HEIGHT)
        self._task: asyncio.Task[None] | None = None

    async def publish(self, room: rtc.Room) -> None:
        """Publish it as the participant in ``room`` and start drawing."""
        track = rtc.LocalVideoTrack.create_video_track("avatar_video", self.source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA)
        await room.local_participant.publish_track(track, options)
        self._task = asyncio.get_running_loop().create_task(self._draw())

    async def aclose(self) -> None:
        """Stop drawing and let go of the source."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        await self.source.aclose()

    async def _draw(self) -> None:
        while True:
            for pixels in _cycle():
                frame = rtc.VideoFrame(WIDTH, HEIGHT, rtc.VideoBufferType.RGBA, pixels)
                self.source.capture_frame(frame)
                await asyncio.sleep(1 / FRAMES_PER_SECOND)
