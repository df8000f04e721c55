"""Makes the process's clocks show a loop's time: `time`, `datetime`, and names bound from `time`.

time-machine moves `time.time`, `datetime` and their kin, in C, wherever they were imported to.
`time.monotonic`, `time.perf_counter`, their ``_ns`` versions and `time.sleep` are exchanged as
attributes of `time` and of every module outside the standard library that bound them by name.
Timed waits of threads are those of `thread_waits`; other waits of the standard library (selectors,
child processes) stay on real time.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Protocol

import time_machine

from .thread_waits import THREAD_WAITS

EPOCH = 1_767_225_600
"""What `time.time()` shows at the start of a run: 2026-01-01T00:00:00Z, in seconds."""

NANOSECONDS = 1_000_000_000

_REAL: dict[str, Callable[..., Any]] = {
    "monotonic": time.monotonic,
    "monotonic_ns": time.monotonic_ns,
    "perf_counter": time.perf_counter,
    "perf_counter_ns": time.perf_counter_ns,
    "sleep": time.sleep,
}
real_monotonic = time.monotonic
real_sleep = time.sleep

_OWN = __name__.rpartition(".")[0]

_NOT_PATCHED = frozenset(sys.stdlib_module_names) | {"_pytest", "pytest", "xdist", "execnet"}


class Ticking(Protocol):
    """What moves the patched clocks."""

    def time_ns(self) -> int:
        """The loop's time in nanoseconds."""

    def pass_time(self, seconds: float) -> None:
        """Let time pass as if the loop's thread had been blocked for that long."""


class PatchedTime:
    """The process's clocks while they show ``source``; enter and leave it like a context."""

    def __init__(self, source: Ticking, *, start_ns: int) -> None:
        self._source = source
        self._shown_ns = start_ns
        self._stack = ExitStack()
        self._shift: Callable[[float], None] | None = None

    def __enter__(self) -> PatchedTime:
        with ExitStack() as stack:
            travel = time_machine.travel(EPOCH, tick=False)
            self._shift = travel.start().shift
            stack.callback(travel.stop)
            patches = self._patches()
            for namespace, name, key in _bindings():
                stack.callback(namespace.__setitem__, name, namespace[name])
                namespace[name] = patches[key]
            stack.enter_context(THREAD_WAITS.on_time_of(self._source.time_ns))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._shift = None
        self._stack.close()

    def show(self, now_ns: int) -> None:
        """Move `time.time` and `datetime` to the loop's time ``now_ns``."""
        if self._shift is not None:
            self._shift((now_ns - self._shown_ns) / NANOSECONDS)
            self._shown_ns = now_ns

    def _patches(self) -> dict[str, Callable[..., Any]]:
        nanoseconds = self._source.time_ns
        own_thread = threading.get_ident()

        def seconds() -> float:
            return nanoseconds() / NANOSECONDS

        def sleep(duration: float) -> None:
            if threading.get_ident() == own_thread:
                self._source.pass_time(duration)
            else:
                THREAD_WAITS.sleep(duration)

        return {
            "monotonic": seconds,
            "monotonic_ns": nanoseconds,
            "perf_counter": seconds,
            "perf_counter_ns": nanoseconds,
            "sleep": sleep,
        }


_scanned: set[str] = set()
_found: list[tuple[dict[str, Any], str, str]] = [(vars(time), name, name) for name in _REAL]


def _bindings() -> list[tuple[dict[str, Any], str, str]]:
    """Where the functions are bound: namespace, name in it, and which function it is."""
    modules = sys.modules
    fresh = modules.keys() - _scanned
    if fresh:
        real = {id(function): key for key, function in _REAL.items()}
        for module_name in sorted(fresh):
            _scanned.add(module_name)
            if module_name.partition(".")[0] in _NOT_PATCHED or module_name.startswith(_OWN):
                continue
            namespace = getattr(modules[module_name], "__dict__", {})
            for name, value in list(namespace.items()):
                if id(value) in real:
                    _found.append((namespace, name, real[id(value)]))
    return _found
