"""A frame on its way into a tail, which may be left there when the tail is exchanged."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Awaitable, Generator
from contextlib import suppress
from typing import Any

_Steps = Generator[Any, Any, Any]

_abandoned: set[asyncio.Future[None]] = set()
"""Captures that nobody waits for any more; a loop holds its tasks by weak references only."""


class Capture:
    """A frame that a tail has not taken at once: awaits it, in the task of whoever awaits this.

    To await it gives True when the tail has taken the frame, and False when it was left before;
    it raises what the tail raises. A tail that asks for its task sees the one that a plain
    ``await`` would show it.
    """

    def __init__(self, steps: _Steps, waits_for: Any, under_way: set[Capture]) -> None:
        self._steps = steps
        self._first = waits_for
        self._under_way = under_way
        self._left = False
        self._waits = False
        self._waits_for: asyncio.Future[Any] | None = None
        self._goes_on: asyncio.Future[None] | None = None

    @classmethod
    def begin(cls, taking: Awaitable[None], under_way: set[Capture]) -> Capture | None:
        """Hand a frame over; None when it is taken already, without a task or a turn of the loop.

        ``under_way`` has the capture in it for as long as the tail lets it wait.
        """
        steps = taking.__await__()
        try:
            waits_for = steps.send(None)
        except StopIteration:
            return None
        return cls(steps, waits_for, under_way)

    def __await__(self) -> Generator[Any, Any, bool]:
        """Take one step of the tail after the other."""
        waits_for = self._first
        self._under_way.add(self)
        try:
            while not self._left:
                try:
                    yield from self._wait(waits_for)
                except BaseException as error:  # who awaits is cancelled: so is the tail
                    if self._left:
                        raise
                    waits_for = self._steps.throw(error)
                else:
                    if self._left:
                        return False
                    waits_for = self._steps.send(None)
        except StopIteration:
            return True
        finally:
            self._under_way.discard(self)
        self._abandon()  # left by the tail's own doing, in the middle of a step
        return False

    def move(self, under_way: set[Capture]) -> None:
        """Be counted in ``under_way`` from now on."""
        self._under_way.discard(self)
        self._under_way = under_way
        under_way.add(self)

    def leave(self) -> None:
        """Resume the awaiting caller at once; cancel the tail's capture in the background."""
        self._left = True
        if not self._waits:
            return
        if self._waits_for is not None:
            self._waits_for.cancel()
        self._wake()
        self._abandon()

    def _wait(self, waits_for: Any) -> Generator[Any, Any, None]:
        """Wait for what the tail waits for, or to be left."""
        self._waits = True
        try:
            if getattr(waits_for, "_asyncio_future_blocking", None) is None:
                yield waits_for  # a bare yield, as of asyncio.sleep(0)
                return
            waits_for._asyncio_future_blocking = False  # it is not the task that waits for it
            self._waits_for = waits_for
            self._goes_on = waits_for.get_loop().create_future()
            waits_for.add_done_callback(self._wake)
            try:
                yield from self._goes_on
            except BaseException:  # it is raised again, in the tail; what that waits for ends too
                if not self._left:
                    waits_for.cancel()
                raise
            finally:
                waits_for.remove_done_callback(self._wake)
        finally:
            self._waits = False
            self._waits_for = self._goes_on = None

    def _wake(self, _: asyncio.Future[Any] | None = None) -> None:
        if self._goes_on is not None and not self._goes_on.done():
            self._goes_on.set_result(None)

    def _abandon(self) -> None:
        task = asyncio.ensure_future(_cancelled(self._steps))
        _abandoned.add(task)
        task.add_done_callback(_abandoned.discard)


async def _cancelled(steps: _Steps) -> None:
    """Cancel a tail's capture and run it to its end; what it raises then is nobody's concern."""
    with suppress(Exception, asyncio.CancelledError):
        await _thrown_into(steps)


@types.coroutine
def _thrown_into(steps: _Steps) -> _Steps:
    error: BaseException | None = asyncio.CancelledError()
    while True:
        try:
            waits_for = steps.throw(error) if error is not None else steps.send(None)
        except StopIteration:
            return
        try:
            yield waits_for
            error = None
        except BaseException as thrown:  # raised in the tail, in the next round
            error = thrown


__all__ = ["Capture"]
