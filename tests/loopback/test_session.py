"""A real agent session speaks in the in-memory room, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from livekit import api, rtc
from livekit.agents import Agent, AgentSession
from livekit.agents.voice.avatar import DataStreamAudioOutput

from conformance import host
from conformance.loopback.room import tracks as media
from conformance.loopback.room.server import LoopbackServer
from conformance.loopback.virtual_time.event_loop import VirtualClock, run_virtual
from conformance.plugin.room import Credentials
from conformance.plugin.worker import Behaviour, ByteStreamWorker, WorkerSpec
from conformance.results.timeline import Timeline

CREDENTIALS = Credentials(
    "wss://conformance.livekit.test", "key", "a-secret-of-at-least-32-bytes-for-hmac"
)


def mint(identity: str) -> str:
    """A token for the agent, or for an avatar that speaks for it."""
    token = (
        api.AccessToken(CREDENTIALS.api_key, CREDENTIALS.api_secret)
        .with_identity(identity)
        .with_kind("agent")
        .with_grants(api.VideoGrants(room_join=True, room="demo"))
    )
    if identity != "agent":
        token = token.with_attributes({host.publish_on_behalf_attribute(): "agent"})
    return token.to_jwt()


async def frames() -> AsyncIterator[rtc.AudioFrame]:
    """1.2 seconds of audio."""
    for _ in range(60):
        yield rtc.AudioFrame(b"\1\0" * 480, 24000, 1, 480)


async def speak(clock: VirtualClock) -> dict[str, Any]:
    """Let an agent speak through an avatar, and tell what happened."""
    timeline = Timeline(clock.now)
    server = LoopbackServer(clock=clock, timeline=timeline, credentials=CREDENTIALS)
    token = mint("agent")
    room = await server.join(token)
    worker = ByteStreamWorker(
        WorkerSpec("avatar", mint("avatar"), CREDENTIALS.url, server, clock, timeline, Behaviour())
    )
    finished: list[Any] = []
    with media.stand_ins():
        async with host.job_context(
            room, token=token, url=CREDENTIALS.url, agent_identity="agent"
        ) as job:
            session: AgentSession[None] = AgentSession()
            session.output.audio = DataStreamAudioOutput(
                room,
                destination_identity="avatar",
                sample_rate=24000,
                wait_remote_track=rtc.TrackKind.KIND_VIDEO,
                wait_playback_start=True,
            )
            worker.begin()
            await host.start_session(session, Agent(instructions="speak"), room=room, record=True)
            assert session.output.audio is not None
            chain = [type(link).__name__ for link in _chain(session.output.audio)]
            session.output.audio.on("playback_finished", finished.append)
            await session.say("hello world", audio=frames())
            await session.aclose()
            recorded = (job.session_directory / "audio.ogg").stat().st_size
            directory = job.session_directory
    await worker.aclose()
    await server.aclose()
    host.reset_class_state()
    await clock.sleep(0.1)
    return {
        "chain": chain,
        "finished": finished,
        "pcm": worker.pcm,
        "recorded": recorded,
        "directory": directory,
        "events": [str(event) for event in timeline],
        "tasks": [t for t in asyncio.all_tasks() if t is not asyncio.current_task()],
    }


def _chain(output: Any) -> list[Any]:
    found = []
    while output is not None:
        found.append(output)
        output = output.next_in_chain
    return found


def test_speech_reaches_the_avatar_and_its_playback_comes_back() -> None:
    """A real session's speech is heard whole, and finishes with its transcript."""
    result = run_virtual(speak)

    assert result["chain"][0] == "RecorderAudioOutput"
    assert result["chain"][-1] == "DataStreamAudioOutput"
    assert result["pcm"] == b"\1\0" * 480 * 60
    (finished,) = result["finished"]
    assert finished.interrupted is False
    assert abs(finished.playback_position - 1.2) < 1e-6
    assert finished.synchronized_transcript == "hello world"
    assert result["recorded"] > 0


def _emits_in_order() -> bool:
    emitter: rtc.EventEmitter[str] = rtc.EventEmitter()
    emitter.on("event", lambda: None)
    return isinstance(emitter._events["event"], dict)


@pytest.mark.skipif(
    not _emits_in_order(), reason="this rtc calls an event's listeners in no particular order"
)
def test_two_runs_have_the_same_timeline_and_leave_nothing() -> None:
    """Two runs in one process happen alike and leave no task and no directory."""
    first, second = run_virtual(speak), run_virtual(speak)

    assert first["events"] == second["events"]
    assert first["tasks"] == second["tasks"] == []
    assert not first["directory"].exists()
