"""What counts as left behind."""

from __future__ import annotations

import _thread
import asyncio
import threading

import pytest

from conformance.suite.scene.resources import thread_names


def test_thread_that_was_started_is_counted_while_it_runs() -> None:
    """A plugin's own thread is left behind until it ends."""
    done = threading.Event()
    thread = threading.Thread(target=done.wait, name="somebody-1")
    thread.start()
    try:
        assert "somebody-" in list(thread_names())
    finally:
        done.set()
        thread.join()
    assert "somebody-" not in list(thread_names())


def test_native_thread_that_called_into_python_is_not_counted() -> None:
    """What threading knows of a native thread stays when that one has ended, and blames nobody."""
    called = _thread.allocate_lock()
    called.acquire()
    seen: list[threading.Thread] = []

    def call() -> None:
        seen.append(threading.current_thread())
        called.release()

    before = list(thread_names())
    _thread.start_new_thread(call, ())
    called.acquire()
    assert seen[0].name.startswith("Dummy-")
    assert list(thread_names()) == before


@pytest.mark.asyncio
async def test_an_idle_thread_of_the_loops_pool_is_not_counted() -> None:
    """What a plugin did in the loop's own pool leaves an idle thread, which is the loop's."""
    done = threading.Event()
    loop = asyncio.get_running_loop()
    before = list(thread_names())
    job = loop.run_in_executor(None, done.wait)
    assert "asyncio_" in list(thread_names())
    done.set()
    await job
    await loop.shutdown_default_executor()
    assert list(thread_names()) == before
