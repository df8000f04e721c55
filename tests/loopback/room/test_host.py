"""Parts of the real host that use the in-memory room: its own audio output, transcript, runner."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from livekit import api, rtc
from livekit.agents import Agent, AgentSession
from livekit.agents.voice.avatar import (
    AudioSegmentEnd,
    AvatarOptions,
    AvatarRunner,
    QueueAudioOutput,
    VideoGenerator,
)

from conformance import host
from conformance.loopback.stage import LoopbackRunner, LoopbackStage
from conformance.stage.interface import Stage


def mint(identity: str, kind: str) -> str:
    """A token as an application mints it from the environment."""
    token = api.AccessToken().with_identity(identity).with_kind(kind)
    return token.with_grants(api.VideoGrants(room_join=True, room="demo")).to_jwt()


async def frames(seconds: float) -> AsyncIterator[rtc.AudioFrame]:
    """Audio of that length."""
    for _ in range(round(seconds * 50)):
        yield rtc.AudioFrame(b"\1\0" * 480, 24000, 1, 480)


async def loopback(stage: Stage) -> LoopbackStage:
    """The stage as what it is."""
    assert isinstance(stage, LoopbackStage)
    return stage


def test_the_sessions_own_room_output_is_heard() -> None:
    """Without an avatar the host publishes the speech itself, in real time, to its whole length."""

    async def scenario(stage: Stage) -> Any:
        own = await loopback(stage)
        room = await stage.server.join(mint("agent", "agent"))
        await stage.server.join(mint("user", "standard"))
        async with stage.job(room):
            session: AgentSession[None] = AgentSession()
            await host.start_session(session, Agent(instructions="speak"), room=room, record=False)
            finished: list[Any] = []
            assert session.output.audio is not None
            session.output.audio.on("playback_finished", finished.append)
            began = stage.clock.now()
            await session.say("hello world", audio=frames(2))
            took = stage.clock.now() - began
            await session.aclose()
        return own.server.heard("demo", "agent"), finished, took

    (heard,), (finished,), took = LoopbackRunner().run(scenario)
    assert abs(heard.duration - 2) < 0.1
    assert (finished.interrupted, round(finished.playback_position, 3)) == (False, 2.0)
    assert 2 <= took < 2.5


def test_the_transcript_reaches_a_user_in_step_with_the_audio() -> None:
    """Words come one after the other while the speech plays, and the trailer says final."""

    async def scenario(stage: Stage) -> Any:
        room = await stage.server.join(mint("agent", "agent"))
        user = await stage.server.join(mint("user", "standard"))
        words: list[tuple[float, str]] = []
        senders: list[str] = []
        readers: list[Any] = []

        async def read(reader: Any) -> None:
            async for word in reader:
                words.append((stage.clock.now(), word))

        def opened(reader: Any, identity: str) -> None:
            senders.append(identity)
            readers.append((reader, asyncio.ensure_future(read(reader))))

        user.register_text_stream_handler("lk.transcription", opened)
        async with stage.job(room):
            session: AgentSession[None] = AgentSession()
            await host.start_session(session, Agent(instructions="speak"), room=room, record=False)
            await session.say("one two three four five six", audio=frames(3))
            await stage.clock.sleep(0.5)
            await session.aclose()
        return words, senders, [reader.info.attributes for reader, _ in readers]

    words, senders, attributes = LoopbackRunner().run(scenario)
    assert "".join(word for _, word in words) == "one two three four five six"
    assert words[-1][0] - words[0][0] > 1
    assert set(senders) == {"agent"}
    assert attributes[-1]["lk.transcription_final"] == "true"


class Painter(VideoGenerator):
    """Shows one picture for each 40 ms of audio."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Any] = asyncio.Queue()

    async def push_audio(self, frame: rtc.AudioFrame | AudioSegmentEnd) -> None:
        await self._queue.put(frame)

    def clear_buffer(self) -> None:
        while not self._queue.empty():
            self._queue.get_nowait()

    async def __aiter__(self) -> AsyncIterator[Any]:
        picture = rtc.VideoFrame(16, 16, rtc.VideoBufferType.RGBA, bytes(16 * 16 * 4))
        while True:
            frame = await self._queue.get()
            if isinstance(frame, rtc.AudioFrame):
                yield picture
            yield frame


def test_the_hosts_avatar_runner_plays_by_the_clock() -> None:
    """AvatarRunner and AVSynchronizer publish both tracks and play audio in real time."""

    async def scenario(stage: Stage) -> Any:
        own = await loopback(stage)
        room = await stage.server.join(mint("agent", "agent"))
        await stage.server.join(mint("user", "standard"))
        output = QueueAudioOutput(sample_rate=24000)
        runner = AvatarRunner(
            room,
            audio_recv=output,
            video_gen=Painter(),
            options=AvatarOptions(16, 16, 25.0, 24000, 1),
        )
        await runner.start()
        finished: list[Any] = []
        output.on("playback_finished", finished.append)
        for _ in range(25):
            await output.capture_frame(rtc.AudioFrame(b"\1\0" * 960, 24000, 1, 960))
        output.flush()
        began = stage.clock.now()
        while not finished:
            await stage.clock.sleep(0.01)
        took = stage.clock.now() - began
        await runner.aclose()
        kinds = {p.kind for p in room.local_participant.track_publications.values()}
        return own.server.heard("demo", "agent"), took, kinds

    (heard,), took, kinds = LoopbackRunner().run(scenario)
    assert 0.8 < heard.duration <= 1.0
    assert 0.8 < took < 1.2
    assert kinds == {rtc.TrackKind.KIND_AUDIO, rtc.TrackKind.KIND_VIDEO}


def test_a_shuffled_run_keeps_every_participants_order() -> None:
    """With a seed packets still arrive in the order they were sent, and the same twice."""

    async def scenario(stage: Stage) -> list[str]:
        room = await stage.server.join(mint("agent", "agent"))
        others = [await stage.server.join(mint(f"other-{n}", "standard")) for n in range(3)]
        await stage.clock.sleep(0.1)
        packets: list[str] = []
        room.on("data_received", lambda packet: packets.append(packet.data.decode()))

        async def send(other: rtc.Room) -> None:
            for number in range(5):
                await other.local_participant.publish_data(
                    f"{other.local_participant.identity} {number}"
                )

        await asyncio.gather(*map(send, others))
        await stage.clock.sleep(0.1)
        return packets

    for seed in range(5):
        packets = LoopbackRunner().run(scenario, seed=seed)
        assert packets == LoopbackRunner().run(scenario, seed=seed)
        for number in range(3):
            own = [packet for packet in packets if packet.startswith(f"other-{number}")]
            assert own == sorted(own)
            assert len(own) == 5
