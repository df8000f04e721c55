"""A worker of the tests: robust, or broken in one way. ``python -m tests.deployed.worker [FAULT]``.

It joins the room of ``LIVEKIT_URL`` with ``LIVEKIT_TOKEN``, shows a grey picture and plays the
audio that the agent sends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from dataclasses import dataclass, field

from livekit import api, rtc
from livekit.agents.voice.avatar import AudioSegmentEnd, DataStreamAudioReceiver
from livekit.agents.voice.room_io import ATTRIBUTE_PUBLISH_ON_BEHALF

RATE = 48000
AGENT_GONE = 6.0
"""How long the agent may be away before the worker leaves, in seconds."""
WIDTH, HEIGHT = 64, 64

FAULTS = (
    "plays-on-after-the-clear",
    "reports-early",
    "never-reports",
    "reports-the-pushed-position",
    "deaf-after-a-lost-end",
    "drops-the-first-200-ms",
    "repeats-a-block",
    "leaves-untold",
    "stays-after-the-agent",
    "wrong-identity",
    "no-video",
    "comes-back-when-removed",
    "takes-its-identity-back",
)


@dataclass
class Segment:
    """A segment on its way through the worker; positions in seconds."""

    frames: asyncio.Queue[rtc.AudioFrame | None] = field(default_factory=asyncio.Queue)
    pushed: float = 0.0
    played: float = 0.0
    cleared: bool = False


class Worker:
    """One avatar in one room."""

    def __init__(self, url: str, token: str, fault: str) -> None:
        self._url = url
        self._token = token
        self._fault = fault
        self._gone = asyncio.Event()
        self._segments: asyncio.Queue[Segment] = asyncio.Queue()
        self._receiving: Segment | None = None
        self._playing: Segment | None = None
        self._waiting: list[Segment] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Serve until the session is over."""
        while True:
            reason = await self._serve()
            again = {
                "comes-back-when-removed": rtc.DisconnectReason.PARTICIPANT_REMOVED,
                "takes-its-identity-back": rtc.DisconnectReason.DUPLICATE_IDENTITY,
            }
            if reason is None or again.get(self._fault) != reason:
                return
            self._gone.clear()
            await asyncio.sleep(1.0)

    async def _serve(self) -> int | None:
        room = rtc.Room()
        reasons: list[int] = []
        leaving: list[asyncio.Task[None]] = []

        @room.on("disconnected")
        def _(reason: int) -> None:
            reasons.append(reason)
            self._gone.set()

        @room.on("participant_disconnected")
        def _(participant: rtc.RemoteParticipant) -> None:
            if participant.identity == agent and self._fault != "stays-after-the-agent":
                leaving.append(asyncio.ensure_future(_leave_after_a_while()))

        async def _leave_after_a_while() -> None:
            # when the worker's own connection starts anew, everybody else seems to go and come back
            await asyncio.sleep(AGENT_GONE)
            if agent not in room.remote_participants:
                self._gone.set()

        await room.connect(self._url, self._token)
        agent = room.local_participant.attributes.get(ATTRIBUTE_PUBLISH_ON_BEHALF)
        self._source = rtc.AudioSource(RATE, 1, queue_size_ms=100)
        self._receiver = DataStreamAudioReceiver(room, sender_identity=agent)
        await self._receiver.start()
        self._receiver.on("clear_buffer", self._clear)
        audio = rtc.LocalAudioTrack.create_audio_track("voice", self._source)
        await room.local_participant.publish_track(
            audio, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        )
        jobs = [self._receive(), self._play()]
        if self._fault != "no-video":
            jobs.append(self._show(room))
        tasks = [asyncio.ensure_future(job) for job in jobs]
        for task in tasks:
            task.add_done_callback(lambda _: self._gone.set())
        await self._gone.wait()
        for task in (*tasks, *leaving):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._receiver.aclose()
        await room.disconnect()
        return reasons[0] if reasons else None

    async def _show(self, room: rtc.Room) -> None:
        source = rtc.VideoSource(WIDTH, HEIGHT)
        track = rtc.LocalVideoTrack.create_video_track("picture", source)
        await room.local_participant.publish_track(
            track, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA)
        )
        picture = rtc.VideoFrame(
            WIDTH, HEIGHT, rtc.VideoBufferType.RGBA, bytes([128, 128, 128, 255]) * WIDTH * HEIGHT
        )
        while True:
            source.capture_frame(picture)
            await asyncio.sleep(0.1)

    async def _receive(self) -> None:
        deaf = False
        last = 0.0
        loop = asyncio.get_running_loop()
        async for frame in self._receiver:
            if isinstance(frame, AudioSegmentEnd):
                if self._receiving is not None:
                    self._receiving.frames.put_nowait(None)
                    # what ended long after its audio had come was ended by the stream after it
                    deaf = self._fault == "deaf-after-a-lost-end" and loop.time() - last > 1.5
                    self._receiving = None
                continue
            if deaf:
                continue
            last = loop.time()
            if self._receiving is None:
                self._receiving = Segment()
                self._waiting.append(self._receiving)
                self._segments.put_nowait(self._receiving)
            self._receiving.pushed += frame.duration
            self._receiving.frames.put_nowait(frame)

    async def _play(self) -> None:
        while True:
            segment = await self._segments.get()
            if segment.cleared:
                continue
            self._playing = segment
            await self._play_segment(segment)
            self._playing = None
            if segment in self._waiting:
                self._waiting.remove(segment)
            if self._fault == "leaves-untold":
                return

    async def _play_segment(self, segment: Segment) -> None:
        resampler: rtc.AudioResampler | None = None
        dropped = 0.0
        reported = False
        count = 0
        while (frame := await segment.frames.get()) is not None:
            if resampler is None:
                resampler = rtc.AudioResampler(frame.sample_rate, RATE, num_channels=1)
                await self._notify(self._receiver.notify_playback_started())
            count += 1
            if self._fault == "repeats-a-block" and count == 8:
                for piece in resampler.push(frame):
                    await self._source.capture_frame(piece)
            if self._fault == "drops-the-first-200-ms" and dropped < 0.199:
                dropped += frame.duration
                segment.played += frame.duration
                continue
            for piece in resampler.push(frame):
                if segment.cleared:
                    return
                await self._source.capture_frame(piece)
            segment.played += frame.duration
            if self._fault == "reports-early" and not reported:
                reported = True
                await self._finish(segment.pushed, interrupted=False)
        if segment.cleared or reported:
            return
        if resampler is not None:
            for piece in resampler.flush():
                await self._source.capture_frame(piece)
            await self._source.wait_for_playout()
            if not segment.cleared:
                await self._finish(segment.played, interrupted=False)

    def _clear(self) -> None:
        if self._fault == "plays-on-after-the-clear":
            return
        if not self._waiting:
            return
        queued = self._source.queued_duration
        self._source.clear_queue()
        playing = self._playing
        for segment in self._waiting:
            segment.cleared = True
            segment.frames.put_nowait(None)
        self._waiting = []
        position = max(0.0, playing.played - queued) if playing is not None else 0.0
        if self._fault == "reports-the-pushed-position" and playing is not None:
            position = playing.pushed
        self._tasks.append(asyncio.ensure_future(self._finish(position, interrupted=True)))

    async def _finish(self, position: float, *, interrupted: bool) -> None:
        if self._fault != "never-reports":
            await self._notify(self._receiver.notify_playback_finished(position, interrupted))

    async def _notify(self, call: object) -> None:
        if asyncio.iscoroutine(call):
            await call


def _own_token(token: str) -> str:
    """A token for another identity, as a worker makes that takes its name from somewhere else."""
    claims = api.TokenVerifier(os.environ["TEST_KEY"], os.environ["TEST_SECRET"]).verify(token)
    assert claims.video is not None
    return (
        api.AccessToken(os.environ["TEST_KEY"], os.environ["TEST_SECRET"])
        .with_identity("somebody-else")
        .with_kind("agent")
        .with_attributes(dict(claims.attributes or {}))
        .with_grants(claims.video)
        .to_jwt()
    )


async def main(fault: str) -> None:
    """Serve one room, with this fault or none."""
    token = os.environ["LIVEKIT_TOKEN"]
    if fault == "wrong-identity":
        token = _own_token(token)
    with contextlib.suppress(asyncio.CancelledError):
        await Worker(os.environ["LIVEKIT_URL"], token, fault).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else ""))
