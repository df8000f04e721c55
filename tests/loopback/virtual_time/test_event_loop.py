from __future__ import annotations

import asyncio
import datetime
import gc
import inspect
import queue
import threading
import time

import pytest

from conformance.loopback.virtual_time import event_loop as clock_module
from conformance.loopback.virtual_time.event_loop import (
    Deadlock,
    Spinning,
    ThreadStuck,
    TimeLimit,
    VirtualClock,
    run_virtual,
)
from conformance.loopback.virtual_time.threads import ThreadWatch

REAL = (time.monotonic, time.perf_counter, time.monotonic_ns, time.perf_counter_ns, time.sleep)


def _clocks() -> tuple[object, ...]:
    return (
        time.monotonic,
        time.perf_counter,
        time.monotonic_ns,
        time.perf_counter_ns,
        time.sleep,
    )


def test_time_jumps_to_the_next_timer() -> None:
    """An hour of sleeping takes no real time and is shown by the clock."""
    started = time.monotonic()

    async def main(clock: VirtualClock) -> float:
        await clock.sleep(3599.5)
        return clock.now()

    assert run_virtual(main) == 3599.5
    assert time.monotonic() - started < 5


def test_every_clock_of_the_process_moves_with_the_loop() -> None:
    """time.time, datetime, monotonic and perf_counter all show the same simulated time."""

    async def main(clock: VirtualClock) -> list[float]:
        loop = asyncio.get_running_loop()
        before = [time.time(), time.monotonic(), time.perf_counter(), loop.time()]
        stamp = datetime.datetime.now(datetime.timezone.utc)
        nanoseconds = time.time_ns(), time.monotonic_ns(), time.perf_counter_ns()
        await asyncio.sleep(1.25)
        after = [time.time(), time.monotonic(), time.perf_counter(), loop.time()]
        passed = [b - a for a, b in zip(before, after, strict=True)]
        passed.append((datetime.datetime.now(datetime.timezone.utc) - stamp).total_seconds())
        later = time.time_ns(), time.monotonic_ns(), time.perf_counter_ns()
        passed += [(b - a) / 1e9 for a, b in zip(nanoseconds, later, strict=True)]
        return passed

    assert run_virtual(main) == pytest.approx([1.25] * 8, abs=1e-6)


def test_a_run_starts_at_the_same_date() -> None:
    """Every run begins at 2026-01-01T00:00:00Z."""

    async def main(clock: VirtualClock) -> str:
        return datetime.datetime.now(datetime.timezone.utc).isoformat()

    assert run_virtual(main) == "2026-01-01T00:00:00+00:00"


def test_a_name_bound_from_time_moves_too() -> None:
    """A module that did `from time import monotonic` sees simulated time, and gets it back."""
    import sys
    import types

    module = types.ModuleType("bound_from_time_for_a_test")
    vars(module)["now"] = time.monotonic
    sys.modules[module.__name__] = module
    try:

        async def main(clock: VirtualClock) -> float:
            before: float = module.now()
            await asyncio.sleep(9)
            return float(module.now() - before)

        assert run_virtual(main) == pytest.approx(9)
        assert module.now is time.monotonic
    finally:
        del sys.modules[module.__name__]


def test_clocks_are_put_back_after_an_exception() -> None:
    """Whatever ends the run, the process's own clocks are back, and the year with them."""

    async def main(clock: VirtualClock) -> None:
        assert _clocks() != REAL
        raise LookupError("as told")

    real = time.time()
    with pytest.raises(LookupError, match="as told"):
        run_virtual(main)
    assert _clocks() == REAL
    assert abs(time.time() - real) < 60


def test_a_blocking_sleep_moves_the_clock() -> None:
    """time.sleep in the loop's thread lets simulated time pass at once."""

    async def main(clock: VirtualClock) -> float:
        asyncio.get_running_loop().slow_callback_duration = 3600
        time.sleep(40)  # noqa: ASYNC251  # what a plugin might do is what is tested
        return clock.now()

    assert run_virtual(main) == 40


def test_time_stands_still_while_a_thread_is_at_work() -> None:
    """A thread that was handed work through a queue is done before the next timer fires."""

    async def main(clock: VirtualClock) -> list[tuple[int, float]]:
        loop = asyncio.get_running_loop()
        todo: queue.Queue[int | None] = queue.Queue()
        done: list[tuple[int, float]] = []

        def finish(item: int) -> None:
            done.append((item, clock.now()))

        def work() -> None:
            while (item := todo.get()) is not None:
                sum(range(300_000))
                loop.call_soon_threadsafe(finish, item)

        thread = threading.Thread(target=work)
        thread.start()
        for number in range(4):
            todo.put(number)
            await asyncio.sleep(1)
        todo.put(None)
        await asyncio.sleep(1)
        assert not thread.is_alive()
        thread.join()
        return done

    assert run_virtual(main) == [(0, 0.0), (1, 1.0), (2, 2.0), (3, 3.0)]


def test_a_thread_with_the_ident_of_one_that_has_ended_is_watched() -> None:
    """The system gives an ident again: a thread from before the run hides none of the run's."""
    gate = threading.Lock()
    gate.acquire()
    earlier = threading.Thread(target=gate.acquire)
    earlier.start()
    watch = ThreadWatch()
    gate.release()
    earlier.join()
    done = threading.Event()
    later = threading.Thread(target=lambda: [None for _ in iter(done.is_set, True)])
    later.start()
    try:
        assert watch.at_work(0) == [later]
    finally:
        done.set()
        later.join()


def test_time_stands_still_for_an_executor_job() -> None:
    """A job in the default executor is answered at the moment it was asked for."""

    async def main(clock: VirtualClock) -> tuple[int, float]:
        ticking = asyncio.create_task(asyncio.sleep(0.001))
        total = await asyncio.to_thread(sum, range(1_000_000))
        at = clock.now()
        await ticking
        return total, at

    assert run_virtual(main) == (499999500000, 0.0)


def test_an_executor_job_that_waits_does_not_stop_time() -> None:
    """A job that itself waits for the loop lets time go on."""

    async def main(clock: VirtualClock) -> float:
        box: queue.Queue[int] = queue.Queue()
        waiting = asyncio.get_running_loop().run_in_executor(None, box.get)
        await asyncio.sleep(5)
        box.put(1)
        await waiting
        return clock.now()

    assert run_virtual(main) == 5


def test_a_job_that_never_ends_is_left_alone() -> None:
    """Nothing of the run joins its thread later, which would hang whoever collects garbage."""
    gate = threading.Event()

    async def main(clock: VirtualClock) -> None:
        asyncio.get_running_loop().run_in_executor(None, gate.wait)
        await asyncio.sleep(1)

    try:
        run_virtual(main)
        coroutines = filter(inspect.iscoroutine, gc.get_objects())
        assert "shutdown_default_executor" not in [each.__name__ for each in coroutines]
    finally:
        gate.set()


def test_a_thread_that_never_comes_to_rest_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the real-time cap the run ends, naming the thread and where it is."""
    monkeypatch.setattr(clock_module, "THREAD_PATIENCE", 0.05)
    spinning = [True]

    def spin() -> None:
        while spinning:
            pass

    thread = threading.Thread(target=spin, name="spinner")

    async def main(clock: VirtualClock) -> None:
        thread.start()
        await asyncio.sleep(1)

    try:
        with pytest.raises(ThreadStuck, match=r"spinner \(test_event_loop\.py:\d+ in spin\)"):
            run_virtual(main)
    finally:
        spinning.clear()
        thread.join()


def test_a_deadlock_names_where_the_main_task_waits() -> None:
    """When nothing can happen any more the run ends at once and says where it hung."""

    async def never() -> None:
        await asyncio.Event().wait()

    async def main(clock: VirtualClock) -> None:
        await asyncio.gather(never(), asyncio.sleep(2))

    with pytest.raises(Deadlock, match=r"nothing can ever happen any more: .*never.* <- .*main"):
        run_virtual(main)


def test_the_limit_bounds_simulated_time() -> None:
    """A run that goes on and on ends after its limit of simulated seconds."""

    async def main(clock: VirtualClock) -> None:
        while clock.now() >= 0:  # noqa: ASYNC110  # going on and on is the point
            await asyncio.sleep(7)

    with pytest.raises(TimeLimit, match=r"not done after 60 simulated seconds: .*main"):
        run_virtual(main, limit=60)


def test_spinning_without_time_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that yields for ever at one moment ends the run."""
    monkeypatch.setattr(clock_module, "SPIN_LIMIT", 1000)

    async def main(clock: VirtualClock) -> None:
        while clock.now() == 0:  # noqa: ASYNC110  # spinning is the point
            await asyncio.sleep(0)

    with pytest.raises(Spinning, match="1000 loop iterations"):
        run_virtual(main)


def test_timers_of_one_moment_fire_in_the_order_they_were_set() -> None:
    """Without a seed, what is due at the same moment happens first come, first served."""
    assert run_virtual(_race) == list(range(8))


def test_a_timer_that_waits_for_time_to_pass_its_moment_gets_there() -> None:
    """A callback that sets itself anew until now is later than its deadline comes to an end."""

    async def main(clock: VirtualClock) -> float:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + 2
        passed = loop.create_future()

        def look() -> None:
            if loop.time() <= deadline:
                loop.call_at(deadline, look)
            else:
                passed.set_result(None)

        look()
        await passed
        return clock.now()

    assert run_virtual(main) == pytest.approx(2, abs=1e-6)


def test_a_seed_shuffles_the_same_way_each_time() -> None:
    """The same seed gives the same order, another seed another one."""
    first = run_virtual(_race, seed=1)
    assert first == run_virtual(_race, seed=1)
    assert sorted(first) == list(range(8))
    assert len({tuple(run_virtual(_race, seed=seed)) for seed in range(5)}) > 1


def test_a_seed_keeps_the_order_of_plain_callbacks() -> None:
    """Callbacks that are no steps of tasks run in the order in which they were registered."""

    async def main(clock: VirtualClock) -> list[int]:
        order: list[int] = []
        for number in range(20):
            asyncio.get_running_loop().call_soon(order.append, number)
        await asyncio.sleep(1)
        return order

    assert all(run_virtual(main, seed=seed) == list(range(20)) for seed in range(5))


def test_what_is_left_over_is_cancelled() -> None:
    """Tasks that main leaves behind are cancelled and see it, generators are closed."""
    seen: list[str] = []

    async def left() -> None:
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async def main(clock: VirtualClock) -> asyncio.Task[None]:
        task = asyncio.create_task(left())
        await asyncio.sleep(0)
        return task

    assert run_virtual(main).cancelled()
    assert seen == ["cancelled"]


def test_a_task_that_ignores_its_cancellation_does_not_hang_the_end() -> None:
    """The end of a run is bounded too."""

    async def stubborn() -> None:
        while True:
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                continue

    async def main(clock: VirtualClock) -> int:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        task = asyncio.create_task(stubborn())
        await asyncio.sleep(5)
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # it is the subject here
        return 1

    assert run_virtual(main) == 1


def test_inside_a_running_loop_it_says_what_to_do() -> None:
    """run_virtual is for plain functions, and says so."""

    async def main(clock: VirtualClock) -> None:
        with pytest.raises(RuntimeError, match="inside a running event loop: call it from a plain"):
            run_virtual(main)

    run_virtual(main)


async def _race(clock: VirtualClock) -> list[int]:
    order: list[int] = []

    async def runner(number: int) -> None:
        await asyncio.sleep(1)
        order.append(number)

    await asyncio.gather(*(runner(number) for number in range(8)))
    return order


def test_what_nobody_awaited_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """An exception that no one retrieved is logged without a traceback."""

    async def main(clock: VirtualClock) -> None:
        clock.loop.call_exception_handler(
            {"message": "Task exception was never retrieved", "exception": ValueError("no avatar")}
        )

    run_virtual(main)
    assert "Task exception was never retrieved: ValueError: no avatar" in caplog.text
    assert "Traceback" not in caplog.text
