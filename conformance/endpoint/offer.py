"""A frame that a tail was offered, and may leave for the next one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from livekit import rtc
from livekit.agents.voice import io

from conformance import host

from .capture import Capture
from .segments import Segment
from .tail_listener import TailListener


class OfferingPoint(Protocol):
    """The swap point that offers it."""

    async def offer_again(self, offer: Offer) -> None:
        """Hand a frame over that the tail before did not take."""


@dataclass(frozen=True)
class Offer:
    """A frame that a tail was offered, and what the tail had counted before; None if unknown."""

    point: OfferingPoint
    segment: Segment
    frame: rtc.AudioFrame
    counts: list[int] | None
    tail: io.AudioOutput
    tap: TailListener

    def refused(self, taken: bool) -> bool:
        """Whether the tail has not begun to take the frame, which it then never will."""
        refused = not taken and self.counts == segments_counted(self.tail)
        if refused and self.tap.bound:
            self.segment.given = False
        return refused

    def make_first_again(self) -> None:
        """The segment begins with this frame for the next tail."""
        self.segment.base = self.segment.pushed - self.frame.duration


class EarlyCapture(Protocol):
    """A frame that waits in a tail above which no swap point stood yet."""

    frame: rtc.AudioFrame
    counts: list[int] | None

    def adopt(self, offer: Offer, under_way: set[Capture]) -> None:
        """Go on as ``offer``, among the captures that are ``under_way`` at the tail."""


def segments_counted(tail: io.AudioOutput) -> list[int]:
    """How many segments each output of the chain below has taken frames of."""
    return [host.captured_segments(output) for output in host.chain_of(tail)]
