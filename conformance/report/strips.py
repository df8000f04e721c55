"""The strips of a page: what was heard of each segment, block by block, against what was sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from conformance.results.outcomes import CheckResult
from conformance.results.run import Run
from conformance.results.timeline import Event

HEARD = "heard"
"""The kind of the event that has what was heard of one segment."""

BlockState = Literal["heard", "gap", "repeat", "dropped"]
WORDS: dict[BlockState, str] = {
    "heard": "heard once",
    "gap": "not heard",
    "repeat": "heard more than once, or out of order",
    "dropped": "not heard, after an interruption",
}


@dataclass(frozen=True)
class Block:
    """One block of 80 ms of a segment that was sent, and what became of it."""

    number: int
    state: BlockState

    @property
    def words(self) -> str:
        """What a reader is told of it."""
        return f"block {self.number}, {self.number * 0.08:.2f} s: {WORDS[self.state]}"


@dataclass(frozen=True)
class Strip:
    """One segment: ``result`` is the check by which it was played."""

    result: CheckResult
    name: str
    blocks: tuple[Block, ...]

    @property
    def words(self) -> str:
        """The sum of it in words."""
        heard = sum(block.state in ("heard", "repeat") for block in self.blocks)
        wrong = [
            f"{count} {what}"
            for what, state in (("missing", "gap"), ("repeated", "repeat"))
            if (count := sum(block.state == state for block in self.blocks))
        ]
        return ", ".join([f"{heard} of {len(self.blocks)} blocks heard", *wrong])


def strips(run: Run) -> tuple[Strip, ...]:
    """Every segment of a run that was listened to, each playing of a scenario once."""
    found: dict[object, Strip] = {}
    for subject in run.subjects:
        for result in subject.results:
            for event in result.events:
                if event.kind == HEARD and "blocks" in event.detail:
                    key = (subject.name, event.at, event.subject)
                    found.setdefault(key, _strip(result, event))
    return tuple(found.values())


def _strip(result: CheckResult, event: Event) -> Strip:
    heard = [int(number) for number in str(event.detail["blocks"]).split()]
    sent, cleared = int(event.detail["sent"] or 0), bool(event.detail["cleared"])
    return Strip(result, event.subject, tuple(_blocks(heard, sent, cleared)))


def _blocks(heard: list[int], sent: int, cleared: bool) -> Iterator[Block]:
    latest = max(heard, default=-1)
    backwards = {b for a, b in pairwise(heard) if b <= a}
    for number in range(sent):
        state: BlockState = "heard"
        if number not in heard:
            state = "dropped" if cleared and number > latest else "gap"
        elif heard.count(number) > 1 or number in backwards:
            state = "repeat"
        yield Block(number, state)


__all__ = ["Strip", "strips"]
