"""Virtual time: an event loop that jumps to the next timer instead of waiting for it.

looptime was tried first: it looks at `run_in_executor` only, so its time jumps while a thread that
the host started itself (the recorder's encoder) is at work, and while it waits for an executor its
time moves by real time, which makes two runs differ. It also spends 42 idle loop iterations before
each jump, and leaves `time.time`, `time.monotonic` and `time.perf_counter` alone.

    async def main(clock): ...
    result = run_virtual(main)
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import heapq
import random
import selectors
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from conformance.stage.network.event_loop import NetworkedLoop
from conformance.stage.network.network import REAL_TIME_HINT

from .hangs import HANGS, ClockError, Deadlock, Spinning, ThreadStuck, TimeLimit
from .patched_time import NANOSECONDS, PatchedTime, real_monotonic, real_sleep
from .thread_waits import THREAD_WAITS
from .threads import ThreadWatch
from .wait_site import where_it_waits

T = TypeVar("T")

THREAD_PATIENCE = 5.0
"""For how many real seconds time stands still for a thread that is at work."""

CHILD_PATIENCE = 1.0
"""For how many real seconds time stands still for a child process that the loop waits for."""

SPIN_LIMIT = 5_000_000
"""How many loop iterations may happen at one moment of virtual time."""

_CLEANUP_LIMIT = 60.0
_START_NS = 1_000 * NANOSECONDS
_REST = 1.0
_CHILD_STEP = 0.01
_STEP = 0.001
_SHORTEST_PAUSE = 0.00002
_PATIENCE_AT_ONCE = 10


class _JumpingSelector(selectors.DefaultSelector):
    """Asks the loop what to do instead of waiting."""

    poll: Callable[[float | None], Any]

    def select(self, timeout: float | None = None) -> Any:
        return self.poll(timeout)

    def really_select(self, timeout: float | None) -> Any:
        return super().select(timeout)


class _Timer(asyncio.TimerHandle):
    __slots__ = ("_order",)
    _scheduled: bool

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop,
        context: contextvars.Context | None,
        number: int,
    ) -> None:
        super().__init__(when, callback, args, loop, context)
        self._order = (round(when * NANOSECONDS), number)

    def __lt__(self, other: Any) -> bool:
        return bool(self._order < other._order)


class VirtualLoop(NetworkedLoop):
    """An event loop on virtual time. Use :func:`run_virtual` to run something on one.

    ``seed`` shuffles the tasks that are ready in the same iteration, in a way that only depends
    on it; other callbacks keep their order among themselves, which asyncio promises. ``limit`` is
    in simulated seconds.
    """

    _ready: deque[asyncio.Handle]
    _scheduled: list[_Timer]

    def __init__(self, *, seed: int | None = None, limit: float = 3600.0) -> None:
        self._timers_made = 0
        self._now_ns = _START_NS
        self._end_ns = _START_NS + round(limit * NANOSECONDS)
        self._limit = limit
        self._random = None if seed is None else random.Random(seed)
        self._rounds = 0
        self._due_at_once = 0
        self._jobs: set[asyncio.Future[Any]] = set()
        self._main: asyncio.Future[Any] | None = None
        self._real = _JumpingSelector()
        self._real.poll = self._poll
        self._watch = ThreadWatch()
        self._stuck = False
        self._patience_with_children = CHILD_PATIENCE
        super().__init__(self._real)
        self._own_files = len(self._real.get_map())
        self._clock_resolution = 1 / NANOSECONDS
        self.patched_time = PatchedTime(self, start_ns=_START_NS)

    def time(self) -> float:
        """The loop's time in seconds; it starts at 1000, so that no moment is false."""
        return self._now_ns / NANOSECONDS

    def time_ns(self) -> int:
        """The loop's time in nanoseconds."""
        return self._now_ns

    def elapsed(self) -> float:
        """Simulated seconds since the loop was made."""
        return (self._now_ns - _START_NS) / NANOSECONDS

    def pass_time(self, seconds: float) -> None:
        """Let time pass at once, as a blocking call in the loop's thread would."""
        self._move_to(self._now_ns + round(max(0.0, seconds) * NANOSECONDS))

    def block_thread(self, file: int, events: int, timeout: float | None) -> bool:
        """Block a thread until ``file`` is ready; false after ``timeout`` simulated seconds."""
        return THREAD_WAITS.wait_for_file(file, events, timeout)

    def run_in_executor(  # type: ignore[override]  # typeshed's has type variables
        self, executor: Any, func: Any, *args: Any
    ) -> asyncio.Future[Any]:
        """Run ``func`` in a thread; time stands still until it is done."""
        future = super().run_in_executor(executor, func, *args)
        self._jobs.add(future)
        future.add_done_callback(self._jobs.discard)
        return future

    def call_at(  # type: ignore[override]  # typeshed's has type variables
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call back at ``when``; timers of the same moment run in the order they were made in."""
        if self.is_closed():
            raise RuntimeError("Event loop is closed")
        self._timers_made += 1
        timer = _Timer(when, callback, args, self, context, self._timers_made)
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True
        return timer

    def _move_to(self, now_ns: int) -> None:
        if now_ns > self._now_ns:
            self._now_ns = now_ns
            self._rounds = self._due_at_once = 0
            self.patched_time.show(now_ns)

    def _poll(self, timeout: float | None) -> Any:
        events: Any = ()
        if timeout is None or timeout > 0 or self._has_sockets():
            events = self._real.really_select(0)
        self._rounds += 1
        if self._rounds > SPIN_LIMIT:
            self._rounds = 0
            raise Spinning(
                f"{SPIN_LIMIT} loop iterations without any time passing: {self._whereabouts()}"
            )
        if timeout == 0 and not self._ready:
            # A timer that is due as soon as it is set, again and again, counts on time to pass.
            self._due_at_once += 1
            if self._due_at_once > _PATIENCE_AT_ONCE:
                self._move_to(self._now_ns + 1)
        if timeout == 0 or events or self._ready:
            if self._random is not None:
                self._shuffle()
            return events
        events = self._wait_for_threads()
        if not events and not self._ready:
            events = self._wait_for_children()
        if not events and not self._ready:
            events = self._jump()
        if self._random is not None:
            self._shuffle()
        return events

    def _has_sockets(self) -> bool:
        return len(self._real.get_map()) > self._own_files

    def _wait_for_threads(self) -> Any:
        """Wait in real time while a thread is at work; returns the events that ended the wait."""
        busy = self._watch.at_work(len(self._jobs))
        if not busy:
            # A thread may have written to a socket, and parked, since the look at events.
            return self._real.really_select(0) if self._has_sockets() else ()
        give_up_at = real_monotonic() + THREAD_PATIENCE
        give_up_on_children_at = real_monotonic() + CHILD_PATIENCE
        pause = _SHORTEST_PAUSE
        while True:
            # epoll waits for whole milliseconds, and most threads are done sooner.
            pause = min(2 * pause, _STEP)
            if pause < _STEP:
                real_sleep(pause)
            events = self._real.really_select(_STEP if pause == _STEP else 0)
            if events or self._ready:
                return events
            busy = self._watch.at_work(len(self._jobs))
            if not busy:
                # What a thread did last before it parked may have come after the look at events.
                return self._real.really_select(0)
            if real_monotonic() > give_up_on_children_at and self._watch.wait_for_children(busy):
                self._watch.ignore(busy)
                return ()
            if real_monotonic() > give_up_at:
                self._stuck = True
                raise ThreadStuck(
                    f"a thread has been at work for {THREAD_PATIENCE:g} real seconds, and virtual"
                    f" time waits no longer: {self._watch.describe(busy)}; {REAL_TIME_HINT}"
                )

    def _wait_for_children(self) -> Any:
        """Wait a little, in real time, for a child process that the loop may be told of."""
        network = self.network
        if network is None:
            return ()
        while self._patience_with_children > 0 and network.has_child:
            began = real_monotonic()
            events = self._real.really_select(_CHILD_STEP)
            self._patience_with_children -= real_monotonic() - began
            if events:
                return events
        return ()

    def _jump(self) -> Any:
        timer_ns = round(self._scheduled[0].when() * NANOSECONDS) if self._scheduled else None
        thread_ns = THREAD_WAITS.next_ns
        if timer_ns is None and thread_ns is None:
            if self._has_sockets():
                events = self._real.really_select(THREAD_PATIENCE)
                if events:
                    return events
            raise Deadlock(f"nothing can ever happen any more: {self._whereabouts()}")
        when_ns = min(ns for ns in (timer_ns, thread_ns) if ns is not None)
        if when_ns > self._end_ns:
            self._move_to(self._end_ns)
            raise TimeLimit(
                f"not done after {self._limit:g} simulated seconds: {self._whereabouts()}"
            )
        if self.network is not None:
            self.network.time_passes()
        self._move_to(when_ns)
        THREAD_WAITS.expire(self._now_ns)
        return ()

    def _shuffle(self) -> None:
        assert self._random is not None
        due = self.time() + self._clock_resolution
        while self._scheduled and self._scheduled[0].when() < due:
            handle = heapq.heappop(self._scheduled)
            handle._scheduled = False
            self._ready.append(handle)
        if len(self._ready) < 2:
            return
        handles = list(self._ready)
        shuffled = self._random.sample(handles, len(handles))
        plain = iter([handle for handle in handles if not _is_task_step(handle)])
        self._ready.clear()
        self._ready.extend(handle if _is_task_step(handle) else next(plain) for handle in shuffled)

    def _whereabouts(self) -> str:
        return where_it_waits(self._main) if self._main is not None else "no main task"

    def run_main(self, main: Awaitable[T]) -> T:
        """Run ``main`` to its end; a `ClockError` says where it was waiting."""
        self._main = asyncio.ensure_future(main, loop=self)
        return self.run_until_complete(self._main)  # type: ignore[no-any-return]

    def wind_up(self) -> None:
        """Cancel every task, shut down generators and the executor, close the loop."""
        self._end_ns = self._now_ns + round(_CLEANUP_LIMIT * NANOSECONDS)
        self._limit = _CLEANUP_LIMIT
        try:
            # A task that ignores its cancellation would end nothing; the loop is closed all the
            # same, and its own verdict has been raised already.
            with contextlib.suppress(ClockError):
                self._cancel_tasks()
            with contextlib.suppress(ClockError):
                self.run_until_complete(self.shutdown_asyncgens())
            self._end_pool()
            self._let_threads_rest()
        finally:
            self.close()

    def _let_threads_rest(self) -> None:
        """Wait until the threads that go on after the run wait for something, as in the run."""
        give_up_at = real_monotonic() + _REST
        while not self._stuck and self._watch.at_work(0) and real_monotonic() < give_up_at:
            real_sleep(_STEP)

    def _end_pool(self) -> None:
        """End the threads of the default executor; one that waits for what never comes is left.

        asyncio's own coroutine for it, given up half-way, would join that thread when it is
        collected as garbage: in the middle of anything, for ever.
        """
        executor: Any = self._default_executor  # type: ignore[attr-defined]
        if executor is None:
            return
        ending = threading.Thread(target=executor.shutdown, name="end of the pool", daemon=True)
        ending.start()
        give_up_at = real_monotonic() + THREAD_PATIENCE
        while ending.is_alive() and self._watch.at_work(0) and real_monotonic() < give_up_at:
            ending.join(_STEP)

    def _cancel_tasks(self) -> None:
        tasks = asyncio.all_tasks(self)
        if not tasks:
            return
        for task in tasks:
            task.cancel()
        self.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        for task in tasks:
            if not task.cancelled() and task.exception() is not None and task is not self._main:
                self.call_exception_handler(
                    {
                        "message": "a task failed while it was being cancelled",
                        "exception": task.exception(),
                        "task": task,
                    }
                )


class VirtualClock:
    """The clock of a run on a `VirtualLoop`; seconds count from the start of the run."""

    virtual = True

    def __init__(self, loop: VirtualLoop) -> None:
        self.loop = loop

    def now(self) -> float:
        """Simulated seconds since the run began."""
        return self.loop.elapsed()

    async def sleep(self, seconds: float) -> None:
        """Wait for that many simulated seconds."""
        await asyncio.sleep(seconds)


def run_virtual(
    main: Callable[[VirtualClock], Awaitable[T]], *, seed: int | None = None, limit: float = 3600.0
) -> T:
    """Run ``main(clock)`` on a fresh `VirtualLoop` and return what it returns.

    All clocks of the process show the loop's time meanwhile, from 2026-01-01T00:00:00Z on, and
    are put back afterwards. What ``main`` has left behind is cancelled. Raises `Deadlock`,
    `TimeLimit` (``limit`` in simulated seconds), `Spinning` or `ThreadStuck` when it can't end.
    """
    if asyncio._get_running_loop() is not None:
        raise RuntimeError(
            "run_virtual() was called inside a running event loop: call it from a plain function"
        )
    loop = VirtualLoop(seed=seed, limit=limit)
    with loop.patched_time:
        try:
            return loop.run_main(_called(main, VirtualClock(loop)))
        finally:
            loop.wind_up()


async def _called(main: Callable[[VirtualClock], Awaitable[T]], clock: VirtualClock) -> T:
    return await main(clock)


def _is_task_step(handle: asyncio.Handle) -> bool:
    callback: Any = handle._callback  # type: ignore[attr-defined]
    return isinstance(getattr(callback, "__self__", None), asyncio.Task)


__all__ = [
    "HANGS",
    "ClockError",
    "Deadlock",
    "Spinning",
    "ThreadStuck",
    "TimeLimit",
    "VirtualClock",
    "VirtualLoop",
    "run_virtual",
]
