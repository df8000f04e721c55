"""An avatar of the demo: a plugin and its worker in one, without a vendor in between."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import numpy as np
from livekit import api, rtc
from livekit.agents import AgentSession
from livekit.agents.utils.audio import AudioByteStream
from livekit.agents.voice.avatar import (
    AudioSegmentEnd,
    AvatarOptions,
    AvatarRunner,
    AvatarSession,
    DataStreamAudioOutput,
    VideoGenerator,
)

from conformance.endpoint import Binding, swap_audio_endpoint
from conformance.host import avatar_receiver, publish_on_behalf_attribute
from conformance.live.test_video import picture
from conformance.plugin.room import Credentials

from .voice import SAMPLE_RATE

WIDTH, HEIGHT = 640, 360
FRAMES_PER_SECOND = 20
COLOURS = {"amber": (240, 200, 60), "blue": (90, 170, 250), "green": (120, 220, 130)}
_IDLE_AMPLITUDE = 0.03


class WaveGenerator(VideoGenerator):
    """Draws the audio as a wave: as high as the audio is loud."""

    def __init__(self, ink: tuple[int, int, int]) -> None:
        self._ink = ink
        self._queue: asyncio.Queue[rtc.AudioFrame | AudioSegmentEnd] = asyncio.Queue()
        self._pieces = self._fresh_pieces()
        self._drawn = 0

    async def push_audio(self, frame: rtc.AudioFrame | AudioSegmentEnd) -> None:
        """Take audio, in any portions."""
        if isinstance(frame, AudioSegmentEnd):
            for piece in self._pieces.flush():
                self._queue.put_nowait(piece)
            self._queue.put_nowait(frame)
            return
        for piece in self._pieces.push(bytes(frame.data)):
            self._queue.put_nowait(piece)

    def clear_buffer(self) -> None:
        """Drop what has not been played."""
        self._pieces = self._fresh_pieces()
        while not self._queue.empty():
            self._queue.get_nowait()

    async def _frames(
        self,
    ) -> AsyncIterator[rtc.VideoFrame | rtc.AudioFrame | AudioSegmentEnd]:
        while True:
            if self._queue.empty():
                yield self._draw(_IDLE_AMPLITUDE)
                # The synchronizer lets pictures through in their rhythm; other tasks need a turn.
                await asyncio.sleep(0)
                continue
            item = self._queue.get_nowait()
            if isinstance(item, rtc.AudioFrame):
                samples = np.frombuffer(item.data, dtype=np.int16)
                loudness = float(np.abs(samples.astype(np.int32)).mean()) / 9000
                yield self._draw(_IDLE_AMPLITUDE + 0.4 * min(1.0, loudness))
            yield item

    def __aiter__(self) -> AsyncIterator[rtc.VideoFrame | rtc.AudioFrame | AudioSegmentEnd]:
        return self._frames()

    def _draw(self, amplitude: float) -> rtc.VideoFrame:
        self._drawn += 1
        pixels = picture(
            self._drawn / FRAMES_PER_SECOND,
            amplitude=amplitude,
            ink=self._ink,
            size=(WIDTH, HEIGHT),
        )
        return rtc.VideoFrame(WIDTH, HEIGHT, rtc.VideoBufferType.RGBA, pixels)

    def _fresh_pieces(self) -> AudioByteStream:
        return AudioByteStream(SAMPLE_RATE, 1, SAMPLE_RATE // FRAMES_PER_SECOND)


class WaveAvatar(AvatarSession[Any]):
    """An avatar called ``name``, one of `COLOURS`; its worker joins by itself."""

    def __init__(self, name: str, credentials: Credentials) -> None:
        if name not in COLOURS:
            raise LookupError(f"choose one of {', '.join(COLOURS)}")
        super().__init__()
        self.name = name
        self._credentials = credentials
        self._binding: Binding | None = None
        self._runner: AvatarRunner | None = None
        self._worker: rtc.Room | None = None

    @property
    def avatar_identity(self) -> str:
        """The identity of its participant."""
        return f"avatar-{self.name}"

    @property
    def provider(self) -> str:
        """The name of the provider."""
        return "demo"

    async def start(self, agent_session: AgentSession[Any], room: rtc.Room) -> None:
        """Let the worker join, and bind the avatar's audio endpoint."""
        await super().start(agent_session, room)
        self._worker = await self._join(room)
        generator = WaveGenerator(COLOURS[self.name])
        self._runner = AvatarRunner(
            self._worker,
            audio_recv=avatar_receiver(
                self._worker,
                sender_identity=room.local_participant.identity,
                received=lambda chunk: None,
            ),
            video_gen=generator,
            options=AvatarOptions(WIDTH, HEIGHT, FRAMES_PER_SECOND, SAMPLE_RATE, 1),
        )
        await self._runner.start()
        sink = DataStreamAudioOutput(
            room,
            destination_identity=self.avatar_identity,
            sample_rate=SAMPLE_RATE,
            wait_remote_track=rtc.TrackKind.KIND_VIDEO,
            wait_playback_start=True,
        )
        self._binding = swap_audio_endpoint(agent_session.output, sink)

    async def aclose(self) -> None:
        """Unbind, let the worker leave, and end the participant."""
        if self._binding is not None:
            self._binding.unbind()
            self._binding = None
        await super().aclose()
        if self._runner is not None:
            runner, self._runner = self._runner, None
            with contextlib.suppress(RuntimeError):
                await runner.aclose()
        if self._worker is not None:
            worker, self._worker = self._worker, None
            await worker.disconnect()

    async def _join(self, room: rtc.Room) -> rtc.Room:
        token = (
            api.AccessToken(self._credentials.api_key, self._credentials.api_secret)
            .with_kind("agent")
            .with_identity(self.avatar_identity)
            .with_name(f"The {self.name} avatar")
            .with_ttl(timedelta(hours=1))
            .with_grants(api.VideoGrants(room_join=True, room=room.name))
            .with_attributes({publish_on_behalf_attribute(): room.local_participant.identity})
            .to_jwt()
        )
        worker = rtc.Room()
        await worker.connect(self._credentials.url, token)
        return worker
