"""Why a run in virtual time cannot go on."""

from __future__ import annotations

from conformance.errors import KitError


class ClockError(Exception):
    """The run could not go on; the message says why, and where the main task was waiting."""


class Deadlock(ClockError):
    """Nothing can ever happen any more: no callback, no timer, no thread at work."""


class TimeLimit(ClockError):
    """The run took longer, in simulated seconds, than it was allowed to."""


class Spinning(ClockError):
    """The loop went round and round while no time passed."""


class ThreadStuck(ClockError, KitError):
    """A thread was at work for longer, in real seconds, than virtual time can stand still."""


HANGS: tuple[type[Exception], ...] = (Deadlock, TimeLimit, Spinning)
"""What a run ends with when what it waits for never comes."""
