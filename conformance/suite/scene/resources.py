"""Snapshots of resources: tasks, listeners, call handlers, HTTP sessions, WebSockets, threads."""

from __future__ import annotations

import asyncio
import concurrent.futures.thread
import sys
import threading
import weakref
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType
from typing import TYPE_CHECKING, Any

import aiohttp

from conformance import host

if TYPE_CHECKING:
    from .scene import Scene

_OURS = ("conformance.", "aiohttp.web", "aiohttp.helpers", "pytest", "_pytest")
"""Modules whose tasks belong to the kit or to the vendor's side of the network."""

LOOPS_POOL = "asyncio_"
"""Prefix of the names of a default executor's threads."""

_POOL_WORKER: CodeType = concurrent.futures.thread._worker.__code__

_MAY_LEAVE = ("conformance.reference",)


@dataclass(frozen=True)
class ResourceSnapshot:
    """The resources that exist at one moment, each by name and origin."""

    things: Mapping[str, int]

    @classmethod
    def of(cls, scene: Scene) -> ResourceSnapshot:
        """Take a snapshot now."""
        found = host.residue(scene.room, scene.session)
        for task in asyncio.all_tasks():
            name = _task_origin(task)
            if task is not asyncio.current_task() and not _is_ours(name):
                found[f"task {name}"] += 1
        for session in list(_sessions):
            if not session.closed:
                found[f"HTTP session opened by {_opened_by.get(session, 'somebody')}"] += 1
        for socket in list(_sockets):
            if not socket.closed:
                found["WebSocket to the vendor"] += 1
        for name in thread_names():
            found[f"thread {name}"] += 1
        return cls(found)

    def since(self, before: ResourceSnapshot) -> ResourceSnapshot:
        """What there is more of than ``before``."""
        return ResourceSnapshot(Counter(self.things) - Counter(before.things))

    def beyond(self, before: ResourceSnapshot) -> list[str]:
        """What there is more of than ``before``, each with its number."""
        more = self.since(before).things
        return [f"{count} x {name}" if count > 1 else name for name, count in sorted(more.items())]


def thread_names() -> Iterator[str]:
    """The threads that run Python code of their own, without the numbers in their names.

    An idle thread of the loop's own pool is the loop's, and ends with it. A native thread that
    calls into Python once, as one of the room's SDK does when it logs, is listed by `threading` for
    ever, even when it has ended: that is no evidence of anything.
    """
    frames = sys._current_frames()
    for thread in threading.enumerate():
        frame = frames.get(thread.ident or 0)
        idle = frame is not None and frame.f_code is _POOL_WORKER
        if idle and thread.name.startswith(LOOPS_POOL):
            continue
        if not isinstance(thread, threading._DummyThread):
            yield thread.name.rstrip("0123456789")


_sessions: weakref.WeakSet[aiohttp.ClientSession] = weakref.WeakSet()
_opened_by: weakref.WeakKeyDictionary[aiohttp.ClientSession, str] = weakref.WeakKeyDictionary()
_sockets: weakref.WeakSet[aiohttp.ClientWebSocketResponse] = weakref.WeakSet()


@contextmanager
def watch_connections() -> Iterator[None]:
    """Know of every HTTP session and WebSocket that is opened for the moment."""
    plain_session = aiohttp.ClientSession.__init__
    plain_socket = aiohttp.ClientWebSocketResponse.__init__

    def open_session(self: aiohttp.ClientSession, *args: Any, **options: Any) -> None:
        plain_session(self, *args, **options)
        frame = sys._getframe(1)
        _sessions.add(self)
        _opened_by[self] = f"{frame.f_globals.get('__name__', '?')}:{frame.f_code.co_name}"

    def open_socket(self: aiohttp.ClientWebSocketResponse, *args: Any, **options: Any) -> None:
        plain_socket(self, *args, **options)
        _sockets.add(self)

    aiohttp.ClientSession.__init__ = open_session  # type: ignore[method-assign]
    aiohttp.ClientWebSocketResponse.__init__ = open_socket  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        aiohttp.ClientSession.__init__ = plain_session  # type: ignore[method-assign]
        aiohttp.ClientWebSocketResponse.__init__ = plain_socket  # type: ignore[method-assign]
        _sessions.clear()
        _sockets.clear()


def _task_origin(task: asyncio.Task[Any]) -> str:
    coroutine: Any = task.get_coro()
    frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
    module = frame.f_globals.get("__name__", "?") if frame is not None else "?"
    return f"{module}:{getattr(coroutine, '__qualname__', coroutine)}"


def _is_ours(name: str) -> bool:
    return name.startswith(_OURS) and not name.startswith(_MAY_LEAVE)
