"""Whatever a plugin's code does, its check comes to an end with a verdict."""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from conformance.loopback.stage import LoopbackRunner
from conformance.plugin.provider import Provider
from conformance.results.outcomes import CheckResult, Outcome
from conformance.suite.runner.runner import CheckRunner
from tests.mutants.mutant import SoundAdapter
from tests.mutants.robust import SoundAvatar
from tests.suite.check_runner import subject_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs interval timers")

PATIENCE = 1.0
"""Seconds; more than a start of the sound avatar takes on a busy machine."""


def spins() -> None:
    """Wait for a flag by looking at it."""
    while True:
        pass


def waits_for_a_lock() -> None:
    """Wait for a lock that nobody releases."""
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def waits_for_a_pool() -> None:
    """Wait for a forked process that ends with nobody."""
    process = multiprocessing.get_context("fork").Process(target=threading.Event().wait)
    process.daemon = True
    process.start()
    process.join()


def reschedules_itself() -> None:
    """Ask for a turn of the loop in each turn of the loop."""

    def again() -> None:
        asyncio.get_running_loop().call_soon(again)

    again()


def exits() -> None:
    """End the application."""
    sys.exit("no licence")


def skips() -> None:
    """Skip the test that runs."""
    pytest.skip("not today")


def started_with(act: Callable[[], None]) -> type[SoundAvatar]:
    """The sound avatar, whose start() calls ``act`` too."""

    class Avatar(SoundAvatar):
        async def start(self, *args: Any, **options: Any) -> None:
            act()
            await super().start(*args, **options)

    return Avatar


def judged(avatar: type[SoundAvatar]) -> CheckResult:
    """What BIND-02 says of the sound provider with another avatar class."""
    adapter: Any = type("Adapter", (SoundAdapter,), {"avatar": avatar})()
    provider = Provider(adapter, label="endless", origin="a test", source="file")
    subject = subject_of(provider)
    check = next(check for check in subject.checks if check.requirement == "BIND-02")
    runner = CheckRunner(LoopbackRunner(patience=PATIENCE), attribution=False)
    return runner.run(subject, check)


@pytest.mark.parametrize("act", [spins, waits_for_a_lock, waits_for_a_pool, reschedules_itself])
def test_code_without_an_end_is_a_failure_with_its_place(act: Callable[[], None]) -> None:
    """The check ends, as the provider's failure."""
    result = judged(started_with(act))
    assert result.outcome is Outcome.FAILED
    assert result.finding is not None
    assert f"{__name__}:{act.__name__}" in result.finding.observed


@pytest.mark.parametrize("act", [exits, skips])
def test_what_ends_a_process_or_a_test_ends_neither(act: Callable[[], None]) -> None:
    """SystemExit and pytest's own Skipped are failures of whoever raises them."""
    result = judged(started_with(act))
    assert result.outcome is Outcome.FAILED
    assert result.finding is not None
    assert f"{__name__}:{act.__name__}" in result.finding.hint
