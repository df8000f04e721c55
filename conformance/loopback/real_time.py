"""The loopback stage in real time, for a plugin whose work virtual time cannot wait for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from conformance.stage.network.event_loop import NetworkedLoop

T = TypeVar("T")

LIMIT = 300.0
"""How many real seconds one scenario may take."""

_CLEANUP = 10.0


class TooLong(Exception):
    """A scenario was not done within its limit of real time."""


class RealTimeClock:
    """Real seconds since it was made, on a loop whose connections are in memory."""

    virtual = False

    def __init__(self, loop: NetworkedLoop) -> None:
        self.loop = loop
        self._since = time.monotonic()

    def now(self) -> float:
        """Seconds since the clock was made."""
        return time.monotonic() - self._since

    async def sleep(self, seconds: float) -> None:
        """Wait for that many real seconds."""
        await asyncio.sleep(seconds)


def run_in_real_time(main: Callable[[RealTimeClock], Awaitable[T]], *, limit: float = LIMIT) -> T:
    """Run ``main(clock)`` on a fresh loop and return what it returns.

    Raises `TooLong` after ``limit`` real seconds. What ``main`` has left behind is cancelled.
    """
    loop = NetworkedLoop()
    try:
        return loop.run_until_complete(_bounded(main(RealTimeClock(loop)), limit))
    finally:
        try:
            loop.run_until_complete(_cancelled(asyncio.all_tasks(loop)))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(_bounded(loop.shutdown_default_executor(), _CLEANUP))
        except TooLong:
            pass  # a job that never ends is left to its thread
        finally:
            loop.close()


async def _bounded(awaitable: Awaitable[T], limit: float) -> T:
    task = asyncio.ensure_future(awaitable)
    await asyncio.wait([task], timeout=limit)
    if not task.done():
        await _cancelled([task])
        raise TooLong(f"not done after {limit:g} s of real time")
    return task.result()


async def _cancelled(tasks: Iterable[asyncio.Future[T]]) -> None:
    tasks = [task for task in tasks if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=_CLEANUP)
    for task in tasks:
        if task.done() and not task.cancelled():
            task.exception()
