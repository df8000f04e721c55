"""A call with a real agent session, and avatars with every kind of trouble that plugins have."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from livekit import rtc
from livekit.agents import Agent, AgentSession
from livekit.agents.voice import io

from conformance import host
from conformance.endpoint import AvatarSwitcher, current_endpoint, swap_audio_endpoint
from conformance.loopback.stage import LoopbackRunner
from conformance.stage.interface import Stage
from conformance.suite.scene.fake_tail import FakeTail
from conformance.suite.scene.scene import mint
from conformance.suite.scene.speech import Speech

RATE = 24000
NEVER = 100_000.0

Bind = Callable[[io.AgentOutput, io.AudioOutput], object]


class AvatarTail(FakeTail):
    """A tail that waits, before its first frame, for an avatar that is not there yet."""

    def __init__(self, call: Call, label: str, *, there: bool = True) -> None:
        super().__init__(call.stage.clock, label=label)
        self.there = asyncio.Event()
        self.dead = False
        if there:
            self.there.set()

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Take a frame, once the avatar is there."""
        await self.there.wait()
        await super().capture_frame(frame)

    def _report(self, segment: Any) -> None:
        if not self.dead:  # nobody plays for a closed avatar
            super()._report(segment)


@dataclass
class Call:
    """One session of one agent; ``billing`` are the vendor's sessions that are open."""

    stage: Stage
    room: rtc.Room
    job: host.Job
    session: AgentSession[None] = field(default_factory=host.new_session)
    billing: list[str] = field(default_factory=list)
    _spoken: int = 0

    async def start(self, tail: io.AudioOutput | None) -> None:
        """Start the session; ``tail`` is bound before it, or the room's own output is made."""
        if tail is not None:
            self.session.output.audio = tail
        await host.start_session(
            self.session, Agent(instructions="speak"), room=self.room, record=False
        )

    def tail(self, label: str = "app", *, there: bool = True) -> AvatarTail:
        """A tail of this call."""
        return AvatarTail(self, label, there=there)

    def speech(self, seconds: float, *, paced: bool = False) -> Speech:
        """Let the agent say something that is like nothing else it says."""
        speech = Speech("one two three", seconds, RATE, self._spoken, self.stage.clock, paced)
        self._spoken += round(seconds * RATE)
        speech.handle = self.session.say(speech.text, audio=speech.frames())
        return speech

    async def over(self, speech: Speech, within: float = 60.0) -> None:
        """Wait until ``speech`` is over."""
        assert speech.handle is not None
        await asyncio.wait_for(speech.handle.wait_for_playout(), within)

    async def heard_by(self, tail: FakeTail) -> bool:
        """Whether a short speech ends in time, and ``tail`` has got the whole of it."""
        before = len(tail.pcm)
        speech = self.speech(0.5)
        await self.over(speech)
        return tail.pcm[before:] == speech.pcm

    def beside(self) -> Call:
        """Another session in the same job."""
        return Call(self.stage, self.room, self.job)

    def switcher(self, **options: Any) -> AvatarSwitcher:
        """A switcher of this call."""
        return AvatarSwitcher(self.session, self.room, **options)


class PluginAvatar:
    """An avatar as plugins have them; times in seconds.

    ``joins_after`` its `start` returned it is there, ``binds`` says by which call, ``restores``
    puts the former tail back when it is closed, ``stubborn`` goes on when its start is cancelled.
    """

    def __init__(
        self,
        call: Call,
        name: str,
        *,
        identity: str = "",
        start_takes: float = 0.5,
        joins_after: float = 0.0,
        close_takes: float = 0.5,
        binds: Bind = host.bind_tail,
        restores: bool = False,
        stubborn: bool = False,
        fails: bool = False,
    ) -> None:
        self.name = name
        self.avatar_identity = identity or name
        self.tail = call.tail(name, there=False)
        self._call = call
        self._start_takes = start_takes
        self._joins_after = joins_after
        self._close_takes = close_takes
        self._binds = binds
        self._restores = restores
        self._stubborn = stubborn
        self._fails = fails
        self._former: io.AudioOutput | None = None
        self._joining: asyncio.Future[None] | None = None

    async def start(self, agent_session: Any, room: rtc.Room) -> None:
        """Open a session at the vendor, wait for its answer, bind."""
        self._call.billing.append(self.name)
        try:
            await asyncio.sleep(self._start_takes)
        except asyncio.CancelledError:
            if not self._stubborn:
                raise
            await asyncio.sleep(self._start_takes)
            if self.name not in self._call.billing:
                self._call.billing.append(self.name)
        if self._fails:
            raise RuntimeError("no credit left")
        self._former = current_endpoint(agent_session.output)
        self._binds(agent_session.output, self.tail)
        self._joining = asyncio.ensure_future(self._join())

    async def _join(self) -> None:
        await asyncio.sleep(self._joins_after)
        self.tail.there.set()

    async def wait_for_join(self, *, timeout: float | None = 30.0) -> None:
        """Wait until the avatar is there."""
        assert self._joining is not None
        await asyncio.wait_for(asyncio.shield(self._joining), timeout)

    async def aclose(self) -> None:
        """End the session at the vendor."""
        if self._joining is not None:
            self._joining.cancel()
        await asyncio.sleep(self._close_takes)
        with suppress(ValueError):
            self._call.billing.remove(self.name)
        self.tail.dead = True
        if self._restores and self._former is not None:
            host.bind_tail(self._call.session.output, self._former)


def by_endpoint(output: io.AgentOutput, sink: io.AudioOutput) -> object:
    """Bind as a plugin does that uses the endpoint."""
    return swap_audio_endpoint(output, sink)


def play(scenario: Callable[[Call], Awaitable[None]]) -> None:
    """Run ``scenario`` with an agent in a room, in a job, on virtual time."""

    async def main(stage: Stage) -> None:
        room = await stage.server.join(mint(stage, "agent", kind="agent"))
        async with stage.job(room) as job:
            call = Call(stage, room, job)
            await scenario(call)
            await asyncio.wait_for(call.session.aclose(), 60)
        await room.disconnect()

    LoopbackRunner().run(main)
