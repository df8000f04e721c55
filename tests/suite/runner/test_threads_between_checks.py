"""A thread that a plugin starts, and that goes on between checks, changes no verdict by order."""

from __future__ import annotations

import itertools
import socket
import threading
from contextlib import suppress
from typing import Any

import pytest

from conformance.plugin.provider import Provider
from conformance.results.outcomes import CheckResult, Outcome
from tests.mutants.mutant import SoundAdapter
from tests.mutants.robust import SoundAvatar
from tests.suite.check_runner import check_runner, subject_of

numbers = itertools.count()


def results(avatar: type[SoundAvatar], *requirements: str) -> dict[str, CheckResult]:
    """What these requirements' checks say, in their order, of a provider seen never before."""
    adapter: Any = type("Adapter", (SoundAdapter,), {"avatar": avatar})()
    adapter.manifest = {"name": f"acme-{next(numbers)}"}
    provider = Provider(adapter, label="acme", origin="a test", source="file")
    subject = subject_of(provider)
    checks = sorted(
        (check for check in subject.checks if check.requirement in requirements),
        key=lambda check: requirements.index(check.requirement),
    )
    runner = check_runner()
    found = [
        runner.run(subject, check, variant)
        for check in checks
        for variant in check.variants or (None,)
    ]
    return {str(result.id).partition("::")[2]: result for result in found}


def telemetry(*, each_time: bool, closes: threading.Event) -> type[SoundAvatar]:
    """An avatar with a thread that reports to a host of its own: one for all, or one each."""
    running: list[threading.Thread] = []

    def report() -> None:
        with suppress(OSError):
            socket.getaddrinfo("telemetry.test", 443)
        closes.wait()

    class Reporting(SoundAvatar):
        async def start(self, *args: Any, **options: Any) -> None:
            if each_time or not running:
                running.append(threading.Thread(target=report, name="telemetry", daemon=True))
                running[-1].start()
            await super().start(*args, **options)

    return Reporting


ORDERS = (("UNBIND-08", "FAULT-03", "SEC-02"), ("SEC-02", "FAULT-03", "UNBIND-08"))


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_a_thread_that_is_started_once_is_a_leftover_of_no_check(order: tuple[str, ...]) -> None:
    """What it contacts fails SEC-02, whichever check has started it, and nothing else."""
    closes = threading.Event()
    try:
        found = results(telemetry(each_time=False, closes=closes), *order)
    finally:
        closes.set()
    contact = found.pop("SEC-02")
    assert contact.outcome is Outcome.FAILED
    assert contact.finding is not None
    assert contact.finding.observed.startswith("telemetry.test:443 by ")
    assert contact.finding.observed.count("telemetry.test") == 1
    outcomes = {result.outcome for result in found.values()}
    assert outcomes <= {Outcome.PASSED, Outcome.NOT_APPLICABLE}


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_a_thread_of_each_avatar_is_left_in_every_check(order: tuple[str, ...]) -> None:
    """A thread that every start leaves behind fails every check that asks for it."""
    closes = threading.Event()
    try:
        found = results(telemetry(each_time=True, closes=closes), *order)
    finally:
        closes.set()
    assert found["UNBIND-08"].outcome is Outcome.FAILED
    assert found["UNBIND-08"].finding is not None
    assert "thread telemetry" in found["UNBIND-08"].finding.observed
    assert found["FAULT-03[401]"].outcome is Outcome.FAILED


def test_a_thread_of_one_provider_fails_no_other() -> None:
    """What goes on after a provider's checks is not held against the provider that comes next."""
    asks = threading.Event()
    ends = threading.Event()

    def report() -> None:
        while not ends.is_set():
            asks.wait()
            asks.clear()
            with suppress(OSError):
                socket.getaddrinfo("telemetry.test", 443)

    class Reporting(SoundAvatar):
        async def start(self, *args: Any, **options: Any) -> None:
            threading.Thread(target=report, name="telemetry", daemon=True).start()
            await super().start(*args, **options)

    class Waking(SoundAvatar):
        async def start(self, *args: Any, **options: Any) -> None:
            asks.set()
            await super().start(*args, **options)

    try:
        results(Reporting, "UNBIND-06")
        assert results(Waking, "SEC-02")["SEC-02"].outcome is Outcome.PASSED
    finally:
        ends.set()
        asks.set()
