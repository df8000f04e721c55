"""Tells whether Python threads that belong to a run are at work, without asking the threads.

A thread that waits for something to do has a wait as its innermost Python frame. Whether it has
been handed something already can be read from what it waits on, even before it has woken up:
`threading.Condition` drops a waiter the moment it is notified, an executor's queue holds the job,
an event loop has a ready callback.
"""

from __future__ import annotations

import asyncio
import concurrent.futures.thread
import selectors
import sys
import threading
from collections.abc import Iterable, Mapping
from types import CodeType, FrameType

from .thread_waits import waits_on_virtual_time

_CONDITION_WAIT = threading.Condition.wait.__code__
_EXECUTOR_WORKER: CodeType = concurrent.futures.thread._worker.__code__
_LOOP_ONCE: CodeType = asyncio.BaseEventLoop._run_once.__code__  # type: ignore[attr-defined]
_CHILD_WATCHER: CodeType | None = getattr(
    getattr(getattr(asyncio, "ThreadedChildWatcher", None), "_do_waitpid", None), "__code__", None
)
"""Where the thread of a child watcher waits; later versions of asyncio have no such thread."""

_JOINS = {
    function.__code__
    for function in (
        threading.Thread.join,
        getattr(threading.Thread, "_wait_for_tstate_lock", None),
    )
    if function is not None
}


class ThreadWatch:
    """Watches the threads of a run: those started after it was made, and idle ones of before.

    Threads that were there before and wait in a way that nobody can hand them work through (the
    main thread, a debugger's, a test runner's) are never looked at.
    """

    def __init__(self) -> None:
        frames = sys._current_frames()
        own = threading.get_ident()
        self._before = threading.enumerate()
        # the threads, not their idents: that of a thread which has ended is the next one's
        self._ignored = frozenset(
            thread
            for thread in self._before
            if thread.ident is not None
            and (thread.ident == own or not _idles_in_pool(frames.get(thread.ident)))
        )
        self._quiet = len(self._ignored) == len(self._before)

    def at_work(self, jobs: int) -> list[threading.Thread]:
        """The threads that are not waiting for something to do.

        ``jobs`` is how many jobs the loop has given to executors that are not done. When more are
        not done than pool threads wait inside a job, idle pool threads count as at work: one of
        them is about to take it.
        """
        threads = threading.enumerate()
        if self._quiet and threads == self._before:
            return []
        frames = sys._current_frames()
        busy: list[threading.Thread] = []
        idle_in_pool: list[threading.Thread] = []
        waiting_in_job = 0
        for thread in threads:
            ident = thread.ident
            if thread in self._ignored:
                continue
            if ident is None:
                busy.append(thread)  # it is about to begin
                continue
            frame = frames.get(ident)
            if frame is None:
                continue
            if not _parked(frame, frames):
                busy.append(thread)
            elif frame.f_code is _EXECUTOR_WORKER:
                idle_in_pool.append(thread)
            elif jobs and _runs_for_pool(frame):
                waiting_in_job += 1
        if not busy and jobs > waiting_in_job:
            return idle_in_pool
        return busy

    def ignore(self, threads: Iterable[threading.Thread]) -> None:
        """Look at these threads no more in this run."""
        self._ignored |= frozenset(threads)

    @staticmethod
    def wait_for_children(threads: Iterable[threading.Thread]) -> bool:
        """Whether all of them do nothing but wait for a child process of the loop's to end."""
        frames = sys._current_frames()
        found = [frames.get(thread.ident or 0) for thread in threads]
        return all(f is not None and f.f_code is _CHILD_WATCHER for f in found)

    @staticmethod
    def describe(threads: Iterable[threading.Thread]) -> str:
        """Each thread's name and where it is: ``recorder (encode.py:12 in run)``."""
        frames = sys._current_frames()
        words = []
        for thread in threads:
            frame = frames.get(thread.ident or 0)
            where = ""
            if frame is not None:
                code = frame.f_code
                file = code.co_filename.replace("\\", "/").rsplit("/", 1)[-1]
                where = f" ({file}:{frame.f_lineno} in {code.co_name})"
            words.append(f"{thread.name}{where}")
        return ", ".join(words)


def _idles_in_pool(frame: FrameType | None) -> bool:
    if frame is None:
        return False
    return frame.f_code in (_EXECUTOR_WORKER, _CONDITION_WAIT) or waits_on_virtual_time(frame)


def _runs_for_pool(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code is _EXECUTOR_WORKER:
            return True
        frame = frame.f_back
    return False


def _parked(frame: FrameType, frames: Mapping[int, FrameType]) -> bool:
    code = frame.f_code
    if waits_on_virtual_time(frame):
        return True
    if code is _CONDITION_WAIT:
        waiting = frame.f_locals
        return "waiter" in waiting and waiting["waiter"] in waiting["self"]._waiters
    if code is _EXECUTOR_WORKER:
        waiting = frame.f_locals
        return waiting.get("work_item") is None and waiting["work_queue"].empty()
    if code in _JOINS:
        joined = frame.f_locals.get("self")
        # One that has no frame any more is about to end, and whoever joins it to go on.
        return isinstance(joined, threading.Thread) and joined.ident in frames
    caller = frame.f_back
    if caller is not None and caller.f_code is _LOOP_ONCE and _in_selectors(frame):
        return not caller.f_locals["self"]._ready
    return False


def _in_selectors(frame: FrameType) -> bool:
    return frame.f_globals.get("__name__") == selectors.__name__
