"""The stage whose room is on a real LiveKit server, in real time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from livekit import rtc

from conformance.host import Job, job_context, reset_class_state
from conformance.plugin.room import Credentials
from conformance.plugin.watchdog import PATIENCE
from conformance.results.timeline import Timeline
from conformance.stage.environ import server_environ
from conformance.stage.interface import Backend, ChildProcess, Contact, Stage, StageLost
from conformance.stage.network.native_sockets import is_isolated
from conformance.stage.network.network import Network
from conformance.stage.vendor.backend import MemoryBackend

from .clock import RealClock
from .loop import RealTimeLoop
from .server import RealServer

if TYPE_CHECKING:
    from conformance.plugin.context import AdapterContext
    from conformance.plugin.provider import Provider

T = TypeVar("T")

LIMIT = 120.0
"""How many real seconds one check may take."""
PULSE = 1.0
"""How often it is asked whether the server is still there, in seconds."""
WIND_UP = 10.0
"""How many seconds each part of a stage has to close."""


class TooLong(Exception):
    """A scenario was not done within its limit of real time."""


class LiveStage:
    """One check's stage. Opened and closed by `LiveRunner`."""

    name = "live"

    def __init__(self, credentials: Credentials, loop: RealTimeLoop) -> None:
        self._loop = loop
        self._clock = RealClock(loop)
        self._timeline = Timeline(self._clock.now)
        self._server = RealServer(credentials, self._timeline)
        self.network = Network(self._clock, self._timeline)
        self._backends: list[MemoryBackend] = []

    @property
    def clock(self) -> RealClock:
        """Real time."""
        return self._clock

    @property
    def timeline(self) -> Timeline:
        """The event timeline so far."""
        return self._timeline

    @property
    def server(self) -> RealServer:
        """The room's server."""
        return self._server

    @property
    def undeclared_contacts(self) -> Sequence[Contact]:
        """Attempts to reach anything but the declared hosts and the LiveKit server."""
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
        """What could not be served or waited for, in words."""
        return self.network.limits

    def let_through(self, addresses: Iterable[tuple[str, int]]) -> None:
        """Let the plugin really connect to these hosts and ports from now on."""
        self._loop.let_through(addresses)

    async def open_backend(self, provider: Provider, context: AdapterContext) -> Backend:
        """Serve a provider's vendor API from now on; the stage closes it."""
        backend = MemoryBackend(provider, context, self)
        self._backends.append(backend)
        await backend.start()
        return backend

    @asynccontextmanager
    async def job(self, room: rtc.Room) -> AsyncIterator[Job]:
        """Make a job context current, with its HTTP session, for the agent in ``room``."""
        async with job_context(
            room,
            token=self._server.token_of(room),
            url=self._server.credentials.url,
            agent_identity=room.local_participant.identity,
        ) as job:
            with self._server.late_job_of(room).begun(job.context):
                yield job

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Reach the server for a while; raises `StageLost` when it does not answer."""
        with self.network:
            try:
                await self._server.open()
                yield
            finally:
                for backend in reversed(self._backends):
                    workers = (worker.aclose() for worker in backend.workers)
                    await _bounded([*workers, backend.aclose()])
                await self._server.aclose()


class LiveRunner:
    """Opens stages on the LiveKit server at ``url``, one after the other.

    Rooms have the same names in every run, so a server must not be shared by two runs at once.
    ``limit`` is in real seconds.
    """

    name = "live"
    virtual = False
    hangs: tuple[type[Exception], ...] = (TooLong,)

    def __init__(self, url: str, api_key: str, api_secret: str, *, limit: float = LIMIT) -> None:
        self._credentials = Credentials(url, api_key, api_secret)
        self._limit = limit
        self.patience = limit + PATIENCE

    @classmethod
    def of(cls, credentials: Credentials, *, limit: float = LIMIT) -> LiveRunner:
        """A runner for the server that has these credentials."""
        return cls(credentials.url, credentials.api_key, credentials.api_secret, limit=limit)

    def in_real_time(self) -> LiveRunner:
        """Itself."""
        return self

    def run(self, scenario: Callable[[Stage], Awaitable[T]], *, seed: int | None = None) -> T:
        """Run ``scenario`` on a fresh stage and return what it returns.

        ``seed`` is of no use in real time. Raises `StageLost` when the server does not answer or
        goes away in the middle, and `TooLong` when the scenario is not done within the limit.
        """
        loop = RealTimeLoop()
        reset_class_state()
        try:
            return loop.run_until_complete(self._run(scenario, loop))
        finally:
            _wind_up(loop)
            reset_class_state()

    async def _run(self, scenario: Callable[[Stage], Awaitable[T]], loop: RealTimeLoop) -> T:
        stage = LiveStage(self._credentials, loop)
        async with stage.opened():
            with server_environ(stage.server.credentials):
                return await self._play(stage, scenario)

    async def _play(self, stage: LiveStage, scenario: Callable[[Stage], Awaitable[T]]) -> T:
        playing = asyncio.ensure_future(scenario(stage))
        pulse = asyncio.ensure_future(_until_gone(stage))
        try:
            await asyncio.wait(
                [playing, pulse], timeout=self._limit, return_when=asyncio.FIRST_COMPLETED
            )
            if pulse.done() or not await stage.server.gateway.reachable():
                raise StageLost(
                    f"the LiveKit server at {self._credentials.url} went away during the check"
                )
            if not playing.done():
                raise TooLong(f"not done after {self._limit:g} s of real time")
            return playing.result()
        finally:
            await _cancelled([pulse, playing])


async def _until_gone(stage: LiveStage) -> None:
    while await stage.server.gateway.reachable():
        await stage.clock.sleep(PULSE)


async def _bounded(closing: Iterable[Awaitable[Any]]) -> None:
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(asyncio.gather(*closing, return_exceptions=True), WIND_UP)


async def _cancelled(tasks: Sequence[asyncio.Future[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=WIND_UP)
    for task in tasks:
        if task.done() and not task.cancelled():
            task.exception()


def _wind_up(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what is left and close the loop."""
    try:
        left = asyncio.all_tasks(loop)
        if left:
            loop.run_until_complete(_cancelled(list(left)))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
