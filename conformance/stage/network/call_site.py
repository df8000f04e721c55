"""Finds whose code made a contact: the first frame that is neither the library's nor the kit's."""

from __future__ import annotations

import asyncio
import gc
import sys
from types import FrameType
from typing import Any

_MACHINERY = frozenset(sys.stdlib_module_names) | {
    "aiodns",
    "aiohappyeyeballs",
    "aiohttp",
    "anyio",
    "grpc",
    "httpcore",
    "httpx",
    "requests",
    "sniffio",
    "urllib3",
    "websocket",
    "websockets",
}
_OWN = __name__.rpartition(".")[0]
UNKNOWN = "unknown"


def origin_of_contact(loop: asyncio.AbstractEventLoop, host: str) -> str:
    """``module:function`` of the code that is reaching for ``host`` at this moment.

    aiohttp resolves names in a task of its own, whose stack ends in the event loop; the asking
    task is then the one that waits in aiohttp for the same host.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if not _is_machinery(frame):
            return _name(frame)
        if frame.f_code.co_name == "_run_once":
            break
        frame = frame.f_back
    if frame is None:
        return UNKNOWN
    for task in sorted(asyncio.all_tasks(loop), key=asyncio.Task.get_name):
        chain = _suspended_frames(task)
        if any(f.f_locals.get("host") == host for f in chain if _is_machinery(f)):
            asking = [f for f in chain if not _is_machinery(f)]
            if asking:
                return _name(asking[-1])
    return UNKNOWN


def _suspended_frames(task: asyncio.Task[Any]) -> list[FrameType]:
    frames: list[FrameType] = []
    step: Any = task.get_coro()
    while step is not None:
        frame = getattr(step, "cr_frame", None) or getattr(step, "gi_frame", None)
        if frame is not None:
            frames.append(frame)
        awaited = getattr(step, "cr_await", None) or getattr(step, "gi_yieldfrom", None)
        step = awaited if awaited is None or _has_frame(awaited) else _wrapped(awaited)
    return frames


def _has_frame(step: Any) -> bool:
    return hasattr(step, "cr_frame") or hasattr(step, "gi_frame")


def _wrapped(awaited: Any) -> Any:
    # What `coroutine.__await__()` returns shows its coroutine to nobody but the garbage collector.
    return next((inner for inner in gc.get_referents(awaited) if _has_frame(inner)), None)


def _is_machinery(frame: FrameType) -> bool:
    module = str(frame.f_globals.get("__name__", ""))
    return module.partition(".")[0] in _MACHINERY or _is_own(module)


def _is_own(module: str) -> bool:
    return module == _OWN or module.startswith(_OWN + ".")


def _name(frame: FrameType) -> str:
    code = frame.f_code
    return f"{frame.f_globals.get('__name__', '?')}:{getattr(code, 'co_qualname', code.co_name)}"
