"""The stage that needs no server: virtual time, an in-memory network, a room of its own."""

from __future__ import annotations

import contextvars
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from livekit import rtc

from conformance import host
from conformance.plugin.room import Credentials
from conformance.plugin.watchdog import PATIENCE
from conformance.results.timeline import Timeline
from conformance.stage.canary import SECRET, issue
from conformance.stage.environ import server_environ
from conformance.stage.interface import Backend, ChildProcess, Contact, Stage, StageRunner
from conformance.stage.network.native_sockets import is_isolated
from conformance.stage.network.network import Network
from conformance.stage.vendor.backend import MemoryBackend

from .real_time import LIMIT, RealTimeClock, TooLong, run_in_real_time
from .room import tracks as media
from .room.room import LoopbackRoom
from .room.room_service import RoomService
from .room.server import LoopbackServer
from .virtual_time.event_loop import HANGS, VirtualClock, run_virtual

if TYPE_CHECKING:
    from conformance.plugin.context import AdapterContext
    from conformance.plugin.provider import Provider


T = TypeVar("T")

CREDENTIALS = Credentials(
    url="wss://conformance.livekit.test",
    api_key=issue(SECRET, digits=16),
    api_secret=issue(SECRET, digits=48),
)
"""How the stage's server is reached; the key and secret are canaries."""

TIME_LIMIT = 3600.0
"""How many simulated seconds a scenario may take."""


LoopbackClock = VirtualClock | RealTimeClock


class LoopbackStage:
    """A stage that is wholly inside the process. Opened by :func:`open_stage`."""

    name = "loopback"

    def __init__(
        self, clock: LoopbackClock, timeline: Timeline, network: Network, server: LoopbackServer
    ) -> None:
        self._clock = clock
        self._timeline = timeline
        self.network = network
        self._server = server
        self._backends = AsyncExitStack()

    @property
    def clock(self) -> LoopbackClock:
        """Virtual time, or real time for a plugin that needs it."""
        return self._clock

    @property
    def timeline(self) -> Timeline:
        """The event timeline so far."""
        return self._timeline

    @property
    def server(self) -> LoopbackServer:
        """The room's server."""
        return self._server

    @property
    def undeclared_contacts(self) -> Sequence[Contact]:
        """Attempts to reach anything but the declared hosts."""
        return self.network.contacts

    @property
    def children(self) -> Sequence[ChildProcess]:
        """The child processes that were started."""
        return self.network.children

    @property
    def isolated(self) -> bool:
        """Whether the process, and its children, have no network but a loopback."""
        return is_isolated()

    @property
    def limits(self) -> Sequence[str]:
        """The limits of the stage that were met, in words."""
        return self.network.limits

    async def open_backend(self, provider: Provider, context: AdapterContext) -> Backend:
        """Serve a provider's vendor API from now on; the stage closes it."""
        backend = MemoryBackend(provider, context, self)
        self._backends.push_async_callback(backend.aclose)
        await backend.start()
        return backend

    @asynccontextmanager
    async def job(self, room: rtc.Room) -> AsyncIterator[host.Job]:
        """Make a job context current, with its HTTP session, for the agent in ``room``."""
        if not isinstance(room, LoopbackRoom):
            raise TypeError(f"{room!r} is not a room of this stage: join with server.join(token)")
        link = room.link
        async with host.job_context(
            room, token=room.token, url=self._server.credentials.url, agent_identity=link.identity
        ) as job:
            # An agent's room is connected inside its job, so its listeners run in it.
            outside, link.mailbox.context = link.mailbox.context, contextvars.copy_context()
            try:
                yield job
            finally:
                link.mailbox.context = outside

    async def aclose(self) -> None:
        """Close every vendor API with its workers; `KitError` when an adapter's code failed."""
        await self._backends.aclose()


class LoopbackRunner:
    """Runs each scenario on a loopback stage of its own, in virtual time.

    ``latency`` is one hop between participants, in seconds; ``limit`` is how many simulated
    seconds a scenario may take, ``patience`` how many real ones; ``stage`` is the kind of stage,
    where it is to do more.
    """

    name = "loopback"
    virtual = True
    hangs: tuple[type[Exception], ...] = HANGS

    def __init__(
        self,
        *,
        latency: float = 0.0,
        limit: float = TIME_LIMIT,
        patience: float = PATIENCE,
        stage: type[LoopbackStage] = LoopbackStage,
    ) -> None:
        self.patience = patience
        self._latency = latency
        self._limit = limit
        self._stage = stage
        self._in_real_time = RealTimeLoopbackRunner(latency=latency)

    def in_real_time(self) -> StageRunner:
        """A runner of the same stage in real time."""
        return self._in_real_time

    def run(self, scenario: Callable[[Stage], Awaitable[T]], *, seed: int | None = None) -> T:
        """Run ``scenario`` on a fresh stage and return what it returns."""

        async def main(clock: VirtualClock) -> T:
            async with open_stage(clock, latency=self._latency, kind=self._stage) as stage:
                return await scenario(stage)

        with server_environ(CREDENTIALS):
            return run_virtual(main, seed=seed, limit=self._limit)


class RealTimeLoopbackRunner:
    """Runs each scenario on a loopback stage of its own, in real time.

    ``latency`` is one hop between participants, in seconds; ``limit`` is how many real seconds a
    scenario may take.
    """

    name = "loopback"
    virtual = False
    hangs: tuple[type[Exception], ...] = (TooLong,)

    def __init__(self, *, latency: float = 0.0, limit: float = LIMIT) -> None:
        self.patience = limit + PATIENCE
        self._latency = latency
        self._limit = limit

    def in_real_time(self) -> StageRunner:
        """Itself."""
        return self

    def run(self, scenario: Callable[[Stage], Awaitable[T]], *, seed: int | None = None) -> T:
        """Run ``scenario`` on a fresh stage and return what it returns; ``seed`` is of no use."""

        async def main(clock: RealTimeClock) -> T:
            async with open_stage(clock, latency=self._latency) as stage:
                return await scenario(stage)

        with server_environ(CREDENTIALS):
            return run_in_real_time(main, limit=self._limit)


@asynccontextmanager
async def open_stage(
    clock: LoopbackClock, *, latency: float = 0.0, kind: type[LoopbackStage] = LoopbackStage
) -> AsyncIterator[LoopbackStage]:
    """Open a stage on the running loop, and put everything back afterwards."""
    timeline = Timeline(clock.now)
    server = LoopbackServer(
        clock=clock, timeline=timeline, credentials=CREDENTIALS, latency=latency
    )
    service = RoomService(server)
    async with AsyncExitStack() as stack:
        host.reset_class_state()
        stack.callback(host.reset_class_state)
        stack.enter_context(media.stand_ins())
        network = stack.enter_context(Network(clock, timeline))
        clock.loop.network = network
        await service.start()
        stack.push_async_callback(service.aclose)
        address = urlsplit(CREDENTIALS.url)
        assert address.hostname is not None
        network.serve(address.hostname, 443, service.protocols, admit=service.admits)
        stage = kind(clock, timeline, network, server)
        stack.push_async_callback(server.aclose)
        stack.push_async_callback(stage.aclose)
        yield stage
