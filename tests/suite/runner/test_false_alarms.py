"""Ways in which a sound plugin may be written: none of them fails a check."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import queue
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import aiohttp
import pytest

from conformance.plugin.provider import Provider
from conformance.results.outcomes import Outcome
from tests.mutants.mutant import SoundAdapter
from tests.mutants.robust import SoundAvatar
from tests.suite.check_runner import check_runner, subject_of

pytestmark = pytest.mark.filterwarnings("ignore")  # as in test_kill_mutants

REQUIREMENTS = (
    *("BIND-01", "BIND-03", "SWAP-02", "SWAP-10", "UNBIND-04", "UNBIND-06", "UNBIND-08"),
    *("FAULT-03", "FAULT-06", "SEC-02", "SEC-03"),
)
"""What is left behind, and what is done in the middle of a start."""


class InAThread(SoundAvatar):
    """Does a piece of work in the loop's own pool."""

    async def start(self, *args: Any, **options: Any) -> None:
        assert await asyncio.to_thread(sum, [1, 2]) == 3
        await super().start(*args, **options)


class InAPool(SoundAvatar):
    """Has an executor of its own, one for all instances, that it makes when it needs it."""

    pool: ClassVar[ThreadPoolExecutor | None] = None

    async def start(self, *args: Any, **options: Any) -> None:
        if InAPool.pool is None:
            InAPool.pool = ThreadPoolExecutor(2, thread_name_prefix="encoder")
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(InAPool.pool, sum, [1]) for _ in range(4)))
        await super().start(*args, **options)


@functools.cache
def settings() -> dict[str, object]:
    """What a plugin loads once in a process."""
    return {"connector": aiohttp.ClientTimeout(total=30), "lock": threading.Lock()}


class Cached(SoundAvatar):
    """Keeps what it has loaded for the next instance."""

    async def start(self, *args: Any, **options: Any) -> None:
        assert settings()["lock"]
        await super().start(*args, **options)


CALL: contextvars.ContextVar[str] = contextvars.ContextVar("call", default="none")


class InAContext(SoundAvatar):
    """Marks what belongs to its call by a context variable."""

    async def start(self, *args: Any, **options: Any) -> None:
        token = CALL.set(self.avatar_identity)
        try:
            await super().start(*args, **options)
            assert CALL.get() == self.avatar_identity
        finally:
            CALL.reset(token)


class InAGroup(SoundAvatar):
    """Prepares several things at once, in a task group where there is one."""

    async def start(self, *args: Any, **options: Any) -> None:
        if sys.version_info >= (3, 11):
            async with asyncio.TaskGroup() as group:
                for _ in range(3):
                    group.create_task(asyncio.sleep(0.05))
        else:
            await asyncio.gather(*(asyncio.sleep(0.05) for _ in range(3)))
        await super().start(*args, **options)


class WithAThread(SoundAvatar):
    """Starts a thread when it needs one, once in a process, and hands it work."""

    work: ClassVar[queue.Queue[Callable[[], object]]] = queue.Queue()
    thread: ClassVar[threading.Thread | None] = None

    async def start(self, *args: Any, **options: Any) -> None:
        if WithAThread.thread is None:
            WithAThread.thread = threading.Thread(target=self.serve, name="frames", daemon=True)
            WithAThread.thread.start()
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        self.work.put(lambda: loop.call_soon_threadsafe(done.set))
        await done.wait()
        await super().start(*args, **options)

    @classmethod
    def serve(cls) -> None:
        while True:
            cls.work.get()()


WAYS = (InAThread, InAPool, Cached, InAContext, InAGroup, WithAThread)


@pytest.mark.parametrize("avatar", WAYS)
def test_a_sound_plugin_passes_however_it_is_written(avatar: type[SoundAvatar]) -> None:
    """Executors, caches, context variables, tasks and a lazy thread are no defect."""
    adapter: Any = type("Adapter", (SoundAdapter,), {"avatar": avatar})()
    adapter.manifest = {"name": f"reference-{avatar.__name__.lower()}"}
    provider = Provider(adapter, label="sound", origin="a test", source="file")
    subject = subject_of(provider)
    runner = check_runner(attribution=False)
    results = [
        runner.run(subject, check, variant)
        for check in subject.checks
        if check.requirement in REQUIREMENTS
        for variant in check.variants or ((f"to-{provider.name}",) if check.for_peers else (None,))
    ]
    wrong = {
        str(result.id): result.finding or result.reason
        for result in results
        if result.outcome not in (Outcome.PASSED, Outcome.NOT_APPLICABLE)
    }
    assert not wrong
