"""A thread that waits for some time waits for it by the loop's clock."""

from __future__ import annotations

import asyncio
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from conformance.loopback.virtual_time.event_loop import VirtualClock, run_virtual


def seconds_of(wait: Callable[[], Any]) -> tuple[float, Any]:
    """How many seconds of virtual time a thread waits, and what for."""

    async def main(clock: VirtualClock) -> tuple[float, Any]:
        answer = await asyncio.to_thread(wait)
        return clock.now(), answer

    return run_virtual(main)


def full(seconds: float) -> str:
    """Wait at a queue that is full."""
    waiting: queue.Queue[int] = queue.Queue(1)
    waiting.put(1)
    with pytest.raises(queue.Full):
        waiting.put(2, timeout=seconds)
    return "full"


@pytest.mark.parametrize(
    ("wait", "answer"),
    [
        (lambda: time.sleep(90), None),
        (lambda: threading.Event().wait(90), False),
        (lambda: threading.Semaphore(0).acquire(timeout=90), False),
        (lambda: full(90), "full"),
        (lambda: (time.sleep(30), threading.Event().wait(60)), (None, False)),
    ],
)
def test_a_timed_wait_is_over_by_the_loops_clock(wait: Callable[[], Any], answer: Any) -> None:
    """Sleeping, events, semaphores and queues let no real time pass in a thread."""
    assert seconds_of(wait) == (90, answer)


def test_a_wait_that_is_ended_early_takes_no_longer() -> None:
    """What a thread waits for comes at its own time, and the thread is told so."""
    event = threading.Event()

    async def main(clock: VirtualClock) -> tuple[float, bool]:
        asyncio.get_running_loop().call_later(20, event.set)
        told = await asyncio.to_thread(event.wait, 90)
        return clock.now(), told

    assert run_virtual(main) == (20, True)


def test_a_thread_and_the_loop_take_turns_in_the_order_of_time() -> None:
    """A renderer that draws every 40 ms has drawn 25 times when the loop's second is over."""
    drawn: list[float] = []

    async def main(clock: VirtualClock) -> int:
        ended = threading.Event()

        def render() -> None:
            while not ended.wait(0.04):
                drawn.append(round(clock.now(), 3))

        thread = threading.Thread(target=render)
        thread.start()
        await asyncio.sleep(1.001)
        ended.set()
        await asyncio.to_thread(thread.join)
        return len(drawn)

    assert run_virtual(main) == 25
    assert drawn == [round(0.04 * number, 3) for number in range(1, 26)]


def test_a_thread_that_outlives_a_run_waits_on_in_the_next() -> None:
    """Between two runs no time passes for it, and the rest of its wait is over in the second."""
    woken: list[float] = []
    clocks: list[VirtualClock] = []

    def wait() -> None:
        time.sleep(10)
        woken.append(clocks[-1].now())

    async def first(clock: VirtualClock) -> None:
        clocks.append(clock)
        threading.Thread(target=wait, daemon=True).start()
        await asyncio.sleep(4)

    async def second(clock: VirtualClock) -> None:
        clocks.append(clock)
        await asyncio.sleep(5)
        assert not woken
        await asyncio.sleep(5)

    run_virtual(first)
    run_virtual(second)
    assert woken == [6]


def test_a_thread_from_before_the_first_run_stays_on_real_time() -> None:
    """A test runner's own thread that counts seconds is not hurried."""
    program = (
        "import asyncio, threading, time\n"
        "ticks = []\n"
        "def tick():\n"
        "    for _ in range(100):\n"
        "        time.sleep(0.02); ticks.append(1)\n"
        "threading.Thread(target=tick, daemon=True).start()\n"
        "from conformance.loopback.virtual_time.event_loop import run_virtual\n"
        "async def main(clock): await asyncio.sleep(3000)\n"
        "run_virtual(main)\n"
        "print(len(ticks) < 100)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.stdout == "True\n", ran.stderr


def test_a_thread_that_waits_at_the_end_of_the_process_does_not_hold_it_up() -> None:
    """A thread that is no daemon goes on for real when the interpreter ends."""
    program = (
        "import asyncio, threading, time\n"
        "from conformance.loopback.virtual_time.event_loop import run_virtual\n"
        "async def main(clock): threading.Thread(target=lambda: time.sleep(1e6)).start()\n"
        "run_virtual(main)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], timeout=60)
    assert ran.returncode == 0
