"""Says where a task is waiting, down to the innermost frame that can be seen."""

from __future__ import annotations

import asyncio
from typing import Any

_FRAMES = 4


def where_it_waits(awaited: asyncio.Future[Any]) -> str:
    """Innermost frames first, through awaited tasks: ``waiting at f (x.py:3) <- g (x.py:9)``."""
    frames: list[str] = []
    seen: set[int] = set()
    current: Any = awaited
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if not isinstance(current, asyncio.Task):
            current = next((c for c in getattr(current, "_children", ()) if not c.done()), None)
            continue
        step: Any = current.get_coro()
        while step is not None:
            frame = getattr(step, "cr_frame", None) or getattr(step, "gi_frame", None)
            frame = frame or getattr(step, "ag_frame", None)
            if frame is not None:
                code = frame.f_code
                name = getattr(code, "co_qualname", code.co_name)
                file = code.co_filename.replace("\\", "/").rsplit("/", 1)[-1]
                frames.append(f"{name} ({file}:{frame.f_lineno})")
            step = getattr(step, "cr_await", None) or getattr(step, "gi_yieldfrom", None)
        current = getattr(current, "_fut_waiter", None)
    if not frames:
        return "the main task is not waiting"
    return "waiting at " + " <- ".join(reversed(frames[-_FRAMES:]))
