"""The stage whose room is on a real LiveKit server, in real time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from livekit import rtc

from conformance.host import job_context, reset_class_state
from conformance.outcomes import KitError
from conformance.stage import Backend, Contact, Credentials, Stage
from conformance.timeline import Timeline

from .clock import RealClock
from .server import RealServer

if TYPE_CHECKING:
    from conformance.plugin.context import AdapterContext
    from conformance.plugin.manager import Provider

T = TypeVar("T")

LIMIT = 120.0
"""How many real seconds one check may take."""
PULSE = 1.0
"""How often it is asked whether the server is still there, in seconds."""
WIND_UP = 15.0


class TooLong(Exception):
    """A scenario was not done within its limit of real time."""


class LiveStage:
    """One check's stage. Opened and closed by `LiveRunner`."""

    name = "live"

    def __init__(self, credentials: Credentials) -> None:
        self.clock = RealClock()
        self.timeline = Timeline(self.clock.now)
        self.server = RealServer(credentials, self.timeline)

    @property
    def undeclared_contacts(self) -> Sequence[Contact]:
        """Attempts to reach anything but the declared hosts."""
        return ()

    async def open_backend(self, provider: Provider, context: AdapterContext) -> Backend:
        """Serve a provider's vendor API from now on; the stage closes it."""
        raise NotImplementedError

    @asynccontextmanager
    async def job(self, room: rtc.Room) -> AsyncIterator[Any]:
        """Make a job context current, with its HTTP session, for the agent in ``room``."""
        async with job_context(
            room,
            token=self.server.token_of(room),
            url=self.server.credentials.url,
            agent_identity=room.local_participant.identity,
        ) as job:
            yield job

    async def open(self) -> None:
        """Reach the server; raises `KitError` when it does not answer."""
        await self.server.open()

    async def aclose(self) -> None:
        """Disconnect everybody and let go of everything; takes bounded time."""
        await self.server.aclose()


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

    @classmethod
    def of(cls, credentials: Credentials, *, limit: float = LIMIT) -> LiveRunner:
        """A runner for the server that has these credentials."""
        return cls(credentials.url, credentials.api_key, credentials.api_secret, limit=limit)

    def run(self, scenario: Callable[[Stage], Awaitable[T]], *, seed: int | None = None) -> T:
        """Run ``scenario`` on a fresh stage and return what it returns.

        ``seed`` is of no use in real time. Raises `KitError` when the server does not answer or
        goes away in the middle, and `TooLong` when the scenario is not done within the limit.
        """
        loop = asyncio.SelectorEventLoop()
        try:
            return loop.run_until_complete(self._run(scenario))
        finally:
            _wind_up(loop)
            reset_class_state()

    async def _run(self, scenario: Callable[[Stage], Awaitable[T]]) -> T:
        stage = LiveStage(self._credentials)
        await stage.open()
        with _environment(stage.server.credentials):
            playing = asyncio.ensure_future(scenario(stage))
            pulse = asyncio.ensure_future(self._until_gone(stage))
            try:
                await asyncio.wait(
                    [playing, pulse], timeout=self._limit, return_when=asyncio.FIRST_COMPLETED
                )
                if pulse.done() or not await stage.server.gateway.reachable():
                    raise KitError(
                        f"the LiveKit server at {self._credentials.url} went away during the check"
                    )
                if not playing.done():
                    raise TooLong(f"not done after {self._limit:g} s of real time")
                return playing.result()
            finally:
                await _cancelled(pulse, playing)
                await stage.aclose()

    async def _until_gone(self, stage: LiveStage) -> None:
        while await stage.server.gateway.reachable():
            await stage.clock.sleep(PULSE)


@contextmanager
def _environment(credentials: Credentials) -> Iterator[None]:
    """What a job finds in its environment: where the server is, and no proxy in between."""
    wanted = {
        "LIVEKIT_URL": credentials.url,
        "LIVEKIT_API_KEY": credentials.api_key,
        "LIVEKIT_API_SECRET": credentials.api_secret,
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


async def _cancelled(*tasks: asyncio.Future[Any]) -> None:
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
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=WIND_UP))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
