"""What was sent to a deployed avatar, what it reported, and what was heard of it: values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

from .audible_code import BLOCK


@dataclass(frozen=True)
class Segment:
    """A segment that was sent: ``blocks`` of the code from ``first`` on, begun at ``at``.

    ``cleared`` is when it was interrupted; None where it was not.
    """

    first: int
    blocks: int
    at: float
    cleared: float | None = None

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.blocks * BLOCK

    @property
    def numbers(self) -> range:
        """The numbers of its blocks."""
        return range(self.first, self.first + self.blocks)


@dataclass(frozen=True)
class Heard:
    """A block that the listener heard, from whom, and when: seconds by the stage's clock."""

    number: int
    start: float
    end: float
    identity: str


@dataclass(frozen=True)
class Report:
    """A playback event as the agent had it: ``position`` is None for playback_started."""

    at: float
    position: float | None = None
    interrupted: bool = False


@dataclass(frozen=True)
class Recording:
    """One scenario with one avatar, as it was seen and heard from the room.

    ``joined``, ``video_at`` and ``audio_at`` are when the listener first saw the avatar, its
    picture and its audio track; None where it never did. ``left`` is when it was last seen going.
    ``strangers`` are the participants that nobody had expected. ``marks`` are the moments at which
    the scenario did something to the avatar.
    """

    identity: str
    began: float
    segments: tuple[Segment, ...] = ()
    heard: tuple[Heard, ...] = ()
    started: tuple[Report, ...] = ()
    finished: tuple[Report, ...] = ()
    joined: float | None = None
    kind: str = ""
    video_at: float | None = None
    audio_at: float | None = None
    left: float | None = None
    back: float | None = None
    strangers: tuple[str, ...] = ()
    ended_by_itself: str = ""
    marks: dict[str, float] = field(default_factory=dict)

    def of(self, segment: Segment) -> tuple[Heard, ...]:
        """What was heard of a segment, in the order in which it was heard."""
        return tuple(block for block in self.heard if block.number in segment.numbers)


@dataclass(frozen=True)
class Faults:
    """What is wrong with a segment as it was heard: numbers of blocks, counted from 0 in it."""

    gaps: tuple[range, ...]
    repeated: tuple[int, ...]
    backwards: tuple[int, ...]
    single: int

    def __bool__(self) -> bool:
        return bool(self.gaps or self.repeated or self.backwards)

    def __str__(self) -> str:
        parts = [
            f"blocks {gap.start} to {gap.stop - 1} ({len(gap) * BLOCK * 1000:.0f} ms at "
            f"{gap.start * BLOCK:.2f} s) were not heard"
            for gap in self.gaps
        ]
        parts += [
            f"block {number} (at {number * BLOCK:.2f} s) was heard twice"
            for number in self.repeated
        ]
        parts += [
            f"block {number} (at {number * BLOCK:.2f} s) was heard after a later one"
            for number in self.backwards
            if number not in self.repeated
        ]
        return "; ".join(parts) or "nothing is wrong"


SINGLE = 0.06
"""Share of the blocks that may be missed one at a time: what 5 % of lost packets does, thrice."""


def faults(
    segment: Segment, heard: tuple[Heard, ...], *, until: int | None = None, cut_end: bool = False
) -> Faults:
    """What is wrong with ``segment`` up to its block ``until`` (all of it by default).

    Two blocks in a row that are not heard are a gap. A single one is what a lost packet leaves,
    and is let pass while there are few of them; the first and the last block count as gaps where
    there are too many single ones only. ``cut_end`` lets the last block pass, which was cut.
    """
    numbers = [block.number - segment.first for block in heard]
    count = segment.blocks if until is None else until
    missing = sorted(set(range(count)) - set(numbers) - ({count - 1} if cut_end else set()))
    runs: list[range] = []
    for number in missing:
        if runs and runs[-1].stop == number:
            runs[-1] = range(runs[-1].start, number + 1)
        else:
            runs.append(range(number, number + 1))
    single = [run for run in runs if len(run) == 1]
    gaps = [run for run in runs if len(run) > 1]
    if len(single) > max(1, SINGLE * count):
        gaps = runs
    times = Counter(numbers)
    backwards = [b for a, b in pairwise(numbers) if b < a]
    return Faults(
        tuple(gaps),
        tuple(sorted(n for n, often in times.items() if often > 1)),
        tuple(backwards),
        len(single),
    )
