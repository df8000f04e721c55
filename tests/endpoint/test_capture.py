from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from conformance.endpoint.capture import Capture
from conformance.loopback.virtual_time.event_loop import VirtualClock, run_virtual

Taking = Callable[[], Awaitable[None]]


class Hand:
    """Somebody who hands a frame to a tail, which takes it as ``taking`` says."""

    def __init__(self, taking: Taking) -> None:
        self.under_way: set[Capture] = set()
        self._taking = taking

    async def over(self) -> bool:
        """Whether the tail took it."""
        capture = Capture.begin(self._taking(), self.under_way)
        return capture is None or await capture

    def leave(self) -> None:
        """The tail is exchanged."""
        for capture in tuple(self.under_way):
            capture.leave()


def play(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run ``scenario`` in virtual time."""

    async def main(clock: VirtualClock) -> None:
        await scenario()

    run_virtual(main)


def test_a_frame_taken_at_once_gives_nobody_else_a_turn() -> None:
    """A tail that waits for nothing has the frame when begin() returns."""

    async def scenario() -> None:
        async def taking() -> None:
            pass

        assert Capture.begin(taking(), set()) is None

    play(scenario)


def test_a_tail_that_waits_has_taken_the_frame_in_the_end() -> None:
    """Futures, tasks, timers and bare yields are waited for as an await does."""

    async def scenario() -> None:
        async def taking() -> None:
            await asyncio.sleep(0)
            await asyncio.sleep(1)
            assert await asyncio.gather(asyncio.sleep(1, "both"), asyncio.sleep(1)) == [
                "both",
                None,
            ]

        assert await Hand(taking).over()

    play(scenario)


def test_the_tail_runs_in_the_task_of_who_captures() -> None:
    """So that a time limit that the tail sets for itself cancels the right task."""

    async def scenario() -> None:
        tasks = set()

        async def taking() -> None:
            tasks.add(asyncio.current_task())
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.Event().wait(), 1)
            tasks.add(asyncio.current_task())

        assert await Hand(taking).over()
        assert tasks == {asyncio.current_task()}

    play(scenario)


def test_what_the_tail_raises_is_raised() -> None:
    """An exception reaches who captures, before and after the tail had to wait."""

    async def scenario() -> None:
        async def at_once() -> None:
            raise ConnectionError

        async def later() -> None:
            await asyncio.sleep(1)
            raise ConnectionError

        for taking in (at_once, later):
            with pytest.raises(ConnectionError):
                await Hand(taking).over()

    play(scenario)


def test_a_cancelled_capture_cancels_what_the_tail_waits_for() -> None:
    """As with an await, the cancellation reaches the innermost future."""

    async def scenario() -> None:
        inner: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def taking() -> None:
            await inner

        hand = Hand(taking)
        speaking = asyncio.ensure_future(hand.over())
        await asyncio.sleep(1)
        speaking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await speaking
        assert inner.cancelled()
        assert not hand.under_way

    play(scenario)


def test_who_leaves_a_tail_does_not_wait_for_it() -> None:
    """The old tail is cancelled, and may take its time to notice."""

    async def scenario() -> None:
        noticed: list[float] = []
        clock = asyncio.get_running_loop().time

        async def taking() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(5)
                noticed.append(clock())

        hand = Hand(taking)
        speaking = asyncio.ensure_future(hand.over())
        await asyncio.sleep(1)
        left_at = clock()
        hand.leave()
        assert not await speaking
        assert clock() == left_at
        await asyncio.sleep(10)
        assert noticed == [left_at + 5]

    play(scenario)


def test_a_tail_that_was_left_may_raise() -> None:
    """Nobody is told of it: the frame is another tail's by then."""

    async def scenario() -> None:
        async def taking() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                raise ConnectionError

        hand = Hand(taking)
        speaking = asyncio.ensure_future(hand.over())
        await asyncio.sleep(1)
        hand.leave()
        assert not await speaking
        await asyncio.sleep(1)

    play(scenario)


def test_a_tail_that_has_itself_exchanged_is_left() -> None:
    """Left in the middle of a step of its own, it is cancelled when that step is over."""

    async def scenario() -> None:
        cancelled = asyncio.Event()

        async def taking() -> None:
            await asyncio.sleep(1)
            hand.leave()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise

        hand = Hand(taking)
        assert not await hand.over()
        await asyncio.wait_for(cancelled.wait(), 1)

    play(scenario)


def test_a_cancellation_of_who_captures_is_kept_when_the_tail_is_left_too() -> None:
    """Leaving a tail and cancelling the speech in one moment still cancels the speech."""

    async def scenario() -> None:
        async def taking() -> None:
            await asyncio.Event().wait()

        hand = Hand(taking)
        speaking = asyncio.ensure_future(hand.over())
        await asyncio.sleep(1)
        hand.leave()
        speaking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await speaking

    play(scenario)
