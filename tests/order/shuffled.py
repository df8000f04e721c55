"""Every check in an order that a seed gives, while a plugin's thread goes on between them."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from conformance.loopback.stage import LoopbackRunner
from conformance.plugin.provider import Provider
from conformance.suite.runner.runner import CheckRunner
from conformance.suite.runner.subjects import subjects
from tests.mutants.mutant import SoundAdapter
from tests.mutants.robust import SoundAvatar
from tests.suite.check_runner import check_runner, subject_of

Outcomes = Mapping[str, str]


def outcomes(providers: Sequence[Provider], seed: int | None, requirements: str = "") -> Outcomes:
    """The outcome of every check of ``providers``, by id; in the suite's order without a seed.

    ``seed`` shuffles the checks of all providers, and what is ready at the same moment within
    each. ``requirements`` are the beginnings of those that are run, comma-separated.
    """
    runner = CheckRunner(LoopbackRunner(), seed=seed)
    wanted = tuple(requirements.split(",")) if requirements else ("",)
    runs = [
        (subject, check, variant)
        for subject in subjects(providers)
        for check in subject.checks
        if check.requirement.startswith(wanted)
        for variant in check.variants or (None,)
    ]
    if seed is not None:
        random.Random(seed).shuffle(runs)
    results = (runner.run(*run) for run in runs)
    return {str(result.id): result.outcome.value for result in results}


def differences(before: Outcomes, after: Outcomes) -> dict[str, str]:
    """The checks whose outcomes differ, with both."""
    return {
        check: f"{before.get(check, '-')}, then {after.get(check, '-')}"
        for check in {**before, **after}
        if before.get(check) != after.get(check)
    }


@contextmanager
def a_plugins_thread() -> Iterator[None]:
    """A plugin is judged, and the thread that it has started asks for a host for ever after."""
    over = threading.Event()

    def report() -> None:
        while not over.is_set():
            with suppress(OSError):
                socket.getaddrinfo("telemetry.test", 443)
            time.sleep(0.05)

    class Reporting(SoundAvatar):
        async def start(self, *args: Any, **options: Any) -> None:
            if all(thread.name != "telemetry" for thread in threading.enumerate()):
                threading.Thread(target=report, name="telemetry", daemon=True).start()
            await super().start(*args, **options)

    adapter: Any = type("Adapter", (SoundAdapter,), {"avatar": Reporting})()
    adapter.manifest = {"name": "telemetry"}
    provider = Provider(adapter, label="telemetry", origin="a test")
    subject = subject_of(provider)
    try:
        check_runner().run(subject, next(c for c in subject.checks if c.requirement == "BIND-01"))
        yield
    finally:
        over.set()
