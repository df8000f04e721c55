from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest
from livekit import rtc
from livekit.agents.voice import io

from conformance.endpoint import SwapPoint, insert_swap_point, swap_audio_endpoint
from conformance.loopback.virtual_time.event_loop import VirtualClock, run_virtual
from conformance.results.timeline import Timeline
from conformance.suite.scene.host_chain import (
    FRAME,
    ChainScene,
    EndpointSwap,
    Listener,
    ScriptedTail,
)


def play(scenario: Callable[[ChainScene], Awaitable[None]]) -> None:
    """Run ``scenario`` with a scene on virtual time."""

    async def main(clock: VirtualClock) -> None:
        await scenario(ChainScene(EndpointSwap(), clock, Timeline(clock.now)))

    run_virtual(main)


class PausingLeaf(ScriptedTail):
    """A leaf that notes what it is told about pauses."""

    def __init__(self, scene: ChainScene, name: str) -> None:
        super().__init__(scene, name, can_pause=True)

    def pause(self) -> None:
        self.calls.append("pause")

    def resume(self) -> None:
        self.calls.append("resume")


class WaitingLeaf(ScriptedTail):
    """A leaf that takes no frame before it is ready, like an avatar that has not joined."""

    def __init__(self, scene: ChainScene, name: str) -> None:
        super().__init__(scene, name)
        self.ready = asyncio.Event()

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await self.ready.wait()
        await super().capture_frame(frame)


class FailingLeaf(ScriptedTail):
    """A leaf whose connection is gone: every call raises."""

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        raise ConnectionError("gone")

    def clear_buffer(self) -> None:
        raise ConnectionError("gone")

    def on_detached(self) -> None:
        raise ConnectionError("gone")


def test_speech_with_nothing_bound_ends_at_zero() -> None:
    """Frames are dropped without waiting, and the segment ends interrupted, unheard."""

    async def scenario(scene: ChainScene) -> None:
        output, listener = scene.wrapped(ScriptedTail(scene, "old"))
        swap_audio_endpoint(output, None)
        root = listener.output
        for _ in range(2):
            await scene.speak(root, 1.0)
            event = await asyncio.wait_for(root.wait_for_playout(), 0.1)
            assert (event.playback_position, event.interrupted) == (0.0, True)
        assert len(listener.of("finished")) == 2
        assert (root.sample_rate, root.can_pause) == (None, True)

    play(scenario)


def test_a_flush_without_audio_reports_nothing() -> None:
    """A flush of nothing ends no segment, bound or unbound."""

    async def scenario(scene: ChainScene) -> None:
        output, listener = scene.wrapped(ScriptedTail(scene, "old"))
        for sink in (ScriptedTail(scene, "new"), None):
            swap_audio_endpoint(output, sink)
            listener.output.flush()
            listener.output.clear_buffer()
            await scene.clock.sleep(1)
        assert listener.heard == []

    play(scenario)


def test_back_to_back_segments_with_nothing_bound_end_in_order() -> None:
    """A capture that follows a flush at once comes after the end of the segment before it."""

    async def scenario(scene: ChainScene) -> None:
        output, listener = scene.wrapped(ScriptedTail(scene, "old"))
        swap_audio_endpoint(output, None)
        new = ScriptedTail(scene, "new")
        await scene.push(listener.output, 0.1)
        listener.output.flush()
        swap_audio_endpoint(output, new)
        await scene.speak(listener.output, 0.2)
        await scene.finished(listener.output)
        assert listener.words == "finished at 0.00 s interrupted, started, finished at 0.20 s"

    play(scenario)


def test_a_segment_of_which_the_new_tail_gets_nothing_ends() -> None:
    """A swap between the last frame and the flush leaves no tail to tell the end of it."""

    async def scenario(scene: ChainScene) -> None:
        output, listener = scene.wrapped(ScriptedTail(scene, "old"))
        await scene.push(listener.output, 0.4)
        await scene.clock.sleep(0.2)
        swap_audio_endpoint(output, ScriptedTail(scene, "new"))
        listener.output.flush()
        await scene.finished(listener.output)
        assert listener.words == "started, finished at 0.20 s interrupted"

    play(scenario)


def test_every_segment_in_the_queue_ends_at_a_swap() -> None:
    """Of several flushed segments the first ends where it was, the others unheard."""

    async def scenario(scene: ChainScene) -> None:
        output, listener = scene.wrapped(ScriptedTail(scene, "old"))
        for _ in range(3):
            await scene.speak(listener.output, 0.4)
        await scene.clock.sleep(0.6)
        swap_audio_endpoint(output, ScriptedTail(scene, "new"))
        await scene.finished(listener.output)
        positions = [(round(e.position, 3), e.interrupted) for e in listener.of("finished")]
        assert positions == [(0.4, False), (0.2, True), (0.0, True)]

    play(scenario)


def test_a_segment_across_a_swap_is_announced_once() -> None:
    """The new tail's own playback_started belongs to a segment that has started long ago."""

    async def scenario(scene: ChainScene) -> None:
        output, listener = scene.wrapped(ScriptedTail(scene, "old"))
        await scene.push(listener.output, 0.4)
        swap_audio_endpoint(output, ScriptedTail(scene, "new"))
        await scene.speak(listener.output, 0.4)
        await scene.finished(listener.output)
        assert listener.words == "started, finished at 0.80 s"

    play(scenario)


def test_a_frame_that_waits_for_a_tail_goes_on_to_the_next() -> None:
    """A frame that the old tail never took is given to the new one instead of hanging there."""

    async def scenario(scene: ChainScene) -> None:
        output, listener = scene.wrapped(WaitingLeaf(scene, "old"))
        speaking = asyncio.ensure_future(scene.push(listener.output, 0.2))
        await scene.clock.sleep(1)
        new = ScriptedTail(scene, "new")
        swap_audio_endpoint(output, new)
        assert new.frames == []
        frames = await speaking
        listener.output.flush()
        await scene.finished(listener.output)
        assert new.frames == frames
        assert listener.words == "started, finished at 0.20 s"

    play(scenario)


def test_a_frame_that_waits_for_a_tail_is_dropped_when_it_is_unbound() -> None:
    """Speech to an avatar that never joined ends when the avatar is taken away."""

    async def scenario(scene: ChainScene) -> None:
        output, listener = scene.wrapped(WaitingLeaf(scene, "old"))
        speaking = asyncio.ensure_future(scene.push(listener.output, 0.2))
        await scene.clock.sleep(1)
        swap_audio_endpoint(output, None)
        await speaking
        listener.output.flush()
        await scene.finished(listener.output)
        assert listener.words == "finished at 0.00 s interrupted"

    play(scenario)


def test_a_cancelled_capture_leaves_the_account_closed() -> None:
    """An interruption while the first frame waits for the tail leaves nothing pending."""

    async def scenario(scene: ChainScene) -> None:
        tail = WaitingLeaf(scene, "tail")
        _, listener = scene.wrapped(tail)
        speaking = asyncio.ensure_future(scene.push(listener.output, 0.2))
        await scene.clock.sleep(1)
        speaking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await speaking
        listener.output.flush()
        listener.output.clear_buffer()
        await scene.finished(listener.output)
        tail.ready.set()
        await scene.speak(listener.output, 0.2)
        await scene.finished(listener.output)
        assert listener.words.endswith("started, finished at 0.20 s")
        assert len(tail.frames) == 10

    play(scenario)


def test_a_failing_tail_fails_the_capture_and_not_the_swap(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What a tail raises reaches who captures; when it leaves, it is only logged."""

    async def scenario(scene: ChainScene) -> None:
        output, listener = scene.wrapped(FailingLeaf(scene, "old"))
        with pytest.raises(ConnectionError):
            await listener.output.capture_frame(rtc.AudioFrame(b"\0\0" * 480, 24000, 1, 480))
        swap_audio_endpoint(output, ScriptedTail(scene, "new"))
        listener.output.flush()
        await scene.finished(listener.output)
        listener.heard.clear()
        await scene.speak(listener.output, 0.2)
        await scene.finished(listener.output)
        assert listener.words == "started, finished at 0.20 s"

    with caplog.at_level(logging.WARNING, logger="conformance.endpoint"):
        play(scenario)
    assert "the tail that is being unbound failed" in caplog.text


def test_a_pause_moves_with_the_tail() -> None:
    """A tail that comes in while playback is paused is paused; the one that leaves is let go."""

    async def scenario(scene: ChainScene) -> None:
        old, new = PausingLeaf(scene, "old"), PausingLeaf(scene, "new")
        output, listener = scene.wrapped(old)
        listener.output.pause()
        swap_audio_endpoint(output, new)
        listener.output.resume()
        assert [c for c in old.calls if c in ("pause", "resume")] == ["pause", "resume"]
        assert [c for c in new.calls if c in ("pause", "resume")] == ["pause", "resume"]

    play(scenario)


def test_paused_time_does_not_count_as_played() -> None:
    """A segment that stood still for a while ends at what was played before."""

    async def scenario(scene: ChainScene) -> None:
        output, listener = scene.wrapped(PausingLeaf(scene, "old"))
        await scene.speak(listener.output, 5.0)
        await scene.clock.sleep(0.3)
        listener.output.pause()
        await scene.clock.sleep(1.0)
        listener.output.resume()
        await scene.clock.sleep(0.2)
        swap_audio_endpoint(output, ScriptedTail(scene, "new"))
        (finished,) = listener.of("finished")
        assert abs(finished.position - 0.5) <= FRAME

    play(scenario)


def test_a_tail_that_finishes_inside_the_flush_does_not_reenter_it() -> None:
    """The end that a tail tells synchronously reaches the wrappers after their own flush."""

    class Hasty(ScriptedTail):
        def flush(self) -> None:
            io.AudioOutput.flush(self)
            self.on_playback_finished(playback_position=0.2, interrupted=False)

    async def scenario(scene: ChainScene) -> None:
        _, listener = scene.wrapped(Hasty(scene, "tail"))
        await scene.push(listener.output, 0.2)
        listener.output.flush()
        assert listener.of("finished") == []
        await scene.finished(listener.output)
        assert len(listener.of("finished")) == 1

    play(scenario)


def test_a_tail_can_come_back() -> None:
    """What a tail still had to say of its first time does not count for its second."""

    async def scenario(scene: ChainScene) -> None:
        first, second = ScriptedTail(scene, "first"), ScriptedTail(scene, "second")
        output, listener = scene.wrapped(first)
        await scene.speak(listener.output, 1.0)
        await scene.clock.sleep(0.5)
        swap_audio_endpoint(output, second)
        await scene.clock.sleep(0.1)
        swap_audio_endpoint(output, first)
        await scene.speak(listener.output, 0.4)
        await scene.finished(listener.output)
        words = "started, finished at 0.50 s interrupted, started, finished at 0.40 s"
        assert listener.words == words

    play(scenario)


def test_a_swap_point_can_be_put_in_before_anything_is_bound_to_it() -> None:
    """Inserting twice finds the swap point that is there."""

    async def scenario(scene: ChainScene) -> None:
        root = scene.wrap(ScriptedTail(scene, "leaf"))
        Listener(scene, root)
        point = insert_swap_point(root, attached=False)
        assert isinstance(point, SwapPoint)
        assert insert_swap_point(root, attached=False) is point
        assert insert_swap_point(ScriptedTail(scene, "bare"), attached=False) is None

    play(scenario)
