from __future__ import annotations

import gc
import weakref
from collections.abc import Awaitable, Callable

import pytest
from livekit.agents.voice import io

from conformance import host
from conformance.endpoint import SwapPoint, current_endpoint, swap_audio_endpoint
from conformance.loopback.virtual_time.event_loop import VirtualClock, run_virtual
from conformance.results.timeline import Timeline
from conformance.suite.scene.host_chain import ChainScene, EndpointSwap, ScriptedTail, Wrapper

HOST_SWAPS = hasattr(io.AgentOutput, "replace_audio_tail")
needs_host_swap = pytest.mark.skipif(not HOST_SWAPS, reason="the host has no swap call")


def play(scenario: Callable[[ChainScene], Awaitable[None]]) -> None:
    """Run ``scenario`` with a scene on virtual time."""

    async def main(clock: VirtualClock) -> None:
        await scenario(ChainScene(EndpointSwap(), clock, Timeline(clock.now)))

    run_virtual(main)


def test_unbind_takes_away_what_the_caller_has_bound() -> None:
    """The owner of a binding can unbind it, once."""

    async def scenario(scene: ChainScene) -> None:
        output, _ = scene.wrapped(ScriptedTail(scene, "old"))
        new = ScriptedTail(scene, "new")
        binding = swap_audio_endpoint(output, new)
        assert binding.owner
        assert current_endpoint(output) is new
        assert binding.unbind()
        assert current_endpoint(output) is None
        assert not binding.unbind()

    play(scenario)


def test_unbind_leaves_what_another_caller_has_bound() -> None:
    """A binding that was followed by another one touches nothing any more."""

    async def scenario(scene: ChainScene) -> None:
        output, _ = scene.wrapped(ScriptedTail(scene, "old"))
        first = swap_audio_endpoint(output, ScriptedTail(scene, "first"))
        other = ScriptedTail(scene, "other")
        swap_audio_endpoint(output, other)
        assert not first.owner
        assert not first.unbind()
        assert current_endpoint(output) is other

    play(scenario)


def test_the_last_caller_owns_a_tail_that_was_bound_twice() -> None:
    """Binding the same tail again hands it over to the later caller."""

    async def scenario(scene: ChainScene) -> None:
        output, _ = scene.wrapped(ScriptedTail(scene, "old"))
        tail = ScriptedTail(scene, "tail")
        first, second = swap_audio_endpoint(output, tail), swap_audio_endpoint(output, tail)
        assert not first.unbind()
        assert current_endpoint(output) is tail
        assert second.unbind()
        assert current_endpoint(output) is None

    play(scenario)


def test_unbind_leaves_an_assignment_alone() -> None:
    """A plain assignment after the binding belongs to whoever made it."""

    async def scenario(scene: ChainScene) -> None:
        output, _ = scene.wrapped(ScriptedTail(scene, "old"))
        binding = swap_audio_endpoint(output, ScriptedTail(scene, "new"))
        other = output.audio = ScriptedTail(scene, "other")
        assert not binding.unbind()
        assert output.audio is other

    play(scenario)


@needs_host_swap
def test_unbind_leaves_a_swap_by_the_host_alone() -> None:
    """What a plugin has bound by the host's own call since is not the caller's."""

    async def scenario(scene: ChainScene) -> None:
        output, _ = scene.wrapped(ScriptedTail(scene, "old"))
        binding = swap_audio_endpoint(output, ScriptedTail(scene, "new"))
        other = ScriptedTail(scene, "other")
        output.replace_audio_tail(other)
        assert not binding.unbind()
        assert current_endpoint(output) is other

    play(scenario)


@needs_host_swap
def test_swaps_by_the_host_and_by_the_endpoint_do_not_stack_up() -> None:
    """Both ways can take turns; one swap point serves both, and the last tail plays."""

    async def scenario(scene: ChainScene) -> None:
        output, listener = scene.wrapped(ScriptedTail(scene, "old"))
        for _ in range(3):
            output.replace_audio_tail(ScriptedTail(scene, "by the host"))
            last = ScriptedTail(scene, "by the endpoint")
            swap_audio_endpoint(output, last)
            points = [o for o in host.chain_of(output.audio) if host.is_swap_point(o)]
            assert [type(point) for point in points] == [SwapPoint]
        await scene.speak(listener.output, 0.2)
        await scene.finished(listener.output)
        assert listener.words == "started, finished at 0.20 s"
        assert len(last.frames) == 10

    play(scenario)


@needs_host_swap
def test_the_host_can_swap_where_nothing_is_bound() -> None:
    """A plugin that starts after an unbinding binds by the host's call and is heard."""

    async def scenario(scene: ChainScene) -> None:
        output, listener = scene.wrapped(ScriptedTail(scene, "old"))
        await scene.push(listener.output, 0.4)
        swap_audio_endpoint(output, None)
        new = ScriptedTail(scene, "new")
        output.replace_audio_tail(new)
        await scene.push(listener.output, 0.2)
        listener.output.flush()
        await scene.finished(listener.output)
        assert len(new.frames) == 10
        assert len(listener.of("finished")) == 1
        assert new.told("attach", "detach") == ["attach"]

    play(scenario)


def test_a_tail_above_itself_is_refused() -> None:
    """Binding a chain to its own bottom is one clear error, and changes nothing."""

    async def scenario(scene: ChainScene) -> None:
        old = ScriptedTail(scene, "old")
        output, listener = scene.wrapped(old)
        with pytest.raises(ValueError, match="contains 'wrapper', which is above it in the chain"):
            swap_audio_endpoint(output, listener.output)
        assert current_endpoint(output) is old

    play(scenario)


def test_a_bare_output_is_unbound_by_taking_it_away() -> None:
    """Without wrappers nothing stays behind, and what was being spoken ends."""

    async def scenario(scene: ChainScene) -> None:
        leaf = ScriptedTail(scene, "leaf")
        output = scene.bound(None)
        binding = swap_audio_endpoint(output, leaf)
        await scene.push(leaf, 1.0)
        assert binding.unbind()
        assert output.audio is None
        assert leaf.told("flush", "clear") == ["flush", "clear"]
        await scene.finished(leaf)

    play(scenario)


def test_a_tail_bound_before_the_wrappers_can_be_unbound_below_them() -> None:
    """A binding made before the session wrapped its output still knows its tail."""

    async def scenario(scene: ChainScene) -> None:
        output = scene.bound(None)
        leaf = ScriptedTail(scene, "leaf")
        binding = swap_audio_endpoint(output, leaf)
        root = output.audio = Wrapper(leaf)
        assert binding.unbind()
        assert output.audio is root
        assert current_endpoint(output) is None
        await scene.speak(root, 0.2)
        await scene.finished(root)
        assert leaf.frames == []

    play(scenario)


def test_an_output_whose_next_one_cannot_be_exchanged_is_replaced() -> None:
    """A wrapper that hides what is below it leaves no place for a swap point."""

    class Hiding(Wrapper):
        def __init__(self, below: io.AudioOutput) -> None:
            super().__init__(below)
            self._below = [below]
            self._next_in_chain = None
            vars(self).pop("_AudioOutput__next_in_chain", None)

        @property
        def next_in_chain(self) -> io.AudioOutput | None:
            return self._below[0] if "_below" in vars(self) else None

    async def scenario(scene: ChainScene) -> None:
        output = scene.bound(Hiding(ScriptedTail(scene, "old")))
        new = ScriptedTail(scene, "new")
        swap_audio_endpoint(output, new)
        assert output.audio is new

    play(scenario)


def test_a_binding_keeps_no_output_alive() -> None:
    """An agent's output is gone with the agent, also when endpoints were bound to it."""

    async def scenario(scene: ChainScene) -> None:
        output = scene.bound(None)
        swap_audio_endpoint(output, ScriptedTail(scene, "leaf"))
        gone = weakref.ref(output)
        del output
        gc.collect()
        assert gone() is None

    play(scenario)
