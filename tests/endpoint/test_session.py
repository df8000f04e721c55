from __future__ import annotations

from collections.abc import Awaitable, Callable

from livekit.agents import Agent, AgentSession
from livekit.agents.voice import io

from conformance import host
from conformance.endpoint import swap_audio_endpoint
from conformance.loopback.stage import LoopbackRunner
from conformance.stage.interface import Stage
from conformance.suite.scene.fake_tail import FakeTail
from conformance.suite.scene.scene import mint
from conformance.suite.scene.speech import Speech

RATE = 24000


def play(scenario: Callable[[Stage, AgentSession[None], FakeTail], Awaitable[None]]) -> None:
    """Run ``scenario`` with a real agent session whose tail is an application's own."""

    async def main(stage: Stage) -> None:
        room = await stage.server.join(mint(stage, "agent", kind="agent"))
        async with stage.job(room):
            session: AgentSession[None] = AgentSession()
            tail = FakeTail(stage.clock)
            session.output.audio = tail
            await host.start_session(session, Agent(instructions="speak"), room=room, record=False)
            await scenario(stage, session, tail)
            await session.aclose()
        await room.disconnect()

    LoopbackRunner().run(main)


def test_speech_completes_with_nothing_bound() -> None:
    """A session whose endpoint is unbound says nothing and hangs nowhere; rebound, it is heard."""

    async def scenario(stage: Stage, session: AgentSession[None], tail: FakeTail) -> None:
        top = session.output.audio
        binding = swap_audio_endpoint(session.output, tail)
        assert binding.unbind()
        for _ in range(2):
            speech = Speech("one two three", 1.0, RATE, 0, stage.clock, paced=False)
            handle = session.say(speech.text, audio=speech.frames())
            await handle.wait_for_playout()
        assert tail.pcm == b""
        assert stage.clock.now() < 5
        swap_audio_endpoint(session.output, tail)
        speech = Speech("four five six", 1.0, RATE, RATE, stage.clock, paced=False)
        await session.say(speech.text, audio=speech.frames()).wait_for_playout()
        assert tail.pcm == speech.pcm
        assert session.output.audio is top

    play(scenario)


def test_a_swap_splits_a_live_speech_between_two_tails() -> None:
    """Frames before the swap go to the one tail, frames after it to the other; none is lost."""

    async def scenario(stage: Stage, session: AgentSession[None], tail: FakeTail) -> None:
        other = FakeTail(stage.clock)
        speech = Speech("one two three four", 2.0, RATE, 0, stage.clock, paced=True)
        handle = session.say(speech.text, audio=speech.frames())
        await stage.clock.sleep(1.01)
        swap_audio_endpoint(session.output, other)
        await handle.wait_for_playout()
        assert tail.pcm
        assert other.pcm
        assert tail.pcm + other.pcm == speech.pcm

    play(scenario)


def test_unbinding_in_the_middle_keeps_the_transcript_up_to_there() -> None:
    """The end of the segment tells what had been said when the endpoint was unbound."""

    async def scenario(stage: Stage, session: AgentSession[None], tail: FakeTail) -> None:
        top = session.output.audio
        assert top is not None
        ends: list[io.PlaybackFinishedEvent] = []
        top.on("playback_finished", ends.append)
        words = "one two three four five six seven eight nine ten"
        speech = Speech(words, 4.0, RATE, 0, stage.clock, paced=False)
        handle = session.say(speech.text, audio=speech.frames())
        await stage.clock.sleep(2.0)
        swap_audio_endpoint(session.output, None)
        await handle.wait_for_playout()
        (end,) = ends
        assert end.interrupted
        assert abs(end.playback_position - 2.0) < 0.1
        assert end.synchronized_transcript
        assert words.startswith(end.synchronized_transcript.strip())
        assert len(end.synchronized_transcript) < len(words)

    play(scenario)
