"""A provider as it is deployed: its plugin here, its own API and its own worker out there."""

from __future__ import annotations

import asyncio
import ipaddress
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from livekit import rtc
from livekit.agents import Agent, AgentSession
from livekit.agents.voice import io

from conformance import host
from conformance.errors import UsageError
from conformance.live.stage import LiveStage
from conformance.plugin.context import AdapterContext
from conformance.plugin.manifest import Manifest
from conformance.plugin.provider import Provider
from conformance.plugin.room import Clock
from conformance.results.outcomes import Finding, NotApplicable, ProviderRaised, Violation
from conformance.suite.scene.error_site import where_to_look

from .audible_code import Samples
from .recording import Report
from .scene import AGENT, ROOM, Deployed
from .wire import Line

PORTS = (443, 80)
FRAME = 0.1
"""Length of the frames that are pushed, in seconds."""
RATE = 24000
"""The sample rate of speech for a provider that takes any, in Hz."""


def real_secrets(provider: Provider) -> dict[str, str]:
    """The credentials of ``provider``, from the environment variables that its manifest names.

    Raises `UsageError` for a provider that has no worker of its own, and for a missing variable.
    """
    manifest = provider.manifest
    if not manifest.capabilities.joins_room:
        raise UsageError(
            f"--deployed: the avatar of {manifest.name!r} is no participant of its own "
            "(joins_room = false), so there is no worker to judge: leave it out with --provider"
        )
    found = {c.name: os.environ.get(c.environment or "", "") for c in manifest.credentials}
    missing = [c for c in manifest.credentials if not found[c.name]]
    if missing:
        names = ", ".join(c.environment or f"one for {c.name!r} (none declared)" for c in missing)
        raise UsageError(
            f"--deployed talks to the API of {manifest.name!r} with real credentials: set {names}"
        )
    return found


def check_server_is_reachable(
    manifest: Manifest, url: str | None, vendor_at: Sequence[tuple[str, int]]
) -> None:
    """Raise `UsageError` where the vendor's worker is elsewhere and the server is on this machine.

    ``url`` is the server's; None for one of the run's own.
    """
    remote = [name for name in manifest.hosts if not _is_here(name)]
    here = url is None or _is_here(urlsplit(url).hostname or "")
    if remote and here and not vendor_at:
        raise UsageError(
            f"--deployed: the worker of {manifest.name!r} comes from {remote[0]} and cannot reach "
            f"the LiveKit server on this machine ({url or 'started by the run'}): give one that it "
            "can reach with --livekit-url, or the vendor's API on this machine with --vendor-at"
        )


def _is_here(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


class OutputLine:
    """The line to an avatar through the agent's own chain of audio outputs."""

    def __init__(self, output: io.AudioOutput, clock: Clock) -> None:
        self.started: list[Report] = []
        self.finished: list[Report] = []
        self._output = output
        self._open = False
        self._clock = clock
        output.on("playback_started", self._on_started)
        output.on("playback_finished", self._on_finished)

    async def send(self, samples: Samples, sample_rate: int) -> None:
        """Push frames, as the agent does."""
        self._open = True
        step = round(FRAME * sample_rate)
        for start in range(0, len(samples), step):
            piece = samples[start : start + step]
            await self._output.capture_frame(
                rtc.AudioFrame(piece.tobytes(), sample_rate, 1, len(piece))
            )

    async def end(self) -> None:
        """Flush."""
        self._open = False
        self._output.flush()

    async def lose_end(self) -> None:
        """Not on a plugin's own transport."""
        raise NotApplicable("needs a fault in the plugin's own transport: nothing is injected")

    async def clear(self) -> None:
        """Clear the buffer, of a segment that is still open too."""
        if self._open:
            await self.end()
        self._output.clear_buffer()

    def _on_started(self, event: object) -> None:
        self.started.append(Report(self._clock.now()))

    def _on_finished(self, event: io.PlaybackFinishedEvent) -> None:
        self.finished.append(
            Report(self._clock.now(), event.playback_position, bool(event.interrupted))
        )


@dataclass
class StartedAvatar:
    """A plugin's avatar that has started."""

    identity: str
    line: Line
    sample_rate: int
    takes_any_rate: bool
    stack: AsyncExitStack = field(repr=False)
    through_gateway = False

    @property
    def ended(self) -> str:
        """Nothing: the vendor's worker runs where it cannot be seen."""
        return ""

    async def close(self) -> None:
        """Close the avatar and the agent's session; each is bounded."""
        await self.stack.aclose()


async def _bounded(call: Awaitable[None], name: str, seconds: float) -> None:
    """Await a call of the plugin; raises `Violation` where it raises, or takes longer."""
    try:
        await asyncio.wait_for(call, seconds)
    except asyncio.TimeoutError:
        raise Violation(
            Finding(f"{name} returns within {seconds:g} s", "it was still waiting")
        ) from None
    except Exception as error:  # a provider, and a vendor, may raise anything
        raise ProviderRaised(f"{name} raises nothing", error, where_to_look(error)) from error


@dataclass
class StartedInstance:
    """An instance of a plugin's avatar session that has started; ``bound`` is of its close."""

    identity: str
    bound: float
    unbind: Callable[[], Awaitable[None]] = field(repr=False)
    closed: bool = False

    async def close(self) -> None:
        """Close it; raises `Violation` where that raises, or takes longer than declared."""
        self.closed = True
        await _bounded(self.unbind(), "aclose()", self.bound)

    async def close_quietly(self) -> None:
        """Close it where nobody has; raises nothing."""
        if not self.closed:
            await _quietly(self.unbind)


async def open_session(
    stage: LiveStage, agent: rtc.Room, stack: AsyncExitStack
) -> AgentSession[None]:
    """Start an agent session in ``agent``'s room; ``stack`` closes it."""
    session = host.new_session()
    await stack.enter_async_context(stage.job(agent))
    stack.push_async_callback(_quietly, session.aclose)
    await host.start_session(session, Agent(instructions="speak"), room=agent, record=False)
    return session


@dataclass(frozen=True)
class PluginAndAPI:
    """The avatar of ``provider``, with the vendor's own API; ``reach`` are more addresses of it."""

    provider: Provider
    secrets: Mapping[str, str] = field(repr=False)
    reach: tuple[tuple[str, int], ...] = ()

    @property
    def name(self) -> str:
        """The provider's."""
        return self.provider.name

    async def bring(self, stage: LiveStage, agent: rtc.Room) -> Deployed:
        """Start the plugin's avatar for the agent in ``agent``, in a session of its own.

        Raises `Violation` where `start` raises, or takes longer than the manifest says.
        """
        stack = AsyncExitStack()
        try:
            session = await open_session(stage, agent, stack)
            instance = await self.start(stage, agent, session, stack)
            output = session.output.audio
            if output is None:
                raise Violation(Finding("start() binds a tail", "session.output.audio is None"))
        except BaseException:
            await stack.aclose()
            raise
        return StartedAvatar(
            instance.identity,
            OutputLine(output, stage.clock),
            self.sample_rate,
            self.provider.manifest.sample_rate is None,
            stack,
        )

    @property
    def sample_rate(self) -> int:
        """That of the speech for its avatar, in Hz."""
        return self.provider.manifest.sample_rate or RATE

    async def start(
        self,
        stage: LiveStage,
        agent: rtc.Room,
        session: AgentSession[None],
        stack: AsyncExitStack,
        *,
        suffix: str = "",
    ) -> StartedInstance:
        """Start an avatar in ``session``; ``stack`` closes it where nobody has.

        ``suffix`` is added to the identity that its plugin is given. Raises as :meth:`bring`.
        """
        manifest = self.provider.manifest
        stage.let_through([*((name, p) for name in manifest.hosts for p in PORTS), *self.reach])
        context = self._context(stage, suffix)
        instance = self.provider.create_avatar(context)

        async def close() -> None:
            await self.provider.unbind(instance, session, context)

        started = StartedInstance(
            str(getattr(instance, "avatar_identity", None) or context.identity),
            manifest.bounds.close,
            close,
        )
        stack.push_async_callback(started.close_quietly)
        await self._start(instance, session, agent, context)
        return started

    async def _start(
        self, instance: Any, session: Any, agent: rtc.Room, context: AdapterContext
    ) -> None:
        bound = self.provider.manifest.bounds.start
        await _bounded(self.provider.bind(instance, session, agent, context), "start()", bound)

    def _context(self, stage: LiveStage, suffix: str) -> AdapterContext:
        credentials = stage.server.public_credentials
        return AdapterContext(
            provider=self.name,
            identity=f"avatar-{self.name}{suffix}",
            agent_identity=AGENT,
            room_name=ROOM,
            livekit_url=credentials.url,
            livekit_api_key=credentials.api_key,
            livekit_api_secret=credentials.api_secret,
            secrets=self.secrets,
        )


async def _quietly(close: Any, *arguments: Any) -> None:
    """Close what may raise anything when it closes."""
    with suppress(Exception):
        await asyncio.wait_for(close(*arguments), 30)


__all__ = [
    "OutputLine",
    "PluginAndAPI",
    "StartedInstance",
    "check_server_is_reachable",
    "open_session",
    "real_secrets",
]
