"""Timed waits of threads on virtual time: sleeps, waits for conditions, and waits for files.

A thread that a plugin has started waits until the loop's time has come, as a task does. What waits
at the end of a run waits on in the next one, for as long as was left; no time passes in between.
Threads that were there before the first run, and waits that the standard library makes by itself
(of a child process, say), stay on real time.
"""

from __future__ import annotations

import _thread
import heapq
import itertools
import os
import queue
import select
import selectors
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any, TypeVar

_real_wait = threading.Condition.wait
_real_sleep = time.sleep
_real_monotonic = time.monotonic
_real_select: Any = getattr(selectors, "EpollSelector", selectors.SelectSelector).select

W = TypeVar("W", bound="Wait")

_NANOSECONDS = 1_000_000_000

_from_before: weakref.WeakSet[threading.Thread] | None = None


class Wait:
    """One wait of one thread; ``expired`` once its time has come."""

    def __init__(self, until_ns: int, number: int) -> None:
        self.until_ns = until_ns
        self.expired = False
        self.lock = _thread.allocate_lock()
        self.lock.acquire()
        self._number = number

    def __lt__(self, other: Wait) -> bool:
        return (self.until_ns, self._number) < (other.until_ns, other._number)

    def expire(self) -> None:
        """Let the thread go on."""
        self.expired = True
        try:
            self.lock.release()
        except RuntimeError:  # it was notified at this very moment
            return


class FileWait(Wait):
    """One wait of a thread for a file; ``woken`` can be read from once its time has come."""

    def __init__(self, until_ns: int, number: int) -> None:
        super().__init__(until_ns, number)
        self.woken, self._wake = os.pipe()

    def expire(self) -> None:
        """Let the thread go on."""
        self.expired = True
        os.write(self._wake, b"!")

    def close(self) -> None:
        """Close the pipe that wakes the thread."""
        os.close(self.woken)
        os.close(self._wake)


class ThreadWaits:
    """The waits of all threads of the process that are on virtual time."""

    def __init__(self) -> None:
        self._lock = _thread.allocate_lock()
        self._waits: list[Wait] = []
        self._numbers = itertools.count()
        self._now_ns: Callable[[], int] | None = None
        self._loop_thread = 0

    @property
    def next_ns(self) -> int | None:
        """The moment at which the first wait is over, in nanoseconds; None where nobody waits."""
        with self._lock:
            return self._waits[0].until_ns if self._waits else None

    def expire(self, now_ns: int) -> None:
        """End every wait that is over at ``now_ns``."""
        with self._lock:
            while self._waits and self._waits[0].until_ns <= now_ns:
                heapq.heappop(self._waits).expire()

    @contextmanager
    def on_time_of(self, now_ns: Callable[[], int]) -> Iterator[None]:
        """Put the process's threads on the time of the loop that runs in this thread."""
        remember_bystanders()
        self._shift(now_ns())
        self._now_ns, self._loop_thread = now_ns, threading.get_ident()
        exchanged: list[tuple[Any, str, Any]] = [
            (threading.Condition, "wait", self._wait_function()),
            (threading, "_time", self._monotonic),
            (queue, "time", self._monotonic),
        ]
        if hasattr(selectors, "EpollSelector"):
            exchanged.append((selectors.EpollSelector, "select", self._select_function()))
        real = [(owner, name, vars(owner)[name]) for owner, name, _ in exchanged]
        for owner, name, value in exchanged:
            setattr(owner, name, value)
        try:
            yield
        finally:
            for owner, name, value in real:
                setattr(owner, name, value)
            self._now_ns = None
            self._shift(-now_ns())

    def sleep(self, seconds: float) -> None:
        """Sleep as `time.sleep` does; on virtual time where the thread is."""
        caller = sys._getframe(2)  # of the function that stands for time.sleep
        if not self._concerns_this_thread() or _of_standard_library(caller):
            _real_sleep(seconds)
            return
        wait = self._enter(seconds, Wait)
        wait.lock.acquire()

    def wait_for_file(self, file: int, events: int, timeout: float | None) -> bool:
        """Block until ``file`` is ready for ``events`` of `poll`; false after ``timeout`` s."""
        poll = select.poll()
        poll.register(file, events)
        if not self._concerns_this_thread():
            return bool(poll.poll(None if timeout is None else round(timeout * 1000)))
        if timeout is None:
            wait_for_file(poll, file, events, None)
            return True
        entry = self._enter(timeout, FileWait)
        try:
            poll.register(entry.woken, select.POLLIN)
            wait_for_file(poll, file, events, entry)
        finally:
            self._leave(entry)
            entry.close()
        return is_ready(file, events)

    def release_all(self) -> None:
        """Let every waiting thread go on, on real time: at the end of the process."""
        with self._lock:
            waits, self._waits = self._waits, []
        for wait in waits:
            wait.expire()

    def _concerns_this_thread(self) -> bool:
        if self._now_ns is None or threading.get_ident() == self._loop_thread:
            return False
        return threading.current_thread() not in (_from_before or ())

    def _monotonic(self) -> float:
        now_ns = self._now_ns
        if now_ns is None or not self._concerns_this_thread():
            return _real_monotonic()
        return now_ns() / _NANOSECONDS

    def _enter(self, seconds: float, kind: type[W]) -> W:
        assert self._now_ns is not None
        with self._lock:
            until_ns = self._now_ns() + round(max(0.0, seconds) * _NANOSECONDS)
            wait = kind(until_ns, next(self._numbers))
            waits: list[Any] = self._waits
            heapq.heappush(waits, wait)
        return wait

    def _leave(self, wait: Wait) -> None:
        with self._lock:
            if wait in self._waits:
                self._waits.remove(wait)
                heapq.heapify(self._waits)

    def _shift(self, by_ns: int) -> None:
        with self._lock:
            for wait in self._waits:
                wait.until_ns += by_ns

    def _wait_function(self) -> Callable[..., bool]:
        def wait(condition: Any, timeout: float | None = None) -> bool:
            if timeout is None or not self._concerns_this_thread():
                return bool(_real_wait(condition, timeout))
            if not condition._is_owned():
                raise RuntimeError("cannot wait on un-acquired lock")
            entry = self._enter(timeout, Wait)
            condition._waiters.append(entry.lock)
            saved = condition._release_save()
            try:
                wait_for_either(condition, entry)
            finally:
                condition._acquire_restore(saved)
                notified = entry.lock not in condition._waiters
                if not notified:
                    condition._waiters.remove(entry.lock)
                self._leave(entry)
            return notified

        return wait

    def _select_function(self) -> Callable[..., Any]:
        def select_on_time(selector: Any, timeout: float | None = None) -> Any:
            if not self._concerns_this_thread() or (timeout is not None and timeout <= 0):
                return _real_select(selector, timeout)
            ready = _real_select(selector, 0)
            if not ready:
                self.wait_for_file(selector.fileno(), select.POLLIN, timeout)
                ready = _real_select(selector, 0)
            return ready

        return select_on_time


def wait_for_file(poll: Any, file: int, events: int, entry: FileWait | None) -> None:
    """Block until the file is ready or the time of ``entry`` has come."""
    poll.poll()


def is_ready(file: int, events: int) -> bool:
    """Whether a read from or a write to the file would not block.

    A file that somebody has closed meanwhile wakes nobody who waits for it.
    """
    poll = select.poll()
    poll.register(file, events)
    return any(not found & select.POLLNVAL for _, found in poll.poll(0))


def wait_for_either(condition: Any, entry: Wait) -> None:
    """Block until the condition is notified or the time of ``entry`` has come."""
    entry.lock.acquire()


def remember_bystanders() -> None:
    """Take the threads that are there before the first run to be nobody's whose time is virtual."""
    global _from_before
    if _from_before is None:
        _from_before = weakref.WeakSet(threading.enumerate())


def waits_on_virtual_time(frame: FrameType) -> bool:
    """Whether a thread whose innermost frame this is waits until a moment of virtual time."""
    if frame.f_code is _EITHER:
        condition, entry = frame.f_locals["condition"], frame.f_locals["entry"]
        return not entry.expired and entry.lock in condition._waiters
    if frame.f_code is _FILE:
        entry = frame.f_locals["entry"]
        expired = entry is not None and entry.expired
        return not expired and not is_ready(frame.f_locals["file"], frame.f_locals["events"])
    if frame.f_code is _SLEEP:
        wait = frame.f_locals.get("wait")
        return wait is not None and not wait.expired
    return False


def _of_standard_library(frame: FrameType) -> bool:
    module = str(frame.f_globals.get("__name__", ""))
    return module.partition(".")[0] in sys.stdlib_module_names


_EITHER: CodeType = wait_for_either.__code__
_FILE: CodeType = wait_for_file.__code__
_SLEEP: CodeType = ThreadWaits.sleep.__code__

THREAD_WAITS = ThreadWaits()
"""The waits of this process's threads; a thread can outlive the run that it was started in."""

# Threads that are no daemons are joined at the end of the process, so they must not wait there.
_at_exit: Callable[..., None] | None = getattr(threading, "_register_atexit", None)
if _at_exit is not None:
    _at_exit(THREAD_WAITS.release_all)
