from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Coroutine
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from livekit import rtc
from livekit.agents.voice import io

from conformance import host
from conformance.endpoint import (
    BEFORE,
    AvatarSwitcher,
    Order,
    SwapError,
    current_endpoint,
    swap_audio_endpoint,
)
from conformance.loopback.virtual_time.event_loop import VirtualClock, VirtualLoop
from conformance.results.timeline import Timeline
from conformance.suite.scene.host_chain import (
    FRAME,
    ChainScene,
    EndpointSwap,
    Listener,
    ScriptedTail,
    Wrapper,
)

EXAMPLES = int(os.environ.get("PROPERTY_EXAMPLES", "25"))
FLAWS = (
    "none",
    "fails",
    "never returns",
    "never joins",
    "joins late",
    "closes slowly",
    "cannot close",
    "stubborn",
    "restores",
    "unbinds anything",
    "assigns",
    "refuses to attach",
)


class Session(rtc.EventEmitter[str]):
    """As much of an agent session as a switcher looks at."""

    def __init__(self, output: io.AgentOutput) -> None:
        super().__init__()
        self.output = output


class Tail(ScriptedTail):
    """A tail that waits for its avatar, and reports nothing when that has gone."""

    def __init__(self, scene: ChainScene, name: str, *, refuses: bool = False) -> None:
        super().__init__(scene, name)
        self.there = asyncio.Event()
        self.dead = False
        self._refuses = refuses

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Take a frame, once the avatar is there."""
        await self.there.wait()
        await super().capture_frame(frame)

    def on_attached(self) -> None:
        """Raise, if it refuses."""
        if self._refuses:
            raise OSError("no device")
        super().on_attached()

    def _finished(self, position: float, interrupted: bool) -> None:
        if not self.dead:
            super()._finished(position, interrupted)


class FlawedAvatar:
    """An avatar with one flaw; ``billing`` are the vendor's sessions that are open."""

    def __init__(self, scene: ChainScene, name: str, flaw: str, billing: set[str]) -> None:
        self.name = name
        self.tail = Tail(scene, name, refuses=flaw == "refuses to attach")
        self.closed = False
        self._flaw = flaw
        self._billing = billing
        self._output: io.AgentOutput | None = None
        self._former: io.AudioOutput | None = None
        self._joining: asyncio.Future[None] | None = None

    async def start(self, agent_session: Any, room: Any) -> None:
        """Open a session at the vendor, wait for its answer, bind."""
        self._billing.add(self.name)
        self._output = agent_session.output
        try:
            await asyncio.sleep(1000 if self._flaw == "never returns" else 1)
            if self._flaw == "stubborn":
                await asyncio.sleep(8)
        except asyncio.CancelledError:
            if self._flaw != "stubborn":
                raise
            await asyncio.sleep(2)
            self._billing.add(self.name)
        if self._flaw == "fails":
            raise RuntimeError("no credit left")
        self._former = current_endpoint(agent_session.output)
        if self._flaw == "assigns":
            agent_session.output.audio = self.tail
        else:
            host.bind_tail(agent_session.output, self.tail)
        after = {"never joins": 10_000.0, "joins late": 3.0}.get(self._flaw, 0.0)
        self._joining = asyncio.ensure_future(self._join(after))

    async def _join(self, after: float) -> None:
        await asyncio.sleep(after)
        self.tail.there.set()

    async def wait_for_join(self, *, timeout: float | None = 30.0) -> None:
        """Wait until the avatar is there."""
        assert self._joining is not None
        await asyncio.wait_for(asyncio.shield(self._joining), timeout)

    async def aclose(self) -> None:
        """End the session at the vendor."""
        if self._joining is not None:
            self._joining.cancel()
        await asyncio.sleep(5 if self._flaw == "closes slowly" else 0.5)
        self._billing.discard(self.name)
        self.tail.dead = True
        if self._output is not None and self._flaw in ("restores", "unbinds anything"):
            former = self._former if self._flaw == "restores" else None
            swap_audio_endpoint(self._output, former)
        self.closed = True
        if self._flaw == "cannot close":
            raise ConnectionError("cannot be closed")


class Exchanges(RuleBasedStateMachine):
    """Any order of what an application asks of a switcher, with avatars that have every flaw."""

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
        self.root = Wrapper(ScriptedTail(self.scene, "app"))
        self.output = self.scene.bound(self.root)
        self.top = Listener(self.scene, self.root)
        self.session: Any = Session(self.output)
        self.room: Any = None
        self.billing: set[str] = set()
        self.avatars: list[FlawedAvatar] = []
        self.own: list[ScriptedTail] = []
        self.asked: list[asyncio.Future[None]] = []
        self.segments = 0
        self.speech = self.loop.create_task(self.say(0))
        self.over = False
        self.switcher = AvatarSwitcher(
            self.session, self.room, start_timeout=5.0, join_timeout=4.0, close_timeout=3.0
        )

    async def say(self, frames: int) -> None:
        """What the host does for one speech."""
        begun = False
        try:
            for _ in range(frames):
                if not begun:
                    begun = True
                    self.segments += 1
                await self.scene.push(self.root, FRAME)
                await asyncio.sleep(FRAME)
        except asyncio.CancelledError:
            self.root.flush()
            self.root.clear_buffer()
            raise
        self.root.flush()

    def ask(self, what: Awaitable[None]) -> None:
        self.asked.append(asyncio.ensure_future(what))

    @precondition(lambda self: self.speech.done())
    @rule(frames=st.integers(1, 200))
    def speak(self, frames: int) -> None:
        async def act() -> None:
            self.speech = self.loop.create_task(self.say(frames))

        self.run(act())

    @rule(flaw=st.sampled_from(FLAWS), order=st.sampled_from(Order))
    def swap(self, flaw: str, order: Order) -> None:
        async def act() -> None:
            name = f"{len(self.avatars)} {flaw}"
            avatar = FlawedAvatar(self.scene, name, flaw, self.billing)
            self.avatars.append(avatar)
            self.ask(self.switcher.swap(avatar, order=order))

        self.run(act())

    @rule(to=st.sampled_from(["before", "none", "own"]))
    def release(self, to: str) -> None:
        async def act() -> None:
            if to == "own":
                self.own.append(ScriptedTail(self.scene, f"own {len(self.own)}"))
                self.ask(self.switcher.release(sink=self.own[-1]))
            else:
                self.ask(self.switcher.release(sink=BEFORE if to == "before" else None))

        self.run(act())

    @rule()
    def bind(self) -> None:
        async def act() -> None:
            self.own.append(ScriptedTail(self.scene, f"own {len(self.own)}"))
            swap_audio_endpoint(self.output, self.own[-1])

        self.run(act())

    @precondition(lambda self: any(not task.done() for task in self.asked))
    @rule(which=st.integers(0, 2))
    def cancel(self, which: int) -> None:
        async def act() -> None:
            waiting = [task for task in self.asked if not task.done()]
            for task in waiting[which % 3 :: 3]:
                task.cancel()
            await asyncio.sleep(0)

        self.run(act())

    @rule(seconds=st.floats(0, 4))
    def wait(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    @rule()
    def end_the_call(self) -> None:
        async def act() -> None:
            self.session.emit("close", None)

        if len(self.asked) > 2:
            self.over = True
            self.run(act())

    @invariant()
    def the_chain_is_whole(self) -> None:
        assert self.output.audio is self.root
        points = [o for o in host.chain_of(self.root) if host.is_swap_point(o)]
        assert len(points) <= 1

    @invariant()
    def no_segment_finishes_twice(self) -> None:
        assert len(self.top.of("finished")) <= self.segments

    @invariant()
    def no_frame_is_heard_twice(self) -> None:
        tails = [*self.own, *(avatar.tail for avatar in self.avatars)]
        frames = [frame for tail in tails for frame in tail.frames]
        assert len(frames) == len(set(frames))

    def teardown(self) -> None:
        try:
            self.run(self.wind_up())
        finally:
            self.loop.wind_up()
            self.loop.patched_time.__exit__(None, None, None)

    async def wind_up(self) -> None:
        if not self.over:
            for task in self.asked:
                with suppress(SwapError, asyncio.CancelledError):
                    await asyncio.wait_for(task, 60)
            self.a_live_avatar_is_bound()
        await asyncio.wait_for(self.switcher.aclose(), 30)
        await asyncio.sleep(30)  # what had to be waited for
        assert self.billing == set()
        dead = [avatar.tail for avatar in self.avatars]
        assert not any(current_endpoint(self.output) is tail for tail in dead)
        for task in self.asked:
            assert task.done()
            assert task.cancelled() or isinstance(task.exception(), SwapError | None)
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(self.speech, 60)
        await self.scene.finished(self.root, within=60)
        assert len(self.top.of("finished")) == self.segments

    def a_live_avatar_is_bound(self) -> None:
        bound = current_endpoint(self.output)
        for avatar in self.avatars:
            if bound is avatar.tail:
                assert self.switcher.current is avatar
                assert not avatar.closed
        speaking: Any = self.switcher.current
        if speaking is not None:
            assert speaking.name in self.billing


TestExchanges = Exchanges.TestCase
TestExchanges.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=30,
    deadline=None,
    derandomize=EXAMPLES == 25,
    suppress_health_check=list(HealthCheck),
)
