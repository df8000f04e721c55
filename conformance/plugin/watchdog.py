"""A bound in real time for code that may never come to an end.

Virtual time has bounds of its own, which need a loop that turns. A busy loop, a lock that nobody
releases or a process pool that is waited for stops the loop itself: then a signal ends it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from time import monotonic
from types import FrameType

from .code_owner import is_foreign, module_of, outwards, place

PATIENCE = 60.0
"""Seconds of real time that a hook, or a check in virtual time, may take by default."""

_LOOK_EVERY = 0.005
_LOOKS = 200
"""How often a stack is looked at, and how many times, until the provider's own code is in it."""

_AGAIN_AFTER = 1.0
_STRIKES = 10
"""Seconds after which code that goes on is interrupted again, and the times that this is tried."""

_SHOWN = 5
_DEBUGGERS = frozenset({"bdb", "pdb", "IPython.terminal.debugger", "pydevd"})


class StillRunning(Exception):
    """Code took longer than it may; the message says how long, and where it was."""


class _Interruption(KeyboardInterrupt):
    """Raised in the code that runs: asyncio lets no other exception through its tasks."""


def end_process(why: str) -> None:
    """Say why on the process's own standard error, and end it."""
    os.write(2, f"avatar-conformance: {why}\n".encode("utf-8", "replace"))
    os._exit(1)


when_nothing_helps: Callable[[str], None] = end_process
"""Called in the main thread, with a sentence, where code catches every interruption."""


@contextmanager
def watchdog(seconds: float) -> Iterator[None]:
    """Interrupt what runs inside once it has taken ``seconds`` of real time.

    Raises `StillRunning` then, whatever the code makes of the interruption. Watchdogs can be
    nested. In another than the main thread, and where the system has no interval timers (Windows),
    nothing is watched.
    """
    if (
        not hasattr(signal, "setitimer")
        or threading.current_thread() is not threading.main_thread()
    ):
        yield
        return
    watch = _Watch(seconds, sys._getframe(2))
    began = monotonic()
    handler = signal.signal(signal.SIGALRM, watch.look)
    remaining, interval = signal.setitimer(signal.ITIMER_REAL, seconds, _LOOK_EVERY)
    try:
        yield
    except BaseException as error:
        if watch.place is None:
            raise
        raise StillRunning(watch.sentence) from (
            None if isinstance(error, _Interruption) else error
        )
    finally:
        watch.over = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if remaining:
            left = max(remaining - (monotonic() - began), _LOOK_EVERY)
            signal.setitimer(signal.ITIMER_REAL, left, interval)
    if watch.place is not None:
        raise StillRunning(watch.sentence)


class _Watch:
    """Looks at what runs once the time is over; ``place`` is None until then."""

    def __init__(self, seconds: float, outside: FrameType) -> None:
        self._seconds = seconds
        self._outside = outside
        self._looks = 0
        self._strikes = 0
        self.place: str | None = None
        self.over = False

    @property
    def sentence(self) -> str:
        """How long it took, and where it was."""
        return f"it was still running after {self._seconds:g} s of real time, in {self.place}"

    def look(self, number: int, frame: FrameType | None) -> None:
        """Handle the alarm: find the provider's code, then interrupt, again and again."""
        if self.over:
            return
        self._looks += 1
        stack = tuple(takewhile(lambda each: each is not self._outside, outwards(frame)))
        if any(module_of(each) in _DEBUGGERS for each in stack):
            signal.setitimer(signal.ITIMER_REAL, 0)  # somebody is looking at it
            return
        own = [each for each in stack if not is_foreign(each)]
        if self.place is None:
            if not own and self._looks < _LOOKS:
                return
            self.place = _words(own or stack)
            signal.setitimer(signal.ITIMER_REAL, _AGAIN_AFTER, _AGAIN_AFTER)
        self._strikes += 1
        if self._strikes > _STRIKES:
            signal.setitimer(signal.ITIMER_REAL, 0)
            when_nothing_helps(
                f"{self.sentence}, and went on through {_STRIKES} interruptions; nothing but the "
                "end of the process ends it"
            )
        raise _Interruption(self.sentence)


def _words(stack: list[FrameType] | tuple[FrameType, ...]) -> str:
    places = [place(frame, frame.f_lineno) for frame in stack[:_SHOWN]]
    return ", called by ".join(dict.fromkeys(places)) or "code without a stack"
