from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import pytest
from livekit.agents.voice import io

from conformance import host
from conformance.endpoint import insert_swap_point, swap_audio_endpoint
from conformance.loopback.virtual_time.event_loop import VirtualClock, run_virtual
from conformance.results.timeline import Timeline
from conformance.suite.scene.host_chain import (
    FRAME,
    ChainScene,
    EndpointSwap,
    Listener,
    ScriptedTail,
)

HOST_SWAPS = hasattr(io.AgentOutput, "replace_audio_tail")


def play(scenario: Callable[[ChainScene], Awaitable[None]]) -> None:
    """Run ``scenario`` with a scene on virtual time."""

    async def main(clock: VirtualClock) -> None:
        await scenario(ChainScene(EndpointSwap(), clock, Timeline(clock.now)))

    run_virtual(main)


def test_the_first_swap_ends_what_is_playing_where_it_is() -> None:
    """A swap point that comes in only now ends a playing segment at the played position."""

    async def scenario(scene: ChainScene) -> None:
        async with aclosing(host.SessionWrappers()) as wrappers:
            root = wrappers.above(ScriptedTail(scene, "old"))
            output, listener = scene.bound(root), Listener(scene, root)
            await scene.speak(root, 2.0)
            await scene.clock.sleep(0.5)
            swap_audio_endpoint(output, ScriptedTail(scene, "new"))
            await scene.finished(root)
            await scene.clock.sleep(5)
            (finished,) = listener.of("finished")
            assert finished.interrupted
            assert abs(finished.position - 0.5) <= FRAME
            await wrappers.rotated()
            await scene.speak(root, 0.2)
            await scene.finished(root)
            assert listener.words.endswith("started, finished at 0.20 s")

    play(scenario)


def test_the_first_swap_carries_on_what_is_being_captured() -> None:
    """A swap point that comes in while frames are captured hands the rest to the new tail."""

    async def scenario(scene: ChainScene) -> None:
        async with aclosing(host.SessionWrappers()) as wrappers:
            old, new = ScriptedTail(scene, "old"), ScriptedTail(scene, "new")
            root = wrappers.above(old)
            output, listener = scene.bound(root), Listener(scene, root)
            first = await scene.push(root, 0.4)
            await scene.clock.sleep(0.2)
            swap_audio_endpoint(output, new)
            second = await scene.push(root, 0.4)
            root.flush()
            await scene.finished(root)
            await scene.clock.sleep(5)
            assert (old.frames, new.frames) == (first, second)
            assert old.told("flush", "clear") == ["flush", "clear"]
            assert len(listener.of("started")) == 1
            (finished,) = listener.of("finished")
            assert not finished.interrupted

    play(scenario)


@pytest.mark.parametrize("capturing", [False, True])
def test_insertion_alone_is_not_noticed(capturing: bool) -> None:
    """A swap point that comes in changes nothing that is heard or told."""

    async def scenario(scene: ChainScene) -> None:
        async with aclosing(host.SessionWrappers()) as wrappers:
            tail = ScriptedTail(scene, "tail")
            root = wrappers.above(tail)
            output, listener = scene.bound(root), Listener(scene, root)
            frames = await scene.push(root, 0.4)
            if not capturing:
                root.flush()
            await scene.clock.sleep(0.2)
            insert_swap_point(root, attached=output.audio_enabled)
            if capturing:
                frames += await scene.push(root, 0.4)
                root.flush()
            await scene.finished(root)
            await scene.clock.sleep(5)
            assert tail.frames == frames
            assert tail.calls == ["attach", "capture", "flush"]
            assert listener.words == f"started, finished at {0.8 if capturing else 0.4:.2f} s"

    play(scenario)


def test_insertion_goes_below_a_wrapper_of_the_application() -> None:
    """With no synchronizer to ask, a playing segment still ends once, interrupted."""

    async def scenario(scene: ChainScene) -> None:
        root = scene.chain.wrap(ScriptedTail(scene, "old"), _plain)
        output, listener = scene.bound(root), Listener(scene, root)
        await scene.speak(root, 2.0)
        await scene.clock.sleep(0.5)
        swap_audio_endpoint(output, ScriptedTail(scene, "new"))
        await scene.finished(root)
        (finished,) = listener.of("finished")
        assert finished.interrupted
        assert 0.0 <= finished.position <= 0.5 + FRAME

    play(scenario)


@pytest.mark.skipif(not HOST_SWAPS, reason="the host has no swap call")
@pytest.mark.skipif(not host.has_progress_events(), reason="the host tells no progress")
def test_insertion_after_a_swap_by_the_host_within_the_segment() -> None:
    """Progress is placed right even when the host swapped earlier in the same segment."""

    async def scenario(scene: ChainScene) -> None:
        root = scene.chain.wrap(ScriptedTail(scene, "first", progress=True), _plain)
        output, listener = scene.bound(root), Listener(scene, root)
        lost = 0.0
        for number in range(2):
            await scene.push(root, 1.0)
            await scene.clock.sleep(0.4)
            next_tail = ScriptedTail(scene, f"next {number}", progress=True)
            if number:
                swap_audio_endpoint(output, next_tail)
            else:
                output.replace_audio_tail(next_tail)
                if not listener.of("progressed"):
                    lost = 0.4  # HD-12: the host's own swap forgets what had been played
        await scene.push(root, 0.6)
        root.flush()
        await scene.finished(root)
        runs = sorted((e.position, e.position + e.duration) for e in listener.of("progressed"))
        assert all(end <= start + 0.001 for (_, end), (start, _) in itertools.pairwise(runs))
        assert abs(sum(end - start for start, end in runs) + lost - 1.4) <= 3 * FRAME

    play(scenario)


def test_a_detached_chain_stays_detached() -> None:
    """A first swap while audio is switched off attaches nothing until it is switched on."""

    async def scenario(scene: ChainScene) -> None:
        root = scene.chain.wrap(ScriptedTail(scene, "old"), _plain)
        output = scene.bound(root)
        output.set_audio_enabled(False)
        new = ScriptedTail(scene, "new")
        swap_audio_endpoint(output, new)
        assert new.calls == []
        output.set_audio_enabled(True)
        assert new.calls == ["attach"]

    play(scenario)


def _plain(below: io.AudioOutput) -> io.AudioOutput:
    from conformance.suite.scene.host_chain import Wrapper

    return Wrapper(below)
