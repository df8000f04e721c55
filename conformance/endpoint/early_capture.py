"""Frames that wait in a tail above which only the host's own swap point stands.

The host's swap point awaits its tail, and nothing but the tail ends that: a frame that waits there
for an avatar which never joins would keep its speech, and every later one, for ever. So the host's
swap points hand frames over by a `Capture`, from the import of `conformance.endpoint` on, and a
`SwapPoint` that takes the place of one takes over what waits there. Nothing else of them changes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from livekit import rtc
from livekit.agents.voice import io

from conformance import host

from .capture import Capture
from .offer import Offer, segments_counted

_waiting: set[WaitingFrame] = set()


class WaitingFrame:
    """A frame that a tail below the host's swap point ``at`` has not taken yet."""

    def __init__(
        self, at: io.AudioOutput, frame: rtc.AudioFrame, counts: list[int] | None, capture: Capture
    ) -> None:
        self.at = at
        self.frame = frame
        self.counts = counts
        self.offer: Offer | None = None
        self._capture = capture

    def adopt(self, offer: Offer, under_way: set[Capture]) -> None:
        """Go on as a frame of the swap point that has taken the place of the host's."""
        self.offer = offer
        self._capture.move(under_way)


def frames_waiting_at(point: io.AudioOutput | None) -> list[WaitingFrame]:
    """The frames that wait below the host's swap point ``point``."""
    return [frame for frame in _waiting if frame.at is point and frame.offer is None]


async def hand_over(
    plain: Callable[[io.AudioOutput, rtc.AudioFrame], Awaitable[None]],
    point: io.AudioOutput,
    frame: rtc.AudioFrame,
) -> None:
    """Do as the host's swap point ``point`` does by ``plain``, in a way that can be left."""
    counts = None if host.is_capturing(point) else segments_counted(_tail(point))
    capture = Capture.begin(plain(point, frame), _under_way)
    if capture is None:
        return
    waiting = WaitingFrame(point, frame, counts, capture)
    _waiting.add(waiting)
    taken = refused = False
    try:
        taken = await capture
    except Exception:
        if waiting.offer is None or waiting.offer.tap.bound:
            raise
    finally:
        _waiting.discard(waiting)
        if waiting.offer is not None:
            refused = waiting.offer.refused(taken)
    if refused and waiting.offer is not None:
        await waiting.offer.point.offer_again(waiting.offer)


_under_way: set[Capture] = set()


def _tail(point: io.AudioOutput) -> io.AudioOutput:
    tail = point.next_in_chain
    assert tail is not None, "the host's swap point has no tail"
    return tail


leave_host_alone = host.hand_over_by(hand_over)
"""Gives the host's swap points their own method back; frames that wait there can't be left then."""
