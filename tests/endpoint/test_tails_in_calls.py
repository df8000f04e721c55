from __future__ import annotations

import asyncio
import time

import pytest
from livekit import rtc
from livekit.agents.voice import io

from conformance.endpoint import current_endpoint, swap_audio_endpoint

from .call import NEVER, AvatarTail, Call, play


@pytest.mark.needs("livekit-agents>=1.6.1")
@pytest.mark.parametrize("bound", [True, False], ids=["another", "none"])
def test_the_first_swap_frees_a_frame_that_waits_for_an_avatar(bound: bool) -> None:
    """Bound before the session and never joined, an avatar keeps no speech once it is exchanged."""

    async def scenario(call: Call) -> None:
        await call.start(call.tail("absent", there=False))
        speech = call.speech(1.0)
        await asyncio.sleep(2)
        other = call.tail("other")
        swap_audio_endpoint(call.session.output, other if bound else None)
        await call.over(speech)
        assert other.pcm == (speech.pcm if bound else b"")
        swap_audio_endpoint(call.session.output, other)
        assert await call.heard_by(other)

    play(scenario)


@pytest.mark.needs("livekit-agents>=1.6.1")
def test_one_tail_is_not_bound_in_two_sessions() -> None:
    """A tail that another session speaks through is refused, and that speech plays to its end."""

    async def scenario(call: Call) -> None:
        tail = call.tail()
        await call.start(tail)
        other = call.beside()
        own = other.tail("own")
        await other.start(own)
        speech = call.speech(2.0)
        await asyncio.sleep(0.5)
        with pytest.raises(ValueError, match="'app' is bound in another session"):
            swap_audio_endpoint(other.session.output, tail)
        assert await other.heard_by(own)
        await call.over(speech)
        assert [segment.played for segment in tail.heard] == [2.0]
        await other.session.aclose()
        assert await call.heard_by(tail)

    play(scenario)


def test_a_tail_may_go_from_a_closed_session_to_another_one() -> None:
    """A tail whose session is over is free again."""

    async def scenario(call: Call) -> None:
        first = call.beside()
        tail = first.tail()
        await first.start(tail)
        swap_audio_endpoint(first.session.output, tail)
        await first.session.aclose()
        await call.start(call.tail("own"))
        swap_audio_endpoint(call.session.output, tail)
        assert await call.heard_by(tail)

    play(scenario)


def test_a_tail_that_refuses_to_be_attached_is_not_bound() -> None:
    """The tail before goes on with what it was playing, and is still its owner's."""

    class Refusing(AvatarTail):
        def on_attached(self) -> None:
            raise OSError("no device")

    async def scenario(call: Call) -> None:
        await call.start(call.tail())
        tail = call.tail("second")
        binding = swap_audio_endpoint(call.session.output, tail)
        speech = call.speech(2.0, paced=True)
        await asyncio.sleep(1)
        with pytest.raises(OSError, match="no device"):
            swap_audio_endpoint(call.session.output, Refusing(call, "refusing"))
        await call.over(speech)
        assert tail.pcm == speech.pcm
        assert current_endpoint(call.session.output) is tail
        assert binding.owner

    play(scenario)


def test_a_tail_that_is_told_to_detach_may_bind_another_one() -> None:
    """What it binds is bound after the exchange that it was told of."""

    async def scenario(call: Call) -> None:
        fallback = call.tail("fallback")

        class Selfish(AvatarTail):
            def on_detached(self) -> None:
                swap_audio_endpoint(call.session.output, fallback)

        await call.start(Selfish(call, "selfish"))
        swap_audio_endpoint(call.session.output, call.tail("wanted"))
        assert current_endpoint(call.session.output) is fallback
        assert await call.heard_by(fallback)

    play(scenario)


def test_tails_that_each_bind_the_other_one_end_in_an_error_record(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Two tails that give way to each other for ever stop after a while, and speech goes on."""

    async def scenario(call: Call) -> None:
        class Polite(AvatarTail):
            other: AvatarTail

            def on_detached(self) -> None:
                swap_audio_endpoint(call.session.output, self.other)

        one, two = Polite(call, "one"), Polite(call, "two")
        one.other, two.other = one, two
        await call.start(one)
        swap_audio_endpoint(call.session.output, two)
        (bound,) = (t for t in (one, two) if t is current_endpoint(call.session.output))
        assert await call.heard_by(bound)
        one.other, two.other = two, one

    play(scenario)
    assert "each tail asks for another one when it is detached" in caplog.text


class PausingTail(io.AudioOutput):
    """A tail that begins to play what it gets, and says nothing more about it."""

    def __init__(self) -> None:
        super().__init__(label="pausing", capabilities=io.AudioOutputCapabilities(pause=True))
        self._playing = False

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Take a frame."""
        await super().capture_frame(frame)
        if not self._playing:
            self._playing = True
            self.on_playback_started(created_at=time.time())

    def flush(self) -> None:
        """The segment is complete."""
        super().flush()

    def clear_buffer(self) -> None:
        """Say nothing."""


@pytest.mark.parametrize("resumed", [True, False], ids=["resumed", "still-paused"])
def test_a_pause_before_the_first_swap_is_not_played_time(resumed: bool) -> None:
    """The position at which the segment ends leaves out how long playback had stood still."""

    async def scenario(call: Call) -> None:
        await call.start(PausingTail())
        top = call.session.output.audio
        assert top is not None
        ends: list[io.PlaybackFinishedEvent] = []
        top.on("playback_finished", ends.append)
        speech = call.speech(NEVER / 1000)
        await asyncio.sleep(1)
        top.pause()
        await asyncio.sleep(2)
        if resumed:
            top.resume()
            await asyncio.sleep(0.5)
        swap_audio_endpoint(call.session.output, None)
        await call.over(speech)
        (end,) = ends
        assert end.interrupted
        assert end.playback_position == pytest.approx(1.5 if resumed else 1.0, abs=0.1)

    play(scenario)
