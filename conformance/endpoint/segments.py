"""The segments that a swap point has open, and how far each of them has played."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Ending:
    """How a segment ends: at which position in it, in seconds, and what goes with it."""

    position: float
    interrupted: bool
    transcript: str | None = None
    cancelled_capture: bool = False


@dataclass(eq=False, slots=True)
class Segment:
    """The audio from a first captured frame to its flush. Durations in seconds.

    One segment can cross a swap. ``base`` is where in it the current tail's audio begins, and
    ``reached`` how far playback had got on earlier tails. ``given`` says whether the current tail
    has been offered any of it, ``reported`` how far that one reported progress, from ``base`` on,
    and ``started_at`` when it said that playback began (`time.time`).
    """

    pushed: float = 0.0
    captured_at: float | None = None
    base: float = 0.0
    reached: float = 0.0
    given: bool = False
    started_at: float | None = None
    reported: float | None = None
    announced: bool = False
    flushed: bool = False
    finished: bool = False
    ending: Ending | None = None

    @property
    def length(self) -> float:
        """How much of it the current tail was given."""
        return self.pushed - self.base

    def position(self, played: float) -> float:
        """Where in the segment playback is, when the current tail has played that much of it."""
        return self.base + played if played > 0 else self.reached

    def leave_tail(self, played: float) -> None:
        """What comes from now on goes to another tail."""
        self.reached = self.position(played)
        self.base = self.pushed
        self.given = False
        self.started_at = None
        self.reported = None


@dataclass
class Pauses:
    """When playback stood still, by `time.time`."""

    _spans: list[tuple[float, float]] = field(default_factory=list)
    _since: float | None = None

    def begin(self, at: float) -> None:
        """Playback stops at ``at``."""
        if self._since is None:
            self._since = at

    def end(self, at: float) -> None:
        """Playback goes on at ``at``."""
        if self._since is not None:
            self._spans.append((self._since, at))
            self._since = None

    def forget(self) -> None:
        """Drop the pauses that are over."""
        self._spans.clear()

    def within(self, start: float, end: float) -> float:
        """For how many seconds playback stood still between ``start`` and ``end``."""
        spans = list(self._spans)
        if self._since is not None:
            spans.append((self._since, math.inf))
        return sum(max(0.0, min(end, stop) - max(start, begin)) for begin, stop in spans)


def played_by(
    now: float, segments: Sequence[Segment], pauses: Pauses, final_positions: Sequence[float]
) -> list[float]:
    """How much the current tail has played of each of ``segments``, which play in that order.

    What it reported as progress decides; else the positions in ``final_positions``, which it gave
    while it was being stopped; else the time since it said that playback began. It cannot have
    played more than it was given, nor for longer than there was time.
    """
    words = iter(final_positions)
    free_at = -math.inf
    result = []
    for segment in segments:
        word = next(words, None) if segment.given else None
        began = segment.started_at if segment.started_at is not None else segment.captured_at
        begin = max(began if began is not None else -math.inf, free_at)
        room = max(0.0, now - begin - pauses.within(begin, now)) if begin > -math.inf else math.inf
        if not segment.given:
            played = 0.0
        elif segment.reported is not None:
            played = segment.reported
        elif word is not None:
            played = max(0.0, min(word, segment.length, room))
        elif segment.started_at is not None:
            played = min(segment.length, room)
        else:
            played = 0.0
        result.append(played)
        over = played >= segment.length and begin > -math.inf
        free_at = begin + segment.length + pauses.within(begin, now) if over else math.inf
    return result
