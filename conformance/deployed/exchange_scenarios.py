"""Two deployed avatars in one call, one after the other, each by its plugin's own calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from livekit.agents import AgentSession

from conformance.results.outcomes import Finding, NotApplicable, Violation

from .audible_code import BLOCK, encode
from .plugin_and_api import OutputLine, PluginAndAPI, StartedInstance, open_session
from .recording import Heard, Report, Segment
from .scene import BOUND, SETTLE, DeployedScene, Deployment

ORDERS = START_FIRST, CLOSE_FIRST = "start-then-close", "close-then-start"
SPEECH = 4.8
"""Length of the segment in which an exchange begins, in seconds."""
BEFORE = 2.0
"""How much of it has been pushed by then."""
LEAVES_WITHIN = 10.0
"""Seconds that a closed avatar has to leave the room."""
PATIENCE = 5.0
"""Seconds beyond its length that a segment has to be reported as finished."""


@dataclass(frozen=True)
class Exchange:
    """One avatar in place of another, as it was heard from the room.

    ``began`` is when it was begun, ``left`` when the old avatar was last seen going; None where it
    is still there. ``pushed`` are, for each segment, the moments at which its blocks were handed
    over.
    """

    old: str
    new: str
    segments: tuple[Segment, ...]
    heard: tuple[Heard, ...]
    finished: tuple[Report, ...]
    began: float
    left: float | None
    pushed: tuple[tuple[float, ...], ...] = ()

    def of(self, segment: Segment, identity: str) -> tuple[Heard, ...]:
        """What was heard of a segment from ``identity``, in its order."""
        return tuple(
            block
            for block in self.heard
            if block.identity == identity and block.number in segment.numbers
        )


class AgentCall:
    """An agent session in a scene's room, and the avatars that it has had."""

    def __init__(
        self, scene: DeployedScene, session: AgentSession[None], line: OutputLine, rate: int
    ) -> None:
        self.scene = scene
        self.session = session
        self.line = line
        self.segments: list[Segment] = []
        self.pushed: list[list[float]] = []
        self._rate = rate
        self._next = 0

    async def come(self, avatar: StartedInstance) -> None:
        """Wait until ``avatar`` is in the room with its picture, at most `BOUND` s."""
        ear, agent = self.scene.listener, self.scene.agent
        await self.scene.until(lambda: avatar.identity in ear.video_at, BOUND)
        await self.scene.until(lambda: avatar.identity in agent.remote_participants, 5.0)

    async def speak(self, seconds: float) -> Segment:
        """Push a segment at the pace of speech, to its end."""
        blocks = round(seconds / BLOCK)
        segment = Segment(self._next, blocks, self.scene.clock.now())
        self._next += blocks
        self.segments.append(segment)
        moments: list[float] = []
        self.pushed.append(moments)
        clock = self.scene.clock
        for number in range(blocks):
            await clock.sleep(max(0.0, segment.at + number * BLOCK - clock.now()))
            moments.append(clock.now())
            samples = encode(segment.first + number, 1, self._rate)
            try:
                await asyncio.wait_for(self.line.send(samples, self._rate), BOUND)
            except asyncio.TimeoutError:
                raise Violation(
                    Finding(f"the avatar takes a frame within {BOUND:g} s", "it never did")
                ) from None
        await self.line.end()
        return segment

    async def finished(self) -> None:
        """Wait until each segment was reported as finished, at most `PATIENCE` s."""
        line = self.line
        await self.scene.until(lambda: len(line.finished) >= len(self.segments), PATIENCE)
        await self.scene.clock.sleep(SETTLE)


def _plugin(deployment: Deployment) -> PluginAndAPI:
    if not isinstance(deployment, PluginAndAPI):
        raise NotApplicable("a worker alone has no plugin that could exchange it")
    return deployment


@asynccontextmanager
async def _call(
    scene: DeployedScene,
) -> AsyncIterator[tuple[AgentCall, StartedInstance, AsyncExitStack]]:
    """A call with its first avatar."""
    plugin = _plugin(scene.deployment)
    async with AsyncExitStack() as stack:
        session = await open_session(scene.stage, scene.agent, stack)
        avatar = await plugin.start(scene.stage, scene.agent, session, stack)
        output = session.output.audio
        assert output is not None, "start() has bound no tail, and the room's own is gone"
        line = OutputLine(output, scene.clock)
        yield AgentCall(scene, session, line, plugin.sample_rate), avatar, stack


async def _another(
    call: AgentCall, stack: AsyncExitStack, old: StartedInstance, order: str
) -> StartedInstance:
    """Exchange ``old`` for a new avatar of the scene's other deployment."""
    scene = call.scene
    plugin = _plugin(scene.other)
    if order == CLOSE_FIRST:
        await old.close()
    new = await plugin.start(scene.stage, scene.agent, call.session, stack, suffix="-2")
    if order == START_FIRST:
        ear = scene.listener
        await scene.until(lambda: new.identity in ear.video_at, BOUND)
        await old.close()
    return new


async def first_words(scene: DeployedScene) -> Exchange:
    """The agent speaks as soon as `start` has returned."""
    async with _call(scene) as (call, avatar, _):
        began = scene.clock.now()
        await call.speak(2.4)
        await call.finished()
        return _heard(call, avatar, avatar, began)


async def idle_exchange(scene: DeployedScene, variant: str | None) -> Exchange:
    """A segment, an exchange in the order ``variant`` while nobody speaks, one more segment."""
    async with _call(scene) as (call, old, stack):
        await call.come(old)
        await call.speak(1.2)
        await call.finished()
        began = scene.clock.now()
        new = await _another(call, stack, old, variant or START_FIRST)
        await call.come(new)
        await scene.until(lambda: not scene.listener.present(old.identity), LEAVES_WITHIN)
        await call.speak(1.6)
        await call.finished()
        return _heard(call, old, new, began)


async def exchange_in_speech(scene: DeployedScene, variant: str | None = None) -> Exchange:
    """An exchange in the middle of a segment, the new avatar started first; one more segment.

    ``variant`` says what for, which the scene knows.
    """
    async with _call(scene) as (call, old, stack):
        await call.come(old)
        speaking = asyncio.ensure_future(call.speak(SPEECH))
        try:
            await scene.clock.sleep(BEFORE)
            began = scene.clock.now()
            new = await _another(call, stack, old, START_FIRST)
            await speaking
        finally:
            speaking.cancel()
        await call.finished()
        await scene.until(lambda: not scene.listener.present(old.identity), LEAVES_WITHIN)
        await call.speak(1.2)
        await call.finished()
        return _heard(call, old, new, began)


def _heard(call: AgentCall, old: StartedInstance, new: StartedInstance, began: float) -> Exchange:
    ear = call.scene.listener
    gone = ear.left.get(old.identity, [])
    present = ear.present(old.identity)
    return Exchange(
        old.identity,
        new.identity,
        tuple(call.segments),
        ear.heard(),
        tuple(call.line.finished),
        began,
        None if present or not gone else gone[-1],
        tuple(tuple(moments) for moments in call.pushed),
    )
