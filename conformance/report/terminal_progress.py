"""How far a run is: which provider, how much of it is done, and how long is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from conformance.results.outcomes import Outcome

SILENT = 30.0
"""Seconds after which a line is written though no subject is done."""
_SOON = 3.0
"""Seconds of a run before which nothing is said of the time that is left."""


@dataclass
class Progress:
    """Counts results and says what to print.

    ``planned`` has the number of checks of each subject. ``now`` is a clock in seconds. A line is
    due when a subject is done, and after `SILENT` seconds without one.
    """

    planned: Mapping[str, int]
    now: Callable[[], float]
    total: int = 0
    """Checks of the whole run; those that are planned where it is 0."""
    _done: Counter[str] = field(default_factory=Counter)
    _failed: Counter[str] = field(default_factory=Counter)
    _started: float | None = None
    _written: float = 0.0

    def start(self) -> None:
        """The first check begins now."""
        if self._started is None:
            self._started = self._written = self.now()

    def take(self, subject: str, outcome: Outcome) -> str | None:
        """Count one result; the line that is due now, if one is."""
        self.start()
        self._done[subject] += 1
        self._failed[subject] += outcome.unexpected
        if self._done[subject] < self.planned.get(subject, 0) and not self._silent_for_long():
            return None
        self._written = self.now()
        return self.line(subject)

    def line(self, subject: str) -> str:
        """The subject that was played last, how far it is, and how long the run still takes."""
        done, planned = self._done[subject], self.planned.get(subject, 0)
        far = (
            f"{planned} check{'s' if planned != 1 else ''}"
            if done >= planned
            else f"{done} of {planned} checks"
        )
        failed = f", {self._failed[subject]} failed" if self._failed[subject] else ""
        return f"{subject:<{self._widest}}  {far}{failed}{self._left()}"

    @property
    def _widest(self) -> int:
        return max(map(len, self.planned), default=0)

    def _silent_for_long(self) -> bool:
        return self.now() - self._written >= SILENT

    def _left(self) -> str:
        started = self._started
        total = self.total or sum(self.planned.values())
        done = sum(self._done.values())
        elapsed = 0.0 if started is None else self.now() - started
        if not done or done >= total or elapsed < _SOON:
            return ""
        return f", {in_words(elapsed * (total - done) / done)} left"


def in_words(seconds: float) -> str:
    """A duration that was estimated, as coarse as the estimate is."""
    if seconds < 60:
        return f"about {max(5, round(seconds / 5) * 5)} s"
    return f"about {round(seconds / 60)} min"
