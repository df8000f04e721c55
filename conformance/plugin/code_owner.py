"""Whose code a stack frame is of: the provider's, or of what it stands on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import FrameType

_NOT_ITS_OWN = frozenset(sys.stdlib_module_names) | {
    "__main__",
    "_pytest",
    "aiohttp",
    "conformance",
    "execnet",
    "pluggy",
    "pytest",
    "xdist",
}
_HOST = ("livekit.agents", "livekit.api", "livekit.rtc")


def is_foreign(frame: FrameType) -> bool:
    """Whether the frame is of the host, of the kit, of the standard library, or of pytest."""
    module = module_of(frame)
    if module.startswith("conformance.reference."):
        return False
    return module.partition(".")[0] in _NOT_ITS_OWN or module.startswith(_HOST)


def module_of(frame: FrameType) -> str:
    """The name of the module in which the frame's code is."""
    return str(frame.f_globals.get("__name__", "?"))


def place(frame: FrameType, line: int | None) -> str:
    """``module:function, line N``."""
    name = getattr(frame.f_code, "co_qualname", frame.f_code.co_name)
    return f"{module_of(frame)}:{name}, line {line}"


def outwards(frame: FrameType | None) -> Iterator[FrameType]:
    """The frame, its caller, the caller of that, and so on."""
    while frame is not None:
        yield frame
        frame = frame.f_back
