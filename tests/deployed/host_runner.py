"""A worker of the host's `AvatarRunner`, grey: ``python -m tests.deployed.host_runner``.

What it fails of WORK is what the host's runner leaves to whoever uses it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

from livekit import rtc
from livekit.agents.voice.avatar import (
    AudioSegmentEnd,
    AvatarOptions,
    AvatarRunner,
    DataStreamAudioReceiver,
    VideoGenerator,
)
from livekit.agents.voice.room_io import ATTRIBUTE_PUBLISH_ON_BEHALF

RATE = 24000
FPS = 10
WIDTH, HEIGHT = 64, 64
PICTURE = bytes([128, 128, 128, 255]) * WIDTH * HEIGHT


class GreyPicture(VideoGenerator):
    """Shows grey, and hands audio on as it comes."""

    def __init__(self) -> None:
        self._audio: asyncio.Queue[rtc.AudioFrame | AudioSegmentEnd] = asyncio.Queue()

    async def push_audio(self, frame: rtc.AudioFrame | AudioSegmentEnd) -> None:
        """Take audio of the segment, or its end."""
        await self._audio.put(frame)

    def clear_buffer(self) -> None:
        """Drop what has not been handed on."""
        while not self._audio.empty():
            self._audio.get_nowait()

    def __aiter__(self) -> AsyncIterator[rtc.VideoFrame | rtc.AudioFrame | AudioSegmentEnd]:
        return self._frames()

    async def _frames(self) -> AsyncIterator[rtc.VideoFrame | rtc.AudioFrame | AudioSegmentEnd]:
        while True:
            yield rtc.VideoFrame(WIDTH, HEIGHT, rtc.VideoBufferType.RGBA, PICTURE)
            try:
                frame = await asyncio.wait_for(self._audio.get(), 1 / FPS)
            except asyncio.TimeoutError:
                continue
            yield frame


async def main() -> None:
    """Serve one room."""
    room = rtc.Room()
    await room.connect(os.environ["LIVEKIT_URL"], os.environ["LIVEKIT_TOKEN"])
    agent = room.local_participant.attributes.get(ATTRIBUTE_PUBLISH_ON_BEHALF)
    runner = AvatarRunner(
        room,
        audio_recv=DataStreamAudioReceiver(room, sender_identity=agent),
        video_gen=GreyPicture(),
        options=AvatarOptions(WIDTH, HEIGHT, FPS, RATE, 1),
    )
    await runner.start()
    await runner.wait_for_complete()


if __name__ == "__main__":
    asyncio.run(main())
