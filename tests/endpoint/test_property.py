from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from livekit import rtc
from livekit.agents.voice import io

from conformance import host
from conformance.endpoint import SwapPoint, binding, swap_audio_endpoint
from conformance.loopback.virtual_time.event_loop import (
    ClockError,
    VirtualClock,
    VirtualLoop,
    run_virtual,
)
from conformance.results.timeline import Timeline
from conformance.suite.scene.host_chain import (
    FRAME,
    ChainScene,
    EndpointSwap,
    Listener,
    ScriptedTail,
    Wrapper,
)

NEVER = 3000.0
EXAMPLES = int(os.environ.get("PROPERTY_EXAMPLES", "40"))
"""How many runs each property is tried with; thousands take minutes."""
TAILS = ("plain", "reporting", "pausing")


class HandingTail(ScriptedTail):
    """A tail that may bind another one when it is told to detach."""

    output: io.AgentOutput
    hands_to: io.AudioOutput | None = None

    def on_detached(self) -> None:
        """Bind the other one, once."""
        super().on_detached()
        other, self.hands_to = self.hands_to, None
        if other is not None:
            swap_audio_endpoint(self.output, other)


class RefusingTail(ScriptedTail):
    """A tail that cannot be attached."""

    def on_attached(self) -> None:
        """Raise."""
        raise OSError("no device")


class Endpoint(RuleBasedStateMachine):
    """Any order of what an agent, an application and tails do to a chain with the endpoint."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = VirtualLoop()
        self.loop.patched_time.__enter__()
        self.run(self.open())

    def run(self, call: Coroutine[Any, Any, None]) -> None:
        self.loop.run_main(call)

    async def open(self) -> None:
        clock = VirtualClock(self.loop)
        self.scene = ChainScene(EndpointSwap(), clock, Timeline(clock.now))
        self.tails = {
            name: HandingTail(
                self.scene, name, progress=name == "reporting", can_pause=name == "pausing"
            )
            for name in TAILS
        }
        self.bound: str | None = "plain"
        self.root = Wrapper(self.tails["plain"])
        self.middle = self.root.next_in_chain
        self.output = self.scene.bound(self.root)
        for tail in self.tails.values():
            tail.output = self.output
        self.elsewhere, _ = self.scene.wrapped(ScriptedTail(self.scene, "elsewhere"))
        self.top = Listener(self.scene, self.root)
        self.due: dict[str, list[bytes]] = {name: [] for name in TAILS}
        self.segments: list[float] = []
        self.capturing = False
        self.swapped = False
        self.untold_starts = 0
        self.hands_to: dict[str, str] = {}

    @rule(frames=st.integers(1, 40))
    def capture(self, frames: int) -> None:
        async def act() -> None:
            pushed = await self.scene.push(self.root, frames * FRAME)
            if self.bound is not None:
                self.due[self.bound] += pushed

        if not self.capturing:
            self.capturing = True
            self.segments.append(0.0)
        self.segments[-1] += frames * FRAME
        self.run(act())

    @rule()
    def flush(self) -> None:
        async def act() -> None:
            before = len(self.top.of("finished"))
            self.root.flush()
            assert len(self.top.of("finished")) == before, "the flush was re-entered"

        self.capturing = False
        self.run(act())

    @rule()
    def clear(self) -> None:
        async def act() -> None:
            self.root.flush()  # an agent that is interrupted flushes first
            self.root.clear_buffer()

        self.capturing = False
        self.run(act())

    @rule(paused=st.booleans())
    def pause_or_resume(self, paused: bool) -> None:
        async def act() -> None:
            (self.root.pause if paused else self.root.resume)()

        self.run(act())

    @rule(name=st.sampled_from([*TAILS, None]), by_host=st.booleans())
    def swap(self, name: str | None, by_host: bool) -> None:
        async def act() -> None:
            sink = None if name is None else self.tails[name]
            if by_host and self.swapped and sink is not None and host.has_swap_call():
                self.output.replace_audio_tail(sink)
            else:
                swap_audio_endpoint(self.output, sink)
            self.run_its_course(name, attached=self.output.audio_enabled)

        self.run(act())

    @rule(to=st.sampled_from(TAILS))
    def hand_on(self, to: str) -> None:
        if self.bound is not None:
            self.tails[self.bound].hands_to = self.tails[to]
            self.hands_to[self.bound] = to

    def run_its_course(self, wanted: str | None, *, attached: bool) -> None:
        """Say what is bound after a swap to ``wanted``, by what the tails do that are detached."""
        self.tell_of_first_swap()
        while wanted != self.bound:
            left, self.bound = self.bound, wanted
            if attached and left is not None:
                wanted = self.hands_to.pop(left, wanted)

    def tell_of_first_swap(self) -> None:
        if not self.swapped and self.segments and not hasattr(self.middle, "_sink_started_at"):
            # nobody in this chain knows whether the segment had started before the swap point came
            self.untold_starts = 1
        self.swapped = True

    @precondition(lambda self: self.output.audio_enabled)
    @rule()
    def swap_to_a_tail_that_refuses(self) -> None:
        async def act() -> None:
            with pytest.raises(OSError, match="no device"):
                swap_audio_endpoint(self.output, RefusingTail(self.scene, "refusing"))

        self.tell_of_first_swap()
        self.run(act())

    @precondition(lambda self: self.swapped and self.bound is not None)
    @rule()
    def bind_in_another_session(self) -> None:
        async def act() -> None:
            with pytest.raises(ValueError, match="is bound in another session"):
                swap_audio_endpoint(self.elsewhere, self.tails[self.bound or ""])

        self.run(act())

    @rule(enabled=st.booleans())
    def attach_or_detach(self, enabled: bool) -> None:
        async def act() -> None:
            self.output.set_audio_enabled(enabled)

        handed = self.hands_to.pop(self.bound or "", None)
        if handed is not None and not enabled and self.output.audio_enabled:
            self.run_its_course(handed, attached=False)
        elif handed is not None and self.bound is not None:
            self.hands_to[self.bound] = handed
        self.run(act())

    @rule(name=st.sampled_from(TAILS), position=st.floats(0, 50), started=st.booleans())
    def late_event(self, name: str, position: float, started: bool) -> None:
        async def act() -> None:
            if started:
                self.tails[name].on_playback_started(created_at=0.0)
            else:
                event = io.PlaybackFinishedEvent(position, interrupted=True)
                self.tails[name].emit("playback_finished", event)

        if name != self.bound:
            self.run(act())

    @rule(seconds=st.floats(0, 2))
    def wait(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    @precondition(lambda self: not self.capturing)
    @rule()
    def finish(self) -> None:
        self.run(self.scene.finished(self.root, within=200))

    @invariant()
    def frames_reach_the_tail_that_was_bound_once(self) -> None:
        assert {name: tail.frames for name, tail in self.tails.items()} == self.due

    @invariant()
    def no_segment_finishes_twice(self) -> None:
        assert len(self.top.of("finished")) <= len(self.segments)

    @invariant()
    def only_the_bound_tail_is_attached(self) -> None:
        for name, tail in self.tails.items():
            told = tail.told("attach", "detach")
            attached = bool(told) and told[-1] == "attach"
            assert attached == (name == self.bound and self.output.audio_enabled)

    @invariant()
    def there_is_one_swap_point_at_most(self) -> None:
        points = [o for o in host.chain_of(self.root) if isinstance(o, SwapPoint)]
        assert len(points) <= 1

    def teardown(self) -> None:
        try:
            self.flush()
            self.run(self.scene.finished(self.root, within=200))
            self.run(asyncio.sleep(200))
            finished = self.top.of("finished")
            assert len(finished) == len(self.segments)
            assert len(self.top.of("started")) <= len(self.segments) + self.untold_starts
            for event, pushed in zip(finished, self.segments, strict=True):
                assert -1e-6 <= event.position <= pushed + 1e-6
            self.frames_reach_the_tail_that_was_bound_once()
        finally:
            self.loop.wind_up()
            self.loop.patched_time.__exit__(None, None, None)


TestEndpoint = Endpoint.TestCase
TestEndpoint.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=30,
    deadline=None,
    derandomize=EXAMPLES == 40,
    suppress_health_check=list(HealthCheck),
)


class SlowLeaf(ScriptedTail):
    """A tail that takes a while to take a frame, or for ever, like one that is not joined yet."""

    def __init__(self, scene: ChainScene, name: str, seconds: float) -> None:
        super().__init__(scene, name)
        self._seconds = seconds

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await asyncio.sleep(self._seconds)
        await super().capture_frame(frame)


@settings(max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES == 40)
@given(
    pace=st.lists(st.sampled_from([0.0, 0.02, 0.1]), min_size=1, max_size=12),
    swaps=st.lists(
        st.tuples(st.floats(0, 0.3), st.sampled_from([None, 0.0, 0.03, NEVER])), max_size=8
    ),
    seed=st.integers(0, 99),
    first=st.booleans(),
)
def test_captures_that_wait_at_a_tail_end_with_the_swap(
    pace: list[float], swaps: list[tuple[float, float | None]], seed: int, first: bool
) -> None:
    """Swaps while frames wait at slow tails hang nothing and double no frame."""

    async def main(clock: VirtualClock) -> None:
        scene = ChainScene(EndpointSwap(), clock, Timeline(clock.now))
        tails: list[SlowLeaf] = [SlowLeaf(scene, "first", 0.03)]
        if first and host.has_swap_call():  # the swap point comes with the first swap
            root = Wrapper(tails[0])
            output, top = scene.bound(root), Listener(scene, root)
        else:
            output, top = scene.wrapped(tails[0])
        pushed: list[bytes] = []

        async def speak() -> None:
            for pause in pace:
                pushed.extend(await scene.push(top.output, FRAME))
                await clock.sleep(pause)
            top.output.flush()

        speaking = asyncio.ensure_future(speak())
        for after, seconds in [*swaps, (0.1, 0.0)]:
            await clock.sleep(after)
            if seconds is not None:
                tails.append(SlowLeaf(scene, f"tail {len(tails)}", seconds))
            swap_audio_endpoint(output, None if seconds is None else tails[-1])
        await asyncio.wait_for(speaking, 60)
        await scene.finished(top.output, within=60)
        await clock.sleep(60)
        assert len(top.of("finished")) == 1
        reached = [frame for tail in tails for frame in tail.frames]
        assert len(set(reached)) == len(reached)
        assert set(reached) <= set(pushed)

    run_virtual(main, seed=seed)


class Forgets(SwapPoint):
    def replace_tail(self, sink: io.AudioOutput | None) -> None:
        super().replace_tail(sink)
        self._open.clear()


class Doubles(SwapPoint):
    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        if self._capturing is None:
            await super().capture_frame(frame)
        await super().capture_frame(frame)


class Reenters(SwapPoint):
    def flush(self) -> None:
        super().flush()
        self._settle()


class StaysAttached(SwapPoint):
    def on_detached(self) -> None:
        self._attached = False


class ReportsWhatWasPushed(SwapPoint):
    def on_playback_finished(
        self,
        *,
        playback_position: float,
        interrupted: bool,
        synchronized_transcript: str | None = None,
    ) -> None:
        super().on_playback_finished(playback_position=1e6, interrupted=interrupted)


@pytest.mark.parametrize(
    "flawed", [Forgets, Doubles, Reenters, StaysAttached, ReportsWhatWasPushed]
)
def test_the_property_finds_a_flaw(
    flawed: type[SwapPoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The random runs above are able to find each of these."""
    monkeypatch.setattr(binding, "SwapPoint", flawed)
    quick = settings(
        TestEndpoint.settings,
        max_examples=400,
        phases=[Phase.generate],
        report_multiple_bugs=False,
    )
    with pytest.raises((AssertionError, ClockError)):
        run_state_machine_as_test(Endpoint, settings=quick)
