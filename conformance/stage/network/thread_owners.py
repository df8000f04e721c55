"""Whose a thread is: that of the provider whose scene, or whose import, it was started in.

A thread that goes on after a scene is not the next scene's; what it does is its provider's.
"""

from __future__ import annotations

import re
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

NOBODY = ""
"""Owns the threads that were there before the first provider was looked at."""

_owners: weakref.WeakKeyDictionary[threading.Thread, str] = weakref.WeakKeyDictionary()


@contextmanager
def threads_of(provider: str) -> Iterator[None]:
    """Give ``provider`` every thread that is started meanwhile and outlives it."""
    _claim(NOBODY)
    try:
        yield
    finally:
        _claim(provider)


def owner_of_this_thread() -> str | None:
    """Whose the current thread is; None where it was started by what is being done now."""
    return _owners.get(threading.current_thread())


def kinds_of_threads(provider: str) -> frozenset[str]:
    """The names of the threads of ``provider`` that are alive, without the numbers in them."""
    alive = set(threading.enumerate())
    return frozenset(
        re.sub(r"\d+", "", thread.name)
        for thread, owner in list(_owners.items())
        if owner == provider and thread in alive
    )


def _claim(provider: str) -> None:
    own = threading.current_thread()
    for thread in threading.enumerate():
        if thread is not own:
            _owners.setdefault(thread, provider)
