"""A bound in real time. Each test spins until it is interrupted, which is as soon as it can be."""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from conformance.plugin import watchdog as module
from conformance.plugin.watchdog import StillRunning, watchdog

SOON = 0.01

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs interval timers")


def spin() -> None:
    """A plugin that waits for a flag which nobody sets."""
    while True:
        pass


def test_a_busy_loop_ends_and_is_named() -> None:
    """The message says how long it took and in whose function."""
    says = r"after 0\.01 s of real time, in .*:spin, line \d+"
    with pytest.raises(StillRunning, match=says), watchdog(SOON):
        spin()


def test_a_lock_that_nobody_releases_is_waited_for_no_longer() -> None:
    """Waiting in the main thread ends, whatever it waits for."""
    lock = threading.Lock()
    lock.acquire()
    with pytest.raises(StillRunning), watchdog(SOON):
        lock.acquire()


def test_a_busy_loop_in_a_task_ends_the_loop() -> None:
    """asyncio keeps other exceptions to itself."""

    async def main() -> None:
        await asyncio.gather(asyncio.ensure_future(busy()), asyncio.Event().wait())

    async def busy() -> None:
        spin()

    with pytest.raises(StillRunning, match="spin"), watchdog(SOON):
        asyncio.run(main())
    gc.collect()  # the task that nobody asked says so when it is collected: here and now


def swallow() -> None:
    """A plugin that takes every exception for one of its own."""
    with suppress(BaseException):
        spin()


def test_code_that_catches_the_interruption_has_hung_all_the_same() -> None:
    """Whoever returns after it has taken too long."""
    with pytest.raises(StillRunning), watchdog(SOON):
        swallow()


def test_what_is_raised_in_time_goes_through() -> None:
    """A watchdog that has not barked changes nothing."""
    with pytest.raises(ValueError, match="in time"), watchdog(60):
        raise ValueError("in time")


def call_a_hook_and_spin() -> None:
    """Something that is watched in a part of it as well."""
    with watchdog(60):
        pass
    spin()


def test_an_outer_watchdog_goes_on_after_an_inner_one() -> None:
    """The alarm of the outer one is set again."""
    with pytest.raises(StillRunning, match=r"after 0\.02 s"), watchdog(0.02):
        call_a_hook_and_spin()


@pytest.fixture
def alarms() -> Iterator[list[int]]:
    """The numbers of the alarms that somebody else's handler gets."""
    heard: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: heard.append(number))
    yield heard
    signal.signal(signal.SIGALRM, before)


def test_the_alarm_of_somebody_else_is_put_back(alarms: list[int]) -> None:
    """pytest-timeout uses the same timer."""
    with watchdog(60):
        pass
    signal.raise_signal(signal.SIGALRM)
    assert alarms == [signal.SIGALRM]


def test_code_that_goes_on_and_on_is_ended_with_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After so many interruptions whoever runs the checks is told, with a sentence."""

    class Ended(BaseException):
        """The end of the process."""

    def end(why: str) -> None:
        said.append(why)
        raise Ended

    said: list[str] = []
    monkeypatch.setattr(module, "when_nothing_helps", end)
    monkeypatch.setattr(module, "_AGAIN_AFTER", 0.001)

    def go_on() -> None:
        while not said:
            swallow()

    with pytest.raises(StillRunning), watchdog(SOON):
        go_on()
    assert "went on through 10 interruptions" in said[0]


def test_in_another_thread_nothing_is_watched() -> None:
    """Signals reach the main thread alone."""
    ended: list[bool] = []

    def run() -> None:
        with watchdog(SOON):
            ended.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert ended == [True]
